"""The course of a simulated phone from one door to the next: along the streets, at a given pace."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from hub.nouns import Location
from hub.planning.times import haversine, seconds_between

Place = tuple[float, float]
"""(lat, lon) in degrees."""
NEAR = 400.0
"""Metres from a road beyond which a phone is somewhere else than on this leg."""
SHORTEST = 0.5
"""Metres; what is closer is the same place."""


@dataclass(frozen=True)
class Course:
    """A line of at least two points, and the seconds that it takes from end to end."""

    points: tuple[Place, ...]
    ends: tuple[float, ...]
    """Metres from the first point to each."""
    seconds: float

    def at(self, seconds: float) -> Place:
        """Return where one is after so many seconds; past the end that is the last point."""
        if seconds >= self.seconds or self.ends[-1] < SHORTEST:
            return self.points[-1]
        gone = max(0.0, seconds) / self.seconds * self.ends[-1]
        after = min(bisect_right(self.ends, gone), len(self.points) - 1)
        (lat, lon), (to_lat, to_lon) = self.points[after - 1], self.points[after]
        long = self.ends[after] - self.ends[after - 1]
        share = (gone - self.ends[after - 1]) / long if long > 0 else 1.0
        return lat + (to_lat - lat) * share, lon + (to_lon - lon) * share


def straight(here: Place, there: Place) -> Course:
    """Return the course where no way is known: a straight line, as fast as such legs are."""
    seconds = seconds_between(located(here), located(there))
    return course((here, there), float(seconds))


def along(here: Place, there: Place, line: Sequence[Place], seconds: float) -> Course:
    """Return the course along a leg of `seconds` from wherever on it the phone is.

    A phone that is far from all of it drives straight: it comes from elsewhere.
    """
    whole = lengths(line)
    away = [metres(here, point) for point in line]
    nearest = min(range(len(line)), key=away.__getitem__, default=0)
    if len(line) < 2 or away[nearest] > NEAR:
        return straight(here, there)
    left = 1 - whole[nearest] / whole[-1] if whole[-1] >= SHORTEST else 1.0
    return course((here, *line[nearest:], there), seconds * left)


def course(points: Sequence[Place], seconds: float) -> Course:
    """Return a course along points."""
    return Course(tuple(points), tuple(lengths(points)), seconds)


def lengths(points: Sequence[Place]) -> list[float]:
    """Return the metres from the first point to each."""
    return list(accumulate((metres(a, b) for a, b in pairwise(points)), initial=0.0))


def metres(one: Place, other: Place) -> float:
    """Return the metres between two places as the crow flies."""
    return haversine(located(one), located(other))


def located(place: Place) -> Location:
    """Return a place as travel times are asked for it."""
    return Location(lat=place[0], lon=place[1])
