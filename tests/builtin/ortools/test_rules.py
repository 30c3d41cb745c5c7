"""OR-Tools on small days for the rules that it alone keeps, and on random days of all rules."""

from __future__ import annotations

from hypothesis import given, settings

from hub.builtin.ortools import Ortools, OrtoolsConfig
from hub.nouns import Found, Problem
from hub.nouns.plans import Break, Reloads, Shipment
from hub.planning.check import faults
from hub.testing.conformance.days import a_town
from tests.builtin.routes import HOUR, MORNING, ask, day, days, left, routes, stop, van

ENGINE = Ortools(OrtoolsConfig())


def test_a_break_is_taken_between_two_visits() -> None:
    lunch = Break(window=(MORNING + HOUR, MORNING + 2 * HOUR), seconds=1800)
    stops = [stop(n, service=HOUR) for n in (1, 2, 3)]
    plan = ask(ENGINE, day(stops, [van(breaks=(lunch,))]))
    assert [pause.kind for pause in plan.routes[0].pauses] == ["break"]
    assert plan.unserved == ()


def test_a_route_that_is_over_before_the_break_takes_none() -> None:
    late = Break(window=(MORNING + 5 * HOUR, MORNING + 6 * HOUR), seconds=1800)
    plan = ask(ENGINE, day([stop(1)], [van(breaks=(late,))]))
    assert plan.routes[0].pauses == ()


def test_goods_do_not_ride_longer_than_they_may() -> None:
    stops = [stop(1, deliver=(1,)), stop(2, deliver=(1,), on_board=1300), stop(3, deliver=(1,))]
    assert routes(ask(ENGINE, day(stops, [van()])))["v1"].index("s2") <= 1


def test_a_shipment_does_not_ride_longer_than_it_may() -> None:
    stops = [stop(1), stop(2), stop(3, on_board=600), stop(4)]
    goods = (Shipment(pickup="s4", delivery="s3"),)
    plan = ask(ENGINE, day(stops, [van()], shipments=goods))
    order = routes(plan)["v1"]
    assert order.index("s3") == order.index("s4") + 1


def test_what_was_picked_up_last_is_handed_over_first() -> None:
    goods = (Shipment(pickup="s1", delivery="s3"), Shipment(pickup="s2", delivery="s4"))
    stops = [stop(1), stop(2), stop(3), stop(4)]
    plan = ask(ENGINE, day(stops, [van(stacked=True)], shipments=goods))
    assert plan.unserved == ()


def test_collections_and_reloads_share_the_room() -> None:
    stops = [stop(n, deliver=(2,), collect=(1,)) for n in (1, 2, 3)]
    reloads = Reloads(points=(0,), seconds=300)
    plan = ask(ENGINE, day(stops, [van(capacity=(4,), reloads=reloads)]))
    assert left(plan) == []


def test_locked_stops_come_first_beside_all_other_rules() -> None:
    lunch = Break(window=(MORNING + HOUR, MORNING + 2 * HOUR), seconds=1800)
    stops = [stop(n, service=1800) for n in (1, 2, 3, 4)]
    plan = ask(ENGINE, day(stops, [van(locked=("s4", "s2"), breaks=(lunch,))]))
    assert routes(plan)["v1"][:2] == ["s4", "s2"]
    assert plan.unserved == ()


def test_overtime_is_worked_where_the_shift_is_too_short() -> None:
    short = van(shift=(MORNING, MORNING + HOUR), overtime=HOUR)
    plan = ask(ENGINE, day([stop(3, service=1800)], [short]))
    assert plan.routes[0].ends == MORNING + 3600 + 1800


def test_the_settings_say_how_to_share_where_the_day_does_not() -> None:
    stops = [stop(1 + n % 5, id=f"s{n}") for n in range(20)]
    asked = day(stops, [van("v1"), van("v2")])
    shared = ask(Ortools(OrtoolsConfig(balance=1.0)), asked)
    assert sorted(len(one) for one in routes(shared).values()) == [10, 10]
    assert len(ask(ENGINE, asked).routes) == 1


def test_a_search_tells_what_it_finds_and_what_it_leaves_out() -> None:
    told: list[Found] = []
    heavy = [stop(n, deliver=(3,)) for n in (1, 2, 3)]
    plan = ENGINE.search(day(heavy, [van(capacity=(6,))]), lambda found: told.append(found) or True)
    assert told[-1].left_out == len(plan.unserved) == 1


def test_a_search_that_is_stopped_ends_with_what_it_has() -> None:
    told: list[Found] = []
    plan = ENGINE.search(a_town(80, seconds=60), lambda found: told.append(found) or False)
    assert len(told) == 1
    assert sum(len(one) for one in routes(plan).values()) == 80


@settings(max_examples=40, deadline=None)
@given(days(Ortools.features))
def test_every_plan_passes_the_checker_whatever_the_day(problem: Problem) -> None:
    assert faults(problem, ENGINE.plan(problem)) == []


def test_a_shift_that_is_over_before_it_begins_is_nobodys() -> None:
    over = van("v1", shift=(MORNING + HOUR, MORNING), locked=("s1",))
    late = van("v2", shift=(MORNING + 2 * HOUR, MORNING), overtime=4 * HOUR, visited=1)
    assert routes(ask(ENGINE, day([stop(1), stop(2)], [over]))) == {}
    assert routes(ask(ENGINE, day([stop(1), stop(2)], [over, late]))) == {"v2": ["s2"]}


def test_a_lock_that_cannot_be_kept_does_not_end_the_search() -> None:
    told: list[Found] = []
    locked = [stop(3, windows=((0, 60),)), *(stop(n) for n in (1, 2, 4))]
    problem = day(locked, [van("v1", locked=("s3",)), van("v2")])
    plan = ENGINE.search(problem, lambda found: told.append(found) or True)
    assert [found.left_out for found in told[-1:]] == [1]
    assert left(plan) == ["s3"]
    assert faults(problem, plan) == []
