"""Addresses that want no more messages of a merchant: the hub's own list, whoever sends."""

from __future__ import annotations

from typing import Literal

from sqlmodel import col, delete, select

from hub.access import audit, get, scoped
from hub.errors import Refused
from hub.fleet.roster import phone_of
from hub.store import MerchantRow, OptOutRow, Session
from hub.store.once import insert_once

Medium = Literal["sms", "email"]
WORDS = {"sms": "a phone", "email": "an e-mail address"}


def add(session: Session, merchant: str, medium: Medium, address: str, reason: str) -> bool:
    """Note that an address wants nothing more; return whether that is new.

    `reason` says how it came, such as the keyword that was written back.
    """
    row = OptOutRow(
        merchant=merchant, medium=medium, address=plain(medium, address), reason=reason[:200],
        at=session.now,
    )  # fmt: skip
    return insert_once(session, row)


def remove(session: Session, merchant: str, medium: Medium, address: str) -> None:
    """Let messages go to an address again, because its owner or a person here said so."""
    session.exec(
        delete(OptOutRow).where(
            col(OptOutRow.merchant) == merchant,
            col(OptOutRow.medium) == medium,
            col(OptOutRow.address) == plain(medium, address),
        )
    )


def found(session: Session, merchant: str, medium: Medium, address: str) -> OptOutRow | None:
    """Return the entry of an address, or None where messages may go there."""
    query = select(OptOutRow).where(
        OptOutRow.merchant == merchant,
        OptOutRow.medium == medium,
        OptOutRow.address == plain(medium, address),
    )
    return session.exec(query).one_or_none()


def plain(medium: Medium, address: str) -> str:
    """Return an address as the list has it; a phone has to be E.164 already."""
    text = address.strip()
    return text.casefold() if medium == "email" else text


def listed(session: Session, asked: str = "", limit: int = 200) -> list[OptOutRow]:
    """Return the entries that the principal may see, newest first, whose address has `asked`."""
    query = scoped(session, OptOutRow)
    if asked:
        query = query.where(col(OptOutRow.address).contains(asked, autoescape=True))
    return list(session.exec(query.order_by(col(OptOutRow.at).desc()).limit(limit)))


def enter(session: Session, merchant: str, medium: Medium, address: str) -> bool:
    """Put an address on the list because a person here was asked to; return whether it is new.

    Raise `Refused` for what is no address.
    """
    brand = get(session, MerchantRow, merchant)
    new = add(session, brand.id, medium, understood(session, medium, address), "asked for it")
    if new:
        said = f"put {WORDS[medium]} on the opt-outs of {brand.name}"
        audit.note(session, "optout.added", brand.id, said, merchant=brand.id)
    return new


def lift(session: Session, id: str) -> OptOutRow:
    """Take an entry off the list because its owner wants messages again."""
    row = get(session, OptOutRow, id)
    brand = session.get_one(MerchantRow, row.merchant)
    medium: Medium = "email" if row.medium == "email" else "sms"
    said = f"took {WORDS[medium]} off the opt-outs of {brand.name} ({row.reason})"
    audit.note(session, "optout.removed", row.id, said, merchant=brand.id)
    remove(session, row.merchant, medium, row.address)
    return row


def understood(session: Session, medium: Medium, address: str) -> str:
    """Return an address as messages have it; raise `Refused` for what is none."""
    if medium == "email":
        text = address.strip()
        if not 3 <= len(text) <= 320 or "@" not in text[1:-1] or len(text.split()) != 1:
            raise Refused("this is no e-mail address", "address")
        return text
    return phone_of(session, address, "address")
