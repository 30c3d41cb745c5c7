"""Make a sound, explained plan of any sequences, by taking out what breaks a rule."""

from __future__ import annotations

from hub.nouns import Plan, Problem, ProblemStop
from hub.planning.insertion import Sequences
from hub.planning.reasons import fill
from hub.planning.rules import Item
from hub.planning.schedule import drive, only_stops, planned


def settle(problem: Problem, engine: str, sequences: Sequences, why: str = "") -> Plan:
    """Return the plan of an engine's sequences; what fits in no route is listed with its reason."""
    kept: dict[str, list[Item]] = {}
    left: list[ProblemStop] = []
    for id, given in sequences.items():
        vehicle, items = problem.vehicle_of[id], list(given)
        while items and (found := drive(problem, vehicle, items)).breaches:
            names = [breach.stop for breach in found.breaches if breach.stop]
            place = next(
                (
                    n
                    for n, one in enumerate(items)
                    if isinstance(one, ProblemStop) and one.id in names
                ),
                len(items) - 1,
            )
            taken = items.pop(place)
            if isinstance(taken, ProblemStop):
                left.append(taken)
        kept[id] = items
    served = {stop.id for items in kept.values() for stop in only_stops(items)} | {
        s.id for s in left
    }
    left += [stop for stop in problem.stops if stop.id not in served]
    unserved = fill(problem, kept, left)
    routes = [
        planned(vehicle, drive(problem, vehicle, kept[vehicle.id]))
        for vehicle in problem.vehicles
        if kept.get(vehicle.id)
    ]
    return Plan(engine=engine, routes=tuple(routes), unserved=unserved, why=why)
