"""Tell how far the search for a plan has come, and hear whether it should end."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from time import monotonic

from sqlmodel import select

from hub.hub import Hub
from hub.nouns import Found
from hub.store import PlanRow, Session, System

EVERY = 1.0
"""Seconds between two writes: more often nobody can read."""
log = logging.getLogger(__name__)


class Progress:
    """Writes what a search has found into its plan's row, and passes it on to `told`.

    `hold` is called in every write, to renew the lease of whoever plans; it raises when that is
    lost, which ends the search.
    """

    def __init__(
        self,
        hub: Hub,
        id: str,
        seconds: float,
        hold: Callable[[Session], None],
        told: Callable[[Found, float], bool] | None = None,
    ) -> None:
        self.hub, self.id, self.seconds, self.hold = hub, id, seconds, hold
        self.told = told or (lambda *_: True)
        self.began = self.written = monotonic()
        self.goes_on = True

    @property
    def elapsed(self) -> float:
        """Seconds since the search began, in tenths."""
        return round(monotonic() - self.began, 1)

    def __call__(self, found: Found) -> bool:
        """Tell of the best find so far; return whether to search on."""
        wanted = self.told(found, self.seconds)
        if monotonic() - self.written >= EVERY:
            self.written = monotonic()
            self.goes_on = self.goes_on and self.write(found)
        return wanted and self.goes_on

    def write(self, found: Found) -> bool:
        """Write the find; return False once somebody has asked to stop."""
        made = {
            "cost": found.cost,
            "left_out": found.left_out,
            "seconds": round(found.seconds, 1),
            "of": self.seconds,
        }
        with self.hub.store.write(System()) as session:
            row = session.get_one(PlanRow, self.id)
            row.progress = made
            self.hold(session)
            asked = row.stop_asked
        publish(self.hub, self.id, made)
        return not asked


def publish(hub: Hub, id: str, progress: dict[str, float]) -> None:
    """Tell the live channel; who misses it reads the plan."""
    from redis.exceptions import RedisError

    try:
        news = {"t": "plan", "subject": id, "progress": progress}
        hub.redis.publish("live:board", json.dumps(news))
    except (RedisError, OSError) as error:
        log.info("the live channel is away: %s", error)


def stop(session: Session, id: str) -> bool:
    """Ask the search for a plan to end with the best so far; return whether it was not over yet."""
    row = session.exec(select(PlanRow).where(PlanRow.id == id)).one()
    if row.state in ("done", "failed"):
        return False
    row.stop_asked = True
    return True
