"""What went through connections in the last 24 hours, and what still waits to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, func
from sqlmodel import col, select

from hub.store import ActivityRow, EffectRow, Session

HOURS = 24
OPEN = ("pending", "calling")
COUNTED = ("send", "pull", "delivery")
"""What of the log is counted; checks say nothing about the work."""
GOOD = ("ok", "done")
UNDECIDED = ("waiting", "repeat")
"""Outcomes that are neither good nor bad."""


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
    last_at: datetime | None = None
    """When the last of it was, business time."""

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
        return f"{good:,} done, {bad:,} failed in 24 hours" if bad else f"{good:,} done in 24 hours"

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
        hours = made[id].good if good else made[id].bad
        hours[hour] += int(number)
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
        select(ActivityRow.connection, func.max(ActivityRow.at))
        .where(col(ActivityRow.connection).in_(ids), *counted())
        .group_by(ActivityRow.connection)
    )
    for id, at in session.exec(last):
        made[id].last_at = at
    return made


def counted() -> list[ColumnElement[bool]]:
    """Return the conditions for what of the log is counted."""
    return [col(ActivityRow.what).in_(COUNTED), col(ActivityRow.outcome).not_in(UNDECIDED)]


def by_hour(session: Session, ids: Sequence[str]) -> Any:
    """Return the query for (connection, hour 0 to 23, whether it went well, number of calls)."""
    now = session.now
    edges = [(now - timedelta(hours=HOURS - hour), hour) for hour in range(HOURS)]
    at = col(ActivityRow.at)
    hour = case(*((at >= edge, number) for edge, number in reversed(edges)), else_=0).label("hour")
    good = case((col(ActivityRow.outcome).in_(GOOD), 1), else_=0).label("good")
    return (
        select(ActivityRow.connection, hour, good, func.sum(ActivityRow.times))
        .where(col(ActivityRow.connection).in_(ids), at >= edges[0][0], *counted())
        .group_by(ActivityRow.connection, "hour", "good")
    )


def last_calls(session: Session, id: str, limit: int = 1) -> list[Call]:
    """Return the latest calls of one connection, newest first."""
    query = select(ActivityRow).where(ActivityRow.connection == id, *counted())
    newest = query.order_by(col(ActivityRow.at).desc(), col(ActivityRow.id).desc())
    return [Call(row.at, row.outcome, row.text) for row in session.exec(newest.limit(limit))]
