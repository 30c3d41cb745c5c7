"""Read orders from shops by themselves: every connection of a source, a few at a time.

What arrives twice is taken once, so a page may be read again after a crash. The cursor moves in the
transaction that takes the orders before it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from sqlmodel import col, select

from hub.capabilities import OrderSource
from hub.connections.book import Parked, Renewing
from hub.connector import Connector
from hub.errors import PluginError, Refused
from hub.nouns import Cancelled, Cursor, Order, RefusedRow
from hub.orders import imports
from hub.orders.intake import take_all
from hub.orders.mapping import Mapping
from hub.orders.resolve import open_desk
from hub.queue.work import Claim, enqueue, finish, renew
from hub.redaction import cover, secrets_of
from hub.store import ConnectionRow, RejectedRow, Session, System
from hub.workflow import calloffs, readings, rejects
from hub.workflow.checks import begin_due, wait_for_renewal

if TYPE_CHECKING:
    from hub.hub import Hub

KIND = "pull"
EVERY, SOON = timedelta(minutes=15), timedelta(minutes=2)
TOGETHER, MOST_TOGETHER = 10, 100
"""Orders that are taken in one transaction: at first, and where that stays short all the same."""
SHORT = 0.02
"""Seconds that such a transaction aims at: well below the 50 ms that one may take."""
MOST_AT_ONCE = 10_000
"""Records without a `Cursor` after which a source is taken to go on without end."""
TURN = 20.0
"""Seconds after which other calls have their turn; the rest is read after that."""


@dataclass
class Read:
    """What one turn at a source brought."""

    more: bool = False
    orders: int = 0
    refused: int = 0
    cancelled: int = 0
    together: int = TOGETHER
    """Orders that go into the next transaction."""

    def paced(self, orders: int, seconds: float) -> None:
        """Learn from a transaction how many orders the next one may take."""
        if orders >= TOGETHER:
            fit = int(SHORT / max(seconds / orders, 1e-6))
            self.together = max(TOGETHER, min(fit, self.together * 2, MOST_TOGETHER))

    def text(self) -> str:
        """Return it in words."""
        if not self.orders and not self.refused and not self.cancelled:
            return "nothing new"
        said = f"{self.orders} order{'' if self.orders == 1 else 's'} read"
        said += f", {self.cancelled} called off" if self.cancelled else ""
        return f"{said}, {self.refused} could not be taken" if self.refused else said


@dataclass
class Part(imports.Chunk):
    """What is taken in at once: orders, then what was called off after them, then the cursor."""

    cancelled: list[Cancelled] = field(default_factory=list)


def request(session: Session, connection: str) -> None:
    """Ask for the orders of a connection now."""
    enqueue(session, KIND, connection, queue="outward")


def is_source(hub: Hub, connector: str) -> bool:
    """Say whether orders are read from a connector by themselves; files are imported by people."""
    return connector != imports.CONNECTOR and connector in hub.plugins.of_kind("order_sources")


def hands_over(hub: Hub, row: ConnectionRow) -> bool:
    """Say whether orders are read from a connection: it is a source, and its settings say which."""
    return is_source(hub, row.connector) and hub.connections.serves(row, "order_sources")


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
        wanted=lambda row: hands_over(hub, row),
    )  # fmt: skip


def work(hub: Hub, claim: Claim) -> None:
    """Read what is new from one source, and note how that went."""
    readings.turn(hub, claim, READING)


def read_on(hub: Hub, claim: Claim, row: ConnectionRow) -> Read:
    """Take in page after page for one turn; return what came, and whether there is more."""
    began, cursor, read = time.monotonic(), row.cursor, Read()
    connector = source_of(hub, row)
    while True:
        after = cursor
        for chunk in page(hub, connector, cursor, read):
            read.orders += len(chunk.orders)
            store(hub, claim, row, chunk, cursor, read=read)
            after = chunk.cursor or after
            if after != cursor and time.monotonic() - began > TURN:
                read.more = True
                return read
        if after == cursor:
            return read
        cursor = after


def page(hub: Hub, connector: Connector[Any], cursor: str, read: Read) -> Iterator[Part]:
    """Yield what a source has behind a cursor, as it goes into one transaction each."""
    begin = partial(cast(OrderSource, connector).pull, Cursor(value=cursor))
    return chunks(connector, hub.connections.drawn(connector, begin), read)


def source_of(hub: Hub, row: ConnectionRow) -> Connector[Any]:
    """Return the source of a connection; raise `Parked` or `Refused` where it must not be read."""
    with hub.store.read() as session:
        connector = hub.connections.usable(session, row.id)
        twin = twin_of(session, row)
    if twin is not None:
        raise Refused(f"{twin} reads orders from the same kind of shop, which would be mixed up")
    return connector


def reread(hub: Hub, claim: Claim) -> None:
    """Read the page again on which a record was refused; whatever it holds is taken once.

    A record that has changed in its source since is no longer there but further on, so that the
    source is read to its end as well.
    """
    with hub.store.read() as session:
        rejected = session.get(RejectedRow, claim.subject)
        row = session.get(ConnectionRow, rejected.connection) if rejected is not None else None
    if rejected is None or row is None or row.merchant is None:
        with hub.store.write() as session:
            finish(session, claim)
        return
    began = hub.store.clock.wall()
    try:
        read = Read()
        for chunk in page(hub, source_of(hub, row), rejected.cursor, read):
            store(hub, claim, row, chunk, rejected.cursor, read=read, moves=False)
    except Renewing:
        wait_for_renewal(hub, claim)
        return
    except Parked:
        with hub.store.write() as session:
            finish(session, claim)
        return
    except Exception as error:  # a connector may raise anything; it is told on its card
        readings.note(hub, claim, READING, row.id, error, began)
        return
    with hub.store.write(System(row.merchant)) as session:
        found = session.get_one(RejectedRow, rejected.id)
        if found.state == "open" and not found.ref and found.times == rejected.times:
            rejects.end(session, found, "resolved", rejects.BY_ITSELF)
        request(session, row.id)
        finish(session, claim)


def twin_of(session: Session, row: ConnectionRow) -> str | None:
    """Return an older connection whose orders would be mixed up with those of this one.

    Only those from before shops of one kind had sources of their own can be such.
    """
    query = select(ConnectionRow.title).where(
        ConnectionRow.connector == row.connector, ConnectionRow.merchant == row.merchant,
        ConnectionRow.source == row.source,
        col(ConnectionRow.enabled).is_(True), col(ConnectionRow.removed_at).is_(None),
        ConnectionRow.id < row.id,
    )  # fmt: skip
    return session.exec(query.limit(1)).first()


def chunks(connector: Connector[Any], records: Iterator[Any], read: Read) -> Iterator[Part]:
    """Yield orders and refusals as they go into one transaction each; the last has a cursor.

    Raise `PluginError` for a record of another kind, and for a source that goes on without end.
    """
    chunk, since = Part(), 0
    for record in records:
        since += 1
        if isinstance(record, Order) and chunk.cancelled:
            yield chunk  # things happen in the order in which they came
            chunk = Part()
        if isinstance(record, Cursor):
            chunk.cursor, since = record.value, 0
        elif isinstance(record, Order):
            chunk.orders.append(record)
        elif isinstance(record, Cancelled):
            chunk.cancelled.append(record)
        elif isinstance(record, RefusedRow):
            reason = cover(record.reason, secrets_of(connector.config))
            chunk.refused.append(record.model_copy(update={"reason": reason}))
        else:
            kind = type(record).__name__
            raise PluginError(f"{connector.title} yielded a {kind}, not an Order or a Cursor")
        if since > MOST_AT_ONCE:
            raise PluginError(f"{connector.title} yielded {since:,} records without a Cursor")
        if chunk.cursor or len(chunk.orders) >= read.together:
            yield chunk
            chunk = Part()
    if chunk.orders or chunk.refused or chunk.cancelled:
        yield chunk


def store(
    hub: Hub,
    claim: Claim,
    row: ConnectionRow,
    part: Part,
    cursor: str,
    *,
    read: Read,
    moves: bool = True,
) -> None:
    """Take orders in, call off what was, list what cannot be, and move the cursor behind them.

    `cursor` is where the page begins; what came of it is added to `read`.
    """
    origin = rejects.Origin(KIND, cursor=cursor)
    behind = part.cursor if moves else ""
    if part.orders or part.refused or not part.cancelled:
        now = "" if part.cancelled else behind
        began = time.perf_counter()
        read.refused += take_in(hub, claim, row, part, origin, now)
        read.paced(len(part.orders), time.perf_counter() - began)
    if part.cancelled:
        done, late = calloffs.cancel_all(hub, claim, row, part.cancelled, origin)
        read.cancelled, read.refused = read.cancelled + done, read.refused + late
        if behind:
            take_in(hub, claim, row, Part(), origin, behind)


def take_in(
    hub: Hub, claim: Claim, row: ConnectionRow, part: Part, origin: rejects.Origin, cursor: str
) -> int:
    """Write a part's orders and refusals with the cursor behind them; return how many were lost."""
    merchant, rules = row.merchant or "", Mapping.of(row)
    orders = [rules.apply(order) for order in part.orders]
    desk = None
    if orders:
        with hub.store.read() as session:
            desk = open_desk(hub, session, merchant, orders, rules.lead)
    with hub.store.write(System(merchant)) as session:
        renew(session, claim)
        source = row.order_source
        taken = take_all(hub, session, merchant, source, orders, desk) if orders else []
        told = [(origin, *one) for one in zip(orders, taken, strict=True)]
        lost = rejects.sort_out(session, row, told, [(origin, one) for one in part.refused])
        if cursor:
            session.get_one(ConnectionRow, row.id).cursor = cursor
        return len(lost)


READING = readings.Reading(
    KIND, "orders", "pull_at", "pulled_at", every=EVERY, soon=SOON, read=read_on
)
