"""When a driver who visits stops in a given order is where: one route, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.nouns import Matrix, PlannedRoute, ProblemStop, ProblemVehicle, Visit

NEVER = 10_000_000
"""Seconds and metres of a way that does not exist; negative cells of a matrix mean the same."""


@dataclass(frozen=True)
class Timetable:
    """The visits of one vehicle, and the first rule they break (empty when they break none)."""

    visits: tuple[Visit, ...]
    starts: int
    ends: int
    metres: int
    broken: str = ""


def travel(matrix: Matrix, start: int, end: int) -> int:
    """Return the seconds from point to point, `NEVER` where there is no way."""
    seconds = matrix.seconds[start][end]
    return seconds if 0 <= seconds < NEVER else NEVER


def distance(matrix: Matrix, start: int, end: int) -> int:
    """Return the metres from point to point, `NEVER` where there is no way."""
    metres = matrix.metres[start][end]
    return metres if 0 <= metres < NEVER else NEVER


def drive(matrix: Matrix, vehicle: ProblemVehicle, stops: Sequence[ProblemStop]) -> Timetable:
    """Return the timetable of `stops` in this order, leaving as late as costs nothing.

    A driver who would wait at a door leaves the depot later instead; the last return stays as
    early as it can be.
    """
    first = run(matrix, vehicle, stops, vehicle.shift[0])
    if first.broken or not stops:
        return first
    return run(matrix, vehicle, stops, latest_start(matrix, vehicle, stops, first))


def run(
    matrix: Matrix, vehicle: ProblemVehicle, stops: Sequence[ProblemStop], starts: int
) -> Timetable:
    """Return the timetable of a vehicle that leaves at `starts` and waits where it is early."""
    now, point, metres, broken = starts, vehicle.start, 0, ""
    visits = []
    for stop in stops:
        metres += distance(matrix, point, stop.point)
        now += travel(matrix, point, stop.point)
        if stop.window is not None:
            now = max(now, stop.window[0])
            if now > stop.window[1] and not broken:
                broken = f"{stop.id} is reached {now - stop.window[1]} s after its window"
        visits.append(Visit(stop=stop.id, arrive=now, depart=now + stop.service))
        now, point = now + stop.service, stop.point
    if stops:
        metres += distance(matrix, point, vehicle.end)
        now += travel(matrix, point, vehicle.end)
    if now > vehicle.shift[1] and not broken:
        broken = f"{vehicle.id} is back {now - vehicle.shift[1]} s after the shift"
    if sum(stop.load for stop in stops) > vehicle.capacity and not broken:
        broken = f"{vehicle.id} is overloaded"
    return Timetable(tuple(visits), starts, now, metres, broken)


def latest_start(
    matrix: Matrix, vehicle: ProblemVehicle, stops: Sequence[ProblemStop], first: Timetable
) -> int:
    """Return the latest start that delays neither the last return nor breaks a window."""
    latest, point = first.ends, vehicle.end
    for stop in reversed(stops):
        latest -= travel(matrix, stop.point, point) + stop.service
        if stop.window is not None:
            latest = min(latest, stop.window[1])
        point = stop.point
    return max(vehicle.shift[0], latest - travel(matrix, vehicle.start, point))


def planned(vehicle: ProblemVehicle, timetable: Timetable) -> PlannedRoute:
    """Return a timetable as the route of a plan."""
    return PlannedRoute(
        vehicle=vehicle.id,
        visits=timetable.visits,
        starts=timetable.starts,
        ends=timetable.ends,
        metres=timetable.metres,
    )
