"""Records of other systems that could not be taken: listed, tried again, settled by themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlmodel import col, func, select

from hub.access import get
from hub.connections.activity import DELIVERY
from hub.dispatch.flags import clear_flag, raise_flag
from hub.errors import Refused
from hub.nouns import Order, RefusedRow
from hub.orders.intake import Taken
from hub.queue import enqueue
from hub.store import ConnectionRow, FlagRow, InboxRow, RejectedRow, Session
from hub.workflow import incoming

FLAG = "order_refused"
REREAD = "reread"
"""The work of reading again what a pull could not take; its subject is the rejected row's id."""
BY_ITSELF = "hub"


@dataclass(frozen=True)
class Origin:
    """What records came with."""

    kind: str
    """pull | delivery"""
    inbox: str = ""
    cursor: str = ""
    """Behind which a pull found them."""


def sort_out(
    session: Session,
    row: ConnectionRow,
    orders: Iterable[tuple[Origin, Order, Taken | Refused]],
    refused: Iterable[tuple[Origin, RefusedRow]],
) -> list[Origin]:
    """List what was refused and settle what was taken; return with what the refused came."""
    lost, taken = list(refused), list[str]()
    for origin, order, news in orders:
        if isinstance(news, Refused):
            said = f"order {order.ref}: {news}"
            one = RefusedRow(line=0, reason=said, field=news.field or "", ref=order.ref)
            lost.append((origin, one))
        else:
            taken.append(order.ref)
    if taken and count_open(session, row.id):
        resolve(session, row.id, col(RejectedRow.key).in_([f"ref:{ref}" for ref in taken]))
    for origin, one in lost:
        refuse(session, row, origin, one)
    return [origin for origin, _ in lost]


def refuse(session: Session, row: ConnectionRow, origin: Origin, one: RefusedRow) -> None:
    """Put a record on the connection's list, or count it there once more, and raise the flag."""
    session.flush()
    key = key_of(one)
    query = select(RejectedRow).where(RejectedRow.connection == row.id, RejectedRow.key == key)
    known = session.exec(query).one_or_none()
    reason = clean(one.reason)
    if known is None:
        known = RejectedRow(
            connection=row.id, merchant=row.merchant, key=key, ref=clean(one.ref)[:200],
            reason="", origin="", first_at=session.now, last_at=session.now, times=0,
        )  # fmt: skip
        session.add(known)
    again = known.state == "open" and known.times > 0
    laid_by = known.state == "dismissed" and known.reason == reason[:500]
    known.field, known.reason = clean(one.field)[:200], reason[:500]
    known.origin, known.inbox, known.cursor = origin.kind, origin.inbox, origin.cursor
    known.last_at, known.times = session.now, known.times + 1
    if laid_by:
        return  # somebody knows about just this already
    known.state, known.ended_at, known.ended_by = "open", None, ""
    if not again and flag_of(session, row.id) is None:
        text = f"{row.title}: {reason}"
        key = f"rejected:{known.id}:{known.times}"
        raise_flag(session, key, FLAG, text, subject=row.id, merchant=row.merchant)


def key_of(one: RefusedRow) -> str:
    """Return what is the same for the same record; without a number, for the same words."""
    if one.ref and one.ref.isprintable():
        return f"ref:{one.ref[:200]}"
    return "row:" + hashlib.sha256(f"{one.field}\n{one.reason}".encode()).hexdigest()[:32]


def clean(text: str) -> str:
    """Return a text without NUL, which no database takes."""
    return text.replace("\x00", "")


def resolve(session: Session, connection: str, which: ColumnElement[bool]) -> None:
    """Settle those of a connection that were taken after all."""
    session.flush()
    query = select(RejectedRow).where(
        RejectedRow.connection == connection, RejectedRow.state == "open", which
    )
    for found in session.exec(query).all():
        end(session, found, "resolved", BY_ITSELF)


def resolve_delivery(session: Session, connection: str, delivery: str) -> None:
    """Settle what a delivery brought that has now been taken in without a refusal."""
    if count_open(session, connection):
        resolve(session, connection, col(RejectedRow.inbox) == delivery)


def end(session: Session, row: RejectedRow, state: str, by: str) -> None:
    """Settle one; the last of a connection takes the flag down."""
    row.state, row.ended_at, row.ended_by = state, session.now, by
    session.flush()
    if not count_open(session, row.connection):
        flag = flag_of(session, row.connection)
        if flag is not None:
            clear_flag(session, flag.id, by)


def dismiss(session: Session, id: str, by: str) -> RejectedRow:
    """Lay one by; nothing more is tried. It can be taken back by `restore`."""
    row = get(session, RejectedRow, id)
    if row.state == "open":
        end(session, row, "dismissed", by)
    return row


def restore(session: Session, id: str) -> RejectedRow:
    """Put one that was laid by back on the list."""
    row = get(session, RejectedRow, id)
    if row.state == "dismissed":
        row.state, row.ended_at, row.ended_by = "open", None, ""
    return row


def retry(session: Session, id: str) -> RejectedRow:
    """Have the source's record read again: from the delivery that brought it, or by a pull.

    Raise `Refused` where the delivery is not kept any more.
    """
    row = get(session, RejectedRow, id)
    if row.origin == DELIVERY:
        replay(session, row.connection, row.inbox)
    else:
        enqueue(session, REREAD, row.id, queue="outward")
    return row


def replay(session: Session, connection: str, delivery: str) -> None:
    """Have a kept delivery taken in once more; raise `Refused` where it is not kept any more."""
    kept = session.get(InboxRow, delivery)
    gone = kept is None or not kept.body
    if kept is None or gone or kept.source != connection or kept.kind != DELIVERY:
        raise Refused("this delivery is not kept any more; ask the other system to send it again")
    kept.status = incoming.WAITING
    kept.answer = {"topic": kept.answer.get("topic", "")}
    enqueue(session, incoming.KIND, connection, queue="outward")


def replay_failed(session: Session, connection: str, limit: int = 500) -> int:
    """Have all deliveries of a connection that failed taken in once more; return how many."""
    query = select(InboxRow.id).where(
        InboxRow.source == connection,
        InboxRow.kind == DELIVERY,
        InboxRow.status == incoming.FAILED,
        InboxRow.body != b"",
    )
    found = session.exec(query.order_by(InboxRow.id).limit(limit)).all()
    for id in found:
        replay(session, connection, id)
    return len(found)


def count_open(session: Session, connection: str) -> int:
    """Return how many records of a connection wait for somebody."""
    query = select(func.count()).select_from(RejectedRow)
    return session.exec(
        query.where(RejectedRow.connection == connection, RejectedRow.state == "open")
    ).one()


def flag_of(session: Session, connection: str) -> FlagRow | None:
    """Return the flag on the board that points at a connection's list, unless it was cleared."""
    query = select(FlagRow).where(
        FlagRow.kind == FLAG, FlagRow.subject == connection, col(FlagRow.cleared_at).is_(None)
    )
    return session.exec(query.limit(1)).first()
