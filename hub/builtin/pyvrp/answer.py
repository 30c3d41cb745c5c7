"""PyVRP's routes as sequences of our stops, and ours as PyVRP's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hub.builtin.pyvrp.fleet import locked
from hub.builtin.pyvrp.model import Made
from hub.nouns import Problem, ProblemVehicle
from hub.planning.rules import AtDepot, Item

if TYPE_CHECKING:
    from pyvrp import Solution


def sequences(problem: Problem, made: Made, solution: Solution) -> dict[str, list[Item]]:
    """Return each vehicle's stops and reloads in their order."""
    free = [list(those) for those in made.fleet]
    found: dict[str, list[Item]] = {}
    for route in solution.routes():
        vehicle = free[route.vehicle_type()].pop(0)
        found[vehicle.id] = [*locked(problem, vehicle), *items(problem, made, list(route))]
    for those in free:
        for vehicle in those:
            if vehicle.locked:
                found[vehicle.id] = locked(problem, vehicle)
    return found


def items(problem: Problem, made: Made, route: Sequence[Any]) -> list[Item]:
    """Return the stops and reloads of one route, without its start and end."""
    found: list[Item] = []
    for one in route[1:-1]:
        if one.is_depot():
            found.append(AtDepot(made.depots[one.idx]))
        elif is_head(made, one):
            continue
        elif one.is_client():
            found.append(problem.stop_of[made.clients[one.idx]])
        else:
            goods = made.shipments[one.idx]
            found.append(problem.stop_of[goods.pickup if one.is_pickup() else goods.delivery])
    return found


def is_head(made: Made, one: Any) -> bool:
    """Say whether an activity is where a vehicle is free, and no stop."""
    return bool(one.is_client()) and one.idx >= len(made.clients)


def served(made: Made, solution: Solution) -> int:
    """Return how many stops a solution has in its routes."""
    behind = sum(len(vehicle.locked) for those in made.fleet for vehicle in those)
    heads = sum(is_head(made, one) for route in solution.routes() for one in route)
    return int(solution.num_clients() + 2 * solution.num_shipments()) + behind - heads


def started(problem: Problem, made: Made) -> Solution | None:
    """Return the routes to begin with, `None` where the problem names none that PyVRP can have."""
    from pyvrp import Activity, ActivityType, Solution

    kinds = {v.id: number for number, those in enumerate(made.fleet) for v in those}
    activities = known(made)
    routes: dict[str, list[Sequence[Any]]] = {}
    seen: set[str] = set()
    for id, stops in problem.warm.items():
        if id not in kinds:
            continue
        vehicle = problem.vehicle_of[id]
        told = [stop for stop in stops if stop not in seen and stop in activities]
        told = whole(problem, vehicle, told)
        seen |= set(told)
        if told:
            routes[id] = [activities[stop] for stop in told]
    if not routes:
        return None
    for number, id in enumerate(made.heads, len(made.clients)):
        routes.setdefault(id, []).insert(0, [Activity(ActivityType.CLIENT, number)])
    return Solution(made.data, [best_of(made, way, kinds[id]) for id, way in routes.items()])


def known(made: Made) -> dict[str, list[Any]]:
    """Return by which activities each stop can be visited: one for each of its windows."""
    from pyvrp import Activity, ActivityType

    found: dict[str, list[Any]] = {}
    for number, id in enumerate(made.clients):
        found.setdefault(id, []).append(Activity(ActivityType.CLIENT, number))
    for number, goods in enumerate(made.shipments):
        found[goods.pickup] = [Activity(ActivityType.PICKUP, number)]
        found[goods.delivery] = [Activity(ActivityType.DELIVERY, number)]
    return found


def whole(problem: Problem, vehicle: ProblemVehicle, stops: Sequence[str]) -> list[str]:
    """Return `stops` without those of shipments that are not whole in this order."""
    place = {id: number for number, id in enumerate(stops)}
    found = []
    for id in stops:
        goods = problem.shipment_of.get(id)
        if goods is not None and goods.pickup not in vehicle.locked:
            ends = place.get(goods.pickup), place.get(goods.delivery)
            if ends[0] is None or ends[1] is None or ends[0] > ends[1]:
                continue
        found.append(id)
    return found


def best_of(made: Made, choices: Sequence[Sequence[Any]], kind: int) -> Any:
    """Return the route of a type along `choices`, in each of which one has to be taken.

    Of a stop with several windows the first is taken that leaves the route without lateness, else
    the one with the least.
    """
    from pyvrp import Route

    taken = [several[0] for several in choices]
    for number, several in enumerate(choices):
        if len(several) > 1:
            tried = [[*taken[:number], one] for one in several]
            late = [lateness(made, way, kind) for way in tried]
            taken[number] = several[late.index(min(late))]
    return Route(made.data, taken, kind)


def lateness(made: Made, way: list[Any], kind: int) -> int:
    """Return how late a route of a type is in all, without the shipments on its way."""
    from pyvrp import Route

    clients = [one for one in way if not one.is_shipment()]
    return int(Route(made.data, clients, kind).time_warp())
