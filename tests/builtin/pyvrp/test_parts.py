"""Parts of a solution: what is taken out fits back in."""

from __future__ import annotations

import pytest
from pyvrp import Client, Depot, Location, ProblemData, RandomNumberGenerator, Shipment, Solution
from pyvrp import VehicleType as Kind

from hub.builtin.pyvrp.climb import Climber
from hub.builtin.pyvrp.decomposition import Decomposition, divisible
from hub.builtin.pyvrp.parts import Part
from hub.builtin.pyvrp.watch import Watch, price
from tests.builtin.pyvrp.problems import DAY, Steps, problem


def start(data: ProblemData) -> Solution:
    return Climber(data, RandomNumberGenerator(2)).start()


def test_a_part_costs_what_its_routes_cost_and_comes_back_as_it_was() -> None:
    data = problem(windows=1_500)
    routes = start(data).routes()[:3]
    part = Part(data, routes, {0: 2})
    assert part.whole(part.start) == routes
    assert part.start.distance() == sum(route.distance() for route in routes)
    assert part.data.num_clients == sum(route.num_clients() for route in routes)


def test_a_part_gets_no_more_vehicles_than_are_free() -> None:
    data = problem(fleet=[Kind(10, [50], tw_late=DAY)])
    routes = start(data).routes()
    part = Part(data, routes[:2], {0: 1})
    assert part.data.num_vehicles == 3


def test_reloads_stay_in_the_routes_of_a_part() -> None:
    data = problem(fleet=[Kind(3, [40], reload_depots=[0], max_reloads=6, tw_late=DAY)])
    solution = start(data)
    assert solution.num_trips() > solution.num_routes()
    part = Part(data, solution.routes(), {})
    assert part.whole(part.start) == solution.routes()


def test_shipments_keep_both_ends_in_a_part() -> None:
    plain = problem(stops=20)
    jobs = [Shipment(5 + i, 15 - i, amount=[4]) for i in range(5)]
    data = plain.replace(shipments=jobs)
    solution = start(data)
    part = Part(data, solution.routes(), {})
    assert part.data.num_shipments == 5
    assert part.whole(part.start) == solution.routes()


@pytest.mark.parametrize("seed", range(5))
def test_each_part_leaves_a_solution_valid_and_no_worse(seed: int) -> None:
    data = problem(stops=120, seed=seed, windows=1_500)
    watch = Watch(data, 5.0, Steps())
    solution = start(data)
    assert solution.is_feasible()
    parts = Decomposition(data, RandomNumberGenerator(seed), watch, size=40)
    while not watch.over():
        better = parts.improve(solution)
        assert better.is_feasible()
        assert price(data).cost(better) <= price(data).cost(solution)
        solution = better
    assert parts.parts > 0


def test_unplanned_stops_are_taken_into_parts() -> None:
    data = problem(stops=60, prize=50_000)
    some = Solution(data, start(data).routes()[1:])
    assert some.num_clients() < 60
    watch = Watch(data, 8.0, Steps())
    parts = Decomposition(data, RandomNumberGenerator(1), watch, size=30)
    while not watch.over():
        some = parts.improve(some)
    assert some.num_clients() == 60


def test_groups_are_not_divided() -> None:
    from pyvrp import ClientGroup

    places = [Location(0, 0), Location(1, 1), Location(2, 2)]
    clients = [Client(1, required=False, group=0), Client(2, required=False, group=0)]
    ways = [problem(stops=2).distance_matrix(0)]
    data = ProblemData(
        places, clients, [Depot(0)], [Kind()], ways, ways, groups=[ClientGroup([0, 1])]
    )
    assert not divisible(data)
    assert divisible(problem(stops=2))


def test_planting_fills_an_empty_solution_with_feasible_routes() -> None:
    data = problem(
        stops=100,
        windows=1_500,
        prize=50_000,
        fleet=[Kind(1, [30 + i], tw_late=DAY) for i in range(40)],
    )
    parts = Decomposition(data, RandomNumberGenerator(1), Watch(data, 9.0, Steps()), size=30)
    planted = parts.plant(Solution(data, []))
    assert planted.is_feasible()
    assert planted.num_clients() >= 90
