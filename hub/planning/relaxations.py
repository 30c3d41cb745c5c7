"""What would make a left-out stop fit: rules that give way a little, applied and proven."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from hub.nouns import (
    Plan,
    PlannedRoute,
    Problem,
    ProblemStop,
    ProblemVehicle,
    Relaxation,
    Rule,
    Unserved,
)
from hub.planning.check_route import route_faults
from hub.planning.locks import unlocked
from hub.planning.rules import AtDepot, Item
from hub.planning.schedule import drive, items_of, only_stops, planned
from hub.planning.walk import NEVER

OF_STOPS: frozenset[Rule] = frozenset({"window", "pinned", "first_last", "on_board"})
"""Rules of a stop; the others are the vehicle's."""
FINAL: frozenset[Rule] = frozenset({"no_vehicle", "unreachable"})
"""Rules that nothing makes give way."""
WORKDAY = 13 * 3600
"""Seconds of a day that can be work at most, because eleven hours of rest lie between two days
(Directive 2003/88/EC, Article 3). Beyond it nobody can grant a longer shift."""


def relaxed(problem: Problem, unserved: Unserved) -> Problem:
    """Return the problem with everything granted that `unserved` asks for."""
    vehicle = problem.vehicle_of[unserved.vehicle]
    changed: dict[str, ProblemStop] = {}
    for one in unserved.relaxations:
        if one.rule in OF_STOPS:
            stop = changed.get(one.stop) or problem.stop_of[one.stop]
            changed[one.stop] = easier_stop(stop, one, vehicle.id)
        else:
            vehicle = easier_vehicle(vehicle, one)
    return problem.model_copy(
        update={
            "stops": tuple(changed.get(stop.id, stop) for stop in problem.stops),
            "vehicles": tuple(vehicle if v.id == vehicle.id else v for v in problem.vehicles),
        }
    )


def easier_stop(stop: ProblemStop, one: Relaxation, vehicle: str) -> ProblemStop:
    """Return a stop one of whose rules gives way."""
    if one.rule == "pinned":
        return stop.model_copy(update={"vehicles": stop.vehicles | {vehicle}})
    if one.rule == "first_last":
        return stop.model_copy(update={"position": ""})
    if one.rule == "on_board":
        return stop.model_copy(update={"on_board": (stop.on_board or 0) + one.amount})
    windows = list(stop.windows)
    if one.edge == "opens":
        low, high = window = min(windows)
        windows[windows.index(window)] = (low - one.amount, high)
    else:
        low, high = window = max(windows, key=lambda window: window[1])
        windows[windows.index(window)] = (low, high + one.amount)
    return stop.model_copy(update={"windows": tuple(windows)})


def easier_vehicle(vehicle: ProblemVehicle, one: Relaxation) -> ProblemVehicle:
    """Return a vehicle one of whose rules gives way."""
    low, high = vehicle.shift
    if one.rule == "shift":
        shift = (low - one.amount, high) if one.edge == "starts" else (low, high + one.amount)
        return vehicle.model_copy(update={"shift": shift})
    if one.rule == "capacity":
        room = list(vehicle.capacity)
        room[one.dimension] += one.amount
        return vehicle.model_copy(update={"capacity": tuple(room)})
    if one.rule == "skill":
        return vehicle.model_copy(update={"skills": vehicle.skills | {one.skill}})
    if one.rule == "stacked":
        return vehicle.model_copy(update={"stacked": False})
    if one.rule == "locked":
        kept = tuple(stop for stop in vehicle.locked if stop != one.stop)
        return vehicle.model_copy(update={"locked": kept})
    if one.rule == "break":
        later = tuple(
            rest.model_copy(update={"window": (rest.window[0], rest.window[1] + one.amount)})
            for rest in vehicle.breaks
        )
        return vehicle.model_copy(update={"breaks": later})
    if one.rule == "most_metres":
        most = (vehicle.most_metres or 0) + one.amount
        return vehicle.model_copy(update={"most_metres": most})
    most = (vehicle.most_stops or 0) + one.amount
    return vehicle.model_copy(update={"most_stops": most})


def narrowed(problem: Problem, vehicle: ProblemVehicle, items: Sequence[Item]) -> Problem:
    """Return the problem of one vehicle and the stops of its route; others' locks are no matter."""
    stops = tuple(only_stops(items))
    here = {stop.id for stop in stops}
    locked = tuple(stop for stop in vehicle.locked if stop in here)
    if locked != vehicle.locked:
        vehicle = vehicle.model_copy(update={"locked": locked})
    shipments = problem.shipments
    if shipments:
        of = problem.shipment_of
        shipments = tuple({of[id].pickup: of[id] for id in here if id in of}.values())
    return problem.model_copy(
        update={"stops": stops, "vehicles": (vehicle,), "shipments": shipments, "warm": {}}
    )


def gone_with(problem: Problem, stop: str) -> tuple[str, ...]:
    """Return the stops that are served together or not at all, by id: one, or a shipment's two, the
    pickup first."""
    shipment = problem.shipment_of.get(stop)
    return (stop,) if shipment is None else (shipment.pickup, shipment.delivery)


def joined(
    items: Sequence[Item], stops: Sequence[ProblemStop], index: int, index_to: int
) -> list[Item]:
    """Return a route with one stop, or with the two of a shipment, before the given visits."""
    made = list(items)
    for stop, place in zip(stops, (index, index_to), strict=False):
        made.insert(spot(made, place), stop)
    return made


def spot(items: Sequence[Item], index: int) -> int:
    """Return where in a sequence visit number `index` is; the end where there is none."""
    at = [n for n, item in enumerate(items) if isinstance(item, ProblemStop)]
    return at[index] if 0 <= index < len(at) else len(items)


def working(problem: Problem) -> list[ProblemVehicle]:
    """Return the vehicles that have any time to drive, overtime counted."""
    return [one for one in problem.vehicles if one.shift[0] < one.shift[1] + one.overtime]


def proves(problem: Problem, plan: Plan, unserved: Unserved) -> bool:
    """Say whether a reason is true: the stop does not fit as it is, and fits with what is asked.

    The route with the stop in it is made by the evaluator and judged by the checker.
    """
    routes = {route.vehicle: route for route in plan.routes}
    return proven(unlocked(problem), routes, unserved)


def proven(problem: Problem, routes: dict[str, PlannedRoute], unserved: Unserved) -> bool:
    """Say the same for who has the routes by their vehicle."""
    if unserved.stop not in problem.stop_of:
        return False
    if unserved.rule == "no_vehicle":
        return not working(problem)
    vehicle = problem.vehicle_of.get(unserved.vehicle)
    stops = [problem.stop_of[id] for id in gone_with(problem, unserved.stop)]
    if unserved.rule == "unreachable":
        return not any(
            in_reach(problem, one, sequence(problem, routes, one), stops)
            for one in able(problem, [stop.id for stop in stops])
        )
    if vehicle is None or unserved.rule not in {one.rule for one in unserved.relaxations}:
        return False
    items = joined(sequence(problem, routes, vehicle), stops, unserved.index, unserved.index_to)
    small = narrowed(problem, vehicle, items)
    known = small.stop_of
    if any(one.rule in OF_STOPS and one.stop not in known for one in unserved.relaxations):
        return False
    return not sound(small, items) and sound(relaxed(small, unserved), items)


def sequence(
    problem: Problem, routes: dict[str, PlannedRoute], vehicle: ProblemVehicle
) -> list[Item]:
    """Return what a vehicle does in a plan, nothing where it has no route."""
    route = routes.get(vehicle.id)
    return [] if route is None else items_of(problem, route)


def sound(small: Problem, items: Sequence[Item]) -> bool:
    """Say whether the evaluator finds times for a route that the checker has no fault with."""
    vehicle = small.vehicles[0]
    now = [item if isinstance(item, AtDepot) else small.stop_of[item.id] for item in items]
    found = drive(small, vehicle, now)
    return not found.broken and not route_faults(small, vehicle, planned(vehicle, found))


def able(problem: Problem, ids: Sequence[str]) -> list[ProblemVehicle]:
    """Return the vehicle that has one of `ids` locked, which nobody else may visit then; or all."""
    every = list(problem.vehicle_of.values())
    return [one for one in every if set(ids) & set(one.locked)][:1] or every


def in_reach(
    problem: Problem,
    vehicle: ProblemVehicle,
    items: Sequence[Item],
    stops: Sequence[ProblemStop],
) -> bool:
    """Say whether there is a way to a stop, or a shipment, and back that a day is long enough for.

    One that is driven directly counts as too long beyond `WORKDAY`, or beyond a shift that is
    longer still.
    """
    opens, closes = vehicle.shift
    longest = max(WORKDAY, closes + vehicle.overtime - opens)
    if longest < there_and_back(problem, vehicle, stops) < NEVER:
        return False
    return next(ways(problem, vehicle, items, stops), None) is not None


def there_and_back(problem: Problem, vehicle: ProblemVehicle, stops: Sequence[ProblemStop]) -> int:
    """Return the seconds of driving to nothing but these stops and back; `NEVER` without a way."""
    seconds = problem.matrix_of(vehicle).seconds
    points = [vehicle.start, *(stop.point for stop in stops), vehicle.end]
    legs = [seconds[a][b] for a, b in pairwise(points)]
    return sum(legs) if all(0 <= leg < NEVER for leg in legs) else NEVER


def ways(
    problem: Problem,
    vehicle: ProblemVehicle,
    items: Sequence[Item],
    stops: Sequence[ProblemStop],
) -> Iterator[tuple[int, int]]:
    """Yield the places (before which visits) to which there is a way, and from there on."""
    seconds = problem.matrix_of(vehicle).seconds

    def open(*points: int) -> bool:
        return all(0 <= seconds[a][b] < NEVER for a, b in pairwise(points))

    points = [vehicle.start, *(item.point for item in items), vehicle.end]
    visits = len(only_stops(items))
    gaps = []
    for index in range(visits + 1):
        at = spot(items, index)
        gaps.append((points[at], points[at + 1]))
    first, last = stops[0].point, stops[-1].point
    for index, (before, after) in enumerate(gaps):
        if len(stops) == 1:
            if open(before, first, after):
                yield index, 0
            continue
        if open(before, first, last, after):
            yield index, index + 1
        if open(before, first, after):
            for later in range(index + 1, visits + 1):
                if open(gaps[later][0], last, gaps[later][1]):
                    yield index, later + 1


def false_reasons(problem: Problem, plan: Plan, known: Collection[str]) -> Iterator[str]:
    """Yield the stops whose stated reason is not true; one without a rule is not looked at."""
    routes = {
        route.vehicle: route
        for route in plan.routes
        if all(visit.stop in known for visit in route.visits)
    }
    problem = unlocked(problem)
    for left in plan.unserved:
        if left.rule and left.stop in known and not proven(problem, routes, left):
            yield f"{left.stop} is said to be left out for {left.rule}, which is not so"
