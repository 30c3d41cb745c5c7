"""What no engine can make sense of, said before one is asked; and how long a search may take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from hub.errors import Refused
from hub.nouns import Matrix, Problem
from hub.planning.walk import NEVER

MOST_STOPS = 10_000
"""In one problem: a matrix of more would not fit into the memory of a small machine."""
NORMAL, HARDER, MANY = 10.0, 30.0, 60.0
"""Seconds of a search: as a rule, on demand, and for more than `LARGE` stops."""
LARGE = 1500
LONGEST = 300.0
"""Seconds that anybody may ask for."""
LEAST = 0.1
SETTLING = 0.07
"""Part of a search's time, after it, in which its find becomes a checked and explained plan."""


def budget(stops: int, *, harder: bool = False) -> float:
    """Return how many seconds a search gets when nobody says."""
    if stops > LARGE:
        return 2 * MANY if harder else MANY
    return HARDER if harder else NORMAL


def patience(stops: int) -> float:
    """Return after how many seconds without a better find a search is given up.

    A day of twenty stops is as good as it gets within a second, one of 500 after some ten.
    """
    return 0.3 + 0.02 * stops


def refuse(problem: Problem) -> None:
    """Raise `Refused`, naming the first thing that makes no sense."""
    for fault in nonsense(problem):
        raise Refused(fault)


def nonsense(problem: Problem) -> Iterator[str]:
    """Yield what makes no sense: too much of everything, doubles, points that are not there."""
    if len(problem.stops) > MOST_STOPS:
        yield (
            f"{len(problem.stops)} stops are too many for one plan, which takes {MOST_STOPS}; "
            "plan by depot or by district"
        )
        return
    size = len(problem.matrix.seconds)
    for name, matrix in (("", problem.matrix), *problem.profiles.items()):
        if len(matrix.seconds) != size or len(matrix.metres) != size:
            yield f"the travel times{f' of a {name}' if name else ''} are not {size} x {size}"
            return
        yield from half_ways(matrix)
    yield from doubles("stop", (stop.id for stop in problem.stops))
    yield from doubles("vehicle", (vehicle.id for vehicle in problem.vehicles))
    for stop in problem.stops:
        if not 0 <= stop.point < size:
            yield f"stop {stop.id} is at point {stop.point}, and there are {size}"
    for vehicle in problem.vehicles:
        reloads = vehicle.reloads.points if vehicle.reloads else ()
        for point in (vehicle.start, vehicle.end, *reloads):
            if not 0 <= point < size:
                yield f"vehicle {vehicle.id} goes to point {point}, and there are {size}"
        for id in vehicle.locked:
            if id not in problem.stop_of:
                yield f"vehicle {vehicle.id} is locked to {id}, which is no stop"
    yield from broken_shipments(problem)


def half_ways(matrix: Matrix) -> Iterator[str]:
    """Yield the first way that has seconds and no metres, or metres and no seconds."""
    import numpy as np

    seconds, metres = (np.asarray(table) for table in (matrix.seconds, matrix.metres))
    drivable = [(table >= 0) & (table < NEVER) for table in (seconds, metres)]
    differ = drivable[0] != drivable[1]
    if differ.any():
        start, end = (int(point) for point in np.argwhere(differ)[0])
        yield (
            f"the way from point {start} to {end} takes {seconds[start, end]} seconds and "
            f"{metres[start, end]} metres; where there is none, both have to be negative"
        )


def broken_shipments(problem: Problem) -> Iterator[str]:
    """Yield shipments whose ends are unknown or belong to two of them, and stops locked twice."""
    ends = [id for one in problem.shipments for id in (one.pickup, one.delivery)]
    for id in ends:
        if id not in problem.stop_of:
            yield f"goods go to or from {id}, which is no stop"
    yield from doubles("a shipment's stop", ends)
    yield from doubles("locked stop", (id for one in problem.vehicles for id in one.locked))


def doubles(what: str, ids: Iterable[str]) -> Iterator[str]:
    """Yield ids that are there more than once."""
    for id, times in Counter(ids).items():
        if times > 1:
            yield f"{what} {id} is there {times} times"
