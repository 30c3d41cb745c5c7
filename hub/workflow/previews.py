"""Try a connection before it is put into use: a real call, one sample, and what would come in.

That happens in a worker, like every call of a connector. What is found is kept encrypted for a day,
because an order has personal values; nothing of it is taken in.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, cast

from sqlmodel import col, select

from hub.capabilities import OrderSource
from hub.connections import removal, undo
from hub.deadlines import deadline
from hub.errors import PluginError, Retry
from hub.nouns import Cursor, Order, RefusedRow
from hub.orders.mapping import Mapping
from hub.orders.trial import Trial, try_all
from hub.queue.work import Claim, enqueue, finish
from hub.store import ConnectionRow, PreviewRow, Session, System
from hub.store.once import insert_once
from hub.workflow.checks import NO_ANSWER, SILENT
from hub.workflow.failures import kind_of, message_of
from hub.workflow.parking import release
from hub.workflow.pulls import is_source

if TYPE_CHECKING:
    from hub.connector import Connector
    from hub.hub import Hub

KIND = "preview"
Stage = Literal["test", "dry_run"]
MOST = 100
"""Records that a dry run looks at."""
LONGEST = 20.0
"""Seconds after which a preview shows what it has read so far."""
GIVEN_UP = 60.0
"""Seconds after which the worker of a preview is ended."""
SHOWN = 5
"""Orders and reasons that a dry run names."""


def request(session: Session, connection: str, stage: Stage) -> None:
    """Ask for a test or a dry run; an earlier one of the connection is forgotten."""
    row = find(session, connection, stage)
    if row is None:
        insert_once(session, PreviewRow(connection=connection, stage=stage, asked_at=session.wall))
        row = find(session, connection, stage)
    if row is not None:
        row.state, row.kind, row.field, row.error, row.sealed = "waiting", "", "", "", ""
        row.asked_at, row.ended_at = session.wall, None
        enqueue(session, KIND, row.id, queue="outward")


def find(session: Session, connection: str, stage: Stage) -> PreviewRow | None:
    """Return the last test, or the last dry run, of a connection."""
    query = select(PreviewRow).where(PreviewRow.connection == connection, PreviewRow.stage == stage)
    return session.exec(query).one_or_none()


def forget(session: Session, connection: str) -> None:
    """Drop what a connection showed, because its settings are others now."""
    query = select(PreviewRow).where(PreviewRow.connection == connection)
    for row in session.exec(query):
        session.delete(row)
    session.flush()


def found(hub: Hub, row: PreviewRow | None) -> dict[str, Any]:
    """Return what a preview found; nothing while it waits, after an error and after a day."""
    if row is None or not row.sealed:
        return {}
    known: dict[str, Any] = json.loads(hub.keys.unseal(row.sealed))
    return known


def work(hub: Hub, claim: Claim) -> None:
    """Make the calls of one preview and keep what they showed."""
    with hub.store.read() as session:
        row = session.get(PreviewRow, claim.subject)
        about = session.get(ConnectionRow, row.connection) if row is not None else None
    showed: dict[str, Any] = {}
    error: Exception | None = Retry(NO_ANSWER) if claim.hung or claim.losses >= SILENT else None
    if row is not None and about is not None and error is None:
        try:
            with deadline(GIVEN_UP):
                showed = look(hub, about, row.stage)
        except Exception as raised:  # a connector may raise anything; the page tells it
            error = raised
    with hub.store.write() as session:
        kept = session.get(PreviewRow, claim.subject)
        if kept is not None and about is not None:
            note(hub, session, kept, about, showed, error)
        finish(session, claim)


def note(
    hub: Hub,
    session: Session,
    row: PreviewRow,
    about: ConnectionRow,
    showed: dict[str, Any],
    error: Exception | None,
) -> None:
    """Write down how a preview ended."""
    row.state, row.ended_at = "failed" if error else "done", session.wall
    if error is None:
        row.sealed = hub.keys.seal(json.dumps(showed, ensure_ascii=False))
        return
    row.kind, row.field = kind_of(error), str(getattr(error, "field", None) or "")[:100]
    row.error = str(hub.connections.cover(about, message_of(error)))[:500]


def look(hub: Hub, about: ConnectionRow, stage: str) -> dict[str, Any]:
    """Return what a connection shows, as JSON."""
    with hub.store.read() as session:
        about = session.get_one(ConnectionRow, about.id)
        connector = hub.connections.build(session, about)
    if stage == "dry_run":
        return dry_run(hub, about, connector)
    began = time.monotonic()
    with hub.connections.contained(connector):
        connector.check()
    showed: dict[str, Any] = {"milliseconds": round((time.monotonic() - began) * 1000)}
    if is_source(hub, about.connector):
        showed |= sample(hub, connector)
    return showed


def sample(hub: Hub, connector: Connector[Any]) -> dict[str, Any]:
    """Return the first order that a source hands over, as it says it, and what it refused first."""
    refused = ""
    for record in records(hub, connector, Cursor()):
        if isinstance(record, Order):
            return {"order": record.model_dump(mode="json", exclude_unset=True), "refused": refused}
        refused = refused or record.reason
    return {"order": None, "refused": refused}


def dry_run(hub: Hub, about: ConnectionRow, connector: Connector[Any]) -> dict[str, Any]:
    """Return what would become of the next records of a source, without taking any in."""
    rules, merchant = Mapping.of(about), about.merchant or ""
    orders: list[Order] = []
    refused: list[str] = []
    read, more = 0, False
    for record in records(hub, connector, Cursor(value=about.cursor)):
        if read == MOST:
            more = True
            break
        read += 1
        if isinstance(record, Order):
            orders.append(rules.apply(record))
        else:
            refused.append(record.reason)
    latest = {order.ref: order for order in orders}
    with hub.store.read(System(merchant)) as session:
        tried = try_all(
            hub, session, merchant, about.order_source, list(latest.values()), rules.lead
        )
    return {"read": read, "more": more, **summed(tried, refused)}


def records(hub: Hub, connector: Connector[Any], cursor: Cursor) -> Iterator[Order | RefusedRow]:
    """Yield what a source has behind a cursor, page after page, for a while."""
    source = cast(OrderSource, connector)
    began = time.monotonic()
    while True:
        after = cursor
        for record in hub.connections.drawn(connector, partial(source.pull, cursor)):
            if isinstance(record, Cursor):
                after = record
            elif isinstance(record, Order | RefusedRow):
                yield record
            else:
                kind = type(record).__name__
                raise PluginError(f"{connector.title} yielded a {kind}, not an Order or a Cursor")
            if time.monotonic() - began > LONGEST:
                return
        if after == cursor:
            return
        cursor = after


def summed(tried: list[Trial], refused: list[str]) -> dict[str, Any]:
    """Return the counts of a dry run, the reasons of refusals and a few of the orders."""
    counts = Counter(one.verdict for one in tried)
    reasons = Counter(refused) + Counter(
        f"order {one.order.ref}: {one.reason}" for one in tried if one.verdict == "refused"
    )
    return {
        "new": counts["new"],
        "changed": counts["changed"],
        "unchanged": counts["unchanged"],
        "refused": counts["refused"] + len(refused),
        "unplaced": sum(not one.placed for one in tried),
        "reasons": reasons.most_common(SHOWN),
        "orders": [
            {
                "ref": one.order.ref, "verdict": one.verdict, "day": one.day,
                "name": one.order.recipient.name, "address": one.order.address.text(),
                "placed": one.placed,
            }
            for one in tried if one.verdict in ("new", "changed")
        ][:SHOWN],
    }  # fmt: skip


def go_round(hub: Hub) -> None:
    """Forget what was kept for a day only: samples, settings before a change, what was removed."""
    with hub.store.read() as session:
        if not (old(session) or undo.overdue(session, 1) or removal.overdue(session, 1)):
            return
    with hub.store.write() as session:
        for row in old(session):
            row.sealed = ""
        for changed in undo.overdue(session):
            undo.forget(changed)
        for gone in removal.overdue(session):
            removal.purge(session, gone)
            release(session, gone.id)


def old(session: Session) -> list[PreviewRow]:
    """Return the previews whose time is over."""
    query = select(PreviewRow).where(
        PreviewRow.sealed != "", col(PreviewRow.ended_at) <= session.wall - removal.LASTS
    )
    return list(session.exec(query.limit(50)))
