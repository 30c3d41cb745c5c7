"""What a plan costs and what it leaves out: the one measure by which plans are compared."""

from __future__ import annotations

from hub.nouns import Plan, PlannedRoute, Problem, ProblemVehicle

Score = tuple[int, int]
"""(what is left out, weighed by priority; what the routes cost): the smaller one is better."""


def score(problem: Problem, plan: Plan) -> Score:
    """Return by what a plan is judged: first what it leaves out, then its cost."""
    return missed(problem, plan), cost(problem, plan)


def missed(problem: Problem, plan: Plan) -> int:
    """Return 1 + priority of every stop that is in no route, added up."""
    served = {visit.stop for route in plan.routes for visit in route.visits}
    return sum(1 + stop.priority for stop in problem.stops if stop.id not in served)


def cost(problem: Problem, plan: Plan) -> int:
    """Return what the routes of a plan cost together."""
    return sum(route_cost(problem.vehicle_of[route.vehicle], route) for route in plan.routes)


def route_cost(vehicle: ProblemVehicle, route: PlannedRoute) -> int:
    """Return what one route costs; nothing where nobody is visited."""
    if not route.visits:
        return 0
    return price(vehicle, route.starts, route.ends, route.metres)


def price(vehicle: ProblemVehicle, starts: int, ends: int, metres: int) -> int:
    """Return what a vehicle costs that is out from `starts` to `ends` and drives `metres`."""
    costs = vehicle.costs
    late = max(0, ends - vehicle.shift[1])
    return (
        costs.fixed
        + costs.per_second * (ends - starts)
        + costs.per_overtime_second * late
        + costs.per_metre * metres
    )
