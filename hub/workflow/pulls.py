"""Read orders from shops by themselves: every connection of a source, a few at a time.

What arrives twice is taken once, so a page may be read again after a crash. The cursor moves in the
transaction that takes the orders before it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from sqlmodel import col, select

from hub.capabilities import OrderSource
from hub.connections.book import Parked
from hub.connections.pulse import degrade, fails, hangs, rests, works
from hub.connector import Connector
from hub.dispatch.flags import raise_flag
from hub.errors import HubError, PluginError, Refused, Retry, Unauthorized
from hub.nouns import Cursor, Order, RefusedRow
from hub.orders import imports
from hub.orders.intake import take_all
from hub.orders.mapping import Mapping
from hub.orders.resolve import open_desk
from hub.queue.work import Claim, defer, enqueue, finish, renew
from hub.redaction import cover, secrets_of
from hub.store import ConnectionRow, Session, System
from hub.workflow.checks import begin_due
from hub.workflow.effects import expire
from hub.workflow.failures import message_of

if TYPE_CHECKING:
    from hub.hub import Hub

KIND = "pull"
EVERY, SOON = timedelta(minutes=15), timedelta(minutes=2)
TOGETHER = 10
"""Orders that are taken in one transaction, so that it stays short."""
SILENT = 3
"""Workers that have to be lost in a row over one source until that is put down to the source."""
MOST_AT_ONCE = 10_000
"""Records without a `Cursor` after which a source is taken to go on without end."""
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
        row = session.get(ConnectionRow, claim.subject)
        until = rests(row, session.wall) if row is not None else None
    if row is None or until is not None:
        with hub.store.write() as session:
            if until is not None:
                defer(session, claim, until)
            else:
                finish(session, claim)
        return
    if claim.hung or claim.losses >= SILENT:
        note(hub, claim, HubError(claim.why or "its worker died again and again while it was read"))
        return
    try:
        more = read_on(hub, claim, row)
    except Parked:
        with hub.store.write() as session:
            finish(session, claim)
    except Exception as error:  # a connector may raise anything; it is told on its card
        note(hub, claim, error)
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
        connector = hub.connections.usable(session, row.id)
        source = cast(OrderSource, connector)
        twin = twin_of(session, row)
    if twin is not None:
        raise Refused(f"{twin} reads orders from the same kind of shop, which would be mixed up")
    while True:
        after = cursor
        begin = partial(source.pull, Cursor(value=cursor))
        for chunk in chunks(connector, hub.connections.drawn(connector, begin)):
            store(hub, claim, row, chunk)
            after = chunk.cursor or after
            if after != cursor and time.monotonic() - began > TURN:
                return True
        if after == cursor:
            return False
        cursor = after


def twin_of(session: Session, row: ConnectionRow) -> str | None:
    """Return an older connection of the same merchant and kind: their orders share numbers."""
    query = select(ConnectionRow.title).where(
        ConnectionRow.connector == row.connector, ConnectionRow.merchant == row.merchant,
        col(ConnectionRow.enabled).is_(True), col(ConnectionRow.removed_at).is_(None),
        ConnectionRow.id < row.id,
    )  # fmt: skip
    return session.exec(query.limit(1)).first()


def chunks(connector: Connector[Any], records: Iterator[Any]) -> Iterator[imports.Chunk]:
    """Yield orders and refusals as they go into one transaction each; the last has a cursor.

    Raise `PluginError` for a record of another kind, and for a source that goes on without end.
    """
    chunk, since = imports.Chunk(), 0
    for record in records:
        since += 1
        if isinstance(record, Cursor):
            chunk.cursor, since = record.value, 0
        elif isinstance(record, Order):
            chunk.orders.append(record)
        elif isinstance(record, RefusedRow):
            reason = cover(record.reason, secrets_of(connector.config))
            chunk.refused.append(record.model_copy(update={"reason": reason}))
        else:
            kind = type(record).__name__
            raise PluginError(f"{connector.title} yielded a {kind}, not an Order or a Cursor")
        if since > MOST_AT_ONCE:
            raise PluginError(f"{connector.title} yielded {since:,} records without a Cursor")
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


def note(hub: Hub, claim: Claim, error: Any) -> None:
    """Write down why a source could not be read, and when it is tried again."""
    with hub.store.write() as session:
        row = session.get_one(ConnectionRow, claim.subject)
        text = hub.connections.cover(row, message_of(error))
        row.pull_at = session.wall + EVERY
        if isinstance(error, Unauthorized):
            expire(hub, session, row.id, text)
        elif claim.hung:
            hangs(row, session.wall, f"Its orders could not be read: {text}")
            row.pull_at = row.rests_until
        elif isinstance(error, Retry):
            fails(row, session.wall, text, error.after)
            row.pull_at = max(row.rests_until or session.wall, session.wall + SOON)
        else:
            degrade(row, session.wall, f"Its orders could not be read: {text}")
        finish(session, claim)
