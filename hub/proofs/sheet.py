"""Gather what a proof says about people and places, for its PDF, its page and its sinks."""

from __future__ import annotations

import json
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from hub.access import get
from hub.errors import Missing
from hub.nouns import Address, HandedLine, Json, Money, Noun, Recipient
from hub.orders import reasons
from hub.store import (
    AttemptLineRow,
    AttemptRow,
    DepotRow,
    MerchantRow,
    OrderLineRow,
    OrderRow,
    ProofFileRow,
    ProofRow,
    Session,
    StopRow,
)

HEADLINES = {
    ("delivery", "completed"): "Delivered",
    ("delivery", "partial"): "Partly delivered",
    ("delivery", "failed"): "Not delivered",
    ("collection", "completed"): "Collected",
    ("collection", "partial"): "Partly collected",
    ("collection", "failed"): "Not collected",
    ("service", "completed"): "Done",
    ("service", "partial"): "Partly done",
    ("service", "failed"): "Not done",
}


class Picture(Noun):
    """A kept photo or signature."""

    kind: str
    sha256: str
    media_type: str


class ProofSheet(Noun):
    """A proof with everything around it; `at` is in the depot's zone, `record` is the record."""

    id: str
    merchant: str
    accent: str
    order: str
    invoice: str
    stop: str
    headline: str
    outcome: str
    reason: str
    note: str
    at: datetime
    name: str
    address: str
    received_by: str
    record: Json
    sha256: str
    number: int
    pictures: tuple[Picture, ...]


def sheet(session: Session, proof: str) -> ProofSheet:
    """Return the proof of that id, if the session's principal may see it."""
    row = get(session, ProofRow, proof)
    attempt = session.get_one(AttemptRow, row.attempt)
    stop = session.get_one(StopRow, row.stop)
    order = session.get_one(OrderRow, stop.order)
    merchant = session.get_one(MerchantRow, row.merchant)
    zone = ZoneInfo(session.get_one(DepotRow, stop.depot).timezone)
    return ProofSheet(
        id=row.id,
        merchant=merchant.name,
        accent=merchant.accent,
        order=order.ref,
        invoice=order.invoice,
        stop=stop.id,
        headline=HEADLINES[(stop.kind, attempt.outcome)],
        outcome=attempt.outcome,
        reason=reasons.label(attempt.reason),
        note=attempt.note,
        at=attempt.occurred_at.astimezone(zone),
        name=order.name,
        address=Address.model_validate(order.address).text(),
        received_by=attempt.received_by,
        record=json.loads(row.record),
        sha256=row.sha256,
        number=row.number,
        pictures=tuple(pictures(session, attempt.id)),
    )


def pictures(session: Session, attempt: str) -> list[Picture]:
    """Return the pictures of an attempt: photos in the order of their coming, then signatures."""
    query = select(ProofFileRow).where(ProofFileRow.attempt == attempt)
    rows = session.exec(query.order_by(col(ProofFileRow.kind), col(ProofFileRow.id)))
    return [Picture(kind=r.kind, sha256=r.sha256, media_type=r.media_type) for r in rows]


def latest(session: Session, stop: str) -> ProofRow:
    """Return the proof of a stop's last attempt; raise `Missing` before there is one."""
    get(session, StopRow, stop)
    query = select(ProofRow).where(ProofRow.stop == stop).order_by(col(ProofRow.number).desc())
    row = session.exec(query.limit(1)).first()
    if row is None:
        raise Missing(f"stop {stop} has no proof yet")
    return row


def handed_lines(session: Session, attempt: AttemptRow) -> tuple[HandedLine, ...]:
    """Return every line of an attempt's order with what was handed over, and its price."""
    currency = session.get_one(OrderRow, session.get_one(StopRow, attempt.stop).order).currency
    rows = session.exec(
        select(OrderLineRow, AttemptLineRow)
        .where(AttemptLineRow.attempt == attempt.id, OrderLineRow.id == AttemptLineRow.line)
        .order_by(col(OrderLineRow.number))
    )
    return tuple(
        HandedLine(
            name=line.name,
            sku=line.sku,
            ref=line.ref,
            ordered=line.quantity,
            handed_over=given.quantity,
            price=None if line.price is None else Money(amount=line.price, currency=currency),
        )
        for line, given in rows
    )


def recipient(order: OrderRow) -> Recipient:
    """Return who receives an order."""
    return Recipient(name=order.name, phone=order.phone, email=order.email)


def summary(found: ProofSheet) -> str:
    """Return the proof in one plain sentence of at most 200 characters."""
    pieces = sum(line["ordered"] for line in found.record["lines"])
    given = sum(line["handed_over"] for line in found.record["lines"])
    parts = [f"{found.headline} on {found.at:%d.%m.%Y at %H:%M}"]
    if found.outcome == "failed":
        parts.append(found.reason.lower())
    elif pieces:
        parts.append(f"{given} of {pieces} pieces")
    if found.received_by:
        parts.append(f"received by {found.received_by[:60]}")
    cash = found.record["cash"]
    if cash and cash["taken"]:
        parts.append(f"{cash['currency']} {cash['taken']} in cash")
    return f"{', '.join(parts)}."[:200]
