"""The search: valid answers, never worse than the start, and in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pyvrp import CostEvaluator, ProblemData, RandomNumberGenerator, Solution, VehicleType

from hub.builtin.pyvrp import penalties as pricing
from hub.builtin.pyvrp import search as searching
from hub.builtin.pyvrp.climb import Climber
from hub.builtin.pyvrp.penalties import MOST, penalties
from hub.builtin.pyvrp.search import search
from tests.builtin.pyvrp.problems import DAY, Steps, problem

FLEETS: dict[str, Callable[[], ProblemData]] = {
    "plain": lambda: problem(),
    "windows": lambda: problem(windows=1_500),
    "narrow": lambda: problem(windows=300),
    "optional": lambda: problem(prize=100_000),
    "few vehicles": lambda: problem(prize=100_000, fleet=[VehicleType(3, [50], tw_late=DAY)]),
    "mixed vehicles": lambda: problem(
        fleet=[
            VehicleType(4, [30], fixed_cost=50, tw_late=DAY),
            VehicleType(9, [60], fixed_cost=150, unit_duration_cost=1, tw_late=DAY),
        ]
    ),
    "two depots": lambda: problem(
        depots=2,
        fleet=[VehicleType(9, [50], start_depot=d, end_depot=d, tw_late=DAY) for d in (0, 1)],
    ),
    "reloads": lambda: problem(
        fleet=[VehicleType(5, [40], reload_depots=[0], max_reloads=3, tw_late=DAY)]
    ),
    "one stop": lambda: problem(stops=1),
}


def cost(data: ProblemData, solution: Solution) -> int:
    return CostEvaluator([0.0] * data.num_load_dimensions, 0, 0).cost(solution)


def descent(data: ProblemData) -> Solution:
    return Climber(data, RandomNumberGenerator(7)).start()


@pytest.mark.parametrize("kind", FLEETS)
@pytest.mark.parametrize("large", [False, True], ids=["whole", "parts"])
def test_every_kind_of_problem_gets_a_feasible_solution(
    kind: str, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if large:
        monkeypatch.setattr(searching, "LARGE", 0)
        monkeypatch.setattr(searching, "PART", 25)
    data = FLEETS[kind]()
    found = search(data, 6.0, 1, clock=Steps())
    assert found.is_feasible()
    assert found.num_missing_clients() == 0


def test_optional_stops_are_served_as_far_as_the_fleet_goes() -> None:
    data = problem(prize=100_000, fleet=[VehicleType(3, [50], tw_late=DAY)])
    found = search(data, 6.0, 1, clock=Steps())
    carried = sum(route.delivery()[0] for route in found.routes())
    assert found.num_routes() == 3
    assert carried >= 140


@pytest.mark.parametrize("large", [False, True], ids=["whole", "parts"])
def test_a_warm_start_is_never_made_worse(large: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if large:
        monkeypatch.setattr(searching, "LARGE", 0)
        monkeypatch.setattr(searching, "PART", 25)
    data = problem(windows=1_500)
    good = search(data, 8.0, 3, clock=Steps())
    for seconds in (0.0, 0.02, 2.0):
        again = search(data, seconds, 5, start=good, clock=Steps())
        assert again.is_feasible()
        assert cost(data, again) <= cost(data, good)


def test_searching_on_improves_a_poor_start() -> None:
    data = problem(stops=90, windows=1_500)
    start = descent(data)
    found = search(data, 10.0, 1, start=start, clock=Steps())
    assert cost(data, found) < cost(data, start)


def test_no_step_is_made_after_the_end() -> None:
    data = problem(windows=1_500)
    clock = Steps()
    search(data, 5.0, 1, clock=clock)
    assert clock.now <= 5.0 + 5 * clock.each


def test_without_time_the_start_comes_back() -> None:
    data = problem()
    start = descent(data)
    assert search(data, 0.0, 1, start=start, clock=Steps()) == start


def test_the_same_seed_gives_the_same_solution() -> None:
    data = problem(windows=1_500)
    assert search(data, 4.0, 9, clock=Steps()) == search(data, 4.0, 9, clock=Steps())


def test_reports_fall_in_cost_and_end_with_what_is_returned() -> None:
    data = problem(stops=90, windows=1_500)
    heard: list[int] = []

    def report(price: int, best: Solution) -> bool:
        heard.append(price)
        return True

    found = search(data, 8.0, 1, clock=Steps(), report=report)
    assert heard == sorted(set(heard), reverse=True)
    assert heard[-1] == cost(data, found)


def test_a_report_that_says_no_ends_the_search_with_the_best() -> None:
    data = problem(stops=90, windows=1_500)
    clock = Steps()
    heard: list[Any] = []

    def report(price: int, best: Solution) -> bool:
        heard.append(best)
        return False

    found = search(data, 1_000.0, 1, clock=clock, report=report)
    assert clock.now < 5
    assert found.is_feasible()


def test_patience_ends_a_search_that_finds_nothing_more() -> None:
    data = problem(stops=8)
    clock = Steps()
    search(data, 500.0, 1, clock=clock, patience=0.02)
    assert clock.now < 60


def test_no_stops_give_an_empty_solution() -> None:
    found = search(problem(stops=0), 1.0, 1, clock=Steps())
    assert found.num_routes() == 0
    assert found.is_feasible()


def first_prices(data: ProblemData) -> tuple[float, float]:
    """Return what a usual load too many, and a unit of lateness, cost at first."""
    loads = [client.delivery[0] for client in data.clients()]
    (load,), late, _ = penalties(data).midpoint_penalties(data)
    return load * sum(loads) / len(loads), late


def test_where_prizes_are_large_a_load_too_many_costs_a_few_of_them_at_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pricing, "SMALL", 0)
    small = problem(prize=1_000)
    assert penalties(small).midpoint_penalties(small)[0] == [MOST / 2]
    assert first_prices(problem(prize=60_000))[0] == pytest.approx(2.5 * 60_000)


@pytest.mark.parametrize("prize", [1_000, 60_000])
def test_a_small_problem_begins_with_small_penalties_whatever_its_prizes(prize: int) -> None:
    assert first_prices(problem(prize=prize)) == pytest.approx((2.5 * prize, 0.05 * prize))
    bare = problem(prize=0)
    assert penalties(bare).midpoint_penalties(bare) == ([MOST / 2], MOST / 2, MOST / 2)


def test_a_large_day_with_windows_is_served_whole_by_its_first_plan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(searching, "LARGE", 0)
    monkeypatch.setattr(searching, "PART", 25)
    data = problem(stops=120, windows=1_500, prize=50_000)
    found = search(data, 0.5, 1, clock=Steps())
    assert found.num_missing_clients() == 0
    assert found.num_clients() == 120
