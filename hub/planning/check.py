"""Check a plan against its problem: its routes are replayed here, trusting nobody's numbers.

Only the reasons of stops that are left out are tried with the evaluator's help: it makes the route
with the stop in it, and the checker judges that route too.
"""

from __future__ import annotations

from collections import Counter

from hub.errors import PluginError
from hub.nouns import Plan, Problem
from hub.planning.check_route import route_faults
from hub.planning.locks import unlocked
from hub.planning.relaxations import false_reasons


def check(problem: Problem, plan: Plan) -> None:
    """Raise `PluginError` naming the first rules that `plan` breaks; return for a sound one."""
    found = faults(problem, plan)
    if found:
        more = f" (and {len(found) - 3} more)" if len(found) > 3 else ""
        raise PluginError(f"{plan.engine} made a plan that is wrong: {'; '.join(found[:3])}{more}")


def faults(problem: Problem, plan: Plan) -> list[str]:
    """Return everything that is wrong with `plan`: empty for a sound one.

    Who names the rule that leaves a stop out has to be right about it; a locked stop may be left
    out for such a rule only.
    """
    found = each_once(problem, plan)
    found += false_reasons(problem, plan, problem.stop_of)
    problem = unlocked(problem, {left.stop for left in plan.unserved if left.rule})
    used = Counter(route.vehicle for route in plan.routes)
    found += [f"{vehicle} has {times} routes" for vehicle, times in used.items() if times > 1]
    for route in plan.routes:
        vehicle = problem.vehicle_of.get(route.vehicle)
        if vehicle is None:
            found.append(f"there is no vehicle {route.vehicle}")
        elif all(visit.stop in problem.stop_of for visit in route.visits):
            found += route_faults(problem, vehicle, route)
    for vehicle in problem.vehicles:
        if vehicle.locked and not used[vehicle.id]:
            found.append(f"{vehicle.id} does not go to its locked stops")
    return found


def each_once(problem: Problem, plan: Plan) -> list[str]:
    """Return the stops that are not exactly once in a route or among the unserved."""
    stops = problem.stop_of
    seen = Counter(visit.stop for route in plan.routes for visit in route.visits)
    seen.update(unserved.stop for unserved in plan.unserved)
    found = [f"{stop} is missing" for stop in stops if stop not in seen]
    found += [f"{stop} is there {times} times" for stop, times in seen.items() if times > 1]
    found += [f"{stop} was never asked for" for stop in seen if stop not in stops]
    found += [
        f"{left.stop} is left out without a reason" for left in plan.unserved if not left.reason
    ]
    return found
