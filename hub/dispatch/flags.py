"""Flags: what needs a person, raised once per cause and cleared by somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field
from sqlmodel import col, select

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
