"""The arithmetic of ETAs: from where the driver is, through the remaining stops, to each door."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.nouns import Location
from hub.store import DepotRow, RouteRow, StopRow
from hub.store.states import ENDED
from hub.tracking.positions import Position

Travel = Callable[[Location, Location], int]
"""Seconds from one place to another."""

NARROWEST = timedelta(minutes=3)
SHARE = 0.15
STEP = timedelta(seconds=60)
STALE = timedelta(minutes=5)
"""A position older than this says less than the last stop does."""


@dataclass(frozen=True)
class Halt:
    """A break, or a reload at a depot, behind a stop."""

    seconds: int
    place: Location | None = None
    """Of the depot; a break is taken where the driver is."""


@dataclass(frozen=True)
class Start:
    """From where the driver goes on, and since or from when."""

    place: Location
    at: datetime


def start(
    route: RouteRow,
    depot: DepotRow | Location,
    stops: Sequence[StopRow],
    now: datetime,
    position: Position | None,
) -> Start:
    """Return where the rest of the route begins.

    The door where the driver is, after its service; else the live position; else the door last
    left; else `depot`, or where else the driver's day begins.
    """
    at_door = next((stop for stop in stops if stop.state == "arrived"), None)
    if at_door is not None:
        return Start(place(at_door), max(served(at_door), now))
    if position is not None and now - position.at <= STALE:
        return Start(Location(lat=position.lat, lon=position.lon), min(position.at, now))
    left = [(gone, stop) for stop in stops if (gone := gone_at(stop)) is not None]
    if left:
        gone, stop = max(left, key=lambda pair: pair[0])
        return Start(place(stop), gone)
    begun = route.started_at or max(route.starts_at, now)
    return Start(Location(lat=depot.lat, lon=depot.lon), begun)


def served(stop: StopRow) -> datetime:
    """Return when a stop where the driver stands will be done."""
    begun = stop.arrived_at or stop.planned_at
    if begun is None:
        raise ValueError(f"stop {stop.id} is arrived without a time")
    return opened(stop, begun) + timedelta(seconds=stop.service_time)


def gone_at(stop: StopRow) -> datetime | None:
    """Return when the driver left a stop, with or without an outcome; `None` if that is to come."""
    return stop.departed_at or (stop.ended_at if stop.state in ENDED else None)


def forecast(
    begin: Start,
    stops: Sequence[StopRow],
    now: datetime,
    travel: Travel,
    halts: Mapping[str, Sequence[Halt]] | None = None,
) -> Iterator[tuple[StopRow, datetime]]:
    """Yield each remaining stop with its ETA, in the order of the visits.

    A driver who is early waits for the window to open; nobody arrives in the past. `halts` are
    those to come, by the stop behind which they are; "" is before the first.
    """
    here, free, before = begin.place, begin.at, ""
    for stop in stops:
        there = place(stop)
        for halt in (halts or {}).get(before, ()):
            if halt.place is not None:
                free += timedelta(seconds=travel(here, halt.place))
                here = halt.place
            free += timedelta(seconds=halt.seconds)
        before = stop.id
        arrives = max(free + timedelta(seconds=travel(here, there)), now)
        eta = opened(stop, arrives)
        yield stop, eta
        here, free = there, eta + timedelta(seconds=stop.service_time)


def opened(stop: StopRow, at: datetime) -> datetime:
    """Return `at`, or the opening of the stop's own window where that is later."""
    return at if stop.window_start is None else max(at, stop.window_start)


def place(stop: StopRow) -> Location:
    """Return where a stop's door is."""
    return Location(lat=stop.lat, lon=stop.lon)


def interval(eta: datetime, now: datetime) -> tuple[datetime, datetime]:
    """Return between when and when the driver really comes: 15 % of the time left, at least 3 min.

    The early end is never in the past.
    """
    half = max(NARROWEST, SHARE * (eta - now))
    return max(eta - half, min(now, eta)), eta + half


def moved(known: datetime | None, eta: datetime, now: datetime) -> bool:
    """Say whether `eta` is news: a minute away from the known one, or 5 % of the time left.

    Far away, a minute is a third of what the interval hides at least three times over; issuing it
    would be noise.
    """
    if known is None:
        return True
    return abs(eta - known) >= max(STEP, SHARE / 3 * (eta - now))


def remaining(stops: Sequence[StopRow]) -> list[StopRow]:
    """Return the stops that the driver has yet to reach: the one under way first."""
    ahead = [stop for stop in stops if stop.state in ("dispatched", "en_route")]
    return sorted(ahead, key=lambda stop: (stop.state != "en_route", stop.position or 0))
