"""VROOM on small days with known answers, and on random ones."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from hub.builtin import vroom
from hub.builtin.vroom import Vroom, level
from hub.connector import NoSettings
from hub.errors import PluginError
from hub.nouns import Problem
from hub.nouns.plans import Break, Costs, Shipment
from hub.planning.check import faults
from tests.builtin.routes import HOUR, MORNING, ask, day, days, left, routes, stop, van

ENGINE = Vroom(NoSettings())


def test_one_of_several_windows_is_enough() -> None:
    early, late = (MORNING, MORNING + 300), (MORNING + 4 * HOUR, MORNING + 5 * HOUR)
    plan = ask(ENGINE, day([stop(2, windows=(early, late)), stop(1)], [van()]))
    assert plan.unserved == ()


def test_skills_and_pins_choose_the_driver() -> None:
    stops = [stop(1, skills={"fridge"}), stop(2, vehicles={"v2"}), stop(3)]
    plan = ask(ENGINE, day(stops, [van("v1", skills={"fridge"}), van("v2")]))
    assert "s1" in routes(plan)["v1"]
    assert "s2" in routes(plan)["v2"]


def test_a_break_is_taken_between_two_visits() -> None:
    lunch = Break(window=(MORNING + HOUR, MORNING + 2 * HOUR), seconds=1800)
    stops = [stop(n, service=HOUR) for n in (1, 2, 3)]
    plan = ask(ENGINE, day(stops, [van(breaks=(lunch,))]))
    assert [pause.kind for pause in plan.routes[0].pauses] == ["break"]
    assert plan.unserved == ()


def test_shipments_and_collections_keep_the_capacity() -> None:
    goods = (Shipment(pickup="s4", delivery="s1", load=(1,)),)
    stops = [stop(1), stop(4), stop(2, deliver=(1,)), stop(3, collect=(1,))]
    plan = ask(ENGINE, day(stops, [van(capacity=(1,))], shipments=goods))
    assert plan.unserved == ()


def test_the_more_important_stop_is_kept_when_one_has_to_go() -> None:
    stops = [stop(1, deliver=(1,)), stop(5, deliver=(1,), priority=100), stop(2, deliver=(1,))]
    assert left(ask(ENGINE, day(stops, [van(capacity=(1,))]))) == ["s1", "s2"]


def test_the_cheaper_vehicle_goes_and_limits_are_kept() -> None:
    dear, cheap = van("v1", costs=Costs(per_metre=50)), van("v2", most_stops=2)
    plan = ask(ENGINE, day([stop(1), stop(2)], [dear, cheap]))
    assert list(routes(plan)) == ["v2"]


@pytest.mark.parametrize("warm", [("s3", "s1", "s2"), ("s1", "s2", "s3"), ("s2", "gone")])
def test_a_search_begins_with_the_routes_that_are_given(warm: tuple[str, ...]) -> None:
    lunch = Break(window=(MORNING + HOUR, MORNING + 2 * HOUR), seconds=1800)
    stops = [stop(n, service=HOUR) for n in (1, 2, 3)]
    plan = ask(ENGINE, day(stops, [van(breaks=(lunch,))], warm={"v1": warm}))
    assert plan.unserved == ()


def test_the_deepest_search_is_taken_that_ends_in_time() -> None:
    assert (level(20, 1), level(350, 30), level(1000, 10)) == (5, 1, 0)


def test_where_it_is_not_installed_it_says_which_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vroom, "find_spec", lambda name: None)
    with pytest.raises(PluginError, match=r"lastmile-hub\[vroom\]"):
        ENGINE.check()


@settings(max_examples=40, deadline=None)
@given(days(Vroom.features))
def test_every_plan_passes_the_checker_whatever_the_day(problem: Problem) -> None:
    assert faults(problem, ENGINE.plan(problem)) == []
