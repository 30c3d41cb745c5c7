"""What went through connections in the last 24 hours, and what still waits to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func
from sqlmodel import col, select

from hub.store import EffectRow, Session, StepAttemptRow

HOURS = 24
OPEN = ("pending", "calling")


@dataclass
class Tally:
    """What became of one connection's calls."""

    good: list[int] = field(default_factory=lambda: [0] * HOURS)
    """Calls that went well, by the hour; the last is the one that runs now."""
    bad: list[int] = field(default_factory=lambda: [0] * HOURS)
    parked: int = 0
    """Records that wait for a person to mend the connection."""
    due: int = 0
    """Records that are sent as soon as it is their turn."""
    sent_at: datetime | None = None
    """When the last call ended, wall time."""

    @property
    def highest(self) -> int:
        """The most calls of one hour."""
        return max(good + bad for good, bad in zip(self.good, self.bad, strict=True))

    @property
    def words(self) -> str:
        """What the bars show."""
        good, bad = sum(self.good), sum(self.bad)
        if not good + bad:
            return "no calls in 24 hours"
        return f"{good:,} sent, {bad:,} failed in 24 hours" if bad else f"{good:,} sent in 24 hours"

    @property
    def waiting(self) -> int:
        """All records that have still to go through."""
        return self.parked + self.due


@dataclass(frozen=True)
class Call:
    """The last call that went through a connection."""

    at: datetime
    outcome: str
    message: str


def tallies(session: Session, ids: Sequence[str]) -> dict[str, Tally]:
    """Return the tally of every connection in `ids`."""
    made = {id: Tally() for id in ids}
    for id, hour, good, number in session.exec(by_hour(session, ids)):
        hours = made[str(id)].good if good else made[str(id)].bad
        hours[hour] += number
    states = (
        select(EffectRow.connection, EffectRow.state, func.count())
        .where(col(EffectRow.connection).in_(ids), col(EffectRow.state).in_((*OPEN, "parked")))
        .group_by(col(EffectRow.connection), EffectRow.state)
    )
    for id, state, number in session.exec(states):
        tally = made[str(id)]
        if state == "parked":
            tally.parked += number
        else:
            tally.due += number
    last = (
        select(EffectRow.connection, func.max(StepAttemptRow.ended_at))
        .join(StepAttemptRow, col(StepAttemptRow.effect) == EffectRow.id)
        .where(col(EffectRow.connection).in_(ids))
        .group_by(col(EffectRow.connection))
    )
    for id, at in session.exec(last):
        made[str(id)].sent_at = at
    return made


def by_hour(session: Session, ids: Sequence[str]) -> Any:
    """Return the query for (connection, hour 0 to 23, whether it went well, number of calls)."""
    now = session.wall
    edges = [(now - timedelta(hours=HOURS - hour), hour) for hour in range(HOURS)]
    ended = col(StepAttemptRow.ended_at)
    hour = case(*((ended >= at, number) for at, number in reversed(edges)), else_=0).label("hour")
    good = case((col(StepAttemptRow.outcome) == "ok", 1), else_=0).label("good")
    return (
        select(EffectRow.connection, hour, good, func.count())
        .join(StepAttemptRow, col(StepAttemptRow.effect) == EffectRow.id)
        .where(col(EffectRow.connection).in_(ids), ended >= edges[0][0])
        .group_by(col(EffectRow.connection), "hour", "good")
    )


def last_calls(session: Session, id: str, limit: int = 1) -> list[Call]:
    """Return the latest calls of one connection, newest first."""
    query = (
        select(StepAttemptRow)
        .join(EffectRow, col(EffectRow.id) == StepAttemptRow.effect)
        .where(EffectRow.connection == id)
        .order_by(col(StepAttemptRow.ended_at).desc(), col(StepAttemptRow.number).desc())
    )
    rows = session.exec(query.limit(limit))
    return [Call(row.ended_at, row.outcome, row.message) for row in rows]
