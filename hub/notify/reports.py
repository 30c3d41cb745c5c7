"""What channels say later about the messages that they took."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import col, delete, select

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
from hub.store import EarlyReportRow, MerchantRow, MessageRow, Session
from hub.store.once import insert_once

FINAL = frozenset({"delivered", "undelivered"})
KEPT = timedelta(days=1)
"""How long a report waits for the channel's id of its message to be stored."""


def take(session: Session, channel: str, report: DeliveryReport) -> bool:
    """Note what became of a message of one channel, a connection's id.

    Return whether it was news. What has reached its recipient stays delivered, reports come in any
    order; one about a message that is not known here is no error, for the account may be shared.
    One that comes while a message is being sent may be quicker than the channel's answer: it is
    kept until that is stored.
    """
    row = about(session, channel, report)
    if row is None and is_sending(session, channel):
        row = about(session, channel, report)  # it may just have been stored
        if row is None:
            keep(session, channel, report)
    return row is not None and settle(session, row, report)


def about(session: Session, channel: str, report: DeliveryReport) -> MessageRow | None:
    """Return the message that a report is about, held, by its own key or by the channel's id."""
    of_channel = select(MessageRow).where(MessageRow.channel == channel)
    latest = of_channel.order_by(col(MessageRow.created_at).desc()).limit(1).with_for_update()
    latest = latest.execution_options(populate_existing=True)
    if report.key:
        found = session.exec(latest.where(MessageRow.key == report.key)).first()
        if found is not None:
            return found
    return session.exec(latest.where(MessageRow.ref == report.ref)).first()


def is_sending(session: Session, channel: str) -> bool:
    """Say whether a message of a channel waits for its answer, once none is being stored."""
    query = select(MessageRow).where(
        MessageRow.channel == channel, MessageRow.state == "sending", MessageRow.ref == ""
    )
    return session.exec(query.with_for_update()).first() is not None


def keep(session: Session, channel: str, report: DeliveryReport) -> None:
    """Keep a report that came before the answer to its message; forget what nothing came for."""
    old = session.now - KEPT
    session.exec(delete(EarlyReportRow).where(col(EarlyReportRow.received_at) < old))
    insert_once(
        session,
        EarlyReportRow(
            channel=channel, ref=report.ref, state=report.state, detail=report.detail[:500],
            at=report.at, received_at=session.now,
        ),
    )  # fmt: skip


def catch_up(session: Session, row: MessageRow) -> None:
    """Take the reports that came before the channel's id of a message was stored."""
    query = select(EarlyReportRow).where(
        EarlyReportRow.channel == row.channel, EarlyReportRow.ref == row.ref
    )
    for early in session.exec(query.order_by(EarlyReportRow.id)).all() if row.ref else ():
        said = {"ref": early.ref, "state": early.state, "detail": early.detail, "at": early.at}
        settle(session, row, DeliveryReport.model_validate(said))
        session.delete(early)


def settle(session: Session, row: MessageRow, report: DeliveryReport) -> bool:
    """Note on a message what a report says; return whether it was news."""
    if report.state == "opted_out":
        return opt_out(session, row, report.detail)
    if row.state == "delivered" or row.state == report.state:
        return False
    row.state, row.error = report.state, report.detail[:500]
    row.ref = row.ref or report.ref
    row.reported_at = session.now
    kind = MessageDelivered if report.state == "delivered" else MessageUndelivered
    tell(session, kind, row, report.detail, report.at)
    return True


def opt_out(session: Session, row: MessageRow, reason: str) -> bool:
    """Put the recipient of a message on the list; return whether that is new."""
    medium: optouts.Medium = "email" if row.medium == "email" else "sms"
    if not optouts.add(session, row.merchant, medium, row.to, reason or "the provider said so"):
        return False
    if row.state not in FINAL and row.state != "withheld":
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
