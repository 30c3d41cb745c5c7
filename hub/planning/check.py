"""Check a plan against its problem, trusting nothing that the engine computed."""

from __future__ import annotations

from collections import Counter

from hub.errors import PluginError
from hub.nouns import Plan, PlannedRoute, Problem, ProblemStop, ProblemVehicle


def check(problem: Problem, plan: Plan) -> None:
    """Raise `PluginError` naming the first rules that `plan` breaks; return for a sound one."""
    found = faults(problem, plan)
    if found:
        more = f" (and {len(found) - 3} more)" if len(found) > 3 else ""
        raise PluginError(f"{plan.engine} made a plan that is wrong: {'; '.join(found[:3])}{more}")


def faults(problem: Problem, plan: Plan) -> list[str]:
    """Return everything that is wrong with `plan`: empty for a sound one."""
    stops = {stop.id: stop for stop in problem.stops}
    vehicles = {vehicle.id: vehicle for vehicle in problem.vehicles}
    found = each_once(stops, plan)
    used = Counter(route.vehicle for route in plan.routes)
    found += [f"{vehicle} has {times} routes" for vehicle, times in used.items() if times > 1]
    for route in plan.routes:
        if route.vehicle not in vehicles:
            found.append(f"there is no vehicle {route.vehicle}")
            continue
        known = [stops[visit.stop] for visit in route.visits if visit.stop in stops]
        if len(known) == len(route.visits):
            found += route_faults(problem, vehicles[route.vehicle], route, known)
    return found


def each_once(stops: dict[str, ProblemStop], plan: Plan) -> list[str]:
    """Return the stops that are not exactly once in a route or among the unserved."""
    seen = Counter(visit.stop for route in plan.routes for visit in route.visits)
    seen.update(unserved.stop for unserved in plan.unserved)
    found = [f"{stop} is missing" for stop in stops if stop not in seen]
    found += [f"{stop} is there {times} times" for stop, times in seen.items() if times > 1]
    found += [f"{stop} was never asked for" for stop in seen if stop not in stops]
    found += [
        f"{left.stop} is left out without a reason" for left in plan.unserved if not left.reason
    ]
    return found


def route_faults(
    problem: Problem, vehicle: ProblemVehicle, route: PlannedRoute, stops: list[ProblemStop]
) -> list[str]:
    """Return what is wrong with one route: load, shift, windows, and times that cannot be."""
    found = []
    load = sum(stop.load for stop in stops)
    if load > vehicle.capacity:
        found.append(f"{vehicle.id} carries {load} of {vehicle.capacity}")
    if route.starts < vehicle.shift[0] or route.ends > vehicle.shift[1]:
        found.append(f"{vehicle.id} drives outside the shift")
    ready, point, metres = route.starts, vehicle.start, 0
    for stop, visit in zip(stops, route.visits, strict=True):
        seconds = problem.matrix.seconds[point][stop.point]
        if seconds < 0 or visit.arrive < ready + seconds:
            found.append(f"{stop.id} is reached sooner than one can drive")
        if stop.window is not None and not stop.window[0] <= visit.arrive <= stop.window[1]:
            found.append(f"{stop.id} is reached outside its window")
        if visit.depart < visit.arrive + stop.service:
            found.append(f"{stop.id} is left before it is served")
        metres += problem.matrix.metres[point][stop.point]
        ready, point = visit.depart, stop.point
    if stops:
        back = problem.matrix.seconds[point][vehicle.end]
        metres += problem.matrix.metres[point][vehicle.end]
        if back < 0 or route.ends < ready + back:
            found.append(f"{vehicle.id} is back sooner than one can drive")
    if route.metres != metres:
        found.append(f"{vehicle.id} drives {metres} m, not {route.metres} m")
    return found
