"""A routing problem as a model of OR-Tools; no callback of Python's is in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.builtin.ortools.clock import add_clock
from hub.builtin.ortools.loads import add_limit, add_loads
from hub.builtin.ortools.nodes import Nodes
from hub.builtin.ortools.order import (
    add_fleet,
    add_locks,
    add_piles,
    add_positions,
    add_shipments,
    add_trip_ends,
)
from hub.nouns import ProblemVehicle
from hub.planning.rules import Item
from hub.planning.schedule import drive


@dataclass(frozen=True)
class Model:
    """A model with its nodes."""

    routing: Any
    manager: Any
    nodes: Nodes
    prize: int
    """What leaving an ordinary stop out costs."""

    def sequence(self, follow: Any, vehicle: int) -> list[Item]:
        """Return what a vehicle visits in order; `follow` maps an index to the next one."""
        found: list[Item] = []
        index = follow(self.routing.Start(vehicle))
        while not self.routing.IsEnd(index):
            found.append(self.nodes.item(self.manager.IndexToNode(index)))
            index = follow(index)
        return found


def model(nodes: Nodes, *, reload: bool = False) -> Model:
    """Return the model of a problem; with `reload` its vehicles should reload wherever they can."""
    from ortools.constraint_solver import pywrapcp

    manager = pywrapcp.RoutingIndexManager(
        len(nodes.points), len(nodes.vehicles), nodes.starts, nodes.ends
    )
    routing = pywrapcp.RoutingModel(manager)
    made = Model(routing, manager, nodes, prize(nodes))
    add_costs(made)
    add_clock(routing, manager, nodes)
    add_loads(routing, nodes)
    add_limits(routing, nodes)
    add_optional(made, made.prize // 100 if reload else 0)
    add_fleet(routing, nodes)
    add_shipments(routing, nodes)
    add_positions(routing, nodes)
    add_piles(routing, nodes)
    add_trip_ends(routing, nodes)
    add_locks(routing, nodes)
    return made


def prize(nodes: Nodes) -> int:
    """Return more than all routes together can cost, so that no stop is left out for its cost."""
    whole = 1
    for vehicle in nodes.vehicles:
        costs = vehicle.costs
        out = vehicle.shift[1] - vehicle.shift[0] + vehicle.overtime
        worst = costs.fixed + costs.per_second * out + costs.per_metre * 40 * out
        whole += worst + costs.per_overtime_second * vehicle.overtime
    return int(whole)


def add_costs(made: Model) -> None:
    """Count metres and each vehicle that is used; the clock counts the seconds."""
    known: dict[tuple[int, int], int] = {}
    for number, vehicle in enumerate(made.nodes.vehicles):
        matrix = made.nodes.problem.matrix_of(vehicle)
        key = id(matrix), vehicle.costs.per_metre
        if key not in known:
            cells = made.nodes.cells(matrix.metres) * vehicle.costs.per_metre
            known[key] = made.routing.RegisterTransitMatrix(cells.tolist())
        made.routing.SetArcCostEvaluatorOfVehicle(known[key], number)
        made.routing.SetFixedCostOfVehicle(vehicle.costs.fixed, number)


def add_limits(routing: Any, nodes: Nodes) -> None:
    """Keep the most stops and the most metres of each vehicle."""
    everything = len(nodes.stops)
    if any(vehicle.most_stops is not None for vehicle in nodes.vehicles):
        most = [
            everything if v.most_stops is None else v.most_stops - v.visited for v in nodes.vehicles
        ]
        add_limit(routing, "stops", nodes.of_each([1] * everything), most)
    if any(vehicle.most_metres is not None for vehicle in nodes.vehicles):
        add_metres(routing, nodes)


def add_metres(routing: Any, nodes: Nodes) -> None:
    """Keep the most metres of each vehicle, on the ways of its own profile."""
    known: dict[int, int] = {}
    for vehicle in nodes.vehicles:
        matrix = nodes.problem.matrix_of(vehicle)
        if id(matrix) not in known:
            cells = nodes.cells(matrix.metres)
            known[id(matrix)] = routing.RegisterTransitMatrix(cells.tolist())
    routing.AddDimensionWithVehicleTransitAndCapacity(
        [known[id(nodes.problem.matrix_of(vehicle))] for vehicle in nodes.vehicles],
        0,
        [far(vehicle) for vehicle in nodes.vehicles],
        True,
        "metres",
    )


def far(vehicle: ProblemVehicle) -> int:
    """Return the metres that a vehicle may still drive."""
    return 10**12 if vehicle.most_metres is None else max(0, vehicle.most_metres - vehicle.driven)


def add_optional(made: Model, reload: int) -> None:
    """Make every stop and reload optional, but for what is locked."""
    for node, stop in enumerate(made.nodes.stops):
        if stop.id not in made.nodes.locked:
            made.routing.AddDisjunction([node], made.prize * (1 + stop.priority))
    turns: dict[tuple[int, int], list[int]] = {}
    for node, one in made.nodes.reload_nodes():
        turns.setdefault((one.vehicle, one.turn), []).append(node)
    for several in turns.values():
        made.routing.AddDisjunction(several, reload, 1)


def routes_of(nodes: Nodes) -> list[list[int]]:
    """Return the nodes of the routes to begin with; of a broken one only its locked stops."""
    seen = set(nodes.locked)
    found = []
    for vehicle in nodes.vehicles:
        warm = nodes.problem.warm.get(vehicle.id, ())
        free = [id for id in warm if id in nodes.number and id not in seen]
        told = [*vehicle.locked, *free]
        stops = [nodes.problem.stop_of[id] for id in told]
        if drive(nodes.problem, vehicle, stops).broken:
            told = list(vehicle.locked)
        seen |= set(told)
        found.append([nodes.number[id] for id in told])
    return found
