"""The evaluator and the checker, written apart, judge every route alike."""

from __future__ import annotations

from random import Random

import pytest

from hub.nouns import Break, Matrix, Problem, ProblemStop, ProblemVehicle
from hub.planning.check import faults
from hub.planning.check_route import route_faults
from hub.planning.relaxations import narrowed, working
from hub.planning.rules import AtDepot, Item
from hub.planning.schedule import drive, planned
from hub.planning.settle import settle
from tests.planning.problems import problem, sequences

EACH = 60


def known_once(items: list[Item]) -> list[Item]:
    """Return a route without the stops that are there twice."""
    seen: set[str] = set()
    return [
        item
        for item in items
        if isinstance(item, AtDepot) or not (item.id in seen or seen.add(item.id))
    ]


@pytest.mark.parametrize("first", range(0, 600, EACH))
def test_a_route_is_broken_exactly_when_the_checker_refuses_it(first: int) -> None:
    for seed in range(first, first + EACH):
        asked, chance = problem(seed), Random(seed)
        for id, made in sequences(asked, chance).items():
            items = known_once(made)[: chance.choice((1, 2, 3, 14))]
            if not any(isinstance(item, ProblemStop) for item in items):
                continue
            small = narrowed(asked, asked.vehicle_of[id], items)
            vehicle = small.vehicles[0]
            table = drive(small, vehicle, items)
            said = route_faults(small, vehicle, planned(vehicle, table))
            assert table.broken == bool(said), (seed, id, table.breaches, said)


@pytest.mark.parametrize("first", range(0, 600, EACH))
def test_nobody_is_sooner_than_the_evaluator_says(first: int) -> None:
    """A visit that is moved forward is refused, unless the driver had waited before it."""
    for seed in range(first, first + EACH):
        asked, chance = problem(seed), Random(seed)
        for id, made in sequences(asked, chance).items():
            items = [item for item in known_once(made)[:2] if isinstance(item, ProblemStop)]
            small = narrowed(asked, asked.vehicle_of[id], items)
            vehicle = small.vehicles[0]
            table = drive(small, vehicle, items)
            if not items or table.broken or table.waited:
                continue
            route = planned(vehicle, table)
            first_visit = route.visits[0]
            sooner = first_visit.model_copy(update={"arrive": first_visit.arrive - 1})
            wrong = route.model_copy(update={"visits": (sooner, *route.visits[1:])})
            assert route_faults(small, vehicle, wrong), seed


CELLS = ((0, 1000), (1000, 0))


def day(vehicle: ProblemVehicle, *stops: ProblemStop) -> Problem:
    return Problem(stops=stops, vehicles=(vehicle,), matrix=Matrix(seconds=CELLS, metres=CELLS))


def test_a_break_that_is_due_later_does_not_hide_one_that_is_due_now() -> None:
    rests = (Break(window=(500, 5000), seconds=300), Break(window=(900, 1000), seconds=300))
    vehicle = ProblemVehicle(id="v", start=0, end=0, shift=(0, 9000), breaks=rests)
    stop = ProblemStop(id="a", point=1)
    table = drive(day(vehicle, stop), vehicle, [stop])
    assert not table.broken
    assert route_faults(day(vehicle, stop), vehicle, planned(vehicle, table)) == []


def test_a_break_that_nobody_needs_does_not_take_the_place_of_one_that_is_due() -> None:
    rests = (Break(window=(0, 2500), seconds=100), Break(window=(900, 1500), seconds=300))
    vehicle = ProblemVehicle(id="v", start=0, end=0, shift=(200, 9000), breaks=rests)
    stop = ProblemStop(id="a", point=1)
    table = drive(day(vehicle, stop), vehicle, [stop])
    assert route_faults(day(vehicle, stop), vehicle, planned(vehicle, table)) == []


def test_a_break_that_nobody_needs_does_not_keep_a_driver_out() -> None:
    rests = (Break(window=(0, 1300), seconds=300), Break(window=(3000, 4000), seconds=600))
    first = ProblemStop(id="a", point=1, windows=((1250, 5000),))
    second = ProblemStop(id="b", point=1, service=60, windows=((1310, 1340),))
    for ends in (3500, 9000):
        vehicle = ProblemVehicle(id="v", start=0, end=0, shift=(0, ends), breaks=rests)
        table = drive(day(vehicle, first, second), vehicle, [first, second])
        assert not table.broken
        assert (table.ends, len(table.pauses)) == (2370, 1)
        assert route_faults(day(vehicle, first, second), vehicle, planned(vehicle, table)) == []


def test_who_works_overtime_already_is_still_somebody() -> None:
    vehicle = ProblemVehicle(id="v", start=0, end=0, shift=(5000, 4000), overtime=4000, visited=2)
    asked = day(vehicle, ProblemStop(id="a", point=1), ProblemStop(id="late", point=1,
                windows=((0, 10),)))  # fmt: skip
    assert working(asked) == [vehicle]
    plan = settle(asked, "test", {})
    assert [visit.stop for visit in plan.routes[0].visits] == ["a"]
    assert [(left.stop, left.rule) for left in plan.unserved] == [("late", "window")]
    assert faults(asked, plan) == []
    wrong = plan.unserved[0].model_copy(update={"rule": "no_vehicle", "relaxations": ()})
    assert faults(asked, plan.model_copy(update={"unserved": (wrong,)}))


def test_a_window_that_ends_before_it_begins_cannot_be_kept() -> None:
    vehicle = ProblemVehicle(id="v", start=0, end=0, shift=(0, 9000))
    stop = ProblemStop(id="a", point=1, windows=((4000, 3900),))
    (breach,) = drive(day(vehicle, stop), vehicle, [stop]).breaches
    assert (breach.rule, breach.amount) == ("window", 100)


def test_more_reloads_than_allowed_break_the_route() -> None:
    vehicle = ProblemVehicle(id="v", start=0, end=0, shift=(0, 9000))
    stop = ProblemStop(id="a", point=1)
    table = drive(day(vehicle, stop), vehicle, [AtDepot(0), stop])
    assert [breach.rule for breach in table.breaches] == ["reload"]
