"""A reason names the least that would make a stop fit, in numbers and in words."""

from __future__ import annotations

from typing import Any

import pytest

from hub.nouns import (
    Matrix,
    Plan,
    Problem,
    ProblemStop,
    ProblemVehicle,
    Relaxation,
    Reloads,
    Shipment,
    Unserved,
)
from hub.planning.answer import answer
from hub.planning.check import faults
from hub.planning.deadline import ENDLESS
from hub.planning.reasons import CHECK
from hub.planning.relaxations import proves
from hub.planning.rules import AtDepot
from hub.planning.settle import settle
from hub.planning.words import words

CELLS = tuple(tuple(abs(a - b) * 600 for b in range(5)) for a in range(5))
LINE = Matrix(seconds=CELLS, metres=CELLS)


def van(**changed: Any) -> ProblemVehicle:
    values = {"id": "v", "start": 0, "end": 0, "shift": (0, 6000), "capacity": (5,), **changed}
    return ProblemVehicle(**values)


def day(vehicle: ProblemVehicle, *stops: ProblemStop, **more: Any) -> Problem:
    return Problem(stops=stops, vehicles=(vehicle,), matrix=LINE, **more)


def only(problem: Problem) -> tuple[Plan, Unserved]:
    plan = settle(problem, "none", {})
    assert faults(problem, plan) == []
    (left,) = plan.unserved
    return plan, left


@pytest.mark.parametrize(
    ("vehicle", "stop", "asked", "said"),
    [
        (
            van(),
            ProblemStop(id="x", point=2, windows=((0, 600),)),
            Relaxation(rule="window", stop="x", edge="closes", amount=600),
            "it fits if its window closes 10 min later",
        ),
        (
            van(shift=(0, 3000)),
            ProblemStop(id="x", point=2, windows=((2400, 2700),)),
            Relaxation(rule="window", stop="x", edge="opens", amount=600),
            "it fits if its window opens 10 min earlier",
        ),
        (
            van(shift=(0, 1800)),
            ProblemStop(id="x", point=2),
            Relaxation(rule="shift", edge="ends", amount=600),
            "it fits if Ana Frick's shift ends 10 min later",
        ),
        (
            van(),
            ProblemStop(id="x", point=2, deliver=(8,)),
            Relaxation(rule="capacity", amount=3),
            "it fits if Ana Frick's vehicle takes 3 more",
        ),
        (
            van(),
            ProblemStop(id="x", point=2, skills=frozenset({"fridge"})),
            Relaxation(rule="skill", amount=1, stop="x", skill="fridge"),
            "it fits if Ana Frick's vehicle has fridge",
        ),
        (
            van(most_metres=2000),
            ProblemStop(id="x", point=2),
            Relaxation(rule="most_metres", amount=400),
            "it fits if Ana Frick drives 0.4 km more",
        ),
        (
            van(most_stops=3, visited=3),
            ProblemStop(id="x", point=2),
            Relaxation(rule="most_stops", amount=1),
            "it fits if Ana Frick makes 1 stop more",
        ),
        (
            van(),
            ProblemStop(id="x", point=2, deliver=(1,), on_board=900),
            Relaxation(rule="on_board", stop="x", amount=300),
            "it fits if its goods ride 5 min longer",
        ),
    ],
)
def test_the_least_that_helps_is_found_and_said(
    vehicle: ProblemVehicle, stop: ProblemStop, asked: Relaxation, said: str
) -> None:
    plan, left = only(day(vehicle, stop))
    assert (left.rule, left.relaxations) == (asked.rule, (asked,))
    assert words(left, {"v": "Ana Frick", "x": "#1"}.__getitem__) == said
    less = asked.model_copy(update={"amount": asked.amount - 1})
    if asked.rule != "skill":
        short = left.model_copy(update={"relaxations": (less,)})
        assert not proves(day(vehicle, stop), plan, short)


def test_a_false_reason_is_a_fault_of_the_plan() -> None:
    problem = day(van(), ProblemStop(id="x", point=2))
    told = Unserved(
        stop="x", reason="no time", rule="shift", vehicle="v",
        relaxations=(Relaxation(rule="shift", edge="ends", amount=60),),
    )  # fmt: skip
    for left in (told, told.model_copy(update={"rule": "no_vehicle", "relaxations": ()}),
                 told.model_copy(update={"rule": "unreachable", "relaxations": ()})):  # fmt: skip
        (fault,) = faults(problem, Plan(engine="own", routes=(), unserved=(left,)))
        assert "which is not so" in fault
    vague = Unserved(stop="x", reason="too steep")
    assert faults(problem, Plan(engine="own", routes=(), unserved=(vague,))) == []


def test_a_stop_without_a_way_needs_no_relaxation() -> None:
    cells = ((0, -1), (100, 0))
    problem = Problem(
        stops=(ProblemStop(id="x", point=1),), vehicles=(van(),),
        matrix=Matrix(seconds=cells, metres=cells),
    )  # fmt: skip
    _, left = only(problem)
    assert (left.rule, left.relaxations) == ("unreachable", ())
    assert left.reason == f"there is no way to its place and back; {CHECK}"


@pytest.mark.parametrize(
    ("hours", "shift", "rule"),
    [(6, 9, "shift"), (7, 9, "unreachable"), (7, 15, ""), (70, 15, "unreachable")],
)
def test_a_place_that_no_day_is_long_enough_for_asks_to_look_at_its_address(
    hours: int, shift: int, rule: str
) -> None:
    cells = ((0, hours * 3600), (hours * 3600, 0))
    problem = Problem(
        stops=(ProblemStop(id="x", point=1),), vehicles=(van(shift=(0, shift * 3600)),),
        matrix=Matrix(seconds=cells, metres=cells),
    )  # fmt: skip
    plan = settle(problem, "none", {})
    assert [left.rule for left in plan.unserved] == ([rule] if rule else [])
    assert faults(problem, plan) == []
    for left in plan.unserved:
        far = rule == "unreachable"
        assert (f"its place is {2 * hours} hours of driving" in left.reason) == far
        assert (CHECK in left.reason, left.relaxations == ()) == (far, far)


def test_goods_that_are_left_long_do_not_make_a_place_far() -> None:
    cells = ((0, 60), (60, 0))
    problem = Problem(
        stops=(ProblemStop(id="x", point=1, service=20 * 3600),), vehicles=(van(),),
        matrix=Matrix(seconds=cells, metres=cells),
    )  # fmt: skip
    assert only(problem)[1].rule == "shift"


def test_nobody_to_drive_is_said_as_it_is() -> None:
    problem = Problem(stops=(ProblemStop(id="x", point=1),), vehicles=(), matrix=LINE)
    assert only(problem)[1].rule == "no_vehicle"


def test_a_locked_stop_that_cannot_be_kept_is_left_out_with_its_reason() -> None:
    stops = (ProblemStop(id="a", point=4, windows=((0, 60),)), ProblemStop(id="b", point=1))
    problem = day(van(locked=("a", "b")), *stops)
    plan, left = only(problem)
    assert (left.stop, left.rule, left.vehicle, left.index) == ("a", "window", "v", 0)
    assert [visit.stop for visit in plan.routes[0].visits] == ["b"]


def test_locked_stops_come_first_whatever_the_engine_says() -> None:
    stops = tuple(ProblemStop(id=id, point=point) for id, point in (("a", 1), ("b", 2), ("c", 3)))
    problem = day(van(locked=("c",)), *stops)
    plan = settle(problem, "own", {"v": [stops[0], stops[2], stops[1], stops[0]]})
    assert faults(problem, plan) == []
    assert [visit.stop for visit in plan.routes[0].visits] == ["c", "a", "b"]


def test_a_vehicle_that_is_too_full_reloads_on_the_way() -> None:
    stops = tuple(ProblemStop(id=f"s{n}", point=1, deliver=(3,)) for n in range(2))
    problem = day(van(reloads=Reloads(points=(0,), seconds=60)), *stops)
    for sequences in ({}, {"v": list(stops)}, {"v": [stops[0], AtDepot(0), stops[1]]}):
        plan = settle(problem, "own", sequences)
        assert faults(problem, plan) == []
        assert plan.unserved == ()
        assert [pause.kind for pause in plan.routes[0].pauses] == ["reload"]


def test_a_shipment_is_served_together_or_left_out_together() -> None:
    stops = tuple(ProblemStop(id=id, point=point) for id, point in (("p", 1), ("d", 3)))
    small = Shipment(pickup="p", delivery="d", load=(5,))
    problem = day(van(), *stops, shipments=(small,))
    plan = settle(problem, "own", {"v": [stops[1], stops[0]]})
    assert [visit.stop for visit in plan.routes[0].visits] == ["p", "d"]
    large = day(van(), *stops, shipments=(small.model_copy(update={"load": (6,)}),))
    plan = settle(large, "own", {})
    assert faults(large, plan) == []
    assert {left.stop: left.rule for left in plan.unserved} == {"p": "capacity", "d": "capacity"}


def test_the_urgent_stop_is_put_in_first() -> None:
    low = ProblemStop(id="low", point=1, deliver=(5,))
    high = ProblemStop(id="high", point=2, deliver=(5,), priority=50)
    assert only(day(van(), low, high))[1].stop == "low"


def test_a_lock_of_a_stop_that_is_not_there_is_passed_over_where_a_search_found_nothing() -> None:
    vehicle = ProblemVehicle(id="v", start=0, end=0, shift=(0, 9000), locked=("unknown", "a"))
    cells = [[0, 100], [100, 0]]
    asked = Problem(
        stops=(ProblemStop(id="a", point=1),),
        vehicles=(vehicle,),
        matrix=Matrix(seconds=cells, metres=cells),
    )
    plan = answer(asked, "test", {}, ENDLESS)
    assert [visit.stop for visit in plan.routes[0].visits] == ["a"]
    assert faults(asked, plan) == []
