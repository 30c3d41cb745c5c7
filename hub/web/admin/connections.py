"""Connections: the list by kind, how one does, its settings, and its switch."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response

from hub.access import get, scoped
from hub.connections import removal, undo
from hub.connections.states import WORDS
from hub.connections.tally import last_calls
from hub.connector import Connector
from hub.errors import Forbidden, Refused
from hub.events import append
from hub.events.catalogue import ConnectionChanged
from hub.events.facts import ConnectionFacts
from hub.store import ConnectionRow, MerchantRow, Session
from hub.web.admin import forms
from hub.web.admin.cards import all_cards, cards_of, chosen, groups, urgent
from hub.web.admin.kinds import KINDS, abilities, available, is_open
from hub.web.admin.tabs import render_tab
from hub.web.context import hub, read, write
from hub.web.policy import allow
from hub.workflow import checks, pulls
from hub.workflow.parking import release
from hub.workflow.usage import uses

blueprint = Blueprint("connections", __name__, url_prefix="/admin/connections")
KEEPERS = ("owner", "ops", "merchant")
"""Who sets connections up; a merchant its own ones only."""


@blueprint.get("")
@allow(*KEEPERS)
def page() -> str:
    """Show all connections by kind, those that need somebody first."""
    with read() as session:
        cards = all_cards(session)
        merchants = known_merchants(session)
        gone = removal.removed(session)
    shown = chosen(cards, lambda name: request.args.get(name, "").strip())
    return render_template(
        "admin/connections.html",
        groups=groups(shown),
        count=len(cards),
        attention=urgent(cards),
        available=available(),
        abilities=abilities,
        merchants=merchants,
        removed=[(row, removal.until(row)) for row in gone],
        states=WORDS,
        kinds=[
            (hook, title) for hook, title in KINDS.items() if any(c.hook == hook for c in cards)
        ],
    )


@blueprint.get("/<id>/card")
@allow(*KEEPERS)
def card(id: str) -> str:
    """Show one connection anew, while it is being checked."""
    with read() as session:
        return fragment(session, id)


@blueprint.get("/<id>")
@allow(*KEEPERS)
def overview(id: str) -> Response | str:
    """Show how one connection does, and what to do about it."""
    with read() as session:
        row = get(session, ConnectionRow, id)
        if row.state == "not_set_up":
            return redirect(f"/admin/connections/{id}/setup/test")
        return render_tab(
            "admin/connection/overview.html",
            row,
            card=cards_of(session, [row])[0],
            calls=last_calls(session, id, 5),
            uses=uses(hub(), session, row),
        )


@blueprint.get("/<id>/settings")
@allow(*KEEPERS)
def edit(id: str) -> str:
    """Show a connection's form; its secrets are never shown."""
    with read() as session:
        row = get(session, ConnectionRow, id)
    return settings_page(row)


@blueprint.post("/<id>/settings")
@allow(*KEEPERS)
def change(id: str) -> Response | tuple[str, int]:
    """Change a connection and check it; what it was before is kept for a day."""
    with read() as session:
        row = get(session, ConnectionRow, id)
    kind = hub().plugins.connector(row.connector)
    if not is_open(kind):
        raise Forbidden(f"{kind.title} is set up by the operator of the hub; ask them")
    try:
        given = forms.settings(kind.Config, request.form)
        with write() as session:
            held = get(session, ConnectionRow, id)
            undo.remember(hub().keys, session, held)
            saved = hub().connections.save(
                session, kind.name, given, merchant=held.merchant, title=said_title(), id=id
            )
            changed(session, saved)
            checks.request(session, id)
    except Refused as error:
        return settings_page(row, error), 422
    flash(
        f"{saved.title} was changed and is being checked. You can undo that for 24 hours.", "good"
    )
    return redirect(f"/admin/connections/{id}")


@blueprint.post("/<id>/undo")
@allow(*KEEPERS)
def take_back(id: str) -> Response:
    """Give a connection the settings from before its last change."""
    with write() as session:
        row = get(session, ConnectionRow, id)
        undo.undo(hub().keys, session, row)
        changed(session, row)
        checks.request(session, id)
    flash(f"{row.title} has its settings from before the last change and is being checked.", "good")
    back = {"mapping": "/mapping", "map": "/setup/map"}.get(request.form.get("back", ""), "")
    return redirect(f"/admin/connections/{id}{back}")


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
        if not pulls.hands_over(hub(), row) or row.merchant is None:
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
        hub().connections.set_enabled(session, row.id, enabled, reader_name())
        changed(session, row)
    return shown(id)


def reader_name() -> str:
    """Return the name of who sends this request, as others read it."""
    return str(current_user.row.name) if current_user.is_authenticated else ""


def said_title() -> str:
    """Return the name that a form gives a connection."""
    return request.form.get("title", "").strip()[:100]


def known_merchants(session: Session) -> list[MerchantRow]:
    """Return the merchants that the reader may see, by name."""
    return list(session.exec(scoped(session, MerchantRow).order_by(MerchantRow.name)))


def changed(session: Session, row: ConnectionRow) -> None:
    """Tell that a connection changed, and let its waiting work go on if it is on."""
    if row.enabled:
        release(session, row.id)
    facts = ConnectionFacts(id=row.id, connector=row.connector, title=row.title)
    append(session, ConnectionChanged(subject=row.id, merchant_id=row.merchant, connection=facts))


def shown(id: str) -> Response | str:
    """Answer a form: the card alone to htmx, the page it came from to a browser without scripts."""
    if "HX-Request" in request.headers:
        with read() as session:
            return fragment(session, id)
    if request.form.get("back") == "overview":
        return redirect(f"/admin/connections/{id}")
    return redirect(f"/admin/connections#{id}")


def fragment(session: Session, id: str) -> str:
    """Return the HTML of one card."""
    row = get(session, ConnectionRow, id)
    return render_template("admin/_connection.html", card=cards_of(session, [row])[0])


def settings_page(row: ConnectionRow, error: Refused | None = None) -> str:
    """Return the tab with a connection's form, or what to do where its plugin is missing."""
    plugin = hub().plugins.owner(row.connector)
    kind = plugin.connectors[row.connector] if plugin else None
    with read() as session:
        until = undo.until(row, session.wall)
    return render_tab(
        "admin/connection/settings.html",
        row,
        fields=form_fields(kind, row, error) if kind else None,
        error=error,
        title=request.form.get("title", row.title),
        undo_until=until,
        closed=kind is not None and not is_open(kind),
    )


def form_fields(
    kind: type[Connector[Any]], row: ConnectionRow | None, error: Refused | None
) -> list[forms.Field]:
    """Return the fields of a connection: what is stored, or what was just sent and refused."""
    stored: dict[str, Any] = row.config if row else {}
    if error is not None:
        with suppress(Refused):  # then what was sent cannot be shown again
            stored = forms.settings(kind.Config, request.form)
    return forms.fields(kind.Config, stored, kept=row is not None)
