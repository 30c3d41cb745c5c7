"""Currencies with many units, and what vehicles say of their room: PyVRP counts in 64 bits."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyvrp import Activity, ActivityType, CostEvaluator, Route, Solution

from hub.builtin.pyvrp import PyVrp
from hub.builtin.pyvrp.model import LARGEST, made
from hub.builtin.pyvrp.penalties import penalties, worth
from hub.connector import NoSettings
from hub.nouns import Found, Problem
from hub.nouns.plans import Costs
from hub.planning.costs import cost
from hub.planning.stopwatch import counted_by
from tests.builtin.routes import HOUR, ask, day, stop, van

UNLIMITED = 10**12
"""What a vehicle has room for in a measure that it says nothing about."""


def priced(costs: Costs, urgent: int, loads: tuple[int, ...] = (1, 1, 1)) -> Problem:
    """Return a day of two vans and twelve stops, of which one is urgent."""
    stops = [stop(1 + n % 5, id=f"s{n}", deliver=loads) for n in range(12)]
    stops[0] = stops[0].model_copy(update={"priority": urgent})
    vans = [
        van("v1", capacity=(8, UNLIMITED, 50), costs=costs, overtime=HOUR),
        van("v2", capacity=(100, 40), costs=costs),
    ]
    return day(stops, vans, seconds=0.3)


def hourly(rate: int) -> Costs:
    """Return what an hour and a kilometre cost, in millionths of a unit of money."""
    second, metre = round(rate * 1_000_000 / HOUR), round(rate / 300 * 1000)
    return Costs(per_second=second, per_metre=metre, per_overtime_second=second)


@pytest.mark.parametrize("rate", [100, 400, 3_000, 400_000])
@pytest.mark.parametrize("urgent", [0, 100])
def test_a_day_is_planned_whatever_an_hour_costs(rate: int, urgent: int) -> None:
    problem = priced(hourly(rate), urgent)
    told: list[Found] = []
    with counted_by(process_time):
        plan = PyVrp(NoSettings()).search(problem, lambda found: told.append(found) or True)
    assert plan.unserved == ()
    assert told[-1].cost == pytest.approx(cost(problem, plan), rel=0.01)


def test_money_with_many_units_gives_the_same_routes_as_with_few() -> None:
    few, many = (ask(PyVrp(NoSettings()), priced(hourly(rate), 0)) for rate in (1, 100_000))
    assert few.routes == many.routes


COSTS = st.builds(
    Costs,
    fixed=st.integers(0, 10**10),
    per_second=st.integers(0, 10**8),
    per_metre=st.integers(0, 10**6),
    per_overtime_second=st.integers(0, 10**8),
)


@settings(max_examples=60, deadline=None)
@example(Costs(per_second=24_998_063, per_metre=0, per_overtime_second=0), 94, 1)
@given(COSTS, st.integers(0, 100), st.sampled_from([1, 50, 20_000]))
def test_too_much_on_one_vehicle_is_never_worth_it_at_the_dearest(
    costs: Costs, urgent: int, load: int
) -> None:
    asked = made(priced(costs, urgent, (load, load, load)))
    assert asked is not None
    data = asked.data
    most = penalties(data).max_penalty
    dearest = CostEvaluator([most] * data.num_load_dimensions, most, most)
    assert worth(data) <= LARGEST
    all_of_them = [Activity(ActivityType.CLIENT, number) for number in range(data.num_clients)]
    for kind in range(data.num_vehicle_types):
        route = Route(data, all_of_them, kind)
        if route.has_excess_load():
            over = dearest.penalised_cost(Solution(data, [route]))
            assert over > worth(data)
