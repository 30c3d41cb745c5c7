"""Read orders from shops by themselves: every connection of a source, a few at a time.

What arrives twice is taken once, so a page may be read again after a crash. The cursor moves in the
transaction that takes the orders before it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from sqlmodel import col, select

from hub.capabilities import OrderSource
from hub.dispatch.flags import raise_flag
from hub.errors import Refused
from hub.nouns import Cursor, Order, RefusedRow
from hub.orders import imports
from hub.orders.intake import take_all
from hub.orders.mapping import Mapping
from hub.orders.resolve import open_desk
from hub.queue.work import Claim, enqueue, renew
from hub.store import ConnectionRow, Session, System
from hub.workflow import readings
from hub.workflow.checks import begin_due

if TYPE_CHECKING:
    from hub.hub import Hub

KIND = "pull"
EVERY, SOON = timedelta(minutes=15), timedelta(minutes=2)
TOGETHER = 10
"""Orders that are taken in one transaction, so that it stays short."""
TURN = 20.0
"""Seconds after which other calls have their turn; the rest is read after that."""


def request(session: Session, connection: str) -> None:
    """Ask for the orders of a connection now."""
    enqueue(session, KIND, connection, queue="outward")


def is_source(hub: Hub, connector: str) -> bool:
    """Say whether orders are read from a connector by themselves; files are imported by people."""
    return connector != imports.CONNECTOR and connector in hub.plugins.of_kind("order_sources")


def go_round(hub: Hub) -> None:
    """Make the pulls due whose time has come; called by the leading dispatcher.

    Read are the shops that belong to a merchant and need nobody to reconnect them.
    """

    def begin(session: Session, row: ConnectionRow) -> None:
        row.pull_at = session.wall + EVERY
        request(session, row.id)

    begin_due(
        hub, "pull_at", begin,
        col(ConnectionRow.merchant).is_not(None), col(ConnectionRow.state) != "action_needed",
        wanted=lambda row: is_source(hub, row.connector),
    )  # fmt: skip


def work(hub: Hub, claim: Claim) -> None:
    """Read what is new from one source, and note how that went."""
    readings.turn(hub, claim, READING)


def read_on(hub: Hub, claim: Claim, row: ConnectionRow) -> bool:
    """Take in page after page; return whether there is more than one turn is long."""
    began, cursor = time.monotonic(), row.cursor
    with hub.store.read() as session:
        source = cast(OrderSource, hub.connections.usable(session, row.id))
        twin = twin_of(session, row)
    if twin is not None:
        raise Refused(f"{twin} reads orders from the same kind of shop, which would be mixed up")
    while True:
        after = cursor
        for chunk in chunks(source.pull(Cursor(value=cursor))):
            store(hub, claim, row, chunk)
            after = chunk.cursor or after
        if after == cursor:
            return False
        cursor = after
        if time.monotonic() - began > TURN:
            return True


def twin_of(session: Session, row: ConnectionRow) -> str | None:
    """Return an older connection of the same merchant and kind: their orders share numbers."""
    query = select(ConnectionRow.title).where(
        ConnectionRow.connector == row.connector, ConnectionRow.merchant == row.merchant,
        col(ConnectionRow.enabled).is_(True), col(ConnectionRow.removed_at).is_(None),
        ConnectionRow.id < row.id,
    )  # fmt: skip
    return session.exec(query.limit(1)).first()


def chunks(records: Iterator[Order | RefusedRow | Cursor]) -> Iterator[imports.Chunk]:
    """Yield orders and refusals as they go into one transaction each; the last has a cursor."""
    chunk = imports.Chunk()
    for record in records:
        if isinstance(record, Cursor):
            chunk.cursor = record.value
        elif isinstance(record, Order):
            chunk.orders.append(record)
        else:
            chunk.refused.append(record)
        if chunk.cursor or len(chunk.orders) >= TOGETHER:
            yield chunk
            chunk = imports.Chunk()
    if chunk.orders or chunk.refused:
        yield chunk


def store(hub: Hub, claim: Claim, row: ConnectionRow, chunk: imports.Chunk) -> None:
    """Take orders in, raise a flag for each that cannot be, and move the cursor behind them."""
    merchant, rules = row.merchant or "", Mapping.of(row)
    orders = [rules.apply(order) for order in chunk.orders]
    with hub.store.read() as session:
        desk = open_desk(hub, session, merchant, orders, rules.lead)
    with hub.store.write(System(merchant)) as session:
        renew(session, claim)
        taken = take_all(hub, session, merchant, row.connector, orders, desk)
        for order, news in zip(orders, taken, strict=True):
            if isinstance(news, Refused):
                refuse(session, row, f"order {order.ref}: {news}")
        for refused in chunk.refused:
            refuse(session, row, refused.reason)
        if chunk.cursor:
            session.get_one(ConnectionRow, row.id).cursor = chunk.cursor


def refuse(session: Session, row: ConnectionRow, reason: str) -> None:
    """Raise a flag for an order that could not be taken in, once for each reason."""
    digest = hashlib.sha256(reason.encode()).hexdigest()[:32]
    text = f"{row.title}: {reason}"
    raise_flag(session, f"pull:{row.id}:{digest}", "order_refused", text, merchant=row.merchant)


READING = readings.Reading("orders", "pull_at", "pulled_at", every=EVERY, soon=SOON, read=read_on)
