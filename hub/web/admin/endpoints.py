"""Webhooks: the endpoints that are sent events, added, changed, switched and removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask_login import current_user
from sqlmodel import col, select
from werkzeug.wrappers import Response

from hub import http
from hub.access import get, scoped
from hub.errors import Refused
from hub.events import catalogue
from hub.events.log import tail
from hub.outgoing import endpoints, schedule
from hub.store import EndpointRow, EventRow, Merchant, MerchantRow, Session
from hub.web.context import hub, principal, read, write
from hub.web.policy import allow

blueprint = Blueprint("endpoints", __name__, url_prefix="/admin/webhooks")
KEEPERS = ("owner", "ops", "merchant")
OPERATORS = frozenset({"route", "plan"})
"""Resources whose events belong to no merchant."""
MOST_COUNTED = 1000


@dataclass(frozen=True)
class Card:
    """An endpoint as its card and its page show it."""

    row: EndpointRow
    name: str
    host: str
    owner: str
    state: str
    word: str
    waiting: int
    behind: int
    """Events that it has not been given, because it is off."""
    failed: int
    delivered: int
    rests_until: Any

    @property
    def href(self) -> str:
        """The address of its page."""
        return f"/admin/webhooks/{self.row.id}"


@blueprint.get("")
@allow(*KEEPERS)
def page() -> str:
    """Show the endpoints, those that need somebody on top."""
    with read() as session:
        cards = cards_of(session, endpoints.listed(session))
    attention = [card for card in cards if card.row.enabled and card.row.state != "healthy"]
    return render_template("admin/endpoints.html", cards=cards, attention=attention)


@blueprint.get("/new")
@allow(*KEEPERS)
def new() -> str:
    """Show the empty form."""
    return form_page()


@blueprint.post("/new")
@allow(*KEEPERS)
def add() -> Response | str | tuple[str, int]:
    """Add an endpoint and show its secret, this once."""
    form = request.form
    try:
        with write() as session:
            row, secret = endpoints.add(
                session, hub().keys, form.get("url", ""),
                merchant=owner(session, form.get("merchant", "")),
                description=form.get("description", ""), types=form.getlist("types"),
            )  # fmt: skip
    except Refused as error:
        return form_page(error=error), 422
    return secret_page(row, secret)


@blueprint.get("/<id>/settings")
@allow(*KEEPERS)
def edit(id: str) -> str:
    """Show what can be changed of an endpoint."""
    with read() as session:
        row = endpoints.found(session, id)
    return form_page(row)


@blueprint.post("/<id>/settings")
@allow(*KEEPERS)
def change(id: str) -> Response | tuple[str, int]:
    """Change an endpoint's address, description or events."""
    form = request.form
    try:
        with write() as session:
            row = endpoints.change(
                session, id, url=form.get("url", ""), description=form.get("description", ""),
                types=form.getlist("types"),
            )  # fmt: skip
    except Refused as error:
        with read() as session:
            return form_page(endpoints.found(session, id), error), 422
    flash("Saved. What is sent from now on follows it.", "good")
    return redirect(f"/admin/webhooks/{row.id}")


@blueprint.post("/<id>/rotate")
@allow(*KEEPERS)
def rotate(id: str) -> str:
    """Give an endpoint a new secret and show it, this once."""
    with write() as session:
        secret = endpoints.rotate(session, hub().keys, id)
        row = endpoints.found(session, id)
    return secret_page(row, secret, rotated=True)


@blueprint.post("/<id>/switch")
@allow(*KEEPERS)
def switch(id: str) -> Response | str:
    """Switch an endpoint on or off: the card alone to htmx, else back to where it was asked."""
    enabled = request.form.get("enabled") == "yes"
    by = str(current_user.row.name or current_user.row.email)
    with write() as session:
        endpoints.switch(session, id, enabled, by)
    if "HX-Request" not in request.headers:
        listed = request.form.get("from") == "list"
        return redirect(f"/admin/webhooks#{id}" if listed else f"/admin/webhooks/{id}")
    with read() as session:
        card = card_of(session, endpoints.found(session, id))
    return render_template("admin/_endpoint.html", card=card)


@blueprint.post("/<id>/test")
@allow(*KEEPERS)
def test(id: str) -> Response:
    """Have a test sent at once."""
    with write() as session:
        endpoints.test(session, id)
    flash("A test is on its way; below stands what comes back.", "good")
    return redirect(f"/admin/webhooks/{id}")


@blueprint.post("/<id>/drop")
@allow(*KEEPERS)
def drop(id: str) -> Response:
    """Lay by what waits, so that only what happens from now on is sent."""
    with write() as session:
        number = endpoints.drop(session, id)
    flash(f"{number} event{'' if number == 1 else 's'} laid by; they can be sent again by a range.")
    return redirect(f"/admin/webhooks/{id}")


@blueprint.get("/<id>/remove")
@allow(*KEEPERS)
def ask(id: str) -> str:
    """Ask whether an endpoint shall really go."""
    with read() as session:
        card = card_of(session, endpoints.found(session, id))
    return render_template("admin/endpoint_remove.html", card=card)


@blueprint.post("/<id>/remove")
@allow(*KEEPERS)
def remove(id: str) -> Response:
    """Remove an endpoint with its log."""
    with write() as session:
        row = endpoints.remove(session, id)
    flash(f"Nothing is sent to {row.description or http.host_of(row.url)} any more.", "good")
    return redirect("/admin/webhooks")


def owner(session: Session, said: str) -> str | None:
    """Return for whom an endpoint is added: a merchant's user adds its own only."""
    who = principal()
    if isinstance(who, Merchant):
        return who.id
    return get(session, MerchantRow, said).id if said else None


def card_of(session: Session, row: EndpointRow) -> Card:
    """Return one endpoint as it is shown."""
    return cards_of(session, [row])[0]


def cards_of(session: Session, rows: list[EndpointRow]) -> list[Card]:
    """Return endpoints as they are shown."""
    counted = endpoints.counts(session, [row.id for row in rows])
    names = {row.id: row.name for row in session.exec(scoped(session, MerchantRow))}
    last = tail(session)
    return [
        Card(
            row=row,
            name=row.description or http.host_of(row.url),
            host=http.host_of(row.url),
            owner=names.get(row.merchant or "", "Operator"),
            state=looks(row)[0],
            word=looks(row)[1],
            waiting=counted[row.id].get("pending", 0) + counted[row.id].get("sending", 0),
            behind=0 if endpoints.is_on(row) else behind(session, row, last),
            failed=counted[row.id].get("failed", 0),
            delivered=counted[row.id].get("delivered", 0),
            rests_until=schedule.rests(row, session.wall),
        )
        for row in rows
    ]


def behind(session: Session, row: EndpointRow, last: int) -> int:
    """Return how many events an endpoint that is off will be given once it is on."""
    if row.seq >= last:
        return 0
    query = select(EventRow.id).where(*endpoints.wanted(row), col(EventRow.seq) > row.seq)
    return len(session.exec(query.limit(MOST_COUNTED)).all())


def looks(row: EndpointRow) -> tuple[str, str]:
    """Return the chip of an endpoint: its colour by state, and its word."""
    if row.state == "disabled":
        return "action_needed", "Disabled"
    if not row.enabled:
        return "off", "Off"
    if row.state == "failing":
        return "partial", "Not answering"
    if row.last_ok_at is None:
        return "planned", "Nothing sent yet"
    return "healthy", "Works"


def secret_page(row: EndpointRow, secret: str, *, rotated: bool = False) -> str:
    """Return the page that shows a secret this once."""
    return render_template(
        "admin/endpoint_secret.html", row=row, secret=secret, rotated=rotated,
        name=row.description or http.host_of(row.url),
    )  # fmt: skip


def form_page(row: EndpointRow | None = None, error: Refused | None = None) -> str:
    """Return the form of an endpoint: what is stored, or what was just sent and refused."""
    form = request.form
    with read() as session:
        merchants = list(session.exec(scoped(session, MerchantRow).order_by(MerchantRow.name)))
    chosen = form.getlist("types") if error else (row.types if row else [])
    return render_template(
        "admin/endpoint_form.html",
        row=row, error=error, groups=groups(), chosen=frozenset(chosen),
        url=form.get("url", row.url if row else ""),
        description=form.get("description", row.description if row else ""),
        merchants=[] if isinstance(principal(), Merchant) else merchants,
        merchant=form.get("merchant", ""),
    )  # fmt: skip


def groups() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the events by resource, each with what it says; a merchant's form has its own."""
    mine = isinstance(principal(), Merchant)
    found: dict[str, list[tuple[str, str]]] = {}
    for name, kind in catalogue().items():
        resource = name.partition(".")[0]
        if not (mine and resource in OPERATORS):
            said = (kind.__doc__ or "").strip().partition("\n")[0]
            found.setdefault(resource, []).append((name, said))
    return list(found.items())
