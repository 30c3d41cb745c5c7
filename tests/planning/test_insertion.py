"""The cheapest feasible place for one more stop."""

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.nouns import Matrix, Problem, ProblemStop, ProblemVehicle
from hub.planning.insertion import cheapest
from hub.planning.schedule import drive, run

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
    problem = ask(line(6), vehicle)
    *route, new = some
    if run(problem, vehicle, route, 0).broken:
        return
    feasible = [
        [*route[:index], new, *route[index:]]
        for index in range(len(route) + 1)
        if not run(problem, vehicle, [*route[:index], new, *route[index:]], 0).broken
    ]
    found = cheapest(problem, {"v": route}, new)
    assert (found is not None) == bool(feasible)
    if found is not None:
        assert not found.timetable.broken
        way = min(drive(problem, vehicle, sequence).metres for sequence in feasible)
        assert found.timetable.metres == way


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
