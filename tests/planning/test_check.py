"""The checker finds every way in which a plan can be wrong."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import PluginError
from hub.nouns import (
    Matrix,
    Pause,
    Plan,
    PlannedRoute,
    Problem,
    ProblemStop,
    ProblemVehicle,
    Unserved,
    Visit,
)
from hub.planning.check import check, faults

CELLS = ((0, 100, 200), (100, 0, 100), (200, 100, 0))
PROBLEM = Problem(
    stops=(
        ProblemStop(id="a", point=1, service=50, deliver=(3,), windows=((1000, 2000),)),
        ProblemStop(id="b", point=2, service=50, deliver=(3,)),
    ),
    vehicles=(ProblemVehicle(id="v", start=0, end=0, capacity=(6,), shift=(1000, 5000)),),
    matrix=Matrix(seconds=CELLS, metres=CELLS),
)
SOUND = PlannedRoute(
    vehicle="v",
    visits=(Visit(stop="a", arrive=1100, depart=1150), Visit(stop="b", arrive=1250, depart=1300)),
    starts=1000,
    ends=1500,
    metres=400,
)


def plan(*, unserved: tuple[Unserved, ...] = (), **changed: Any) -> Plan:
    return Plan(engine="test", routes=(SOUND.model_copy(update=changed),), unserved=unserved)


def visits(*times: tuple[str, int, int]) -> tuple[Visit, ...]:
    return tuple(Visit(stop=stop, arrive=arrive, depart=depart) for stop, arrive, depart in times)


def test_a_sound_plan_passes() -> None:
    check(PROBLEM, plan())


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (plan(visits=SOUND.visits[:1], ends=1250, metres=200), "b is missing"),
        (plan(visits=(*SOUND.visits, SOUND.visits[1])), "b is there 2 times"),
        (plan(unserved=(Unserved(stop="b", reason="x"),)), "b is there 2 times"),
        (plan(vehicle="w"), "there is no vehicle w"),
        (plan(starts=900), "outside the shift"),
        (plan(ends=5001), "outside the shift"),
        (plan(ends=1499), "back sooner than one can drive"),
        (plan(metres=399), "drives 400 m, not 399 m"),
        (plan(visits=visits(("a", 1099, 1150), ("b", 1250, 1300))), "a is reached sooner"),
        (plan(visits=visits(("a", 1100, 1149), ("b", 1250, 1300))), "a is left before"),
        (
            plan(visits=visits(("a", 2001, 2051), ("b", 2151, 2201)), ends=2401),
            "outside its window",
        ),
        (plan(visits=visits(("a", 1100, 1150), ("z", 1250, 1300))), "z was never asked for"),
        (
            plan(
                visits=SOUND.visits[:1],
                ends=1250,
                metres=200,
                unserved=(Unserved(stop="b", reason=""),),
            ),
            "b is left out without a reason",
        ),
    ],
)
def test_a_plan_that_breaks_a_rule_is_refused_by_name(wrong: Plan, said: str) -> None:
    with pytest.raises(PluginError, match="test made a plan that is wrong"):
        check(PROBLEM, wrong)
    assert any(said in fault for fault in faults(PROBLEM, wrong))


def test_a_break_that_ends_before_it_begins_does_not_shorten_the_road() -> None:
    quick = visits(("a", 1100, 1150), ("b", 1160, 1210))
    rest = Pause(kind="break", after=1, begins=1150, ends=1060)
    found = faults(PROBLEM, plan(visits=quick, ends=1410, pauses=(rest,)))
    assert found == [
        "v has a break that ends before it begins",
        "b is reached sooner than one can drive",
    ]


def test_who_is_on_the_way_goes_on_at_once() -> None:
    begun = PROBLEM.vehicles[0].model_copy(update={"visited": 3})
    problem = PROBLEM.model_copy(update={"vehicles": (begun,)})
    assert faults(problem, plan()) == []
    later = plan(starts=1100, visits=visits(("a", 1200, 1250), ("b", 1350, 1400)), ends=1600)
    assert faults(PROBLEM, later) == []
    assert faults(problem, later) == ["v is on its way and waits before it goes on"]


@pytest.mark.parametrize("point", [99, -1])
def test_a_reload_at_a_place_that_is_not_there_is_found(point: int) -> None:
    reload = Pause(kind="reload", after=0, begins=1000, ends=1000, point=point)
    found = faults(PROBLEM, plan(pauses=(reload,)))
    assert "v reloads at a place that is not there" in found


def test_an_overloaded_vehicle_is_found() -> None:
    small = PROBLEM.vehicles[0].model_copy(update={"capacity": (5,)})
    assert faults(PROBLEM.model_copy(update={"vehicles": (small,)}), plan()) == ["v carries 6 of 5"]


def test_two_routes_of_one_vehicle_are_found() -> None:
    twice = Plan(engine="test", routes=(SOUND, SOUND.model_copy(update={"visits": ()})))
    assert "v has 2 routes" in faults(PROBLEM, twice)


@given(st.integers(-300, 300).filter(bool), st.integers(0, 3))
def test_moving_any_time_of_a_tight_route_forward_is_found(shift: int, which: int) -> None:
    times = [["a", 1100, 1150], ["b", 1250, 1300]]
    times[which // 2][1 + which % 2] += -abs(shift)
    wrong = plan(visits=visits(*((str(s), int(a), int(d)) for s, a, d in times)))
    assert faults(PROBLEM, wrong)
