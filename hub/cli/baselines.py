"""Solvers as they come, without anything of ours: what the bench compares engines with."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from hub.nouns import Found, Loads, Plan, Problem, ProblemVehicle
from hub.planning.rules import Item
from hub.planning.schedule import drive, planned

if TYPE_CHECKING:
    from pyvrp import ProblemData, VehicleType

ENDLESS = 2**62
Report = Callable[[Found], bool]


def pyvrp_plain(problem: Problem, report: Report) -> Plan:
    """Return what `pyvrp.solve` finds with every stop required and its usual settings."""
    from pyvrp import solve

    until = time.process_time() + problem.seconds
    kinds = alike(problem)
    data = pyvrp_data(problem, kinds)
    best = solve(
        data, lambda _: time.process_time() >= until, seed=problem.seed, collect_stats=False
    ).best
    free = [list(those) for those in kinds]
    routes: dict[str, list[Item]] = {}
    for route in best.routes():
        vehicle = free[route.vehicle_type()].pop()
        visits = [one.idx for one in route if one.is_client()]
        routes[vehicle.id] = [problem.stops[number] for number in visits]
    return unmended(problem, "pyvrp-plain", routes)


BASELINES: dict[str, Callable[[Problem, Report], Plan]] = {"pyvrp-plain": pyvrp_plain}
"""Name -> what searches for `problem.seconds` of processor time."""


def alike(problem: Problem) -> list[list[ProblemVehicle]]:
    """Return the vehicles in groups that differ in nothing but their id."""
    groups: dict[str, list[ProblemVehicle]] = {}
    for one in problem.vehicles:
        groups.setdefault(repr(one.model_copy(update={"id": ""})), []).append(one)
    return list(groups.values())


def pyvrp_data(problem: Problem, kinds: Sequence[Sequence[ProblemVehicle]]) -> ProblemData:
    """Return an instance in the words of PyVRP."""
    import numpy as np
    from pyvrp import Client, Depot, Location, ProblemData

    homes = sorted({point for one in problem.vehicles for point in (one.start, one.end)})
    far: Any = np.asarray(problem.matrix.metres).astype(np.int64)
    times: Any = np.asarray(problem.matrix.seconds).astype(np.int64)
    clients = []
    for stop in problem.stops:
        told: dict[str, Any] = {}
        if stop.windows:
            told["tw_early"], told["tw_late"] = stop.windows[0]
        clients.append(
            Client(
                stop.point,
                delivery=load(stop.deliver),
                pickup=load(stop.collect),
                service_duration=stop.service,
                **told,
            )
        )
    return ProblemData(
        locations=[Location(0, 0) for _ in far],
        clients=clients,
        depots=[Depot(home) for home in homes],
        vehicle_types=[kind_of(those, homes) for those in kinds],
        distance_matrices=[far],
        duration_matrices=[times],
    )


def kind_of(those: Sequence[ProblemVehicle], homes: Sequence[int]) -> VehicleType:
    """Return vehicles that are alike in the words of PyVRP."""
    from pyvrp import VehicleType

    one = those[0]
    return VehicleType(
        num_available=len(those),
        capacity=list(one.capacity),
        start_depot=homes.index(one.start),
        end_depot=homes.index(one.end),
        fixed_cost=one.costs.fixed,
        tw_early=one.shift[0],
        tw_late=one.shift[1],
        unit_distance_cost=one.costs.per_metre,
        max_distance=ENDLESS if one.most_metres is None else one.most_metres,
    )


def load(loads: Loads) -> list[int]:
    """Return the only load of an instance's stop."""
    return [loads[0] if loads else 0]


def unmended(problem: Problem, engine: str, routes: dict[str, list[Item]]) -> Plan:
    """Return routes as they were found, with no repair: the checker says what is wrong."""
    return Plan(
        engine=engine,
        routes=tuple(
            planned(vehicle, drive(problem, vehicle, routes[vehicle.id]))
            for vehicle in problem.vehicles
            if routes.get(vehicle.id)
        ),
    )
