"""Flags: what needs a person, raised once per cause and cleared by somebody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field
from sqlmodel import col, func, select

from hub.access import get, scoped
from hub.actions import ActionInput, ActionOutput, Inside
from hub.errors import Refused
from hub.events import append
from hub.events.catalogue import FlagCleared, FlagRaised
from hub.events.log import CAUSE
from hub.store import FlagRow, OrderRow, Session, StopRow
from hub.store.once import insert_once

if TYPE_CHECKING:
    from hub.hub import Hub

LONGEST = 500
UNSERVED = "not_redistributed"
"""On a stop that has lost its route and fits into no other."""
HUB = "hub"
"""Who clears a flag where nobody has to."""


def raise_flag(
    session: Session,
    key: str,
    kind: str,
    text: str,
    subject: str = "",
    merchant: str | None = None,
) -> FlagRow:
    """Raise a flag and tell it; the same `key` again is the same flag, also once cleared."""
    known = session.exec(select(FlagRow).where(FlagRow.key == key)).one_or_none()
    if known is not None:
        return known
    row = FlagRow(
        key=key,
        kind=kind,
        text=text[:LONGEST],
        subject=subject,
        merchant=merchant,
        raised_at=session.now,
    )
    if not insert_once(session, row):  # somebody else has just raised it
        return session.exec(select(FlagRow).where(FlagRow.key == key)).one()
    append(session, FlagRaised(subject=row.id, merchant_id=merchant))
    return session.get_one(FlagRow, row.id)


def clear_flag(session: Session, id: str, by: str) -> FlagRow:
    """Clear a flag that the session's principal may see; clearing it twice changes nothing."""
    row = get(session, FlagRow, id)
    session.refresh(row, with_for_update=True)
    if row.cleared_at is None:
        row.cleared_at, row.cleared_by = session.now, by
        append(session, FlagCleared(subject=row.id, merchant_id=row.merchant))
    return row


def flag_unserved(session: Session, stop: str, reason: str) -> None:
    """Raise a flag on a stop that has lost its route and fits into no other; once per attempt.

    Where it had a route in between and has lost that one as well, it is another flag.
    """
    found = session.get_one(StopRow, stop)
    before = select(func.count(col(FlagRow.id))).where(
        FlagRow.kind == UNSERVED, FlagRow.subject == stop, FlagRow.cleared_by == HUB
    )
    key = f"{UNSERVED}:{stop}:{found.attempts}"
    if again := session.exec(before).one():
        key = f"{key}:{again}"
    text = f"Order {session.get_one(OrderRow, found.order).ref} has no route: {reason}"
    raise_flag(session, key, UNSERVED, text, subject=stop, merchant=found.merchant)


def have_route(session: Session, stops: Sequence[StopRow]) -> None:
    """Clear the flags that say of stops that no route can take them: one does."""
    query = scoped(session, FlagRow).where(
        FlagRow.kind == UNSERVED,
        col(FlagRow.subject).in_([stop.id for stop in stops]),
        col(FlagRow.cleared_at).is_(None),
    )
    for row in session.exec(query).all():
        clear_flag(session, row.id, HUB)


def open_flags(session: Session) -> list[FlagRow]:
    """Return the flags that the principal may see and nobody has cleared, newest first."""
    query = scoped(session, FlagRow).where(col(FlagRow.cleared_at).is_(None))
    return list(session.exec(query.order_by(col(FlagRow.raised_at).desc(), FlagRow.id)))


class FlagInput(ActionInput):
    """What the flag says, and the stop or order that it is about."""

    kind: str = Field(min_length=1, max_length=60)
    text: str = Field(min_length=1)
    """Cut after 500 characters, so that a long error never keeps a flag down."""
    stop: str = ""
    order: str = ""


class FlagOutput(ActionOutput):
    """The flag that was raised."""

    id: str


def flag(hub: Hub, session: Session, given: FlagInput) -> FlagOutput:
    """Raise a flag for a workflow: once per kind, subject and event that caused it."""
    if given.stop and given.order:
        raise Refused("a flag is about a stop or an order, not both", "order")
    subject = given.stop or given.order
    merchant = None
    if given.stop:
        merchant = get(session, StopRow, given.stop).merchant
    elif given.order:
        merchant = get(session, OrderRow, given.order).merchant
    cause: tuple[str, int] | None = session.info.get(CAUSE)
    key = ":".join((given.kind, subject, cause[0] if cause else ""))
    row = raise_flag(session, key, given.kind, given.text, subject, merchant)
    return FlagOutput(id=row.id)


FLAG = Inside(name="dispatch.flag", Input=FlagInput, Output=FlagOutput, run=flag)
