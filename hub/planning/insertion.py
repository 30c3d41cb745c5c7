"""The cheapest place for one more stop in routes that are already planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hub.nouns import Matrix, Problem, ProblemStop, ProblemVehicle
from hub.planning.rules import Item
from hub.planning.schedule import NEVER, Timetable, run, travel

Sequences = Mapping[str, Sequence[Item]]
"""Vehicle id -> its stops and reloads in order."""


@dataclass(frozen=True)
class Place:
    """Where a stop fits: before index `index` of the vehicle's items, and what it costs."""

    vehicle: str
    index: int
    seconds: int
    """Detour on the road, without the service time."""
    timetable: Timetable
    """Of the whole route with the stop in it, from the start of the shift."""


def cheapest(
    problem: Problem,
    sequences: Sequences,
    stop: ProblemStop,
    frozen: Mapping[str, int] | None = None,
) -> Place | None:
    """Return the feasible place with the shortest detour, `None` where there is none.

    `frozen` says how many stops at the head of a vehicle's route nothing may precede.
    """
    best: Place | None = None
    for vehicle in problem.vehicles:
        items = sequences.get(vehicle.id, ())
        matrix = problem.matrix_of(vehicle)
        for index in range((frozen or {}).get(vehicle.id, 0), len(items) + 1):
            seconds = detour(matrix, vehicle, items, stop, index)
            if seconds >= NEVER or (best is not None and seconds >= best.seconds):
                continue
            longer = [*items[:index], stop, *items[index:]]
            timetable = run(problem, vehicle, longer, vehicle.shift[0])
            if not timetable.broken:
                best = Place(vehicle.id, index, seconds, timetable)
    return best


def detour(
    matrix: Matrix, vehicle: ProblemVehicle, items: Sequence[Item], stop: ProblemStop, index: int
) -> int:
    """Return the extra seconds on the road when `stop` comes before `items[index]`."""
    before = items[index - 1].point if index else vehicle.start
    after = items[index].point if index < len(items) else vehicle.end
    direct = travel(matrix, before, after) if items else 0
    return travel(matrix, before, stop.point) + travel(matrix, stop.point, after) - direct
