"""The numbered events as other systems read them: in order, without a gap."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select

from hub.access import scoped
from hub.access.scope import visible
from hub.errors import Refused
from hub.events.catalogue import catalogue
from hub.nouns import Noun
from hub.store import EventRow, Merchant, Session

OPERATORS = frozenset({"route", "driver"})
"""Nouns that a merchant does not read: a route carries other merchants' stops too."""


class EventSheet(Noun):
    """One event without its person; `seq` counts on by one in the reader's own feed."""

    seq: int
    id: str
    type: str
    subject: str
    merchant: str | None
    occurred_at: datetime
    recorded_at: datetime
    caused_by: str | None
    """The event whose workflow caused this one."""
    data: dict[str, Any]


class Page(Noun):
    """Some events, and the number to ask on from."""

    events: tuple[EventSheet, ...]
    next: int
    more: bool
    """Whether there are more already."""


def read(session: Session, after: int, limit: int, types: Sequence[str] = ()) -> Page:
    """Return the reader's events behind `after`, of some types or of all.

    A merchant has a feed of its own, numbered from 1 without a gap. Raise `Refused` for a type that
    there is not.
    """
    unknown = sorted(set(types) - catalogue().keys())
    if unknown:
        raise Refused(f"there is no event {unknown[0][:60]}", "types")
    mine = isinstance(session.principal, Merchant)
    number = col(EventRow.merchant_seq if mine else EventRow.seq)
    # A reading session sees one state, so no event is numbered between these two questions.
    last = session.exec(select(func.max(number)).where(visible(EventRow, session.principal))).one()
    query = scoped(session, EventRow).where(number > after)
    if types:
        query = query.where(col(EventRow.type).in_(types))
    rows = list(session.exec(query.order_by(number).limit(limit + 1)))
    more = len(rows) > limit
    sheets = tuple(sheet(row, mine=mine) for row in rows[:limit])
    return Page(events=sheets, next=sheets[-1].seq if more else max(after, last or 0), more=more)


def sheet(row: EventRow, *, mine: bool) -> EventSheet:
    """Return an event as it is read, by its merchant or by the operator."""
    hidden = OPERATORS if mine else frozenset()
    return EventSheet(
        seq=(row.merchant_seq if mine else row.seq) or 0,
        id=row.id,
        type=row.type,
        subject=row.subject,
        merchant=row.merchant,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        caused_by=row.caused_by,
        data={noun: facts for noun, facts in row.data.items() if noun not in hidden},
    )
