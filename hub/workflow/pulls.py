"""Read orders from shops by themselves: every connection of a source, a few at a time.

What arrives twice is taken once, so a page may be read again after a crash. The cursor moves in the
transaction that takes the orders before it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from sqlmodel import col, select

from hub.capabilities import OrderSource
from hub.connections.book import Parked, Renewing
from hub.connections.grants import doubt
from hub.connections.pulse import degrade, fails, rests, works
from hub.dispatch.flags import raise_flag
from hub.errors import Refused, Retry, Unauthorized
from hub.nouns import Cursor, Order, RefusedRow
from hub.orders import imports
from hub.orders.intake import take_all
from hub.orders.mapping import Mapping
from hub.orders.resolve import open_desk
from hub.queue.work import Claim, defer, enqueue, finish, postpone, renew
from hub.store import ConnectionRow, Session, System
from hub.workflow.checks import SHORTLY, begin_due, wait_for_renewal
from hub.workflow.effects import expire
from hub.workflow.failures import message_of

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
    with hub.store.read() as session:
        began, row = session.wall, session.get(ConnectionRow, claim.subject)
        until = rests(row, session.wall) if row is not None else None
    if row is None or until is not None:
        with hub.store.write() as session:
            if until is not None:
                defer(session, claim, until)
            else:
                finish(session, claim)
        return
    try:
        more = read_on(hub, claim, row)
    except Renewing:
        wait_for_renewal(hub, claim)
    except Parked:
        with hub.store.write() as session:
            finish(session, claim)
    except Exception as error:  # a connector may raise anything; it is told on its card
        note(hub, claim, error, began)
    else:
        with hub.store.write() as session:
            found = session.get_one(ConnectionRow, row.id)
            works(found, session.wall)
            if more:
                defer(session, claim, session.wall)
                return
            found.pulled_at, found.pull_at = session.now, session.wall + EVERY
            finish(session, claim)


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


def note(hub: Hub, claim: Claim, error: Any, began: datetime) -> None:
    """Write down why a source could not be read, and when it is tried again."""
    with hub.store.write() as session:
        row = session.get_one(ConnectionRow, claim.subject, with_for_update=True)
        text = hub.connections.cover(row, message_of(error))
        if isinstance(error, Unauthorized) and doubt(row, began, session.wall):
            postpone(session, claim, session.wall + SHORTLY, text)
            return
        row.pull_at = session.wall + EVERY
        if isinstance(error, Unauthorized):
            expire(hub, session, row.id, text)
        elif isinstance(error, Retry):
            fails(row, session.wall, text, error.after)
            row.pull_at = max(row.rests_until or session.wall, session.wall + SOON)
        else:
            degrade(row, session.wall, f"Its orders could not be read: {text}")
        finish(session, claim)
