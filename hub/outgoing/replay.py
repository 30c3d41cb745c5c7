"""Send again: one message, all that failed, or every event of a range; the ids stay the same.

A receiver that has an event already knows it by its id and drops it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, insert
from sqlalchemy.orm import Mapped
from sqlmodel import col, func, select

from hub.access import get
from hub.errors import Refused
from hub.outgoing.endpoints import ROWS, found, wake, wanted
from hub.outgoing.fanout import fresh
from hub.outgoing.message import TEST
from hub.store import EndpointRow, EventRow, OutgoingRow, Session

if TYPE_CHECKING:
    from hub.hub import Hub
    from hub.store import Principal

AT_ONCE = 200
"""Rows that one transaction changes."""
MOST = 10_000
"""Events that one request sends again."""


def one(session: Session, id: str) -> OutgoingRow:
    """Make one message due again."""
    row = get(session, OutgoingRow, id)
    endpoint = found(session, row.endpoint)
    if row.type == TEST:
        raise Refused("a test is not sent again; send another one")
    wake(session, endpoint)
    again(session, [row.id])
    return row


def failed(hub: Hub, principal: Principal, endpoint: str) -> int:
    """Make due again what an endpoint was given up on, some at a time; return how much."""
    done = 0
    while done < MOST:
        with hub.store.write(principal) as session:
            row = found(session, endpoint)
            query = select(OutgoingRow.id).where(
                OutgoingRow.endpoint == row.id, OutgoingRow.state == "failed",
                OutgoingRow.type != TEST,
            )  # fmt: skip
            ids = list(session.exec(query.order_by(col(OutgoingRow.seq)).limit(AT_ONCE)))
            if not ids:
                break
            wake(session, row)
            again(session, ids)
            done += len(ids)
    return done


def count(session: Session, endpoint: EndpointRow, after: int, until: int) -> int:
    """Return how many events of a range an endpoint is sent, those that it may have included."""
    query = select(func.count()).select_from(EventRow).where(*within(endpoint, after, until))
    return session.exec(query).one()


def span(
    session: Session, endpoint: EndpointRow, since: datetime, until: datetime
) -> tuple[int, int]:
    """Return the range of numbers of what was recorded in a span of business time."""
    number = numbers(endpoint)
    query = select(func.min(number), func.max(number)).where(
        *wanted(endpoint), col(EventRow.recorded_at) >= since, col(EventRow.recorded_at) <= until
    )
    first, last = session.exec(query).one()
    return (0, 0) if first is None or last is None else (first - 1, last)


def events(hub: Hub, principal: Principal, endpoint: str, after: int, until: int) -> int:
    """Send the events of a range again, `after` not included; return how many.

    Raise `Refused` where they are too many for one request.
    """
    with hub.store.read(principal) as session:
        number = count(session, found(session, endpoint), after, until)
    if number > MOST:
        raise Refused(f"these are {number:,} events; choose a range of at most {MOST:,}", "until")
    done = 0
    while True:
        with hub.store.write(principal) as session:
            row = found(session, endpoint)
            query = select(EventRow).where(*within(row, after, until)).order_by(numbers(row))
            part = list(session.exec(query.limit(AT_ONCE)))
            if not part:
                return done
            wake(session, row)
            enlist(session, row, part)
        done += len(part)
        after = (part[-1].seq if row.merchant is None else part[-1].merchant_seq) or until


def enlist(session: Session, endpoint: EndpointRow, part: list[EventRow]) -> None:
    """Make events due, those that were never given to the endpoint too."""
    query = select(OutgoingRow.id, OutgoingRow.event).where(
        OutgoingRow.endpoint == endpoint.id, col(OutgoingRow.event).in_([row.id for row in part])
    )
    known = {event: id for id, event in session.exec(query)}
    again(session, list(known.values()))
    missing = [fresh(session, endpoint, row) for row in part if row.id not in known]
    if missing:
        session.connection().execute(insert(OutgoingRow), missing)


def again(session: Session, ids: list[str]) -> None:
    """Make messages due as if they had never been tried; what is on its way stays so."""
    session.connection().execute(
        ROWS.update()
        .where(ROWS.c.id.in_(ids), ROWS.c.state != "sending")
        .values(state="pending", tries=0, next_at=session.wall, tried_at=None, ended_at=None)
    )


def within(endpoint: EndpointRow, after: int, until: int) -> list[ColumnElement[bool]]:
    """Return the conditions for the events of a range that an endpoint is sent.

    What lies behind its place in the order is given to it anyway.
    """
    number, reached = numbers(endpoint), col(EventRow.seq) <= endpoint.seq
    return [*wanted(endpoint), number > after, number <= until, reached]


def numbers(endpoint: EndpointRow) -> Mapped[int | None]:
    """Return the column that numbers the feed of an endpoint's owner."""
    return col(EventRow.seq if endpoint.merchant is None else EventRow.merchant_seq)
