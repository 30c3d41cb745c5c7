"""The board's page, its state, and the few things only the board does."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, Response, render_template, request
from sqlmodel import col, select

from hub.access import get, scoped
from hub.errors import Refused
from hub.events import append
from hub.events.catalogue import FlagRaised
from hub.nouns import Address
from hub.planning import ways
from hub.store import (
    AttemptRow,
    FlagRow,
    MerchantRow,
    MessageRow,
    OrderLineRow,
    OrderRow,
    ProofRow,
    Session,
    StopRow,
)
from hub.tracking.links import tracking_url
from hub.tracking.live import live_url
from hub.web.answers import answer, tagged
from hub.web.board.state import collect, routes_of, today
from hub.web.context import hub, read, write
from hub.web.policy import allow

blueprint = Blueprint("board", __name__)
STAFF = ("owner", "dispatcher", "ops")
NO_TURNS = {"legs": {"__all__": {"steps", "seconds", "metres"}}}


@blueprint.get("/")
@allow(*STAFF)
def page() -> str:
    """Show the board; its script fetches the state."""
    return render_template("board/page.html", date=asked_day())


@blueprint.get("/board/state")
@allow(*STAFF)
def state() -> Response:
    """Answer the board of `?date=YYYY-MM-DD` (today without it), or 304 when nothing changed."""
    day = asked_day()
    with read() as session:
        found = collect(hub(), session, day)
    return tagged(found.model_dump(), ignore="now")


@blueprint.get("/board/ways")
@allow(*STAFF)
def lines() -> Response:
    """Answer the lines of the day's routes along the streets, those that are known by now.

    A draft's is asked for when somebody looks at it: most drafts are planned away unseen.
    """
    with read() as session:
        rows = list(session.exec(routes_of(session, asked_day() or today(session))))
        found = ways.ways_of(session, [row.id for row in rows])
        unseen = {row.id for row in rows if row.state == "draft"} - along_stops(session, found)
    if unseen:
        with write() as session:
            for id in sorted(unseen):
                ways.ask(session, id)
    return tagged({"ways": [way.model_dump(exclude=NO_TURNS) for way in found]})


def along_stops(session: Session, found: list[ways.RouteWay]) -> set[str]:
    """Return the routes whose known way leads along their stops as they are now."""
    query = (
        select(StopRow.route, StopRow.id)
        .where(
            col(StopRow.route).in_([way.route for way in found]),
            col(StopRow.state).not_in(["skipped", "cancelled"]),
        )
        .order_by(col(StopRow.position), StopRow.id)
    )
    stops: dict[str, list[str]] = {}
    for route, stop in session.exec(query):
        stops.setdefault(route or "", []).append(stop)
    led = {way.route: [leg.stop for leg in way.legs[:-1]] for way in found}
    return {route for route, along in led.items() if along == stops.get(route)}


@blueprint.get("/board/live")
@allow(*STAFF)
def live() -> Response:
    """Answer the address at which the board's news are heard."""
    return answer({"url": live_url(hub(), ["live:board"])})


@blueprint.get("/board/stops/<id>")
@allow(*STAFF)
def stop(id: str) -> Response:
    """Answer everything a dispatcher asks about one stop: contact, lines, tries, messages."""
    with read() as session:
        row = get(session, StopRow, id)
        return answer(details(session, row))


@blueprint.post("/board/flags/<id>/restore")
@allow(*STAFF)
def restore(id: str) -> Response:
    """Put a cleared flag back on the board: the undo of clearing it."""
    with write() as session:
        row = get(session, FlagRow, id)
        if row.cleared_at is not None:
            row.cleared_at, row.cleared_by = None, ""
            append(session, FlagRaised(subject=row.id, merchant_id=row.merchant))
    return answer({"id": id, "cleared_at": None})


def asked_day() -> date | None:
    """Return the day in the address, if there is one."""
    said = request.args.get("date", "")
    if not said:
        return None
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise Refused(f"{said!r} is no date; write it as 2026-11-23", "date") from None


def details(session: Session, row: StopRow) -> dict[str, Any]:
    """Return what the board's dialog about a stop shows."""
    order = session.get_one(OrderRow, row.order)
    return {
        "id": row.id,
        "order": order.id,
        "merchant": session.get_one(MerchantRow, row.merchant).name,
        "address": Address(**order.address).text(),
        "tracking_url": tracking_url(hub(), row.id) if row.promised_end or row.eta_at else "",
        **order.model_dump(include={"phone", "email", "notes", "invoice", "cash_due", "currency"}),
        "lines": lines_of(session, order),
        "attempts": attempts_at(session, row),
        "messages": messages_about(session, row),
    }


def lines_of(session: Session, order: OrderRow) -> list[dict[str, Any]]:
    """Return what was bought."""
    query = select(OrderLineRow).where(OrderLineRow.order == order.id)
    rows = session.exec(query.order_by(col(OrderLineRow.number)))
    return [row.model_dump(include={"name", "sku", "quantity"}) for row in rows]


def attempts_at(session: Session, stop: StopRow) -> list[dict[str, Any]]:
    """Return each try at a stop with the id of its proof."""
    proofs = {
        proof.attempt: proof.id
        for proof in session.exec(scoped(session, ProofRow).where(ProofRow.stop == stop.id))
    }
    query = scoped(session, AttemptRow).where(AttemptRow.stop == stop.id)
    told = {"number", "outcome", "reason", "note", "received_by", "occurred_at"}
    return [
        {**row.model_dump(include=told), "proof": proofs.get(row.id, "")}
        for row in session.exec(query.order_by(col(AttemptRow.number)))
    ]


def messages_about(session: Session, stop: StopRow) -> list[dict[str, Any]]:
    """Return what the recipient was told."""
    query = scoped(session, MessageRow).where(MessageRow.stop == stop.id)
    told = {"channel", "to", "text", "state", "created_at"}
    rows = session.exec(query.order_by(col(MessageRow.created_at)))
    return [row.model_dump(include=told) for row in rows]
