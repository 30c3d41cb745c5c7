"""No more e-mails: a link for each merchant and address, and what opening it can do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlmodel import col, select

from hub.access import tokens
from hub.errors import Forbidden, Missing
from hub.events.catalogue import RecipientOptedOut
from hub.notify import optouts, reports
from hub.nouns import InboundText, Noun
from hub.store import MerchantRow, MessageRow, Session

if TYPE_CHECKING:
    from hub.hub import Hub

DEAD = "This link is not valid, or not any more. Nothing was changed."
BY_LINK, BY_MAIL = "the link in a mail", "a mail that said so"


class Subscription(Noun):
    """Who gets whose mails."""

    merchant: str
    address: str


def link(hub: Hub, session: Session, merchant: str, address: str) -> str:
    """Return the address at which a recipient ends a merchant's mails; always the same one.

    Nothing can be read from it; the table of tokens has the e-mail address encrypted.
    """
    plain = optouts.plain("email", address)
    subject = hub.keys.seal(json.dumps([merchant, plain]))
    token = tokens.open_unsubscribe(session, hub.keys, f"{merchant} {plain}", subject)
    return f"{hub.settings.public_url.rstrip('/')}/u/{token}"


def opened(hub: Hub, session: Session, token: str) -> Subscription:
    """Return what a link is about; raise `Missing` in the same words for all that open nothing."""
    try:
        sealed = tokens.check(session, "unsubscribe", token)
    except Forbidden as error:
        raise Missing(DEAD) from error
    merchant, address = json.loads(hub.keys.unseal(sealed))
    if session.get(MerchantRow, merchant) is None:
        raise Missing(DEAD)
    return Subscription(merchant=merchant, address=address)


def is_out(session: Session, found: Subscription) -> bool:
    """Say whether nothing is sent there any more."""
    return optouts.found(session, found.merchant, "email", found.address) is not None


def leave(session: Session, found: Subscription, reason: str) -> None:
    """Send nothing more; a second time changes nothing."""
    if not optouts.add(session, found.merchant, "email", found.address, reason):
        return
    row = last(session, found)
    if row is not None:
        reports.tell(session, RecipientOptedOut, row, reason)


def rejoin(session: Session, found: Subscription) -> None:
    """Let mails go there again."""
    optouts.remove(session, found.merchant, "email", found.address)


def last(session: Session, found: Subscription) -> MessageRow | None:
    """Return the last mail that went there."""
    query = select(MessageRow).where(
        MessageRow.merchant == found.merchant,
        MessageRow.medium == "email",
        MessageRow.to == found.address,
    )
    return session.exec(query.order_by(col(MessageRow.created_at).desc()).limit(1)).first()


def by_mail(session: Session, channel: str, text: InboundText) -> bool:
    """End the mails of every merchant that wrote to the sender of a mail by one channel.

    Return whether that is new; a stranger's mail is no error, it only ends nothing.
    """
    address = optouts.plain("email", text.sender)
    query = select(MessageRow.merchant).where(
        MessageRow.channel == channel, MessageRow.medium == "email",
        MessageRow.to == address,
    )  # fmt: skip
    found = [
        Subscription(merchant=merchant, address=address)
        for merchant in session.exec(query.distinct())
    ]
    new = [one for one in found if not is_out(session, one)]
    for one in new:
        leave(session, one, BY_MAIL)
    return bool(new)
