"""Savings: routes that keep windows, loads and the fleet."""

from __future__ import annotations

import pytest
from pyvrp import VehicleType

from hub.builtin.pyvrp.construction import by_savings, constructible
from hub.builtin.pyvrp.near import nearest
from tests.builtin.pyvrp.problems import DAY, problem


@pytest.mark.parametrize("windows", [None, 300, 1_500])
@pytest.mark.parametrize("seed", range(4))
def test_routes_are_feasible_and_serve_every_stop(windows: int | None, seed: int) -> None:
    data = problem(stops=80, seed=seed, windows=windows)
    found = by_savings(data, lambda: False)
    assert found.is_feasible()
    assert found.num_clients() == 80
    assert found.num_routes() < 80


def test_merging_saves_most_of_the_way() -> None:
    data = problem(stops=80)
    alone = sum(
        data.distance_matrix(0)[0, c.location] + data.distance_matrix(0)[c.location, 0]
        for c in data.clients()
    )
    assert by_savings(data, lambda: False).distance() < alone / 3


def test_a_small_fleet_leaves_stops_unplanned() -> None:
    data = problem(stops=80, fleet=[VehicleType(2, [50], tw_late=DAY)])
    found = by_savings(data, lambda: False)
    assert found.num_routes() == 2
    assert 0 < found.num_clients() < 80


def test_without_time_every_stop_is_a_route() -> None:
    data = problem(stops=30)
    assert by_savings(data, lambda: True).num_routes() == 30


def test_savings_are_for_one_depot_and_one_kind_of_vehicle() -> None:
    assert constructible(problem())
    assert not constructible(problem(depots=2))
    assert not constructible(problem(fleet=[VehicleType(2, [50]), VehicleType(2, [60])]))
    assert not constructible(problem(fleet=[VehicleType(2, [50], reload_depots=[0])]))


def test_the_nearest_come_first_and_are_never_the_stop_itself() -> None:
    data = problem(stops=40)
    near = nearest(data, 10)
    ways = data.distance_matrix(0)
    assert near.shape == (40, 10)
    for stop, row in enumerate(near):
        assert stop not in row
        costs = [ways[stop + 1, other + 1] for other in row]
        assert costs == sorted(costs)
