"""Send what is due to one endpoint: side by side, but one subject's events one after the other.

The work of an endpoint is leased to one worker, so no message is on its way twice at a time. What a
worker had on its way when it died is sent again under the same id: at least once, never lost.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy
from sqlalchemy import ColumnElement, Select
from sqlmodel import and_, col, func, or_, select

from hub.outgoing import schedule
from hub.outgoing.call import Lanes, Outcome, Sent
from hub.outgoing.endpoints import KIND, OPEN, ROWS, disable, is_on
from hub.outgoing.message import TEST, Letter, headers, letter, secrets_of
from hub.queue import Claim, finish
from hub.queue.faults import reach
from hub.queue.work import defer, renew
from hub.store import EndpointRow, EventRow, OutgoingRow, OutgoingTryRow, Session

if TYPE_CHECKING:
    from hub.hub import Hub

__all__ = ["KIND", "work"]
WIDTH = 8
"""Calls to one endpoint at the same time."""
LOOKED_UP = 64
"""Messages that are looked up at once."""
TURN = 20.0
"""Seconds after which other endpoints have their turn."""
GONE = 410
LOST = "the worker died before it could note the answer; it is sent again"


@dataclass(frozen=True)
class Outlook:
    """What is due for an endpoint, and how much of it may be on its way at a time."""

    letters: list[Letter]
    width: int
    secrets: list[str] = field(repr=False)

    def waves(self) -> list[list[Letter]]:
        """Return the letters in groups that are sent side by side."""
        starts = range(0, len(self.letters), self.width)
        return [self.letters[start : start + self.width] for start in starts]


def work(hub: Hub, claim: Claim) -> None:
    """Send what is due to an endpoint, for as long as its turn lasts."""
    ends = time.monotonic() + TURN
    take_back(hub, claim)
    with Lanes() as lanes:
        while time.monotonic() < ends:
            outlook = look(hub, claim.subject)
            if not outlook.letters:
                if end(hub, claim):
                    return
                continue
            for wave in outlook.waves():
                goes_on = send(hub, claim, lanes, wave, outlook.secrets)
                if not goes_on or time.monotonic() >= ends:
                    break
    with hub.store.write() as session:
        defer(session, claim, session.wall)
        session.rings.add(claim.queue)


def take_back(hub: Hub, claim: Claim) -> None:
    """Make due again what an earlier worker had on its way when it died; that was no try."""
    with hub.store.read() as session:
        query = select(OutgoingRow.id).where(
            OutgoingRow.endpoint == claim.subject, OutgoingRow.state == "sending"
        )
        lost = list(session.exec(query))
    if not lost:
        return
    with hub.store.write() as session:
        renew(session, claim)
        for id in lost:
            row = session.get(OutgoingRow, id)
            if row is not None and row.state == "sending":
                row.state, row.next_at, row.error = "pending", session.wall, LOST
                row.tries -= 1


def look(hub: Hub, endpoint: str) -> Outlook:
    """Return the letters that are due, the first of each subject only."""
    with hub.store.read() as session:
        row, wall = session.get(EndpointRow, endpoint), session.wall
        if row is None or row.removed_at is not None:
            return Outlook([], 1, [])
        query = heads(row.id).where(due(row, wall))
        if not is_on(row) or schedule.rests(row, wall):
            query = query.where(col(OutgoingRow.type) == TEST)
        rows = list(session.scalars(query.order_by(col(OutgoingRow.seq)).limit(LOOKED_UP)))
        events = events_of(session, rows)
    if not rows:
        return Outlook([], 1, [])
    letters = [letter(row, one, events.get(one.event or "")) for one in rows]
    # Whether an endpoint that fails again and again works once more, a single message tells.
    width = 1 if row.state == "failing" else WIDTH
    return Outlook(letters, width, secrets_of(hub.keys, row, wall))


def heads(endpoint: str) -> Select[OutgoingRow]:
    """Return a select of the rows that wait for their time, the earliest of each subject only."""
    waits = and_(col(OutgoingRow.endpoint) == endpoint, col(OutgoingRow.state).in_(OPEN))
    first = (
        sqlalchemy.select(col(OutgoingRow.subject), func.min(OutgoingRow.seq).label("seq"))
        .where(waits)
        .group_by(col(OutgoingRow.subject))
        .subquery()
    )
    same = and_(col(OutgoingRow.subject) == first.c.subject, col(OutgoingRow.seq) == first.c.seq)
    found = sqlalchemy.select(OutgoingRow).join(first, same)
    return found.where(waits, col(OutgoingRow.state) == "pending")


def due(endpoint: EndpointRow, wall: datetime) -> ColumnElement[bool]:
    """Return the condition for rows whose time has come, or that failed before the recovery."""
    now = col(OutgoingRow.next_at) <= wall
    if endpoint.recovered_at is None:
        return now
    return or_(now, col(OutgoingRow.tried_at) < endpoint.recovered_at)


def events_of(session: Session, rows: list[OutgoingRow]) -> dict[str, EventRow]:
    """Return the events of rows by their id."""
    wanted = [row.event for row in rows if row.event is not None]
    query = select(EventRow).where(col(EventRow.id).in_(wanted))
    return {row.id: row for row in session.exec(query)}


def end(hub: Hub, claim: Claim) -> bool:
    """End the work, or defer it to what is due next; False where something has come meanwhile.

    The work is held before that is looked up: who adds a message from then on waits for this
    transaction, and then brings the work forward.
    """
    with hub.store.write() as session:
        renew(session, claim)
        row, wall = session.get(EndpointRow, claim.subject), session.wall
        if row is None or row.removed_at is not None:
            finish(session, claim)
            return True
        soonest = heads(row.id).with_only_columns(func.min(col(OutgoingRow.next_at)))
        times = [session.scalar(soonest.where(col(OutgoingRow.type) == TEST))]
        if is_on(row):
            at, quiet = session.scalar(soonest), schedule.rests(row, wall)
            times.append(max(at, quiet) if at and quiet else at)
        at = min((time for time in times if time is not None), default=None)
        if at is None:
            finish(session, claim)
        elif at > wall:
            defer(session, claim, at)
        return at is None or at > wall


def send(hub: Hub, claim: Claim, lanes: Lanes, wave: list[Letter], secrets: list[str]) -> bool:
    """Send some letters side by side and note what became of them; False to look anew first."""
    with hub.store.write() as session:
        renew(session, claim)
        row, wall = session.get(EndpointRow, claim.subject), session.wall
        marked = mark(session, row, wave)
    if not marked:
        return False
    reach("before_call")
    outcomes = lanes.send([Sent(one, headers(one, secrets, wall)) for one in marked])
    reach("after_call")
    with hub.store.write() as session:
        renew(session, claim)
        return note(session, claim.subject, outcomes)


def mark(session: Session, row: EndpointRow | None, wave: list[Letter]) -> list[Letter]:
    """Note that letters are on their way; return those that still are to be sent."""
    if row is None or row.removed_at is not None:
        return []
    ids = [one.row for one in wave if one.url == row.url]
    state = select(OutgoingRow.id).where(
        col(OutgoingRow.id).in_(ids), OutgoingRow.state == "pending"
    )
    if not is_on(row) or schedule.rests(row, session.wall):
        state = state.where(OutgoingRow.type == TEST)
    waiting = set(session.exec(state))
    session.connection().execute(
        ROWS.update()
        .where(ROWS.c.id.in_(waiting))
        .values(state="sending", tries=ROWS.c.tries + 1, tried_at=session.wall)
    )
    return [one for one in wave if one.row in waiting]


def note(session: Session, endpoint: str, outcomes: list[Outcome]) -> bool:
    """Note what became of letters, and how the endpoint does; False where that has changed."""
    row, wall = session.get_one(EndpointRow, endpoint), session.wall
    before = row.state, row.rests_until
    asked = [schedule.retry_after(one.retry_after, wall) for one in outcomes if not one.taken]
    longest = max((one for one in asked if one is not None), default=None)
    query = select(OutgoingRow).where(
        col(OutgoingRow.id).in_([one.row for one in outcomes]), OutgoingRow.state == "sending"
    )
    by_row = {one.row: one for one in outcomes}
    for found in session.exec(query).all():
        record(session, found, by_row[found.id])
    if any(one.taken for one in outcomes):
        schedule.took(row, wall)
    if is_on(row):
        judge(session, row, outcomes, longest)
    return (row.state, row.rests_until) == before


def judge(session: Session, row: EndpointRow, outcomes: list[Outcome], asked: float | None) -> None:
    """Note how an endpoint does that is switched on; disable one that wants or takes nothing."""
    wall = session.wall
    if any(one.status == GONE for one in outcomes):
        disable(session, row, "it answered 410 Gone, which says that it wants no events any more")
    elif any(one.taken for one in outcomes):
        if asked is not None:
            row.rests_until = wall + schedule.bounded(asked)
    else:
        schedule.refused(row, wall, outcomes[-1].error, asked)
        if schedule.spent(row, wall):
            disable(session, row, f"it took nothing for 5 days; last: {outcomes[-1].error}")


def record(session: Session, row: OutgoingRow, outcome: Outcome) -> None:
    """Note one try and what it means for its message."""
    wall = session.wall
    session.add(
        OutgoingTryRow(
            outgoing=row.id, number=row.tries, at=row.tried_at or wall, ms=outcome.ms,
            status=outcome.status, excerpt=outcome.excerpt, error=outcome.error,
        )
    )  # fmt: skip
    row.status, row.error = outcome.status, outcome.error
    if outcome.taken:
        row.state, row.ended_at = "delivered", wall
        return
    wait = schedule.next_try(row.tries, schedule.retry_after(outcome.retry_after, wall))
    if outcome.status == GONE:
        row.state, row.next_at = "pending", wall  # it waits for a person, like all the others
    elif wait is None or row.type == TEST:
        row.state, row.ended_at = "failed", wall
    else:
        row.state, row.next_at = "pending", wall + wait
