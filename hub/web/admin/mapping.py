"""What the orders of a source become: every field with a live sample, and what they get here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from pydantic import ValidationError
from sqlmodel import select
from werkzeug.wrappers import Response

from hub.access import get
from hub.builtin.generic.fields import Fields
from hub.connections import undo
from hub.errors import Refused
from hub.nouns import Order
from hub.orders.mapping import Mapping
from hub.orders.resolve import SERVICE_TIME
from hub.store import ConnectionRow, DepotRow, PreviewRow, Session
from hub.web.admin import fieldmap
from hub.web.admin.connections import KEEPERS, changed
from hub.web.admin.fieldmap import fields_of, shape_of
from hub.web.admin.kinds import is_open
from hub.web.admin.tabs import render_tab
from hub.web.context import hub, read, write
from hub.web.policy import allow
from hub.workflow import previews, pulls

blueprint = Blueprint("mapping", __name__, url_prefix="/admin/connections")


@dataclass(frozen=True)
class Line:
    """One field of an order: what the source says, what the order gets and where that is seen."""

    label: str
    said: str
    gets: str
    lands: str

    @property
    def is_ours(self) -> bool:
        """Whether the order gets something else than the source said."""
        return self.said != self.gets


@blueprint.get("/<id>/mapping")
@allow(*KEEPERS)
def page(id: str) -> str:
    """Show the fields of an order with a sample, and the rules of the connection."""
    with read() as session:
        row = source_of(session, id)
        return mapping_page(session, row, Mapping.of(row))


@blueprint.post("/<id>/mapping")
@allow(*KEEPERS)
def change(id: str) -> Response:
    """Keep the rules; orders that are read from now on get them."""
    with write() as session:
        row = source_of(session, id)
        row.mapping = sent_rules(session).model_dump(exclude_defaults=True)
        changed(session, row)
    flash("Orders that are read from now on get this.", "good")
    return redirect(f"/admin/connections/{id}/mapping")


@blueprint.post("/<id>/mapping/preview")
@allow(*KEEPERS)
def look(id: str) -> str:
    """Show what the sample would get, and keep nothing."""
    with read() as session:
        row = source_of(session, id)
        rules = sent_rules(session)
        if "HX-Request" not in request.headers:
            return mapping_page(session, row, rules, tried=True)
        lines = landing(session, row, rules)
    return render_template("admin/connection/_landing.html", lines=lines)


@blueprint.post("/<id>/sample")
@allow(*KEEPERS)
def sample(id: str) -> Response:
    """Ask a worker for a fresh sample."""
    with write() as session:
        previews.request(session, source_of(session, id).id, "test")
    return redirect(f"/admin/connections/{id}/mapping")


def source_of(session: Session, id: str) -> ConnectionRow:
    """Return a connection that orders are read from; raise `Refused` for another one."""
    row = get(session, ConnectionRow, id)
    if not pulls.hands_over(hub(), row):
        raise Refused(f"{row.title} hands over no orders, so there is nothing to map")
    return row


def mapping_page(
    session: Session,
    row: ConnectionRow,
    rules: Mapping,
    *,
    tried: bool = False,
    fields: Fields | None = None,
    guessed: frozenset[str] = frozenset(),
) -> str:
    """Return the tab, with rules or fields that are kept or that are only tried."""
    preview = previews.find(session, row.id, "test")
    mappable = shape_of(row.connector) is not None
    own = fields or fields_of(row) if mappable else Fields()
    found = previews.found(hub(), preview)
    return render_tab(
        "admin/connection/mapping.html",
        row,
        rules=rules,
        tried=tried,
        lines=landing(session, row, rules, preview),
        preview=preview,
        depots=known_depots(session),
        map=fieldmap.view(row, own, found, guessed) if mappable else None,
        map_tried=fields is not None,
        open=is_open(hub().plugins.connector(row.connector)) if mappable else True,
        undo_until=undo.until(row, session.wall) if mappable else None,
    )


def sent_rules(session: Session) -> Mapping:
    """Return the rules that a form sent; raise `Refused` naming the field at fault."""
    form = request.form
    numbers = {"load": form.get("load", ""), "lead": form.get("lead", "") or "0"}
    minutes = form.get("minutes", "").strip()
    given: dict[str, Any] = {
        name: form.get(name, "").strip() for name in ("depot", "kind", "prefix")
    }
    given |= {name: said.strip() for name, said in numbers.items() if said.strip()}
    given["days"] = form.get("days", "source")
    if minutes:
        if not minutes.isdecimal() or len(minutes) > 4:
            raise Refused("Minutes at the door: a whole number, at least 0", "minutes")
        given["service_time"] = int(minutes) * 60
    if given["depot"] and given["depot"] not in dict(known_depots(session)):
        raise Refused("Depot: choose one of the list", "depot")
    try:
        return Mapping.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = str(first["loc"][0])
        raise Refused(f"{field}: {first['msg']}", field) from None


def known_depots(session: Session) -> list[tuple[str, str]]:
    """Return (id, name) of the depots that deliver, as a merchant may read them too."""
    return list(session.exec(select(DepotRow.id, DepotRow.name).order_by(DepotRow.name)).all())


def landing(
    session: Session, row: ConnectionRow, rules: Mapping, preview: PreviewRow | None = None
) -> list[Line]:
    """Return every field of the last sample; nothing where there is none any more."""
    preview = preview or previews.find(session, row.id, "test")
    order = sampled(row, previews.found(hub(), preview))
    if order is None:
        return []
    said, gets = dict(words_of(order)), dict(words_of(rules.apply(order)))
    depots = dict(known_depots(session))
    gets["Depot"] = depots.get(gets["Depot"], gets["Depot"])
    return [Line(label, said[label], gets[label], lands) for label, lands in LANDS.items()]


def sampled(row: ConnectionRow, found: dict[str, Any]) -> Order | None:
    """Return the order that a sample shows, None where it shows none."""
    if shape_of(row.connector) is not None:
        return fieldmap.chosen_order(fields_of(row), found)
    return Order.model_validate(found["order"]) if found.get("order") else None


LANDS = {
    "Number": "order, proof and messages",
    "Kind": "what the stop is",
    "Recipient": "stop and driver's phone",
    "Phone": "messages, call button",
    "E-mail": "messages",
    "Address": "place of the stop",
    "Pin": "place of the stop, not looked up",
    "Articles": "driver's list",
    "Load": "room in the vehicle",
    "Day": "day of the route",
    "Window": "promised window",
    "Minutes at the door": "length of the stop",
    "Cash to collect": "asked for at the door",
    "Invoice": "where the proof is filed",
    "Depot": "where the route starts",
    "Notes": "driver's phone",
}
"""Fields of an order by their label, and where each is seen later."""


def words_of(order: Order) -> Iterator[tuple[str, str]]:
    """Yield an order's fields by label, in words."""
    seconds = SERVICE_TIME if order.service_time is None else order.service_time
    yield "Number", order.ref
    yield "Kind", order.kind
    yield "Recipient", order.recipient.name
    yield "Phone", order.recipient.phone
    yield "E-mail", order.recipient.email
    yield "Address", order.address.text()
    pin = order.location
    yield "Pin", f"{pin.lat:.5f}, {pin.lon:.5f}" if pin else ""
    yield "Articles", ", ".join(f"{line.quantity} × {line.name}" for line in order.lines[:8])
    yield "Load", str(sum(line.load * line.quantity for line in order.lines) or 1)
    yield "Day", order.service_date.isoformat() if order.service_date else "next working day"
    yield "Window", window_of(order)
    yield "Minutes at the door", f"{seconds / 60:g}"
    cash = order.cash_due
    yield "Cash to collect", f"{cash.amount} {cash.currency}" if cash else ""
    yield "Invoice", order.invoice
    yield "Depot", order.depot or "the nearest"
    yield "Notes", order.notes


def window_of(order: Order) -> str:
    """Return the window of an order in words, empty for none."""
    if order.window is not None:
        return f"{order.window.start:%Y-%m-%d %H:%M} to {order.window.end:%H:%M} UTC"
    if order.windows:
        return ", ".join(
            one if isinstance(one, str) else f"{one.start:%Y-%m-%d %H:%M} to {one.end:%H:%M} UTC"
            for one in order.windows
        )
    first, last = order.window_start_local, order.window_end_local
    return f"{first or '…'} to {last or '…'}" if first or last else ""
