"""Append events, number them, read them in order, erase the persons in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert
from sqlmodel import col, delete, select, update

from hub.errors import HubError
from hub.events.catalogue import Event
from hub.store import CursorRow, EventRow, LeaderRow, PersonRow, Session, new_id

CAUSE = "cause"
NUMBERED = "numbered"
"""The cursor row that holds the last `seq`; a merchant's lies in `numbered:<merchant>`."""


class LostLead(HubError):
    """Say that another dispatcher has taken over; nothing was written."""


def append(session: Session, event: Event) -> str:
    """Add `event` in the caller's transaction and return its id; it is numbered once committed."""
    return append_all(session, [event])[0]


def append_all(session: Session, events: Sequence[Event]) -> list[str]:
    """Add many events in their order and return their ids; much quicker than one by one."""
    seen: dict[int, dict[str, Any]] = {}
    now = session.now
    rows = [{"id": new_id("evt"), **columns(session, event, now, seen)} for event in events]
    persons = [
        {"event": row["id"], "data": person}
        for row, event in zip(rows, events, strict=True)
        if (person := personal(event))
    ]
    session.flush()
    connection = session.connection()
    if rows:
        connection.execute(insert(EventRow), rows)
        session.rings.add("dispatcher")
    if persons:
        connection.execute(insert(PersonRow), persons)
    return [str(row["id"]) for row in rows]


def columns(
    session: Session, event: Event, now: datetime, seen: dict[int, dict[str, Any]]
) -> dict[str, Any]:
    """Return what is stored of `event`, with what caused it.

    `seen` keeps facts as they are stored, by identity: many events share the same merchant, route
    and driver.
    """
    cause: tuple[str, int] | None = session.info.get(CAUSE)
    data = event.data()
    for facts in data.values():
        if id(facts) not in seen:
            seen[id(facts)] = facts.model_dump(mode="json")
    return {
        "merchant": event.merchant_id,
        "type": event.type,
        "subject": event.subject,
        "occurred_at": event.occurred_at or now,
        "recorded_at": now,
        "caused_by": cause[0] if cause else None,
        "depth": cause[1] + 1 if cause else 0,
        "data": {name: seen[id(facts)] for name, facts in data.items()},
    }


def personal(event: Event) -> dict[str, Any]:
    """Return what of `event` is about a person, to be kept in the erasable row."""
    person: dict[str, Any] = {}
    if event.customer is not None:
        person["customer"] = event.customer.model_dump()
    if event.driver_name:
        person["driver"] = {"first_name": event.driver_name.split(" ")[0]}
    return person


@dataclass(frozen=True)
class Numbered:
    """An event that has just got its place in the order of all."""

    id: str
    seq: int
    type: str
    subject: str
    merchant: str | None
    merchant_seq: int | None


def number(session: Session, token: int, limit: int = 200) -> list[Numbered]:
    """Number committed events that have no `seq`, oldest first; return them.

    Only the leader may: `token` is its fencing token, and `LostLead` is raised when it is stale.
    One writer at a time numbers, so numbers have no gaps and readers never see them reorder. The
    last numbers given lie in cursor rows, so that purging events never makes them come again.
    """
    leader = session.exec(
        select(LeaderRow).where(LeaderRow.name == "dispatcher").with_for_update()
    ).one_or_none()
    if leader is None or leader.token != token:
        raise LostLead("another dispatcher leads now")
    rows = session.exec(
        select(EventRow.id, EventRow.type, EventRow.subject, EventRow.merchant)
        .where(col(EventRow.seq).is_(None))
        .order_by(EventRow.id)
        .limit(limit)
    ).all()
    if not rows:
        return []
    tails = read_tails(session, {tail_name(merchant) for *_, merchant in rows})
    numbered = [give(tails, *row) for row in rows]
    store_numbers(session, numbered)
    store_tails(session, tails)
    return numbered


def give(tails: dict[str, int], id: str, type: str, subject: str, merchant: str | None) -> Numbered:
    """Return the event with its numbers, and count them in `tails`."""
    tails[NUMBERED] += 1
    own = None
    if merchant is not None:
        tails[tail_name(merchant)] += 1
        own = tails[tail_name(merchant)]
    return Numbered(id, tails[NUMBERED], type, subject, merchant, own)


def tail_name(merchant: str | None) -> str:
    """Return the name of the cursor row that holds the last number of a merchant, or of all."""
    return NUMBERED if merchant is None else f"{NUMBERED}:{merchant}"


def read_tails(session: Session, names: set[str]) -> dict[str, int]:
    """Return the last numbers given, by the names of their cursor rows and always of all."""
    wanted = names | {NUMBERED}
    rows = session.exec(
        select(CursorRow.name, CursorRow.seq).where(col(CursorRow.name).in_(wanted))
    )
    return dict.fromkeys(wanted, 0) | dict(rows.all())


def store_tails(session: Session, tails: dict[str, int]) -> None:
    """Keep the last numbers given."""
    for name, seq in tails.items():
        row = session.get(CursorRow, name)
        if row is None:
            session.add(CursorRow(name=name, seq=seq))
        else:
            row.seq = seq


def store_numbers(session: Session, numbered: list[Numbered]) -> None:
    """Write the numbers into their events, in one round trip."""
    statement = (
        update(EventRow)
        .where(col(EventRow.id) == bindparam("event"))
        .values(seq=bindparam("number"), merchant_seq=bindparam("own"))
    )
    session.connection().execute(
        statement,
        [{"event": one.id, "number": one.seq, "own": one.merchant_seq} for one in numbered],
    )


def unnumbered(session: Session) -> bool:
    """Say whether any committed event waits for its number."""
    return (
        session.exec(select(EventRow.id).where(col(EventRow.seq).is_(None)).limit(1)).first()
        is not None
    )


def tail(session: Session) -> int:
    """Return the last number given, 0 before the first."""
    return session.exec(select(CursorRow.seq).where(CursorRow.name == NUMBERED)).one_or_none() or 0


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
