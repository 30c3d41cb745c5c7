"""Business time, which may run fast or stand still, and wall time, which never does."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

FRESH = 0.2


@dataclass(frozen=True)
class Rate:
    """How business time follows wall time: `anchor` was the time at wall second `since`.

    It passes `speed` business seconds per second and never passes `ceiling`, so that whoever
    drives an accelerated day can let time wait for the work.
    """

    anchor: datetime
    since: float
    speed: float = 1.0
    ceiling: datetime | None = None

    def at(self, wall: float) -> datetime:
        """Return the business time at wall second `wall`."""
        moved = self.anchor + timedelta(seconds=(wall - self.since) * self.speed)
        return moved if self.ceiling is None else min(moved, self.ceiling)


class Clock:
    """Tell the time; `read` fetches the one row on which all processes agree (or None)."""

    def __init__(self, read: Callable[[], Rate | None] | None = None) -> None:
        self._read = read
        self._rate: Rate | None = None
        self._read_at = float("-inf")

    def now(self) -> datetime:
        """Return business time, aware UTC: events, windows, ETAs, waits, schedules, expiries."""
        rate = self.rate()
        return self.wall() if rate is None else rate.at(time.time())

    def wall(self) -> datetime:
        """Return real time, aware UTC: leases, timeouts, back-off, sessions, signatures."""
        return datetime.now(UTC)

    def rate(self) -> Rate | None:
        """Return the row in force, read again when it is older than 0.2 s."""
        tick = time.monotonic()
        if self._read is not None and tick - self._read_at > FRESH:
            self._rate = self._read()
            self._read_at = tick
        return self._rate

    def forget(self) -> None:
        """Read the row again at the next call."""
        self._read_at = float("-inf")
