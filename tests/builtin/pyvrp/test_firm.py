"""Once every stop is served the search demands them all; before that it may leave some out."""

from __future__ import annotations

import pytest
from pyvrp import Client, ClientGroup, ProblemData, RandomNumberGenerator, Shipment, Solution
from pyvrp import VehicleType as Kind

from hub.builtin.pyvrp import search as searching
from hub.builtin.pyvrp.climb import Climber
from hub.builtin.pyvrp.firm import firm, full
from hub.builtin.pyvrp.search import search
from tests.builtin.pyvrp.problems import DAY, Steps, problem


def start(data: ProblemData) -> Solution:
    return Climber(data, RandomNumberGenerator(2)).start()


def test_a_firm_problem_differs_in_what_it_demands_alone() -> None:
    jobs = [Shipment(5, 6, amount=[4], prize=9, required=False, delivery_tw_late=DAY)]
    data = problem(windows=1_500, prize=50_000).replace(shipments=jobs)
    made = firm(data)
    assert all(one.required for one in made.clients())
    assert made.shipment(0).required
    for one, other in zip(data.clients(), made.clients(), strict=True):
        for name in ("location", "delivery", "tw_early", "tw_late", "service_duration", "prize"):
            assert getattr(one, name) == getattr(other, name)
    assert made.shipment(0).delivery.tw_late == DAY
    assert made.shipment(0).amount == [4]


def test_stops_of_a_group_go_on_choosing() -> None:
    data = problem(stops=6, prize=50_000)
    clients = [
        Client(one.location, [2], prize=50_000, required=False, group=0 if n < 2 else None)
        for n, one in enumerate(data.clients())
    ]
    data = data.replace(clients=clients, groups=[ClientGroup([0, 1], required=False)])
    solution = start(data)
    assert solution.num_clients() == 5
    assert full(data, solution)
    assert [one.required for one in firm(data).clients()] == [False, False, True, True, True, True]


def test_a_solution_that_leaves_a_stop_out_or_breaks_a_limit_is_not_full() -> None:
    data = problem(stops=30, prize=50_000)
    served = start(data)
    assert full(data, served)
    assert not full(data, Solution(data, served.routes()[1:]))
    tight = data.replace(vehicle_types=[Kind(1, [1], tw_late=DAY)])
    visits = [stop for route in served.routes() for stop in list(route)[1:-1]]
    assert not full(tight, Solution(tight, [[stop.idx for stop in visits]]))


@pytest.mark.parametrize("large", [False, True], ids=["whole", "parts"])
def test_the_search_demands_every_stop_once_all_are_served(
    large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if large:
        monkeypatch.setattr(searching, "LARGE", 50)
        monkeypatch.setattr(searching, "PART", 40)
    told: list[ProblemData] = []
    monkeypatch.setattr(searching, "firm", lambda data: told.append(firm(data)) or told[-1])
    data = problem(stops=120, windows=1_500, prize=50_000)
    found = search(data, 40, 1, clock=Steps())
    assert len(told) == 1
    assert full(data, found)
    assert not found.uncollected_prizes()


def test_where_not_all_fit_stops_stay_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[ProblemData] = []
    monkeypatch.setattr(searching, "firm", told.append)
    data = problem(stops=60, prize=50_000, fleet=[Kind(1, [60], tw_late=DAY)])
    found = search(data, 40, 1, clock=Steps())
    assert not told
    assert found.is_feasible()
    assert 0 < found.num_clients() < 60
