"""Routes by Google's OR-Tools: windows, capacity, shifts, and every stop optional."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from random import Random
from time import monotonic
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from hub.connector import Connector
from hub.hookspecs import hookimpl
from hub.nouns import Matrix, Plan, Problem, ProblemStop, ProblemVehicle
from hub.planning.reasons import impossible, working
from hub.planning.rules import amount
from hub.planning.schedule import distance, travel
from hub.planning.settle import settle

LEFT_OUT = 10**9
"""What leaving a stop out costs, in seconds of driving: more than any detour."""
FEW = 8
"""Up to this many stops one driver takes them all, however many drivers there are."""
BALANCED = 0.7
"""Part of the time for the search that shares the work out; the rest is for one that does not."""

Sequences = dict[str, list[ProblemStop]]


class OrtoolsConfig(BaseModel):
    """How the work is shared out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    balance: float = Field(
        default=1.25,
        ge=0,
        le=10,
        title="Most stops per driver, as a multiple of an equal share",
        description="0: the shortest driving wins, even when some drivers stay at home",
    )


class Ortools(Connector[OrtoolsConfig]):
    """Cheapest parallel insertion, then guided local search.

    The same problem and seed give the same plan as long as the search ends by itself and not
    by the clock, which it does up to some hundred stops.
    """

    name: ClassVar[str] = "ortools"
    title: ClassVar[str] = "OR-Tools"
    Config = OrtoolsConfig

    def plan(self, problem: Problem) -> Plan:
        """Return routes that keep every rule, and the true reason for each stop left out."""
        stops = list({stop.id: stop for stop in problem.stops}.values())
        vehicles = list({vehicle.id: vehicle for vehicle in working(problem)}.values())
        possible = [stop for stop in stops if not impossible(problem, stop)]
        Random(problem.seed).shuffle(possible)
        found = self.sequences(problem, vehicles, possible)
        return settle(problem, self.name, found)

    def sequences(
        self, problem: Problem, vehicles: list[ProblemVehicle], stops: list[ProblemStop]
    ) -> Sequences:
        """Return each vehicle's stops in order; balanced, unless that would leave a stop out."""
        if not vehicles or not stops:
            return {}
        everything = [len(stops)] * len(vehicles)
        if not self.config.balance or len(vehicles) == 1 or len(stops) <= FEW:
            return search(problem, vehicles, stops, everything, problem.seconds)
        began = monotonic()
        most = shares(vehicles, len(stops), self.config.balance)
        found = search(problem, vehicles, stops, most, problem.seconds * BALANCED)
        left = problem.seconds - (monotonic() - began)
        if sum(map(len, found.values())) == len(stops) or left < 0.2:
            return found
        return search(problem, vehicles, stops, everything, left)


def shares(vehicles: Sequence[ProblemVehicle], stops: int, balance: float) -> list[int]:
    """Return the most stops per vehicle: its part of the working time, times `balance`."""
    whole = sum(vehicle.shift[1] - vehicle.shift[0] for vehicle in vehicles)
    parts = [(vehicle.shift[1] - vehicle.shift[0]) / whole for vehicle in vehicles]
    return [max(FEW, ceil(stops * part * max(1.0, balance))) for part in parts]


def search(
    problem: Problem,
    vehicles: Sequence[ProblemVehicle],
    stops: Sequence[ProblemStop],
    most: Sequence[int],
    seconds: float,
) -> Sequences:
    """Ask OR-Tools for the order of `stops`; nodes are the stops, then all starts, then ends."""
    from ortools.constraint_solver import pywrapcp

    points = [stop.point for stop in stops]
    points += [vehicle.start for vehicle in vehicles] + [vehicle.end for vehicle in vehicles]
    count, fleet = len(stops), len(vehicles)
    manager = pywrapcp.RoutingIndexManager(
        len(points),
        fleet,
        list(range(count, count + fleet)),
        list(range(count + fleet, len(points))),
    )
    model = pywrapcp.RoutingModel(manager)
    add_costs(model, problem.matrix, points)
    add_times(model, manager, problem.matrix, points, vehicles, stops)
    add_limit(
        model,
        "load",
        [amount(s.deliver, 0) for s in stops],
        fleet,
        [amount(v.capacity, 0) for v in vehicles],
    )
    add_limit(model, "stops", [1] * count, fleet, list(most))
    for node in range(count):
        model.AddDisjunction([manager.NodeToIndex(node)], LEFT_OUT)
    solution = model.SolveWithParameters(parameters(seconds, count))
    if solution is None:
        return {}
    return {
        vehicle.id: [stops[node] for node in nodes(model, manager, solution, number)]
        for number, vehicle in enumerate(vehicles)
    }


def add_costs(model: Any, matrix: Matrix, points: Sequence[int]) -> None:
    """Make the cost of a way its seconds plus a hundredth of its metres."""
    cost = [[travel(matrix, a, b) + distance(matrix, a, b) // 100 for b in points] for a in points]
    model.SetArcCostEvaluatorOfAllVehicles(model.RegisterTransitMatrix(cost))


def add_times(
    model: Any,
    manager: Any,
    matrix: Matrix,
    points: Sequence[int],
    vehicles: Sequence[ProblemVehicle],
    stops: Sequence[ProblemStop],
) -> None:
    """Keep windows and shifts; a driver may wait. Solver time begins with the first shift."""
    zero = min(vehicle.shift[0] for vehicle in vehicles)
    horizon = max(vehicle.shift[1] for vehicle in vehicles) - zero
    service = [stop.service for stop in stops] + [0] * (2 * len(vehicles))
    seconds = [
        [travel(matrix, a, b) + service[row] for b in points] for row, a in enumerate(points)
    ]
    model.AddDimension(model.RegisterTransitMatrix(seconds), horizon, horizon, False, "time")
    time = model.GetDimensionOrDie("time")
    for node, stop in enumerate(stops):
        if stop.windows:
            low = max(0, stop.windows[0][0] - zero)
            high = min(horizon, stop.windows[-1][1] - zero)
            time.CumulVar(manager.NodeToIndex(node)).SetRange(low, high)
    for number, vehicle in enumerate(vehicles):
        for end in (model.Start(number), model.End(number)):
            time.CumulVar(end).SetRange(vehicle.shift[0] - zero, vehicle.shift[1] - zero)


def add_limit(model: Any, name: str, amounts: list[int], fleet: int, capacities: list[int]) -> None:
    """Keep the sum of `amounts` of a vehicle's stops within its capacity."""
    demand = model.RegisterUnaryTransitVector(amounts + [0] * (2 * fleet))
    model.AddDimensionWithVehicleCapacity(demand, 0, capacities, True, name)


def parameters(seconds: float, stops: int) -> Any:
    """Return how to search: stop after some hundred solutions, at the latest after `seconds`.

    A small problem is as good as it gets long before its time is over; ending by a count and
    not by the clock also makes the answer the same on every machine.
    """
    from ortools.constraint_solver import pywrapcp
    from ortools.constraint_solver.routing_enums_pb2 import (
        FirstSolutionStrategy,
        LocalSearchMetaheuristic,
    )

    made = pywrapcp.DefaultRoutingSearchParameters()
    made.first_solution_strategy = FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    made.local_search_metaheuristic = LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    made.time_limit.FromMilliseconds(max(1, int(min(seconds, 0.2 + 0.05 * stops) * 1000)))
    made.solution_limit = 300 + stops
    return made


def nodes(model: Any, manager: Any, solution: Any, vehicle: int) -> list[int]:
    """Return the nodes that a vehicle visits, in order."""
    found = []
    index = solution.Value(model.NextVar(model.Start(vehicle)))
    while not model.IsEnd(index):
        found.append(manager.IndexToNode(index))
        index = solution.Value(model.NextVar(index))
    return found


@hookimpl
def routing_engines() -> list[type[Connector[Any]]]:
    """Bring the engine that plans when no other is connected."""
    return [Ortools]
