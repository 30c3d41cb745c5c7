"""Addresses that do not exist any more: a hard bounce ends the mails to them."""

from __future__ import annotations

import re

from sqlmodel import col, select

from hub.notify import optouts, reports
from hub.nouns import DeliveryReport
from hub.store import MessageRow, Session

_DEAD = re.compile(r"\b5\.(?:1\.(?:[1236]|10)|2\.1)\b")
"""No such mailbox, domain or name, moved, a domain without mail (RFC 3463, RFC 7505), disabled.

What may pass is not among them: a full mailbox, a size, a filter.
"""


def is_dead(said: str) -> bool:
    """Say whether a server's words mean that an address takes no mails and never will."""
    return _DEAD.search(said) is not None


def suppress(session: Session, merchant: str, address: str, said: str) -> None:
    """Write no more to an address that is dead."""
    if is_dead(said):
        optouts.add(session, merchant, "email", address, f"bounced: {said}")


def take(session: Session, channel: str, report: DeliveryReport) -> bool:
    """Note what became of a mail; one to a dead address was the last. Return whether it is news."""
    news = reports.take(session, channel, report)
    if news and report.state == "undelivered":
        query = select(MessageRow).where(
            MessageRow.channel == channel, MessageRow.ref == report.ref,
            MessageRow.medium == "email",
        )  # fmt: skip
        row = session.exec(query.order_by(col(MessageRow.created_at).desc()).limit(1)).first()
        if row is not None:
            suppress(session, row.merchant, row.to, report.detail)
    return news
