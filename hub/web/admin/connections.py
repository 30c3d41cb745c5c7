"""Connections: see how each one is, add, change, check, switch on and off."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request
from sqlalchemy import func
from sqlmodel import col, select
from werkzeug.wrappers import Response

from hub.access import get, scoped
from hub.connections import pulse
from hub.connector import Connector
from hub.contract import CAPABILITY
from hub.errors import Refused
from hub.events import append
from hub.events.catalogue import ConnectionChanged
from hub.events.facts import ConnectionFacts
from hub.store import ConnectionRow, EffectRow, MerchantRow, Session, WorkRow
from hub.testing import grades
from hub.web.admin import forms
from hub.web.context import hub, read, write
from hub.web.policy import allow
from hub.workflow import checks, pulls
from hub.workflow.effects import release

blueprint = Blueprint("connections", __name__, url_prefix="/admin/connections")
KEEPERS = ("owner", "ops")
ATTENTION = ("action_needed", "degraded")
"""States that are shown on top of the page."""

KINDS = {
    "order_sources": "Orders in",
    "notification_channels": "Messages",
    "pod_sinks": "Proofs out",
    "geocoders": "Addresses",
    "travel_times": "Travel times",
    "routing_engines": "Planning",
}


@blueprint.get("")
@allow(*KEEPERS)
def page() -> str:
    """Show all connections by kind, those that need somebody first."""
    with read() as session:
        cards = all_cards(session)
    return render_template(
        "admin/connections.html",
        groups=groups(cards),
        attention=[card for card in cards if card["state"] in ATTENTION],
        available=available(),
    )


@blueprint.get("/<id>/card")
@allow(*KEEPERS)
def card(id: str) -> str:
    """Show one connection anew, while it is being checked."""
    with read() as session:
        return fragment(session, id)


@blueprint.get("/new/<connector>")
@allow(*KEEPERS)
def new(connector: str) -> str:
    """Show the empty form of a connector."""
    return form_page(hub().plugins.connector(connector))


@blueprint.post("/new/<connector>")
@allow(*KEEPERS)
def add(connector: str) -> Response | tuple[str, int]:
    """Add a connection and check it."""
    return save(hub().plugins.connector(connector), None)


@blueprint.get("/<id>")
@allow(*KEEPERS)
def edit(id: str) -> str:
    """Show a connection's form; its secrets are never shown."""
    with read() as session:
        row = get(session, ConnectionRow, id)
    return form_page(hub().plugins.connector(row.connector), row)


@blueprint.post("/<id>")
@allow(*KEEPERS)
def change(id: str) -> Response | tuple[str, int]:
    """Change a connection and check it; a secret left empty stays as it is."""
    with read() as session:
        row = get(session, ConnectionRow, id)
    return save(hub().plugins.connector(row.connector), row)


@blueprint.post("/<id>/check")
@allow(*KEEPERS)
def check(id: str) -> Response | str:
    """Ask a worker to check a connection."""
    with write() as session:
        checks.request(session, get(session, ConnectionRow, id).id)
    return shown(id)


@blueprint.post("/<id>/pull")
@allow(*KEEPERS)
def pull(id: str) -> Response | str:
    """Ask a worker to read the orders of a shop now."""
    with write() as session:
        row = get(session, ConnectionRow, id)
        if not pulls.is_source(hub(), row.connector) or row.merchant is None:
            raise Refused(f"{row.title} is no shop of a merchant; it has no orders to read")
        pulls.request(session, row.id)
    return shown(id)


@blueprint.post("/<id>/switch")
@allow(*KEEPERS)
def switch(id: str) -> Response | str:
    """Switch a connection on or off; every process follows at its next piece of work."""
    enabled = request.form.get("enabled") == "yes"
    with write() as session:
        row = get(session, ConnectionRow, id)
        hub().connections.set_enabled(session, row.id, enabled)
        changed(session, row)
    return shown(id)


def save(kind: type[Connector[Any]], row: ConnectionRow | None) -> Response | tuple[str, int]:
    """Store what the form says; show it again with the field at fault marked otherwise."""
    form = request.form
    try:
        given = forms.settings(kind.Config, form)
        with write() as session:
            saved = hub().connections.save(
                session,
                kind.name,
                given,
                merchant=row.merchant if row else known_merchant(session, form.get("merchant", "")),
                title=form.get("title", "").strip()[:100],
                id=row.id if row else None,
            )
            changed(session, saved)
            checks.request(session, saved.id)
    except Refused as error:
        return form_page(kind, row, error), 422
    return redirect(f"/admin/connections#{saved.id}")


def known_merchant(session: Session, id: str) -> str | None:
    """Return the merchant's id, or `None` for the operator's own connection."""
    return get(session, MerchantRow, id).id if id else None


def changed(session: Session, row: ConnectionRow) -> None:
    """Tell that a connection changed, and let its waiting work go on if it is on."""
    if row.enabled:
        release(session, row.id)
    facts = ConnectionFacts(id=row.id, connector=row.connector, title=row.title)
    append(session, ConnectionChanged(subject=row.id, merchant_id=row.merchant, connection=facts))


def shown(id: str) -> Response | str:
    """Answer a form: the card alone to htmx, the whole page to a browser without scripts."""
    if "HX-Request" not in request.headers:
        return redirect(f"/admin/connections#{id}")
    with read() as session:
        return fragment(session, id)


def fragment(session: Session, id: str) -> str:
    """Return the HTML of one card."""
    row = get(session, ConnectionRow, id)
    return render_template("admin/_connection.html", card=cards_of(session, [row])[0])


def all_cards(session: Session) -> list[dict[str, Any]]:
    """Return every connection as the page shows it."""
    rows = session.exec(scoped(session, ConnectionRow).order_by(col(ConnectionRow.created_at)))
    return cards_of(session, list(rows))


def cards_of(session: Session, rows: list[ConnectionRow]) -> list[dict[str, Any]]:
    """Return what the cards of `rows` show."""
    ids = [row.id for row in rows]
    waiting = waiting_by(session, ids)
    running = set(
        session.exec(
            select(WorkRow.subject).where(
                col(WorkRow.kind).in_([checks.KIND, pulls.KIND]),
                col(WorkRow.subject).in_(ids),
                col(WorkRow.state).in_(["ready", "leased"]),
            )
        )
    )
    merchants = {row.id: row.name for row in session.exec(scoped(session, MerchantRow))}
    return [
        {
            "id": row.id,
            "title": row.title,
            "kind": kind_title(row.connector),
            "hook": hook_of(row.connector),
            "owner": merchants.get(row.merchant or "", "Operator"),
            "enabled": row.enabled,
            "plugin_on": hub().connections.is_on(session, row.connector),
            "installed": hub().plugins.owner(row.connector) is not None,
            "grade": grade_of(row.connector),
            "state": row.state,
            "reason": row.reason,
            "checked_at": row.checked_at,
            "source": pulls.is_source(hub(), row.connector),
            "merchant": row.merchant,
            "pulled_at": row.pulled_at,
            "rests_until": pulse.rests(row, session.wall),
            "checking": row.id in running,
            "waiting": waiting.get(row.id, 0),
        }
        for row in rows
    ]


def grade_of(connector: str) -> str:
    """Return the grade of the plugin that brings a connector, nothing where it has none."""
    plugin = hub().plugins.owner(connector)
    found = grades.read(plugin) if plugin else None
    return found.grade if found else ""


def waiting_by(session: Session, ids: list[str]) -> dict[str, int]:
    """Return how many records wait for each connection."""
    query = (
        select(EffectRow.connection, func.count())
        .where(col(EffectRow.connection).in_(ids), EffectRow.state == "parked")
        .group_by(col(EffectRow.connection))
    )
    return {str(id): number for id, number in session.exec(query)}


def kind_title(connector: str) -> str:
    """Return what people call a connector, also when its plugin is gone."""
    plugin = hub().plugins.owner(connector)
    return plugin.connectors[connector].title if plugin else connector


def hook_of(connector: str) -> str:
    """Return the first kind a connector belongs to."""
    return next((hook for hook in CAPABILITY if connector in hub().plugins.of_kind(hook)), "")


def groups(cards: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the cards under the title of their kind."""
    titles = {**KINDS, "": "Not installed any more"}
    found = [(title, [c for c in cards if c["hook"] == hook]) for hook, title in titles.items()]
    return [(title, group) for title, group in found if group]


def available() -> list[tuple[str, list[type[Connector[Any]]]]]:
    """Return every installed connector that has settings, under the title of its kind."""
    found = []
    for hook, title in KINDS.items():
        kinds = hub().plugins.of_kind(hook)
        own = [kind for name, kind in sorted(kinds.items()) if hook_of(name) == hook]
        if own:
            found.append((title, own))
    return found


def form_page(
    kind: type[Connector[Any]], row: ConnectionRow | None = None, error: Refused | None = None
) -> str:
    """Return the form of a connection: what is stored, or what was just sent and refused."""
    sent = forms.settings(kind.Config, request.form) if error and is_readable(kind) else None
    stored = sent if sent is not None else (row.config if row else {})
    with read() as session:
        merchants = list(session.exec(scoped(session, MerchantRow).order_by(MerchantRow.name)))
    return render_template(
        "admin/connection_form.html",
        kind=kind,
        row=row,
        fields=forms.fields(kind.Config, stored, kept=row is not None),
        error=error,
        title=request.form.get("title", row.title if row else ""),
        merchants=merchants,
        merchant=request.form.get("merchant", ""),
    )


def is_readable(kind: type[Connector[Any]]) -> bool:
    """Say whether what was sent can be shown again."""
    try:
        forms.settings(kind.Config, request.form)
    except Refused:
        return False
    return True
