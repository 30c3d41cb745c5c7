"""What recipients write back: STOP and START change the list, anything else is told."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

from sqlmodel import col, select

from hub.events import MerchantFacts, append
from hub.events.catalogue import MessageReceived, RecipientOptedOut
from hub.events.facts import MessageFacts, WriterFacts
from hub.notify import optouts, reports
from hub.nouns import DeliveryReport, InboundText
from hub.store import ConnectionRow, MerchantRow, MessageRow, OrderRow, ReplyRow, Session, StopRow
from hub.store.once import insert_once

STOP = {
    *("STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "OPTOUT", "REVOKE"),
    *("STOPP", "STOPPEN", "ABMELDEN", "ARRET", "ARRÊT", "ARRETER", "ARRÊTER", "BASTA", "PARAR"),
}
"""What opts out, standing alone: what carriers demand, and the same in some languages."""
START = {"START", "UNSTOP"}
"""What takes an opt-out back, standing alone."""
RECENT = timedelta(days=30)
"""How old the message may be to which a text is an answer."""
LONGEST = 1600
EDGES = re.compile(r"^[\W_]+|[\W_]+$")


def hear(session: Session, channel: ConnectionRow, item: DeliveryReport | InboundText) -> bool:
    """Take in what a channel says about a message, or what a recipient wrote back.

    Return whether it is news.
    """
    if isinstance(item, DeliveryReport):
        return reports.take(session, channel.id, item)
    return take(session, channel, item) > 0


def take(session: Session, channel: ConnectionRow, text: InboundText) -> int:
    """Note what came through a channel; return how many merchants it means something to.

    A text with a word such as STOP opts out of every merchant that ever wrote to its sender
    through this channel, and where none did, of every merchant that it serves: better one too
    many. Another one is for the merchant whose message was the last within a month, else for the
    channel's own; where that is the operator's, it is nobody's. One that came before is none.
    """
    said = meaning(text.text)
    number = 0
    for merchant, last in concerned(session, channel, text.sender, said):
        row = ReplyRow(
            merchant=merchant, channel=channel.id, ref=name_of(text), sender=text.sender,
            text=text.text[:LONGEST], meaning=said, message=last.id if last else None,
            stop=last.stop if last else None, written_at=text.at, received_at=session.now,
        )  # fmt: skip
        if not insert_once(session, row):
            continue
        number += 1
        if said == "stop":
            opt_out(session, row, last)
        elif said == "start":
            optouts.remove(session, merchant, "sms", text.sender)
        else:
            tell(session, row, last)
    return number


def meaning(text: str) -> str:
    """Return `stop` or `start` for a text that is one of those words, else nothing."""
    word = EDGES.sub("", text).upper()
    return "stop" if word.replace("-", "") in STOP else "start" if word in START else ""


def name_of(text: InboundText) -> str:
    """Return what makes a text the same text when it comes again."""
    if text.ref:
        return text.ref
    parts = (text.sender, text.to, text.text, text.at.isoformat() if text.at else "")
    return "sha256:" + hashlib.sha256("\0".join(parts).encode()).hexdigest()


def concerned(
    session: Session, channel: ConnectionRow, sender: str, said: str
) -> list[tuple[str, MessageRow | None]]:
    """Return whose text this is, each with the last message that went to its sender."""
    query = select(MessageRow).where(MessageRow.channel == channel.id, MessageRow.to == sender)
    latest: dict[str, MessageRow] = {}
    for row in session.exec(query.order_by(col(MessageRow.created_at).desc()).limit(1000)):
        latest.setdefault(row.merchant, row)
    if said and latest:
        return list(latest.items())
    if said and channel.merchant is None:
        return [(id, None) for id in session.exec(select(MerchantRow.id))]
    first = next(iter(latest.values()), None)
    if first is not None and first.created_at >= session.now - RECENT:
        return [(first.merchant, first)]
    return [(channel.merchant, None)] if channel.merchant else []


def opt_out(session: Session, row: ReplyRow, last: MessageRow | None) -> None:
    """Put the sender of a text on the list of a merchant, and tell it."""
    word = EDGES.sub("", row.text)[:30]
    new = optouts.add(session, row.merchant, "sms", row.sender, f"wrote {word}")
    if new and last is not None:
        reports.tell(session, RecipientOptedOut, last, f"wrote {word}", row.written_at)


def tell(session: Session, row: ReplyRow, last: MessageRow | None) -> None:
    """Append an event; what was written lies in the row beside it that can be erased."""
    merchant = session.get_one(MerchantRow, row.merchant)
    stop = session.get(StopRow, row.stop) if row.stop else None
    order = session.get(OrderRow, stop.order) if stop is not None else None
    told = {"name": order.name, "email": order.email} if order is not None else {}
    facts = MessageFacts(
        id=last.id if last else "", medium="sms", state=last.state if last else "",
        stop=row.stop or "",
    )  # fmt: skip
    append(
        session,
        MessageReceived(
            subject=row.stop or row.id,
            merchant_id=row.merchant,
            occurred_at=row.written_at,
            message=facts,
            merchant=MerchantFacts(id=merchant.id, name=merchant.name),
            customer=WriterFacts(phone=row.sender, wrote=row.text, **told),
        ),
    )
