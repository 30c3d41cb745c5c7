"""What every engine's search ends with: a sound plan, no worse than the routes it began with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil

from hub.nouns import Plan, Problem, ProblemVehicle
from hub.planning.costs import missed, score
from hub.planning.locks import unlocked
from hub.planning.reasons import impossible, working
from hub.planning.rules import Item
from hub.planning.schedule import items_of
from hub.planning.settle import settle
from hub.planning.stopwatch import now

Found = Mapping[str, Sequence[Item]]
"""Vehicle -> its stops and reloads in order, as an engine found them."""
FEW = 8
"""Up to this many stops one driver takes them all, however many drivers there are."""
BALANCED = 0.7
"""Part of the time for the search that shares the work out; the rest is for one that does not."""
ENOUGH = 0.2
"""Seconds that make another search worth while."""


def answer(problem: Problem, engine: str, found: Found) -> Plan:
    """Return the plan of what an engine found, or of the routes to begin with if it is better."""
    plan = settle(problem, engine, found)
    if not problem.warm:
        return plan
    return min(plan, settle(problem, engine, begun(problem)), key=lambda one: score(problem, one))


def begun(problem: Problem) -> dict[str, list[Item]]:
    """Return the routes to begin with; ids that are not of this problem are passed over."""
    return {
        vehicle: [problem.stop_of[stop] for stop in stops if stop in problem.stop_of]
        for vehicle, stops in problem.warm.items()
        if vehicle in problem.vehicle_of
    }


def balanced(problem: Problem, engine: str, search: Callable[[Problem], Found]) -> Plan:
    """Return the plan of `search`, in which nobody has more than the share that is asked for.

    Where that would leave stops out, nobody's share counts. Work is counted in stops, and an equal
    share is by the time that each one has.
    """
    if not problem.balance or len(working(problem)) < 2 or len(problem.stops) <= FEW:
        return answer(problem, engine, search(unlocked(problem)))
    began = now()
    capped = problem.model_copy(
        update={
            "vehicles": shares(problem),
            "balance": 0.0,
            "seconds": problem.seconds * BALANCED,
        }
    )
    shared = answer(capped, engine, search(unlocked(capped)))
    left = problem.seconds - (now() - began)
    if all(impossible(problem, problem.stop_of[one.stop]) for one in shared.unserved) or (
        left < ENOUGH
    ):
        return told(problem, shared)
    free = problem.model_copy(update={"balance": 0.0, "seconds": left})
    other = answer(free, engine, search(unlocked(free)))
    return told(problem, shared) if missed(problem, shared) <= missed(problem, other) else other


def told(problem: Problem, plan: Plan) -> Plan:
    """Return a plan that was made with shares, its reasons without them."""
    if not plan.unserved:
        return plan
    return settle(problem, plan.engine, {r.vehicle: items_of(problem, r) for r in plan.routes})


def shares(problem: Problem) -> tuple[ProblemVehicle, ...]:
    """Return the vehicles, none of which may make more stops than its share of the day."""
    able = working(problem)
    whole = sum(max(0, vehicle.shift[1] - vehicle.shift[0]) for vehicle in able)
    behind = sum(vehicle.visited for vehicle in able)
    stops = len(problem.stops) + behind
    found = []
    for vehicle in problem.vehicles:
        part = max(0, vehicle.shift[1] - vehicle.shift[0]) / max(1, whole)
        most = max(FEW, ceil(stops * part * max(1.0, problem.balance)), len(vehicle.locked))
        if vehicle.most_stops is not None:
            most = min(most, vehicle.most_stops)
        found.append(vehicle.model_copy(update={"most_stops": most}))
    return tuple(found)
