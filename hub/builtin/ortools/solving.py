"""The search: cheapest insertion, then guided local search, ended by a count or by the clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.builtin.ortools.model import Model, model, routes_of
from hub.builtin.ortools.nodes import Nodes, nodes
from hub.nouns import Found, Problem, ProblemStop
from hub.planning.rules import AtDepot, Item
from hub.planning.schedule import drive
from hub.planning.stopwatch import by_wall, now

SMALL = 60
"""Up to this many stops a search ends after some hundred solutions."""
BEAT = 0.1
"""Seconds between two reports of what is found."""
LEAN = 0.6
"""Part of the time for vehicles that reload where it pays; the rest, where that leaves stops out,
for such as reload wherever they can."""
MOMENT = 0.05
"""Seconds that make another search worth while."""
SLOWEST = 10
"""Times that OR-Tools may take by its own clock, the wall's, where time is counted by another: it
is ended at the first solution that it finds too late."""

Report = Callable[[Found], bool]
Sequences = dict[str, list[Item]]


def sequences(problem: Problem, report: Report | None) -> Sequences:
    """Return what OR-Tools finds in the time that the problem gives it."""
    ends = now() + problem.seconds
    asked = nodes(problem)
    if not asked.vehicles or not asked.stops:
        return {}
    if not asked.reloads or problem.warm:
        made = model(asked)
        return solve(made, max(MOMENT, ends - now()), report)
    found = solve(model(asked), problem.seconds * LEAN, report)
    left = ends - now()
    if weight(problem, found)[0] == most(asked) or left < MOMENT:
        return found
    full = solve(model(asked, reload=True), left, report)
    lean = {vehicle: needed(problem, vehicle, items) for vehicle, items in full.items()}
    return max(found, lean, key=lambda one: weight(problem, one))


def most(asked: Nodes) -> int:
    """Return what sequences are worth that serve every stop."""
    return sum(1 + stop.priority for stop in asked.stops)


def weight(problem: Problem, found: Sequences) -> tuple[int, int]:
    """Return what some sequences are worth: what they serve, then how soon they end."""
    stops = [item for items in found.values() for item in items if isinstance(item, ProblemStop)]
    tables = [drive(problem, problem.vehicle_of[id], items) for id, items in found.items() if items]
    return sum(1 + stop.priority for stop in stops), -sum(one.ends - one.starts for one in tables)


def needed(problem: Problem, vehicle: str, items: list[Item]) -> list[Item]:
    """Return a sequence without the reloads that it can do without."""
    index = 0
    while index < len(items):
        less = [*items[:index], *items[index + 1 :]]
        whole = drive(problem, problem.vehicle_of[vehicle], less)
        if isinstance(items[index], AtDepot) and not whole.broken:
            items = less
        else:
            index += 1
    return items


def solve(made: Model, seconds: float, report: Report | None) -> Sequences:
    """Return each vehicle's stops and reloads in order; none where the search finds nothing."""
    told = parameters(seconds, len(made.nodes.stops), report is not None)
    routing, ends = made.routing, now() + seconds
    if not by_wall():
        routing.AddAtSolutionCallback(
            lambda: now() < ends or routing.solver().FinishCurrentSearch()
        )
    if report is not None:
        routing.AddAtSolutionCallback(listener(made, report))
    routing.CloseModelWithParameters(told)
    start = None
    if made.nodes.problem.warm:
        start = routing.ReadAssignmentFromRoutes(routes_of(made.nodes), True)
    if start is None:
        solution = routing.SolveWithParameters(told)
    else:
        solution = routing.SolveFromAssignmentWithParameters(start, told)
    if solution is None:
        return {}
    return {
        vehicle.id: made.sequence(lambda index: solution.Value(routing.NextVar(index)), number)
        for number, vehicle in enumerate(made.nodes.vehicles)
    }


def parameters(seconds: float, stops: int, told: bool) -> Any:
    """Return how to search: a small problem ends after some hundred solutions.

    It is as good as it gets long before its time is over; ending by a count and not by the clock
    also makes the answer the same on every machine.
    """
    from ortools.constraint_solver import pywrapcp
    from ortools.constraint_solver.routing_enums_pb2 import (
        FirstSolutionStrategy,
        LocalSearchMetaheuristic,
    )

    made = pywrapcp.DefaultRoutingSearchParameters()
    made.first_solution_strategy = FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    made.local_search_metaheuristic = LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    if stops <= SMALL:
        made.solution_limit = 300 + stops
        seconds = seconds if told else min(seconds, 0.2 + 0.05 * stops)
    longest = seconds if by_wall() else SLOWEST * seconds
    made.time_limit.FromMilliseconds(max(1, int(longest * 1000)))
    return made


def listener(made: Model, report: Report) -> Callable[[], None]:
    """Return what tells `report` of better solutions, at most every `BEAT` seconds."""
    began = now()
    last, best = -BEAT, 0
    routing, stops = made.routing, made.nodes.stops

    def heard() -> None:
        nonlocal last, best
        taken = now() - began
        cost = routing.CostVar().Min()
        if best and cost >= best:
            return
        best = cost
        if taken - last < BEAT:
            return
        last = taken
        left = [stop for node, stop in enumerate(stops) if not routing.ActiveVar(node).Max()]
        price = cost - sum(made.prize * (1 + stop.priority) for stop in left)
        missing = len(made.nodes.problem.stops) - len(stops) + len(left)
        if not report(Found(cost=max(0, price), left_out=missing, seconds=taken)):
            routing.solver().FinishCurrentSearch()

    return heard
