"""What a problem really asks of an engine."""

from typing import Any

import pytest

from hub.nouns import (
    Break,
    Costs,
    Feature,
    Matrix,
    Problem,
    ProblemStop,
    Reloads,
    Shipment,
)
from hub.planning.needs import in_words, named, needs
from tests.planning.engines import each, problem

PLAIN = problem()
OTHER = Matrix(seconds=[[0] * 7] * 7, metres=[[0] * 7] * 7)


def with_stop(**values: Any) -> Problem:
    first, *others = PLAIN.stops
    return PLAIN.model_copy(update={"stops": (first.model_copy(update=values), *others)})


def with_vehicles(**values: Any) -> Problem:
    return PLAIN.model_copy(update={"vehicles": each(PLAIN, **values)})


def test_a_plain_day_asks_for_nothing() -> None:
    assert needs(PLAIN) == frozenset()
    assert needs(Problem(stops=(), vehicles=(), matrix=OTHER)) == frozenset()


@pytest.mark.parametrize(
    ("asked", "feature"),
    [
        (with_stop(windows=((0, 10), (20, 30))), "several_windows"),
        (with_stop(collect=(1,)), "collections"),
        (with_stop(skills=frozenset({"fridge"})), "skills"),
        (with_stop(vehicles=frozenset({"v0"})), "pinned"),
        (with_stop(priority=5), "priorities"),
        (with_stop(position="first"), "first_last"),
        (with_stop(on_board=600), "on_board"),
        (with_vehicles(costs=Costs(per_second=0)), "costs"),
        (with_vehicles(overtime=60), "overtime"),
        (with_vehicles(breaks=(Break(window=(100, 200), seconds=60),)), "breaks"),
        (with_vehicles(reloads=Reloads(points=(0,))), "reloads"),
        (with_vehicles(most_metres=10), "most_metres"),
        (with_vehicles(most_stops=3), "most_stops"),
        (with_vehicles(locked=("s1",)), "locked"),
        (with_vehicles(end=3), "several_depots"),
        (PLAIN.model_copy(update={"balance": 1.2}), "balance"),
        (PLAIN.model_copy(update={"profiles": {"van": OTHER}}), "profiles"),
        (PLAIN.model_copy(update={"shipments": (Shipment(pickup="s1", delivery="s2"),)}),
         "shipments"),
    ],
)  # fmt: skip
def test_each_wish_is_found(asked: Problem, feature: Feature) -> None:
    assert needs(asked) == {feature}
    assert in_words(asked, {feature})
    assert named({feature})


@pytest.mark.parametrize(
    "asked",
    [
        with_vehicles(skills=frozenset({"fridge"})),
        with_stop(vehicles=frozenset({"v0", "v1", "v2"})),
        with_stop(priority=0),
        with_vehicles(most_stops=6),
        with_vehicles(stacked=True),
        with_vehicles(capacity=(5, 5)),
        with_vehicles(breaks=(Break(window=(90_000, 91_000), seconds=60),)),
        PLAIN.model_copy(update={"profiles": {"bike": OTHER}}),
    ],
)
def test_what_binds_nobody_is_not_asked(asked: Problem) -> None:
    assert needs(asked) == frozenset()


def test_a_second_load_counts_where_somebody_has_a_limit_for_it() -> None:
    loaded = with_stop(deliver=(1, 7))
    assert needs(loaded) == frozenset()
    limited = loaded.model_copy(update={"vehicles": each(loaded, capacity=(9, 9))})
    assert needs(limited) == {"several_loads"}
    assert in_words(limited, needs(limited)) == "loads are counted in 2 ways"


def test_goods_that_lie_behind_others_count_where_there_are_shipments() -> None:
    asked = with_vehicles(stacked=True)
    goods = (Shipment(pickup="s1", delivery="s2"),)
    assert "stacked" in needs(asked.model_copy(update={"shipments": goods}))


def test_people_read_who_asks() -> None:
    asked = with_vehicles(breaks=(Break(window=(100, 200), seconds=60),))
    stop = ProblemStop(id="x", point=1, windows=((0, 1), (2, 3)))
    asked = asked.model_copy(update={"stops": (*asked.stops, stop)})
    assert in_words(asked, {"breaks"}) == "2 drivers take breaks"
    assert in_words(asked, needs(asked)) == "a stop has several windows and 2 drivers take breaks"
    assert named({"breaks", "several_windows"}) == "breaks and several windows"
