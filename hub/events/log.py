"""Append events, number them, read them in order, erase the persons in them."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import func
from sqlmodel import col, delete, select

from hub.errors import HubError
from hub.events.catalogue import Event
from hub.store import EventRow, LeaderRow, PersonRow, Session

CAUSE = "cause"


class LostLead(HubError):
    """Say that another dispatcher has taken over; nothing was written."""


def append(session: Session, event: Event) -> EventRow:
    """Add `event` in the caller's transaction; it gets its number after the commit."""
    cause: tuple[str, int] | None = session.info.get(CAUSE)
    now = session.now
    row = EventRow(
        merchant=event.merchant_id,
        type=event.type,
        subject=event.subject,
        occurred_at=event.occurred_at or now,
        recorded_at=now,
        caused_by=cause[0] if cause else None,
        depth=cause[1] + 1 if cause else 0,
        data={name: facts.model_dump(mode="json") for name, facts in event.data().items()},
    )
    session.add(row)
    person = personal(event)
    if person:
        session.flush()
        session.add(PersonRow(event=row.id, data=person))
    session.rings.add("dispatcher")
    return row


def personal(event: Event) -> dict[str, Any]:
    """Return what of `event` is about a person, to be kept in the erasable row."""
    person: dict[str, Any] = {}
    if event.customer is not None:
        person["customer"] = event.customer.model_dump()
    if event.driver_name:
        person["driver"] = {"first_name": event.driver_name.split(" ")[0]}
    return person


def number(session: Session, token: int, limit: int = 500) -> list[EventRow]:
    """Number committed events that have no `seq`, oldest first; return them.

    Only the leader may: `token` is its fencing token, and `LostLead` is raised when it is stale.
    One writer at a time numbers, so numbers have no gaps and readers never see them reorder.
    """
    leader = session.exec(
        select(LeaderRow).where(LeaderRow.name == "dispatcher").with_for_update()
    ).one_or_none()
    if leader is None or leader.token != token:
        raise LostLead("another dispatcher leads now")
    rows = list(
        session.exec(
            select(EventRow).where(col(EventRow.seq).is_(None)).order_by(EventRow.id).limit(limit)
        )
    )
    if not rows:
        return []
    seq = session.exec(select(func.max(EventRow.seq))).one() or 0
    tails = merchant_tails(session, {row.merchant for row in rows if row.merchant})
    for row in rows:
        seq += 1
        row.seq = seq
        if row.merchant is not None:
            tails[row.merchant] += 1
            row.merchant_seq = tails[row.merchant]
    return rows


def merchant_tails(session: Session, merchants: set[str]) -> dict[str, int]:
    """Return the last `merchant_seq` of each merchant."""
    tails: dict[str, int] = defaultdict(int)
    found = session.exec(
        select(EventRow.merchant, func.max(EventRow.merchant_seq))
        .where(col(EventRow.merchant).in_(merchants), col(EventRow.seq).is_not(None))
        .group_by(EventRow.merchant)
    )
    tails.update({str(merchant): last or 0 for merchant, last in found})
    return tails


def after(session: Session, seq: int, limit: int = 200) -> list[EventRow]:
    """Return numbered events behind `seq`, in order."""
    return list(
        session.exec(
            select(EventRow).where(col(EventRow.seq) > seq).order_by(col(EventRow.seq)).limit(limit)
        )
    )


def persons(session: Session, events: list[str]) -> dict[str, dict[str, Any]]:
    """Return the personal values of events by id; an erased one is absent."""
    rows = session.exec(select(PersonRow).where(col(PersonRow.event).in_(events)))
    return {row.event: row.data for row in rows}


def erase(session: Session, events: list[str]) -> int:
    """Delete the personal values of events; the events themselves stay. Return how many."""
    return session.exec(delete(PersonRow).where(col(PersonRow.event).in_(events))).rowcount
