"""Messages and replies as pages, commands and the API list them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from hub.access import scoped
from hub.nouns import Noun
from hub.store import ConnectionRow, MerchantRow, MessageRow, OrderRow, ReplyRow, Session, StopRow

STATES = ("sending", "sent", "delivered", "undelivered", "withheld", "rejected", "unknown")
MEDIA = ("sms", "email")


@dataclass(frozen=True)
class Wanted:
    """Which messages; empty means all."""

    state: str = ""
    medium: str = ""
    merchant: str = ""
    stop: str = ""
    before: str = ""
    """The id behind which to go on, newest first."""


class MessageSheet(Noun):
    """One message as programs read it."""

    id: str
    merchant: str
    stop: str | None
    channel: str
    medium: str
    to: str
    subject: str
    text: str
    state: str
    segments: int
    ref: str
    error: str
    created_at: datetime
    sent_at: datetime | None
    reported_at: datetime | None


def messages(session: Session, wanted: Wanted, limit: int) -> list[MessageRow]:
    """Return the messages that the principal may see, newest first."""
    query = scoped(session, MessageRow)
    for name in ("state", "medium", "merchant", "stop"):
        value = getattr(wanted, name)
        if value:
            query = query.where(getattr(MessageRow, name) == value)
    if wanted.before:
        query = query.where(col(MessageRow.id) < wanted.before)
    return list(session.exec(query.order_by(col(MessageRow.id).desc()).limit(limit)))


def replies(session: Session, before: str, limit: int) -> list[ReplyRow]:
    """Return what was written back and the principal may see, newest first."""
    query = scoped(session, ReplyRow)
    if before:
        query = query.where(col(ReplyRow.id) < before)
    return list(session.exec(query.order_by(col(ReplyRow.id).desc()).limit(limit)))


def sheet(row: MessageRow) -> MessageSheet:
    """Return one message as programs read it."""
    return MessageSheet.model_validate(row.model_dump(include=set(MessageSheet.model_fields)))


def order_refs(session: Session, stops: set[str]) -> dict[str, str]:
    """Return the order number of each stop."""
    query = (
        select(StopRow.id, OrderRow.ref)
        .join(OrderRow, col(OrderRow.id) == StopRow.order)
        .where(col(StopRow.id).in_(stops))
    )
    return dict(session.exec(query).all())


def merchant_names(session: Session) -> dict[str, str]:
    """Return the merchants that the principal may see, by name."""
    rows = session.exec(scoped(session, MerchantRow).order_by(MerchantRow.name))
    return {row.id: row.name for row in rows}


def channel_titles(session: Session) -> dict[str, str]:
    """Return the titles of the connections that the principal may see."""
    return {row.id: row.title for row in session.exec(scoped(session, ConnectionRow))}
