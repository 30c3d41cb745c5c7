"""What channels say later about the messages that they took."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import col, select

from hub.events import MerchantFacts, append
from hub.events.catalogue import (
    MessageDelivered,
    MessageEvent,
    MessageUndelivered,
    RecipientOptedOut,
)
from hub.events.facts import MessageFacts
from hub.notify import optouts
from hub.nouns import DeliveryReport
from hub.store import MerchantRow, MessageRow, Session

FINAL = frozenset({"delivered", "undelivered"})


def take(session: Session, channel: str, report: DeliveryReport) -> bool:
    """Note what became of a message of one channel, a connection's id.

    Return whether it was news. What has reached its recipient stays delivered, reports come in any
    order; one about a message that is not known here is no error, for the account may be shared.
    """
    query = select(MessageRow).where(MessageRow.channel == channel, MessageRow.ref == report.ref)
    row = session.exec(
        query.order_by(col(MessageRow.created_at).desc()).limit(1).with_for_update()
    ).first()
    if row is None:
        return False
    if report.state == "opted_out":
        return opt_out(session, row, report.detail)
    if row.state == "delivered" or row.state == report.state:
        return False
    row.state, row.error = report.state, report.detail[:500]
    row.reported_at = session.now
    kind = MessageDelivered if report.state == "delivered" else MessageUndelivered
    tell(session, kind, row, report.detail, report.at)
    return True


def opt_out(session: Session, row: MessageRow, reason: str) -> bool:
    """Put the recipient of a message on the list; return whether that is new."""
    medium: optouts.Medium = "email" if row.medium == "email" else "sms"
    if not optouts.add(session, row.merchant, medium, row.to, reason or "the provider said so"):
        return False
    if row.state not in FINAL:
        row.state, row.reported_at = "undelivered", session.now
    row.error = row.error or reason[:500]
    tell(session, RecipientOptedOut, row, reason)
    return True


def tell(
    session: Session,
    kind: type[MessageEvent],
    row: MessageRow,
    detail: str,
    at: datetime | None = None,
) -> None:
    """Append an event about a message; its recipient is named nowhere in it."""
    facts = MessageFacts(
        id=row.id, medium=row.medium, state=row.state, stop=row.stop or "", detail=detail[:200]
    )
    merchant = session.get_one(MerchantRow, row.merchant)
    append(
        session,
        kind(
            subject=row.stop or row.id,
            merchant_id=row.merchant,
            occurred_at=at,
            message=facts,
            merchant=MerchantFacts(id=merchant.id, name=merchant.name),
        ),
    )
