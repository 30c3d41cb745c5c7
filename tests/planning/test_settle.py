"""What an engine found becomes a sound plan: in its time, and the urgent before the others."""

from __future__ import annotations

from hub.nouns import Break, Matrix, Plan, Problem, ProblemStop, ProblemVehicle
from hub.planning.check import faults
from hub.planning.costs import missed
from hub.planning.deadline import Deadline
from hub.planning.reasons import PENDING
from hub.planning.settle import settle
from tests.planning.engines import each, problem

AT_ONCE = Deadline(0, 0)


def busy(*priorities: int, **values: object) -> Problem:
    """Return stops that a single driver has no time for: two of them at most."""
    asked = problem(stops=len(priorities), vehicles=1)
    stops = tuple(
        stop.model_copy(update={"service": 1000, "priority": priority, **values})
        for stop, priority in zip(asked.stops, priorities, strict=True)
    )
    return asked.model_copy(
        update={"stops": stops, "vehicles": each(asked, shift=(0, 3000), id="v0")}
    )


def served(plan: Plan) -> set[str]:
    return {visit.stop for route in plan.routes for visit in route.visits}


def order(asked: Problem, *ids: str) -> dict[str, list[ProblemStop]]:
    return {"v0": [asked.stop_of[id] for id in ids]}


def test_an_urgent_stop_takes_the_place_of_a_less_urgent_one() -> None:
    asked = busy(0, 0, 50)
    plan = settle(asked, "x", order(asked, "s1", "s2"))
    assert faults(asked, plan) == []
    assert "s3" in served(plan)
    (left,) = plan.unserved
    assert left.reason.startswith("it gave its place to a more urgent stop: nobody has time")
    assert left.rule == "shift"


def test_several_stops_make_room_for_one_that_weighs_more() -> None:
    asked = busy(0, 0, 50)
    long = asked.stops[2].model_copy(update={"service": 2500})
    asked = asked.model_copy(update={"stops": (*asked.stops[:2], long)})
    plan = settle(asked, "x", order(asked, "s1", "s2"))
    assert faults(asked, plan) == []
    assert served(plan) == {"s3"}
    assert {left.stop: bool(left.rule) for left in plan.unserved} == {"s1": True, "s2": True}


def test_a_stop_that_is_no_more_urgent_takes_nobodys_place() -> None:
    asked = busy(10, 10, 10, 0)
    plan = settle(asked, "x", order(asked, "s1", "s2"))
    assert served(plan) == {"s1", "s2"}
    assert not any("gave its place" in left.reason for left in plan.unserved)


def test_who_made_room_is_served_where_another_has_time_for_it() -> None:
    asked = busy(0, 0, 50, vehicles=frozenset({"v0"}))
    free = asked.stops[0].model_copy(update={"vehicles": frozenset()})
    second = asked.vehicles[0].model_copy(update={"id": "v1"})
    asked = asked.model_copy(
        update={"stops": (free, *asked.stops[1:]), "vehicles": (*asked.vehicles, second)}
    )
    plan = settle(asked, "x", order(asked, "s1", "s2"))
    assert served(plan) == {"s1", "s2", "s3"}


def test_a_locked_stop_keeps_its_place() -> None:
    asked = busy(0, 0, 50)
    asked = asked.model_copy(update={"vehicles": each(asked, locked=("s1", "s2"))})
    plan = settle(asked, "x", {})
    assert faults(asked, plan) == []
    assert served(plan) == {"s1", "s2"}


def test_without_time_what_an_engine_found_is_kept_and_the_rest_is_said_to_be_untried() -> None:
    asked = busy(0, 0, 0)
    plan = settle(asked, "x", order(asked, "s1", "s2"), until=AT_ONCE)
    assert faults(asked, plan) == []
    assert served(plan) == {"s1", "s2"}
    assert [(left.stop, left.rule, left.reason) for left in plan.unserved] == [("s3", "", PENDING)]


def test_without_time_routes_that_break_rules_are_still_made_sound() -> None:
    asked = busy(0, 0, 0)
    plan = settle(asked, "x", order(asked, "s1", "s2", "s3"), until=AT_ONCE)
    assert faults(asked, plan) == []
    assert len(served(plan)) == 2


def test_without_time_locks_that_cannot_be_kept_have_their_rule_all_the_same() -> None:
    asked = busy(0, 0, 0)
    asked = asked.model_copy(update={"vehicles": each(asked, locked=("s1", "s2", "s3"))})
    plan = settle(asked, "x", {}, until=AT_ONCE)
    assert faults(asked, plan) == []
    assert [bool(left.rule) for left in plan.unserved] == [True]


def test_without_time_nobody_at_work_is_reason_enough() -> None:
    asked = problem(vehicles=0)
    plan = settle(asked, "x", {}, until=AT_ONCE)
    assert {left.rule for left in plan.unserved} == {"no_vehicle"}


def test_trades_lose_less_than_no_trades_where_breaks_have_to_be_placed() -> None:
    table = [[60 * abs(a - b) for b in range(6)] for a in range(6)]
    stops = tuple(
        ProblemStop(id=f"s{n}", point=n, service=900, priority=priority)
        for n, priority in enumerate((0, 5, 0, 100, 0), 1)
    )
    rests = (Break(window=(1000, 2500), seconds=300),)
    driver = ProblemVehicle(id="v0", start=0, end=0, shift=(0, 3600), breaks=rests)
    asked = Problem(stops=stops, vehicles=(driver,), matrix=Matrix(seconds=table, metres=table))
    plan = settle(asked, "x", order(asked, "s1", "s3", "s5"))
    assert faults(asked, plan) == []
    assert {"s2", "s4"} <= served(plan)
    assert missed(asked, plan) <= 3
