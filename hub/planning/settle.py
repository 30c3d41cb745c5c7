"""From an engine's raw sequences to a plan that breaks no rule and explains what it leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.nouns import Plan, Problem, ProblemStop, ProblemVehicle, Unserved
from hub.planning.reasons import fill, impossible, working
from hub.planning.rules import AtDepot, Item
from hub.planning.schedule import Timetable, drive, planned


def settle(problem: Problem, engine: str, sequences: Mapping[str, Sequence[Item]]) -> Plan:
    """Return the plan of `sequences`, in which each vehicle's stops keep every rule.

    What breaks a rule is taken out, and what is in no route is put where it fits; the others are
    left out with their reason.
    """
    kept: dict[str, list[Item]] = {}
    seen: set[str] = set()
    vehicles = {vehicle.id: vehicle for vehicle in working(problem)}
    for vehicle in problem.vehicles:
        if vehicle.locked:
            vehicles[vehicle.id] = vehicle
    for vehicle in vehicles.values():
        items = [
            item
            for item in sequences.get(vehicle.id, [])
            if isinstance(item, AtDepot) or item.id not in seen
        ]
        head = [problem.stop_of[id] for id in vehicle.locked if id in problem.stop_of]
        if items[: len(head)] != head:
            items = [*head, *(item for item in items if item not in head)]
        items = repaired(problem, vehicle, items, len(head))
        if items:
            kept[vehicle.id] = items
            seen |= {item.id for item in items if isinstance(item, ProblemStop)}
    stops = {stop.id: stop for stop in problem.stops if stop.id not in seen}
    hopeless = {id: impossible(problem, stop) for id, stop in stops.items()}
    left = fill(problem, kept, [stop for id, stop in stops.items() if not hopeless[id]])
    never = [Unserved(stop=id, reason=reason) for id, reason in hopeless.items() if reason]
    routes = [
        planned(vehicle, drive(problem, vehicle, kept[vehicle.id]))
        for vehicle in vehicles.values()
        if vehicle.id in kept
    ]
    return Plan(engine=engine, routes=tuple(routes), unserved=(*never, *left))


def repaired(
    problem: Problem, vehicle: ProblemVehicle, items: list[Item], frozen: int
) -> list[Item]:
    """Return `items` without those whose removal makes the route sound, the worst first."""
    timetable = drive(problem, vehicle, items)
    while timetable.broken and len(items) > frozen:
        tried = [smaller(problem, items, index) for index in range(frozen, len(items))]
        timed = [(drive(problem, vehicle, less), number) for number, less in enumerate(tried)]
        timetable, best = min(timed, key=lambda pair: badness(pair[0], tried[pair[1]]))
        items = tried[best]
    return items if any(isinstance(item, ProblemStop) for item in items) else []


def badness(timetable: Timetable, items: Sequence[Item]) -> tuple[int, int, int, int]:
    """Return by what the better of two repairs is told."""
    return (*timetable.amount, -len(items), timetable.ends)


def smaller(problem: Problem, items: Sequence[Item], index: int) -> list[Item]:
    """Return `items` without the one at `index`, and without the rest of its shipment."""
    gone = items[index]
    if isinstance(gone, AtDepot):
        return [*items[:index], *items[index + 1 :]]
    shipment = problem.shipment_of.get(gone.id)
    ids = {gone.id} if shipment is None else {shipment.pickup, shipment.delivery}
    return [item for item in items if isinstance(item, AtDepot) or item.id not in ids]
