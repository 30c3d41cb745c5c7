"""Follow drivers along their routes: from their fixes to stops, ETAs and live messages."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hub.dispatch.held import Held
from hub.driving import routes, visits
from hub.errors import Missing, Refused
from hub.nouns import Fix
from hub.store import Session, StopRow
from hub.tracking import eta, forecast
from hub.tracking.fence import Crossing, Fence, doors
from hub.tracking.positions import AHEAD, Position, decode, encode

if TYPE_CHECKING:
    from hub.hub import Hub

EVERY = timedelta(seconds=15)
"""Business time between two refreshes of all ETAs of one driver."""
CALM = 1.0
"""Wall seconds between two live messages about one stop."""


@dataclass(frozen=True)
class Course:
    """The route that a driver is on, as it was read; `due` says that the next ETA is news."""

    route: str
    state: str
    stops: Sequence[StopRow]
    due: bool


class Follower:
    """What one consumer remembers of its drivers between batches; the rest is in the database."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.fences: dict[str, Fence] = {}
        self.refreshed: dict[str, datetime] = {}
        self.told: dict[str, float] = {}

    def forget(self) -> None:
        """Begin anew from the database, as after a takeover."""
        self.fences.clear()
        self.refreshed.clear()

    def follow(self, batches: Mapping[str, Sequence[Fix]]) -> None:
        """Take fixes by driver; when it returns, all that they show is committed."""
        frames: list[tuple[str, bytes]] = []
        seen: dict[str, Fix] = {}
        for driver, fixes in batches.items():
            fence = self.fence(driver)
            before = fence.last
            self.advance(driver, fence, fixes, frames)
            if fence.last is not None and fence.last is not before:
                seen[driver] = fence.last
        self.publish(frames, seen)

    def settle(self) -> None:
        """Note arrivals of drivers whose phones went silent at the door."""
        now = self.hub.store.clock.now()
        frames: list[tuple[str, bytes]] = []
        for driver, fence in self.fences.items():
            if fence.waits(now) and fence.last is not None:
                course = self.course(driver, fence.last, now)
                if course is not None and course.state == "in_progress":
                    found = fence.settle(now, doors(course.stops))
                    if found:
                        self.write(driver, course, found, position(fence.last), full=True)
                        frames += self.frames(driver, fence.last, course)
        self.publish(frames, {})

    def fence(self, driver: str) -> Fence:
        """Return what is known of a driver; after a restart at least the last fix that counted."""
        fence = self.fences.get(driver)
        now = self.hub.store.clock.now()
        if fence is None or (fence.last is not None and fence.last.at > now + AHEAD):
            raw = self.hub.redis.hget(f"drv:{driver}", "seen")
            last = decode(raw)[0] if isinstance(raw, bytes) else None
            # A clock that was set back must not make everything late.
            usable = last is not None and last.at <= now + AHEAD
            self.fences[driver] = fence = Fence(last=last if usable else None)
        return fence

    def advance(
        self, driver: str, fence: Fence, fixes: Iterable[Fix], frames: list[tuple[str, bytes]]
    ) -> None:
        """Take the fixes of one driver and write what they show."""
        now = self.hub.store.clock.now()
        before = fence.last
        fixes = list(fixes)
        course = self.course(driver, fixes[-1], now) if fixes else None
        at_doors = doors(course.stops) if course and course.state == "in_progress" else []
        found = [crossing for fix in fixes for crossing in fence.feed(fix, at_doors)]
        if fence.last is None or fence.last is before:
            return
        if course is not None:
            known = self.refreshed.get(driver)
            full = bool(found) or known is None or not timedelta(0) <= now - known < EVERY
            if full or course.due:
                self.write(driver, course, found, position(fence.last), full=full)
        frames += self.frames(driver, fence.last, course)

    def course(self, driver: str, fix: Fix, now: datetime) -> Course | None:
        """Return the driver's route with its stops, or `None` for someone without one."""
        with self.hub.store.read() as session:
            try:
                route = routes.current(session, driver)
            except Missing:
                return None  # a driver who was deleted while fixes were on their way
            if route is None or route.state not in eta.RUNNING:
                return None
            stops = eta.stops_of(session, route.id)
            due = eta.is_due(session, route, stops, now, position(fix))
            return Course(route.id, route.state, stops, due)

    def write(
        self,
        driver: str,
        course: Course,
        found: Sequence[Crossing],
        at: Position,
        *,
        full: bool,
    ) -> None:
        """Commit crossings and ETAs in one short transaction, trying again while it is busy."""
        from hub.store.database import Busy

        for remaining in (2, 1, 0):
            try:
                with self.hub.store.write() as session:
                    held = cross(session, driver, course.route, found)
                    held = held or eta.hold_route(session, course.route)
                    now = session.now
                    more = eta.refresh(session, held, now, at, only_next=not full)
                    if full:
                        self.refreshed[driver] = now
                while more:
                    with self.hub.store.write() as session:
                        held = eta.hold_route(session, course.route)
                        more = eta.refresh(session, held, now, at)
                return
            except Busy:
                if not remaining:
                    raise  # the process ends, and the next one reads these fixes again

    def frames(self, driver: str, fix: Fix, course: Course | None) -> list[tuple[str, bytes]]:
        """Return the live messages about a driver's newest fix, by channel."""
        made = [("live:board", board_frame(driver, fix))]
        ahead = forecast.remaining(course.stops) if course else []
        if ahead and ahead[0].state == "en_route":
            stop = ahead[0].id
            now = time.monotonic()
            if now - self.told.get(stop, 0.0) >= CALM:
                self.told[stop] = now
                made.append((f"live:stop:{stop}", b'{"t":"moved"}'))
        return made

    def publish(self, frames: Sequence[tuple[str, bytes]], seen: Mapping[str, Fix]) -> None:
        """Send live messages and keep the last fix that counted, in one round trip."""
        if not frames and not seen:
            return
        with self.hub.redis.pipeline(transaction=False) as pipeline:
            for channel, frame in frames:
                pipeline.publish(channel, frame)
            for driver, fix in seen.items():
                pipeline.hset(f"drv:{driver}", "seen", encode([fix]))
            pipeline.execute()


def cross(session: Session, driver: str, route_id: str, found: Sequence[Crossing]) -> Held | None:
    """Tell driving what the fence saw; what the driver or dispatcher changed meanwhile stands.

    Return the driver's route, held, unless there was nothing to tell.
    """
    import structlog

    if not found:
        return None
    try:
        held = routes.lock(session, driver, route_id)
    except Missing:
        return None  # the route was taken away since it was read
    for crossing in found:
        try:
            passed(session, held, crossing)
        except Refused as error:
            structlog.get_logger("hub.tracking").info("crossing_dropped", reason=str(error))
    return held


def passed(session: Session, held: Held, crossing: Crossing) -> None:
    """Apply one crossing, unless the stop has left the route."""
    stop = held.find(crossing.stop)
    if stop is None:
        return
    at = min(crossing.at, session.now)
    if crossing.kind == "arrive":
        visits.arrive(session, held, stop, at)
    else:
        visits.depart(session, held, stop, at)


def position(fix: Fix) -> Position:
    """Return a fix as a driver's position."""
    return Position(lat=fix.lat, lon=fix.lon, at=fix.at, heading=fix.heading)


def board_frame(driver: str, fix: Fix) -> bytes:
    """Return the live message that moves a driver on the dispatcher's map."""
    said = {
        "t": "fix",
        "driver": driver,
        "lat": fix.lat,
        "lon": fix.lon,
        "heading": fix.heading,
        "at": fix.at.isoformat(),
    }
    return json.dumps(said, separators=(",", ":")).encode()
