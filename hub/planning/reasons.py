"""Why a stop is in no route: the rule that really keeps it out, in words for a dispatcher."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hub.nouns import Matrix, Plan, Problem, ProblemStop, ProblemVehicle, Unserved
from hub.planning.insertion import Sequences, cheapest
from hub.planning.schedule import NEVER, run, travel

DAY = 86_400


def working(problem: Problem) -> list[ProblemVehicle]:
    """Return the vehicles that have any time to drive."""
    return [vehicle for vehicle in problem.vehicles if vehicle.shift[0] < vehicle.shift[1]]


def impossible(problem: Problem, stop: ProblemStop) -> str:
    """Return why no vehicle could serve `stop` even alone; empty when one could."""
    vehicles = working(problem)
    if not vehicles:
        return "no driver is free that day; look at the shifts and the routes already published"
    carriers = [vehicle for vehicle in vehicles if vehicle.capacity >= stop.load]
    if not carriers:
        most = max(vehicle.capacity for vehicle in vehicles)
        return f"its load of {stop.load} is more than any vehicle takes (at most {most})"
    if any(alone(problem.matrix, vehicle, stop) for vehicle in carriers):
        return ""
    return why_not_alone(problem.matrix, carriers, stop, others=len(carriers) < len(vehicles))


def alone(matrix: Matrix, vehicle: ProblemVehicle, stop: ProblemStop) -> bool:
    """Say whether a vehicle can do `stop` and nothing else that day."""
    return not run(matrix, vehicle, [stop], vehicle.shift[0]).broken


def why_not_alone(
    matrix: Matrix, vehicles: Sequence[ProblemVehicle], stop: ProblemStop, *, others: bool
) -> str:
    """Return the rule that keeps `stop` from all of `vehicles`, none of which can do it."""
    whose = "of a vehicle that can carry it " if others else ""
    opens = min(vehicle.shift[0] for vehicle in vehicles)
    closes = max(vehicle.shift[1] for vehicle in vehicles)
    shifts = f"({clock(opens)}-{clock(closes)})"
    reachable = [v for v in vehicles if travel(matrix, v.start, stop.point) < NEVER]
    if not any(travel(matrix, stop.point, v.end) < NEVER for v in reachable):
        return "there is no way to its place and back"
    if stop.window is not None:
        window = f"its window {clock(stop.window[0])}-{clock(stop.window[1])}"
        if stop.window[0] > stop.window[1]:
            return f"{window} ends before it begins"
        if stop.window[1] < opens or stop.window[0] > closes:
            return f"{window} lies outside every shift {whose}{shifts}"
        soonest = min(v.shift[0] + travel(matrix, v.start, stop.point) for v in reachable)
        if soonest > stop.window[1]:
            return f"{window} cannot be reached: {clock(soonest)} is the earliest arrival"
    return f"no shift {whose}{shifts} is long enough to serve it and come back"


def beside(problem: Problem, sequences: Sequences, stop: ProblemStop) -> str:
    """Return why `stop`, which alone could be served, has no place beside the planned ones."""
    able = [v for v in working(problem) if alone(problem.matrix, v, stop)]
    able = [v for v in able if v.capacity >= stop.load]
    room = [
        vehicle
        for vehicle in able
        if sum(other.load for other in sequences.get(vehicle.id, ())) + stop.load
        <= vehicle.capacity
    ]
    if not room:
        return f"it does not fit beside the others: no vehicle has room for its load of {stop.load}"
    if stop.window is not None and stop.window[1] < max(v.shift[1] for v in room):
        window = f"{clock(stop.window[0])}-{clock(stop.window[1])}"
        return f"it does not fit beside the others: nobody has time for it in {window}"
    return "it does not fit beside the others: nobody has time for it before the shift ends"


def fill(
    problem: Problem, sequences: dict[str, list[ProblemStop]], left: Iterable[ProblemStop]
) -> tuple[Unserved, ...]:
    """Insert every stop of `left` that fits after all, and return the others with their reason.

    Changes `sequences`. What is returned truly fits nowhere in them as they stand.
    """
    waiting = []
    for stop in left:
        place = cheapest(problem.matrix, working(problem), sequences, stop)
        if place is None:
            waiting.append(stop)
        else:
            sequences.setdefault(place.vehicle, []).insert(place.index, stop)
    return tuple(
        Unserved(stop=stop.id, reason=impossible(problem, stop) or beside(problem, sequences, stop))
        for stop in waiting
    )


def unexplained(problem: Problem, plan: Plan) -> set[str]:
    """Return the stops that a plan neither serves nor explains."""
    told = {visit.stop for route in plan.routes for visit in route.visits}
    told |= {unserved.stop for unserved in plan.unserved}
    return {stop.id for stop in problem.stops} - told


def clock(seconds: int) -> str:
    """Return a second of the day as HH:MM, with the days before or after it where it is not."""
    days, rest = divmod(seconds, DAY)
    away = f" ({days:+d} d)" if days else ""
    return f"{rest // 3600:02d}:{rest % 3600 // 60:02d}{away}"
