"""What a routing engine is asked, and what it answers."""

from __future__ import annotations

from hub.nouns.noun import Noun
from hub.nouns.orders import Location


class Leg(Noun):
    """The way from one point of a `Legs` to another, by index."""

    start: int
    end: int


class Legs(Noun):
    """The points between which travel times are wanted: all to all."""

    points: tuple[Location, ...]


class Matrix(Noun):
    """Seconds and metres from row to column; `approximate` when no road was looked at."""

    seconds: tuple[tuple[int, ...], ...]
    metres: tuple[tuple[int, ...], ...]
    approximate: bool = False


class ProblemStop(Noun):
    """One visit to plan; `point` indexes the matrix, times are seconds since the day's start."""

    id: str
    point: int
    service: int = 0
    load: int = 0
    window: tuple[int, int] | None = None


class ProblemVehicle(Noun):
    """One driver with a vehicle for the day; shift in seconds since the day's start."""

    id: str
    start: int
    end: int
    capacity: int
    shift: tuple[int, int]


class Problem(Noun):
    """What a routing engine is asked, in numbers only; no engine's own words."""

    stops: tuple[ProblemStop, ...]
    vehicles: tuple[ProblemVehicle, ...]
    matrix: Matrix
    seconds: float = 5.0
    """How long the engine may search."""
    seed: int = 1


class Visit(Noun):
    """When a stop is reached and left, in seconds since the day's start."""

    stop: str
    arrive: int
    depart: int


class PlannedRoute(Noun):
    """The visits of one vehicle in order, with its start, end and way."""

    vehicle: str
    visits: tuple[Visit, ...]
    starts: int
    ends: int
    metres: int = 0


class Unserved(Noun):
    """A stop that was left out, and the rule that left it out."""

    stop: str
    reason: str


class Plan(Noun):
    """An engine's answer: every stop is in a route or explained, nothing is raised."""

    engine: str
    routes: tuple[PlannedRoute, ...]
    unserved: tuple[Unserved, ...] = ()
