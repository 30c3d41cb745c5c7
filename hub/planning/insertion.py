"""The cheapest place for one more stop in routes that are already planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hub.nouns import Matrix, ProblemStop, ProblemVehicle
from hub.planning.schedule import NEVER, Timetable, run, travel

Sequences = Mapping[str, Sequence[ProblemStop]]
"""Vehicle id -> its stops in order."""


@dataclass(frozen=True)
class Place:
    """Where a stop fits: before index `index` of the vehicle's stops, and what it costs."""

    vehicle: str
    index: int
    seconds: int
    """Detour on the road, without the service time."""
    timetable: Timetable
    """Of the whole route with the stop in it, from the start of the shift."""


def cheapest(
    matrix: Matrix,
    vehicles: Sequence[ProblemVehicle],
    sequences: Sequences,
    stop: ProblemStop,
    frozen: Mapping[str, int] | None = None,
) -> Place | None:
    """Return the feasible place with the shortest detour, `None` where there is none.

    `frozen` says how many stops at the head of a vehicle's route nothing may precede.
    """
    best: Place | None = None
    for vehicle in vehicles:
        stops = sequences.get(vehicle.id, ())
        if sum(other.load for other in stops) + stop.load > vehicle.capacity:
            continue
        for index in range((frozen or {}).get(vehicle.id, 0), len(stops) + 1):
            seconds = detour(matrix, vehicle, stops, stop, index)
            if seconds >= NEVER or (best is not None and seconds >= best.seconds):
                continue
            longer = [*stops[:index], stop, *stops[index:]]
            timetable = run(matrix, vehicle, longer, vehicle.shift[0])
            if not timetable.broken:
                best = Place(vehicle.id, index, seconds, timetable)
    return best


def detour(
    matrix: Matrix,
    vehicle: ProblemVehicle,
    stops: Sequence[ProblemStop],
    stop: ProblemStop,
    index: int,
) -> int:
    """Return the extra seconds on the road when `stop` comes before `stops[index]`."""
    before = stops[index - 1].point if index else vehicle.start
    after = stops[index].point if index < len(stops) else vehicle.end
    direct = travel(matrix, before, after) if stops else 0
    return travel(matrix, before, stop.point) + travel(matrix, stop.point, after) - direct
