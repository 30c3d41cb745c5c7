"""The cheapest feasible place for one more stop."""

from collections.abc import Iterator
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.nouns import Matrix, Problem, ProblemStop, ProblemVehicle
from hub.planning.costs import price
from hub.planning.fleet import Fleet
from hub.planning.insertion import cheapest, find, places
from hub.planning.relaxations import sequence
from hub.planning.rules import Item
from hub.planning.schedule import drive, run
from hub.planning.settle import settle
from tests.planning.problems import problem

SHIFT = (0, 10_000)


def line(places: int) -> Matrix:
    cells = tuple(tuple(abs(a - b) * 100 for b in range(places)) for a in range(places))
    return Matrix(seconds=cells, metres=cells)


def van(id: str = "v", capacity: int = 10, shift: tuple[int, int] = SHIFT) -> ProblemVehicle:
    return ProblemVehicle(id=id, start=0, end=0, capacity=(capacity,), shift=shift)


def ask(matrix: Matrix, vehicle: ProblemVehicle | None = None) -> Problem:
    return Problem(stops=(), vehicles=(vehicle or van(),), matrix=matrix)


def test_a_stop_on_the_way_costs_nothing() -> None:
    stops = [ProblemStop(id="far", point=3)]
    found = cheapest(ask(line(4)), {"v": stops}, ProblemStop(id="x", point=1))
    assert found is not None
    assert found.seconds == 0


def test_nothing_is_put_before_a_frozen_stop() -> None:
    stops = [ProblemStop(id="next", point=3), ProblemStop(id="then", point=3)]
    new = ProblemStop(id="x", point=1)
    found = cheapest(ask(line(4)), {"v": stops}, new, {"v": 1})
    assert found is not None
    assert found.index == 2


def test_a_window_of_another_stop_is_not_broken() -> None:
    tight = ProblemStop(id="tight", point=3, windows=((0, 300),))
    new = ProblemStop(id="x", point=1, service=500)
    found = cheapest(ask(line(4)), {"v": [tight]}, new)
    assert found is not None
    assert [visit.stop for visit in found.timetable.visits] == ["tight", "x"]


def test_a_full_vehicle_and_an_ended_shift_take_nothing() -> None:
    new = ProblemStop(id="x", point=3, deliver=(5,))
    full = [ProblemStop(id="a", point=1, deliver=(6,))]
    assert cheapest(ask(line(4)), {"v": full}, new) is None
    assert cheapest(ask(line(4), van(shift=(0, 599))), {}, new) is None
    assert cheapest(ask(line(4), van(shift=(0, 600))), {}, new) is not None


@st.composite
def stops(draw: st.DrawFn) -> list[ProblemStop]:
    instant = st.integers(0, 3000)
    later = instant.map(lambda end: end + 500)
    return [
        ProblemStop(
            id=f"s{n}",
            point=draw(st.integers(0, 5)),
            service=draw(st.integers(0, 300)),
            windows=draw(st.just(()) | st.tuples(st.tuples(instant, later))),
        )
        for n in range(draw(st.integers(1, 4)))
    ]


@settings(max_examples=60, deadline=None)
@given(stops())
def test_a_place_is_found_exactly_when_there_is_one(some: list[ProblemStop]) -> None:
    vehicle = van(shift=(0, 2500))
    asked = ask(line(6), vehicle)
    *route, new = some
    if run(asked, vehicle, route, 0).broken:
        return
    feasible = list(prices(asked, "v", list(route), new))
    found = cheapest(asked, {"v": route}, new)
    assert (found is not None) == bool(feasible)
    if found is not None:
        assert not found.timetable.broken
        assert found.cost == min(feasible)


@settings(max_examples=60, deadline=None)
@given(stops())
def test_leaving_late_never_delays_the_return_nor_breaks_a_window(some: list[ProblemStop]) -> None:
    vehicle = van(shift=(0, 3000))
    problem = ask(line(6), vehicle)
    for order in permutations(some):
        soonest, planned = run(problem, vehicle, order, 0), drive(problem, vehicle, order)
        assert planned.ends == soonest.ends
        assert planned.broken == soonest.broken
        assert planned.starts >= soonest.starts


@pytest.mark.parametrize("first", range(0, 300, 50))
def test_no_place_is_cheaper_than_the_one_that_is_found(first: int) -> None:
    for seed in range(first, first + 50):
        asked = problem(seed)
        plan = settle(asked, "test", {})
        routes = {route.vehicle: route for route in plan.routes}
        items = {one.id: sequence(asked, routes, one) for one in asked.vehicles}
        moved = [visit.stop for route in plan.routes for visit in route.visits][:2]
        for id in moved:
            if id in asked.shipment_of or any(id in one.locked for one in asked.vehicles):
                continue
            fewer = {v: [i for i in some if i != asked.stop_of[id]] for v, some in items.items()}
            if any(broken(asked, v, some) for v, some in fewer.items()):
                continue
            costs = [
                cost
                for v, some in fewer.items()
                for cost in prices(asked, v, some, asked.stop_of[id])
            ]
            found = cheapest(asked, fewer, asked.stop_of[id])
            assert (found is not None) or not costs, (seed, id)
            if found is not None and not intricate(asked):
                assert found.cost == min(costs), (seed, id)


def intricate(asked: Problem) -> bool:
    """Say whether places are tried roughly in the order of their costs only."""
    return any(one.breaks or one.stacked or one.reloads for one in asked.vehicles) or any(
        stop.on_board is not None or len(stop.windows) > 1 for stop in asked.stops
    )


def broken(asked: Problem, vehicle: str, items: list[Item]) -> bool:
    return bool(items) and drive(asked, asked.vehicle_of[vehicle], items).broken


def prices(asked: Problem, vehicle: str, items: list[Item], stop: ProblemStop) -> Iterator[int]:
    """Yield what each feasible place of a vehicle costs, worked out in full."""
    one = asked.vehicle_of[vehicle]
    before = drive(asked, one, items)
    was = price(one, before.starts, before.ends, before.metres) if items else 0
    for index in range(len(items) + 1):
        longer = [*items[:index], stop, *items[index:]]
        table = drive(asked, one, longer)
        if not table.broken:
            yield price(one, table.starts, table.ends, table.metres) - was


def test_alternatives_are_on_other_vehicles_and_sorted_by_cost() -> None:
    fleet = tuple(van(f"v{n}") for n in range(4))
    asked = Problem(stops=(), vehicles=fleet, matrix=line(4))
    routes = {"v1": [ProblemStop(id="far", point=3)], "v2": [ProblemStop(id="near", point=1)]}
    found = places(asked, routes, ProblemStop(id="x", point=2), 3)
    assert [place.vehicle for place in found][:2] == ["v1", "v2"]
    assert len({place.vehicle for place in found}) == 3
    assert [place.cost for place in found] == sorted(place.cost for place in found)


def test_kept_routes_answer_as_fresh_ones() -> None:
    asked = Problem(stops=(), vehicles=(van("a"), van("b")), matrix=line(6))
    fleet = Fleet(asked, {})
    for number in range(12):
        stop = ProblemStop(id=f"s{number}", point=1 + number % 5, deliver=(1,))
        kept, fresh = find(fleet, stop), places(asked, fleet.sequences(), stop, 1)
        assert [(one.vehicle, one.index, one.cost) for one in kept] == [
            (one.vehicle, one.index, one.cost) for one in fresh
        ]
        fleet.change(kept[0].vehicle, kept[0].items)
