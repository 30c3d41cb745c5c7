"""The API of orders: hand one in, list, read, pin and cancel them."""

from __future__ import annotations

import base64
import binascii
from datetime import date
from typing import Any

from flask import Blueprint, Response, request
from pydantic import Field
from sqlmodel import col

from hub.access import get, scoped
from hub.driving import calloff
from hub.errors import Refused
from hub.nouns import Noun, Order
from hub.orders.intake import take
from hub.orders.places import set_pin
from hub.orders.sheets import OrderSheet, order_sheets
from hub.queue import inbox
from hub.store import Merchant, MerchantRow, OrderRow, Session
from hub.web.answers import answer
from hub.web.bodies import parse, raw_json, request_key
from hub.web.context import hub, principal, read, write
from hub.web.policy import allow
from hub.web.problems import Problem

blueprint = Blueprint("api_orders", __name__, url_prefix="/api/v1/orders")
WRITERS = ("owner", "dispatcher", "merchant", "key:orders:write")
READERS = ("owner", "dispatcher", "ops", "accountant", "merchant", "key:orders:read")
SOURCE = "api"
STATES = ("received", "needs_address", "ready", "cancelled")


class HandedIn(Order):
    """An order as the API takes it; `merchant` (id) where the caller is no merchant itself."""

    merchant: str = Field(default="", max_length=60)


class Pin(Noun):
    """A point on the map."""

    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)


class Filter(Noun):
    """Which orders to list."""

    cursor: str = Field(default="", max_length=200)
    limit: int = Field(default=50, ge=1, le=200)
    service_date: date | None = None
    state: str = Field(default="", max_length=40)
    ref: str = Field(default="", max_length=200)


@blueprint.post("")
@allow(*WRITERS)
def add() -> Response:
    """Take an order in: 201 for a new one, 200 for a known one, the same answer for a repeat."""
    raw = raw_json()
    given = parse(HandedIn, raw)
    key = request_key("Idempotency-Key")
    with write() as session:
        owner = merchant_of(session, given.merchant)
        if not key:
            status, data = hand_in(session, owner, given)
            return answer(data, status)
        row, new = inbox.receive(session, sender(), key, "order", raw)
        if not new and row.status == 0:
            raise Problem(409, "a request with this Idempotency-Key is still being worked on")
        if new:
            status, data = hand_in(session, owner, given)
            inbox.answer(session, row, status, data)
        return answer(row.answer, row.status)


def hand_in(session: Session, merchant: str, given: HandedIn) -> tuple[int, dict[str, Any]]:
    """Take the order in and return status and answer."""
    order = Order.model_validate(given.model_dump(exclude={"merchant"}))
    taken = take(hub(), session, merchant, SOURCE, order)
    row = session.get_one(OrderRow, taken.id)
    data = {
        "id": row.id,
        "ref": row.ref,
        "news": taken.news,
        "state": row.state,
        "reason": row.reason,
        "service_date": row.service_date.isoformat(),
    }
    return (201 if taken.news == "created" else 200), data


def merchant_of(session: Session, wanted: str) -> str:
    """Return the merchant that the order is for: the caller itself, or the one it names."""
    caller = principal()
    if isinstance(caller, Merchant):
        if wanted not in ("", caller.id):
            get(session, MerchantRow, wanted)
        return caller.id
    if not wanted:
        raise Refused("say which merchant the order is for", "merchant")
    return get(session, MerchantRow, wanted).id


def sender() -> str:
    """Return who sent this request, so that two callers may use the same Idempotency-Key."""
    return str(getattr(principal(), "user", "")) or "operator"


@blueprint.get("")
@allow(*READERS)
def show_all() -> Response:
    """List orders from the oldest on; `next` is the cursor of the page behind this one."""
    wanted = parse_query()
    with read() as session:
        query = scoped(session, OrderRow).order_by(col(OrderRow.id)).limit(wanted.limit + 1)
        if wanted.cursor:
            query = query.where(col(OrderRow.id) > decode(wanted.cursor))
        if wanted.service_date is not None:
            query = query.where(OrderRow.service_date == wanted.service_date)
        if wanted.state:
            query = query.where(OrderRow.state == wanted.state)
        if wanted.ref:
            query = query.where(OrderRow.ref == wanted.ref)
        rows = list(session.exec(query))
        page = rows[: wanted.limit]
        more = encode(page[-1].id) if len(rows) > wanted.limit else None
        return answer({"orders": order_sheets(session, page), "next": more})


def parse_query() -> Filter:
    """Return the query of a listing; raise a `Problem` that names each wrong part."""
    from pydantic import ValidationError

    from hub.web.bodies import faults

    try:
        wanted = Filter.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise Problem(422, "some parameters are not right", errors=faults(error)) from None
    if "\x00" in wanted.ref:
        raise Refused("ref contains a NUL character", "ref")
    if wanted.state and wanted.state not in STATES:
        raise Refused(f"there is no state {wanted.state}; one of {', '.join(STATES)}", "state")
    return wanted


def encode(id: str) -> str:
    """Return the cursor behind an order."""
    return base64.urlsafe_b64encode(f"o:{id}".encode()).decode().rstrip("=")


def decode(cursor: str) -> str:
    """Return the order that a cursor stands behind."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    if not text.startswith("o:") or not text.isprintable():
        raise Refused("this cursor was not given out here; begin without one", "cursor")
    return text[2:]


@blueprint.get("/<id>")
@allow(*READERS)
def show(id: str) -> Response:
    """Return one order."""
    with read() as session:
        return answer(sheet(session, get(session, OrderRow, id)))


@blueprint.post("/<id>/pin")
@allow("owner", "dispatcher")
def pin(id: str) -> Response:
    """Set where an order's door is; the door is remembered for later orders."""
    place = parse(Pin, raw_json())
    with write() as session:
        row = set_pin(hub(), session, id, place.lat, place.lon, sender())
        return answer(sheet(session, row))


@blueprint.post("/<id>/cancel")
@allow(*WRITERS)
def call_off(id: str) -> Response:
    """Call an order off; doing it twice is doing it once."""
    with write() as session:
        return answer(sheet(session, calloff.call_off(session, id)))


def sheet(session: Session, row: OrderRow) -> OrderSheet:
    """Return the sheet of one order."""
    session.flush()
    return order_sheets(session, [row])[0]
