"""Find what is held about whom a request names: the orders, and the words that tell of a person."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from sqlalchemy import ColumnElement
from sqlmodel import col, func, or_, select

from hub.nouns import PrivacyRequest
from hub.store import AttemptRow, ConnectionRow, OrderRow, PrivacyRow, Session, StopRow

SHORTEST = 4
"""Letters of a value that is looked for in texts; a shorter one stands in texts by chance."""
ERASED = "(erased)"


def orders_of(session: Session, row: PrivacyRow, asked: PrivacyRequest) -> list[str]:
    """Return the ids of the orders that a request is about, oldest first; erased ones are left out.

    One that came through a connection is about the orders of that connection alone.
    """
    query = select(OrderRow.id).where(col(OrderRow.erased_at).is_(None))
    if row.merchant is not None:
        query = query.where(OrderRow.merchant == row.merchant)
    if row.connection is not None:
        connection = session.get_one(ConnectionRow, row.connection)
        query = query.where(OrderRow.source == connection.order_source)
    if row.kind != "erase_all":
        either: list[ColumnElement[bool]] = []
        if asked.orders:
            named = list(asked.orders)
            either += [col(OrderRow.ref).in_(named), col(OrderRow.parent).in_(named)]
        if asked.email.strip():
            either.append(func.lower(OrderRow.email) == asked.email.strip().lower())
        if asked.phone.strip():
            either.append(col(OrderRow.phone).in_(spellings(asked.phone)))
        if not either:
            return []
        query = query.where(or_(*either))
    return list(session.exec(query.order_by(OrderRow.id)))


def spellings(phone: str) -> set[str]:
    """Return a phone number as it may have been written down."""
    bare = "".join(sign for sign in phone if sign.isdigit() or sign == "+")
    return {phone.strip(), bare, bare.removeprefix("+"), f"+{bare.removeprefix('+')}"}


def words_of(session: Session, orders: Iterable[str], asked: PrivacyRequest) -> frozenset[str]:
    """Return every value of these orders, and of the request, that tells of a person."""
    found = {asked.email.strip()}
    found |= spellings(asked.phone) if asked.phone.strip() else set()
    for id in orders:
        found |= set(said_of(session, session.get_one(OrderRow, id)))
    return frozenset(one for one in found if len(one) >= SHORTEST)


def said_of(session: Session, order: OrderRow) -> list[str]:
    """Return what one order and the attempts at it say about a person."""
    said = [order.name, order.email, order.notes]
    said += [order.address.get(part, "") for part in ("line1", "line2")]
    said += spellings(order.phone) if order.phone else []
    visits = (
        select(AttemptRow.received_by, AttemptRow.note)
        .join(StopRow, col(StopRow.id) == AttemptRow.stop)
        .where(StopRow.order == order.id)
    )
    for received_by, note in session.exec(visits):
        said += [received_by, note]
    return [one for one in said if len(one) >= SHORTEST]


def without(value: Any, words: Iterable[str]) -> Any:
    """Return a text, or JSON, in which none of these words stands."""
    if isinstance(value, str):
        for word in sorted(words, key=len, reverse=True):
            value = value.replace(word, ERASED)
        return value
    if isinstance(value, dict):
        return {name: without(one, words) for name, one in value.items()}
    if isinstance(value, list):
        return [without(one, words) for one in value]
    return value


def holds(content: bytes, words: Iterable[str]) -> bool:
    """Say whether any of these words stands in some bytes, as text, in JSON or in an address."""
    lower = content.lower()
    for word in words:
        for form in {word, json.dumps(word)[1:-1], quote(word), quote(word, safe="")}:
            if form.lower().encode() in lower:
                return True
    return False
