"""The demo's clock: goes a step when nothing is left to do, stands still otherwise."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import col, or_, select

from hub.hub import Hub
from hub.queue.work import LEASE
from hub.store import ClockRow, CursorRow, EventRow, Session, WorkRow

PATIENCE = timedelta(seconds=1)


class Metronome:
    """Moves the one clock row; every process of the hub follows it."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._seen = (0.0, "")
        """When the events were looked at, and the newest of them then."""

    def now(self) -> datetime:
        """Return business time as it was set last."""
        with self.hub.store.read() as session:
            row = session.get_one(ClockRow, 1)
            return row.ceiling or row.anchor

    def go(self, start: datetime, end: datetime, seconds: float) -> None:
        """Let business time run from `start` to `end` within `seconds`, and stand there."""
        speed = (end - start).total_seconds() / max(seconds, 0.001)
        with self.hub.store.write() as session:
            row = session.get_one(ClockRow, 1)
            row.anchor, row.since, row.speed, row.ceiling = start, time.time(), speed, end
        self.hub.store.clock.forget()

    def is_behind(self) -> bool:
        """Say whether work that was due a second ago is still not done."""
        with self.hub.store.read() as session:
            return (
                work_waits(session, PATIENCE) or self.events_wait(session) or self.positions_wait()
            )

    def events_wait(self, session: Session) -> bool:
        """Say whether an event that was there a second ago has still not been dealt with."""
        at, newest = self._seen
        if newest and unread_events(session, newest):
            return time.monotonic() - at > PATIENCE.total_seconds()
        last = session.exec(select(func.max(EventRow.id))).one()
        self._seen = (time.monotonic(), last or "")
        return False

    def is_idle(self) -> bool:
        """Say whether nothing at all is left to do, now or at a later try."""
        with self.hub.store.read() as session:
            return not (open_work(session) or unread_events(session) or self.positions_wait())

    def positions_wait(self) -> bool:
        """Say whether positions lie in the stream that nobody has processed."""
        from redis.exceptions import RedisError

        try:
            groups = self.hub.redis.xinfo_groups("pos:0")
        except RedisError:
            return False  # no stream yet, or Redis is being started again
        return any((group.get("lag") or 0) + group["pending"] > 3 for group in groups)


def work_waits(session: Session, patience: timedelta) -> bool:
    """Say whether due rows or events have waited longer than `patience`."""
    limit = session.wall - patience
    due = select(WorkRow.id).where(
        or_(
            (col(WorkRow.state) == "ready") & (col(WorkRow.not_before) < limit),
            (col(WorkRow.state) == "leased") & (col(WorkRow.lease_until) < limit + LEASE),
        )
    )
    return session.exec(due.limit(1)).first() is not None


def open_work(session: Session) -> bool:
    """Say whether any work is ready or under way, also for a later try."""
    query = select(WorkRow.id).where(col(WorkRow.state).in_(["ready", "leased"]))
    return session.exec(query.limit(1)).first() is not None


def unread_events(session: Session, newest: str = "") -> bool:
    """Say whether events (up to `newest`, if given) are without a number or not yet evaluated."""
    cursor = session.get(CursorRow, "workflow")
    unread = or_(col(EventRow.seq).is_(None), col(EventRow.seq) > (cursor.seq if cursor else 0))
    query = select(EventRow.id).where(unread)
    if newest:
        query = query.where(EventRow.id <= newest)
    return session.exec(query.limit(1)).first() is not None
