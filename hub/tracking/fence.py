"""When a driver comes to a door and leaves it, told from positions alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from hub.nouns import Fix
from hub.store import StopRow
from hub.tracking.geometry import metres
from hub.tracking.positions import is_usable

INSIDE = 100.0
"""Metres from the door at which a driver counts as there."""
OUTSIDE = 150.0
"""Metres from the door at which a driver counts as gone; wider than INSIDE, so that a position
which trembles at the edge makes no crossings."""
FASTEST = 70.0
"""Metres per second; a fix that would need more is a mistake of the receiver."""
SETTLED = timedelta(seconds=10)
STANDING = timedelta(seconds=60)
FRESH = timedelta(minutes=2)
SAME_DOOR = 20.0


@dataclass
class Door:
    """A stop as the fence sees it; `over` once it has an outcome."""

    id: str
    lat: float
    lon: float
    position: int
    ahead: bool = True
    """Whether the driver has yet to come here, or to come here again."""
    en_route: bool = False
    over: bool = False
    arrived_at: datetime | None = None
    departed_at: datetime | None = None

    @property
    def held(self) -> bool:
        """Whether the driver came here and has not left."""
        return self.arrived_at is not None and self.departed_at is None


@dataclass(frozen=True)
class Crossing:
    """The driver reached or left a door, at device time."""

    kind: Literal["arrive", "depart"]
    stop: str
    at: datetime


@dataclass
class Run:
    """An unbroken row of fixes inside (or outside) of one door's circle."""

    since: datetime
    count: int = 1


@dataclass
class Fence:
    """What is remembered of one driver between fixes."""

    last: Fix | None = None
    doubted: Fix | None = None
    settled: Fix | None = None
    inside: dict[str, Run] = field(default_factory=dict)
    outside: dict[str, Run] = field(default_factory=dict)

    def takes(self, fix: Fix) -> bool:
        """Keep `fix` as the last one, unless it is blurred, late, a repeat or out of reach.

        Two fixes that agree with each other outvote an earlier one, so that one wild first
        position does not shut out all later ones.
        """
        if not is_usable(fix) or (self.last is not None and fix.at <= self.last.at):
            return False
        if reachable(self.last, fix) or (self.doubted is not None and reachable(self.doubted, fix)):
            self.last, self.doubted = fix, None
            return True
        self.doubted = fix
        return False

    def feed(self, fix: Fix, doors: Sequence[Door]) -> list[Crossing]:
        """Take one fix and return what it shows; `doors` are brought up to date with it."""
        if not self.takes(fix):
            return []
        return [*self._departures(fix, doors), *self._arrival(fix, doors)]

    def waits(self, now: datetime) -> bool:
        """Say whether a fix inside a circle has been the last word for ten seconds."""
        if self.last is None or self.last is self.settled or not self.inside:
            return False
        return SETTLED <= now - self.last.at <= FRESH

    def settle(self, now: datetime, doors: Sequence[Door]) -> list[Crossing]:
        """Return the arrival of a driver whose phone went silent right at the next door."""
        if not self.waits(now):
            return []
        self.settled = self.last
        door = next_door(doors)
        if door is None or door.id not in self.inside or busy(doors):
            return []
        return [self._arrive(door, self.inside[door.id].since + SETTLED)]

    def _departures(self, fix: Fix, doors: Sequence[Door]) -> list[Crossing]:
        left = []
        for door in doors:
            if not door.held:
                continue
            if metres(fix.lat, fix.lon, door.lat, door.lon) <= OUTSIDE:
                self.outside.pop(door.id, None)
                continue
            run = extend(self.outside, door.id, fix.at)
            if run.count >= 2:
                del self.outside[door.id]
                door.departed_at = max(run.since, door.arrived_at or run.since)
                left.append(Crossing("depart", door.id, door.departed_at))
        return left

    def _arrival(self, fix: Fix, doors: Sequence[Door]) -> list[Crossing]:
        here = {door.id for door in doors if door.ahead and self._reaches(fix, door, doors)}
        for gone in self.inside.keys() - here:
            del self.inside[gone]
        for id in here:
            extend(self.inside, id, fix.at)
        if busy(doors):
            return []
        following = next_door(doors)
        for door in sorted((d for d in doors if d.id in here), key=lambda d: d is not following):
            run = self.inside[door.id]
            if door is following and (run.count >= 2 or fix.at - run.since >= SETTLED):
                return [self._arrive(door, fix.at)]
            if fix.at - run.since >= STANDING:
                return [self._arrive(door, run.since)]
        return []

    def _reaches(self, fix: Fix, door: Door, doors: Sequence[Door]) -> bool:
        """Say whether the driver is at `door`, and no longer nearer to the one just served."""
        away = metres(fix.lat, fix.lon, door.lat, door.lon)
        if away > INSIDE:
            return False
        served = [d for d in doors if d.held]
        return all(away <= metres(fix.lat, fix.lon, d.lat, d.lon) + SAME_DOOR for d in served)

    def _arrive(self, door: Door, at: datetime) -> Crossing:
        self.inside.clear()
        door.arrived_at, door.departed_at, door.ahead = at, None, False
        return Crossing("arrive", door.id, at)


def reachable(earlier: Fix | None, later: Fix) -> bool:
    """Say whether a vehicle can get from one fix to the other in the time between them."""
    if earlier is None:
        return True
    seconds = (later.at - earlier.at).total_seconds()
    if seconds <= 0:
        return False
    away = metres(earlier.lat, earlier.lon, later.lat, later.lon)
    blur = (earlier.accuracy or 0) + (later.accuracy or 0)
    return away - blur <= FASTEST * seconds


def extend(runs: dict[str, Run], id: str, at: datetime) -> Run:
    """Count one more fix of a run, or begin one."""
    run = runs.get(id)
    if run is None:
        runs[id] = run = Run(at)
    else:
        run.count += 1
    return run


def busy(doors: Iterable[Door]) -> bool:
    """Say whether the driver is at a door that has no outcome yet."""
    return any(door.held and not door.over for door in doors)


def next_door(doors: Iterable[Door]) -> Door | None:
    """Return the door that the driver is on the way to, else the first one ahead."""
    return min(
        (door for door in doors if door.ahead),
        key=lambda door: (not door.en_route, door.position),
        default=None,
    )


def doors(stops: Iterable[StopRow]) -> list[Door]:
    """Return the doors of a route in its order; stops that were taken out are none."""
    from hub.store.states import ENDED, OPEN

    return [
        Door(
            id=stop.id,
            lat=stop.lat,
            lon=stop.lon,
            position=stop.position or 0,
            ahead=stop.state in ("dispatched", "en_route"),
            en_route=stop.state == "en_route",
            over=stop.state in ENDED,
            arrived_at=stop.arrived_at,
            departed_at=stop.departed_at,
        )
        for stop in sorted(stops, key=lambda stop: stop.position or 0)
        if stop.state in ENDED or stop.state in OPEN
    ]
