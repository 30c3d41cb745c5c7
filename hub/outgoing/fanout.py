"""Give each numbered event to the endpoints that want it, and forget what ended long ago.

Every endpoint has its own place in the order of events, so one that was switched off goes on where
it stopped. Those that are up to date, mostly all, share one reading.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, insert
from sqlmodel import col, delete, func, select, update

from hub.events.log import after, tail
from hub.outgoing.endpoints import wake
from hub.queue import Claim, enqueue, finish
from hub.queue.work import defer, renew
from hub.store import EndpointRow, EventRow, OutgoingRow, OutgoingTryRow, Session, WorkRow, new_id

if TYPE_CHECKING:
    from hub.hub import Hub

KIND, SUBJECT = "fan_out", "events"
SWEEP = "outgoing_sweep"
BATCH = 100
"""Events that are read at once."""
AT_ONCE = 400
"""Rows that one transaction writes, so that it stays short."""
KEEP = timedelta(days=30)
"""How long what has ended stays in the log."""
ENDED = ("delivered", "failed", "dropped")


@dataclass
class Share:
    """What one endpoint is given of a reading."""

    endpoint: str
    old: int
    new: int
    events: list[EventRow] = field(default_factory=list)


def go_round(hub: Hub) -> None:
    """Ask for the work where events wait for an endpoint; called by the leading dispatcher."""
    with hub.store.read() as session:
        last = session.exec(select(func.min(EndpointRow.seq)).where(*wanting())).one_or_none()
        if last is None or last >= tail(session) or is_asked(session):
            return
    with hub.store.write() as session:
        enqueue(session, KIND, SUBJECT)


def wanting() -> list[ColumnElement[bool]]:
    """Return the conditions for endpoints that are sent events."""
    return [
        col(EndpointRow.enabled).is_(True),
        col(EndpointRow.state) != "disabled",
        col(EndpointRow.removed_at).is_(None),
    ]


def is_asked(session: Session) -> bool:
    """Say whether the work is due or being done already."""
    query = select(WorkRow.state).where(WorkRow.kind == KIND, WorkRow.subject == SUBJECT)
    return session.exec(query).one_or_none() in ("ready", "leased")


def work(hub: Hub, claim: Claim) -> None:
    """Give out one reading of events, or two where some endpoint is behind the others."""
    with hub.store.read() as session:
        rows = list(session.exec(select(EndpointRow).where(*wanting())))
        last = tail(session)
        found = shares(session, rows)
        old = ended_before(session, session.wall - KEEP)
    for part in portions(found):
        with hub.store.write() as session:
            renew(session, claim)
            for share in part:
                give(session, share)
    behind = any(share.new < last for share in found)
    with hub.store.write() as session:
        forget(session, old)
        if behind:
            defer(session, claim, session.wall)
            session.rings.add(claim.queue)
        else:
            finish(session, claim)


def shares(session: Session, rows: list[EndpointRow]) -> list[Share]:
    """Return what each endpoint is given next.

    Read is behind the one that is furthest ahead and behind the one that is furthest back, so that
    who has much to catch up on holds nobody up.
    """
    made: dict[str, Share] = {}
    places = {row.seq for row in rows}
    for start in sorted({min(places), max(places)} if places else ()):
        events = after(session, start, BATCH)
        for row in rows:
            if events and start <= row.seq < (events[-1].seq or 0):
                fresh = [one for one in events if (one.seq or 0) > row.seq and wants(row, one)]
                made[row.id] = Share(row.id, row.seq, events[-1].seq or 0, fresh)
    return list(made.values())


def wants(endpoint: EndpointRow, event: EventRow) -> bool:
    """Say whether an endpoint is sent an event: a merchant's only what is its own."""
    if endpoint.merchant is not None and event.merchant != endpoint.merchant:
        return False
    return not endpoint.types or event.type in endpoint.types


def portions(found: list[Share]) -> list[list[Share]]:
    """Return the shares in groups that one transaction can take."""
    made: list[list[Share]] = []
    size = 0
    for share in found:
        if not made or size + len(share.events) > AT_ONCE:
            made.append([])
            size = 0
        made[-1].append(share)
        size += len(share.events)
    return made


def give(session: Session, share: Share) -> None:
    """Write an endpoint's rows and move it on, unless it was moved or switched off meanwhile.

    The work of sending is woken before the endpoint is touched, the order in which its worker
    takes them too: so the two never wait for each other.
    """
    row = session.get(EndpointRow, share.endpoint)
    if row is None:
        return
    if share.events:
        wake(session, row)
    moved = session.exec(
        update(EndpointRow)
        .where(col(EndpointRow.id) == share.endpoint, col(EndpointRow.seq) == share.old)
        .where(*wanting())
        .values(seq=share.new)
        .execution_options(synchronize_session=False)
    )
    if moved.rowcount != 1 or not share.events:
        return
    session.connection().execute(
        insert(OutgoingRow), [fresh(session, row, event) for event in share.events]
    )


def fresh(session: Session, endpoint: EndpointRow, event: EventRow) -> dict[str, object]:
    """Return the columns of a new row."""
    number = event.seq if endpoint.merchant is None else event.merchant_seq
    return {
        "id": new_id("out"), "endpoint": endpoint.id, "merchant": endpoint.merchant,
        "event": event.id, "seq": number, "type": event.type, "subject": event.subject,
        "state": "pending", "tries": 0, "status": 0, "error": "",
        "next_at": session.wall, "created_at": session.wall,
    }  # fmt: skip


def ended_before(session: Session, wall: datetime, limit: int = 200) -> list[str]:
    """Return rows that ended and were made before a wall time."""
    query = select(OutgoingRow.id).where(
        col(OutgoingRow.created_at) < wall, col(OutgoingRow.state).in_(ENDED)
    )
    return list(session.exec(query.order_by(col(OutgoingRow.created_at)).limit(limit)))


def forget(session: Session, rows: list[str]) -> None:
    """Delete rows with their tries."""
    if rows:
        session.exec(delete(OutgoingTryRow).where(col(OutgoingTryRow.outgoing).in_(rows)))
        session.exec(delete(OutgoingRow).where(col(OutgoingRow.id).in_(rows)))


def sweep(hub: Hub, claim: Claim) -> None:
    """Delete what a removed endpoint leaves behind, a little at a time, and at last itself."""
    with hub.store.write() as session:
        renew(session, claim)
        query = select(OutgoingRow.id).where(OutgoingRow.endpoint == claim.subject).limit(200)
        rows = list(session.exec(query))
        forget(session, rows)
        if rows:
            defer(session, claim, session.wall)
            session.rings.add(claim.queue)
            return
        session.exec(delete(EndpointRow).where(col(EndpointRow.id) == claim.subject))
        finish(session, claim)
