"""PyVRP on small days with known answers, and on random ones."""

from __future__ import annotations

from hypothesis import given, settings

from hub.builtin.pyvrp import PyVrp, most_steps
from hub.connector import NoSettings
from hub.nouns import Found, Matrix, Problem, ProblemStop
from hub.nouns.plans import Costs, Reloads, Shipment
from hub.planning.check import faults
from hub.planning.costs import cost
from hub.testing.conformance.days import a_town
from tests.builtin.routes import HOUR, MORNING, ask, day, days, left, line, routes, stop, van

ENGINE = PyVrp(NoSettings())


def test_stops_along_a_road_are_visited_without_a_detour() -> None:
    plan = ask(ENGINE, day([stop(n) for n in (3, 1, 4, 2)], [van()]))
    assert plan.routes[0].metres == 2 * 4 * 600
    assert cost_of_time(plan.routes[0].ends - plan.routes[0].starts) == 100 * (4800 + 240)


def cost_of_time(seconds: int) -> int:
    return 100 * seconds


def test_one_of_several_windows_is_enough() -> None:
    early, late = (MORNING, MORNING + 300), (MORNING + 4 * HOUR, MORNING + 5 * HOUR)
    plan = ask(ENGINE, day([stop(2, windows=(early, late)), stop(1)], [van()]))
    assert plan.unserved == ()
    assert late[0] <= max(visit.arrive for visit in plan.routes[0].visits) <= late[1]


def test_every_dimension_of_load_counts() -> None:
    stops = [stop(1, deliver=(1, 6)), stop(2, deliver=(1, 6)), stop(3, deliver=(6, 1))]
    plan = ask(ENGINE, day(stops, [van("v1", capacity=(7, 7)), van("v2", capacity=(7, 7))]))
    assert plan.unserved == ()
    assert len(plan.routes) == 2


def test_what_is_collected_takes_the_room_of_what_was_delivered() -> None:
    stops = [stop(1, collect=(5,)), stop(2, deliver=(5,))]
    plan = ask(ENGINE, day(stops, [van(capacity=(5,))]))
    assert routes(plan) == {"v1": ["s2", "s1"]}


def test_a_shipment_is_fetched_before_it_is_brought() -> None:
    goods = (Shipment(pickup="s4", delivery="s1", load=(1,)),)
    plan = ask(ENGINE, day([stop(1), stop(4)], [van(capacity=(1,))], shipments=goods))
    assert routes(plan) == {"v1": ["s4", "s1"]}


def test_skills_and_pins_choose_the_driver() -> None:
    stops = [stop(1, skills={"fridge"}), stop(2, vehicles={"v2"}), stop(3)]
    plan = ask(ENGINE, day(stops, [van("v1", skills={"fridge"}), van("v2")]))
    assert "s1" in routes(plan)["v1"]
    assert "s2" in routes(plan)["v2"]


def test_many_drivers_with_stops_of_their_own_are_told_apart() -> None:
    names = [f"v{n}" for n in range(11)]
    stops = [stop(1 + n % 5, id=f"own-{name}", vehicles={name}) for n, name in enumerate(names)]
    plan = ask(ENGINE, day(stops, [van(name) for name in names]))
    assert routes(plan) == {name: [f"own-{name}"] for name in names}


def test_the_more_important_stop_is_kept_when_one_has_to_go() -> None:
    stops = [stop(1, deliver=(1,)), stop(5, deliver=(1,), priority=100), stop(2, deliver=(1,))]
    assert left(ask(ENGINE, day(stops, [van(capacity=(1,))]))) == ["s1", "s2"]


def test_a_day_that_is_too_full_fills_every_vehicle() -> None:
    stops = [stop(1 + n % 5, id=f"s{n}", deliver=(3,), priority=n) for n in range(20)]
    plan = ask(ENGINE, day(stops, [van("v1", capacity=(12,)), van("v2", capacity=(12,))]))
    assert left(plan) == sorted(f"s{n}" for n in range(12))


def test_the_cheaper_vehicle_goes() -> None:
    dear, cheap = van("v1", costs=Costs(per_metre=50)), van("v2")
    assert list(routes(ask(ENGINE, day([stop(1), stop(2)], [dear, cheap])))) == ["v2"]


def test_overtime_is_worked_where_the_shift_is_too_short() -> None:
    short = van(shift=(MORNING, MORNING + HOUR), overtime=HOUR)
    plan = ask(ENGINE, day([stop(3, service=1800)], [short]))
    assert plan.routes[0].ends == MORNING + 3600 + 1800


def test_a_vehicle_reloads_to_serve_more_than_it_holds() -> None:
    stops = [stop(n, deliver=(2,)) for n in (1, 2, 3)]
    reloads = Reloads(points=(0,), seconds=300)
    plan = ask(ENGINE, day(stops, [van(capacity=(4,), reloads=reloads)]))
    assert plan.unserved == ()
    assert [pause.kind for pause in plan.routes[0].pauses] == ["reload"]


def test_no_vehicle_drives_further_or_makes_more_stops_than_it_may() -> None:
    near = van("v1", most_metres=2400)
    few = van("v2", most_stops=1)
    plan = ask(ENGINE, day([stop(1), stop(2), stop(5)], [near, few]))
    assert routes(plan) == {"v1": ["s1", "s2"], "v2": ["s5"]} or routes(plan) == {
        "v1": ["s2", "s1"], "v2": ["s5"]
    }  # fmt: skip


def test_each_profile_has_its_own_ways() -> None:
    narrow = stop(5, windows=((MORNING, MORNING + 600),))
    fleet = [van("v1"), van("v2", profile="bike")]
    plan = ask(ENGINE, day([narrow], fleet, profiles={"bike": line(6, 60)}))
    assert routes(plan) == {"v2": ["s5"]}


def test_first_comes_first_and_last_comes_last() -> None:
    stops = [stop(1, position="last"), stop(2), stop(3), stop(4, position="first")]
    assert routes(ask(ENGINE, day(stops, [van()])))["v1"][0::3] == ["s4", "s1"]


def test_locked_stops_come_first_in_their_order() -> None:
    plan = ask(ENGINE, day([stop(n) for n in (1, 2, 3, 4)], [van(locked=("s4", "s2"))]))
    assert routes(plan)["v1"][:2] == ["s4", "s2"]
    assert plan.unserved == ()


def test_goods_that_a_locked_stop_picks_up_are_brought_by_the_same_vehicle() -> None:
    goods = (Shipment(pickup="s4", delivery="s1", load=(1,)),)
    fleet = [van("v1", locked=("s4",), capacity=(1,)), van("v2", capacity=(9,))]
    plan = ask(ENGINE, day([stop(4), stop(1)], fleet, shipments=goods))
    assert routes(plan) == {"v1": ["s4", "s1"]}


def test_a_place_without_a_way_is_left_out() -> None:
    cells = ((0, -1, 60), (-1, 0, -1), (60, -1, 0))
    matrix = Matrix(seconds=cells, metres=cells)
    plan = ask(ENGINE, day([stop(1), stop(2)], [van()], matrix=matrix))
    assert (routes(plan), left(plan)) == ({"v1": ["s2"]}, ["s1"])


def test_work_is_shared_where_the_day_asks_for_it() -> None:
    stops = [stop(1 + n % 5, id=f"s{n}") for n in range(20)]
    shared = ask(ENGINE, day(stops, [van("v1"), van("v2")], balance=1.0))
    assert sorted(len(one) for one in routes(shared).values()) == [10, 10]
    assert len(ask(ENGINE, day(stops, [van("v1"), van("v2")])).routes) == 1


def test_a_plan_is_no_worse_than_the_routes_it_began_with() -> None:
    problem = a_town(40, seconds=0.3)
    best = ENGINE.plan(problem.model_copy(update={"seconds": 1.0}))
    warm = {vehicle: tuple(stops) for vehicle, stops in routes(best).items()}
    again = ask(ENGINE, problem.model_copy(update={"warm": warm, "seconds": 0.02}))
    assert cost(problem, again) <= cost(problem, best)


def test_the_last_thing_that_a_search_tells_is_what_its_plan_costs() -> None:
    told: list[Found] = []
    problem = a_town(15)
    plan = ENGINE.search(problem, lambda found: told.append(found) or True)
    assert (told[-1].cost, told[-1].left_out) == (cost(problem, plan), 0)


def test_small_days_end_by_a_count_and_large_ones_by_the_clock() -> None:
    assert most_steps(a_town(20))
    assert most_steps(a_town(61)) is None


@settings(max_examples=40, deadline=None)
@given(days(PyVrp.features))
def test_every_plan_passes_the_checker_whatever_the_day(problem: Problem) -> None:
    assert faults(problem, ENGINE.plan(problem)) == []


def test_who_is_in_overtime_already_drives_no_longer_than_it_lasts() -> None:
    late = van(shift=(MORNING + HOUR, MORNING), overtime=2 * HOUR, visited=4)
    problem = day([stop(n) for n in (1, 2, 3)], [late])
    found = ENGINE.sequences(problem, None)["v1"]
    assert [item.id for item in found if isinstance(item, ProblemStop)] in (
        ["s1", "s2"],
        ["s2", "s1"],
    )
    assert left(ask(ENGINE, problem)) == ["s3"]
