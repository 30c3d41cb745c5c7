"""The engine that plans when no other is connected, on small problems with the real solver."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.builtin.ortools import Ortools, OrtoolsConfig
from hub.nouns import Matrix, Plan, Problem, ProblemStop, ProblemVehicle
from hub.planning.check import faults
from hub.planning.stopwatch import counted_by

SHIFT = (8 * 3600, 17 * 3600)


def line(places: int, apart: int = 600) -> Matrix:
    """Return places along a road, `apart` seconds from each to the next."""
    cells = tuple(tuple(abs(a - b) * apart for b in range(places)) for a in range(places))
    return Matrix(seconds=cells, metres=cells)


def van(id: str = "v1", capacity: int = 100, shift: tuple[int, int] = SHIFT) -> ProblemVehicle:
    return ProblemVehicle(id=id, start=0, end=0, capacity=(capacity,), shift=shift)


def ask(
    stops: list[ProblemStop], vehicles: list[ProblemVehicle], matrix: Matrix, balance: float = 0
) -> Plan:
    problem = Problem(
        stops=tuple(stops), vehicles=tuple(vehicles), matrix=matrix, seconds=2, balance=balance
    )
    plan = Ortools(OrtoolsConfig()).plan(problem)
    assert faults(problem, plan) == []
    return plan


def reason(plan: Plan, stop: str) -> str:
    return next(left.reason for left in plan.unserved if left.stop == stop)


def test_stops_along_a_road_are_visited_without_a_detour() -> None:
    stops = [ProblemStop(id=f"s{n}", point=n, service=60) for n in (3, 1, 4, 2)]
    plan = ask(stops, [van()], line(5))
    assert plan.routes[0].metres == 2 * 4 * 600
    assert plan.routes[0].ends == SHIFT[0] + 2 * 4 * 600 + 4 * 60


def test_windows_decide_the_order_where_the_road_does_not() -> None:
    near = ProblemStop(id="near", point=1, windows=((12 * 3600, 13 * 3600),))
    far = ProblemStop(id="far", point=4, windows=((9 * 3600, 10 * 3600),))
    plan = ask([near, far], [van()], line(5))
    assert [visit.stop for visit in plan.routes[0].visits] == ["far", "near"]


def test_the_driver_leaves_late_rather_than_waiting_at_the_door() -> None:
    plan = ask([ProblemStop(id="s", point=1, windows=((14 * 3600, 15 * 3600),))], [van()], line(2))
    assert plan.routes[0].starts == 14 * 3600 - 600


def test_a_second_vehicle_takes_what_the_first_cannot_carry() -> None:
    stops = [ProblemStop(id=f"s{n}", point=1, deliver=(60,)) for n in range(2)]
    plan = ask(stops, [van("v1"), van("v2")], line(2))
    assert [len(route.visits) for route in plan.routes] == [1, 1]


def test_work_is_shared_between_drivers() -> None:
    stops = [ProblemStop(id=f"s{n}", point=1 + n % 5, service=300) for n in range(24)]
    plan = ask(stops, [van("v1"), van("v2"), van("v3")], line(6, 60), balance=1.25)
    assert max(len(route.visits) for route in plan.routes) <= 10
    assert len(plan.routes) == 3


@pytest.mark.parametrize(
    ("stop", "said"),
    [
        (
            ProblemStop(id="x", point=1, deliver=(500,)),
            "its load of 500 is more than any vehicle takes",
        ),
        (
            ProblemStop(id="x", point=1, windows=((0, 3600),)),
            "00:00-01:00 lies outside every shift",
        ),
        (
            ProblemStop(id="x", point=3, windows=((SHIFT[0], SHIFT[0] + 900),)),
            "08:00-08:15 cannot be reached: 08:30 is the earliest arrival",
        ),
        (ProblemStop(id="x", point=1, service=12 * 3600), "is long enough to serve it"),
        (ProblemStop(id="x", point=1, windows=((40_000, 39_000),)), "ends before it begins"),
        (ProblemStop(id="x", point=1, windows=((-7200, -3600),)), "22:00 (-1 d)"),
    ],
)
def test_a_stop_that_nobody_could_serve_says_why(stop: ProblemStop, said: str) -> None:
    plan = ask([stop, ProblemStop(id="ok", point=1)], [van()], line(4))
    assert said in reason(plan, "x")
    assert [visit.stop for visit in plan.routes[0].visits] == ["ok"]


def test_a_place_without_a_way_is_left_out() -> None:
    cells = ((0, -1, 60), (-1, 0, -1), (60, -1, 0))
    matrix = Matrix(seconds=cells, metres=cells)
    plan = ask([ProblemStop(id="x", point=1), ProblemStop(id="y", point=2)], [van()], matrix)
    assert (
        reason(plan, "x")
        == "there is no way to its place and back; check its address, and where its pin is"
    )


def test_what_only_fits_alone_says_that_it_does_not_fit_beside_the_others() -> None:
    stops = [ProblemStop(id=f"s{n}", point=1, service=5 * 3600) for n in range(2)]
    plan = ask(stops, [van()], line(2))
    assert len(plan.unserved) == 1
    assert "beside the others: nobody has time" in plan.unserved[0].reason


def test_a_full_vehicle_is_named_as_the_reason() -> None:
    stops = [ProblemStop(id=f"s{n}", point=1, deliver=(60,)) for n in range(2)]
    plan = ask(stops, [van()], line(2))
    assert "no vehicle has room for its load of 60" in plan.unserved[0].reason


def test_without_vehicles_every_stop_is_explained() -> None:
    plan = ask([ProblemStop(id="s", point=1)], [], line(2))
    assert plan.routes == ()
    assert "no driver is free" in reason(plan, "s")


def test_nothing_to_do_is_an_empty_plan() -> None:
    assert ask([], [van()], line(1)) == Plan(engine="ortools", routes=())


def test_a_stop_that_is_listed_twice_is_visited_once() -> None:
    stop = ProblemStop(id="s", point=1)
    plan = ask([stop, stop], [van()], line(2))
    assert [visit.stop for visit in plan.routes[0].visits] == ["s"]


def town(stops: int, seed: int = 1) -> Problem:
    dice = random.Random(seed)
    places = [(dice.randrange(9000), dice.randrange(9000)) for _ in range(stops + 1)]
    cells = tuple(tuple((abs(a - c) + abs(b - d)) // 8 for c, d in places) for a, b in places)
    return Problem(
        stops=tuple(ProblemStop(id=f"s{n}", point=n + 1, service=180) for n in range(stops)),
        vehicles=(van("v1"), van("v2")),
        matrix=Matrix(seconds=cells, metres=cells),
    )


def test_twenty_stops_are_planned_long_before_the_time_is_over_and_each_time_the_same() -> None:
    problem = town(20)
    began = time.process_time()
    plan = Ortools(OrtoolsConfig()).plan(problem)
    assert time.process_time() - began < 1.5
    assert plan.unserved == ()
    assert Ortools(OrtoolsConfig()).plan(problem) == plan


def test_the_time_limit_is_kept_for_many_stops() -> None:
    problem = town(150).model_copy(update={"seconds": 0.5})
    began = time.process_time()
    plan = Ortools(OrtoolsConfig()).plan(problem)
    assert time.process_time() - began < 3
    assert faults(problem, plan) == []


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Draw a small problem, sane or not."""
    size = draw(st.integers(1, 5))
    cell = st.integers(0, 4000)
    row = st.tuples(*[cell] * (size + 1))
    cells = draw(st.tuples(*[row] * (size + 1)))
    instant = st.integers(0, 80_000)
    stops = [
        ProblemStop(
            id=f"s{n}",
            point=n,
            service=draw(st.integers(0, 9000)),
            deliver=(draw(st.integers(0, 60)),),
            windows=draw(st.just(()) | st.tuples(st.tuples(instant, instant))),
        )
        for n in range(1, size + 1)
    ]
    vehicles = [
        van(f"v{n}", draw(st.integers(0, 100)), draw(st.tuples(instant, instant)))
        for n in range(draw(st.integers(0, 3)))
    ]
    matrix = Matrix(seconds=cells, metres=cells)
    return Problem(stops=tuple(stops), vehicles=tuple(vehicles), matrix=matrix, seconds=0.2)


@settings(max_examples=20, deadline=None)
@given(problems())
def test_every_plan_passes_the_checker_whatever_the_problem(problem: Problem) -> None:
    plan = Ortools(OrtoolsConfig()).plan(problem)
    assert faults(problem, plan) == []


def test_another_clock_than_the_walls_ends_the_search_at_its_time() -> None:
    looks = 0

    def clock() -> float:
        nonlocal looks
        looks += 1
        return looks / 100

    draw = random.Random(1)
    stops = [ProblemStop(id=f"s{n}", point=draw.randrange(20)) for n in range(80)]
    problem = Problem(
        stops=tuple(stops), vehicles=(van(), van("v2")), matrix=line(20), seconds=3600
    )
    with counted_by(lambda: 10_000 * clock(), wall=False):
        plan = Ortools(OrtoolsConfig()).plan(problem)
    assert faults(problem, plan) == []
    assert looks < 60
