"""Addresses that want no more messages of a merchant: the hub's own list, whoever sends."""

from __future__ import annotations

from typing import Literal

from sqlmodel import col, delete, select

from hub.store import OptOutRow, Session
from hub.store.once import insert_once

Medium = Literal["sms", "email"]


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
