"""How many stops a plan moves, and the best part of it that moves no more than it may."""

from __future__ import annotations

from random import Random
from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.dispatch.churn import Judge, best_part, exchanges, longest_rising, moved
from hub.nouns import Matrix, Problem, ProblemStop, ProblemVehicle
from hub.nouns.grid import Grid


@pytest.mark.parametrize(
    ("after", "count"),
    [
        ({"a": ("1", "2", "3"), "b": ("4",)}, 0),
        ({"a": ("1", "3", "2"), "b": ("4",)}, 1),
        ({"a": ("3", "1", "2"), "b": ("4",)}, 1),
        ({"a": ("3", "2", "1"), "b": ("4",)}, 2),
        ({"a": ("1", "2"), "b": ("3", "4")}, 1),
        ({"a": ("1", "4", "3"), "b": ("2",)}, 2),
    ],
)
def test_a_stop_moves_that_changes_driver_or_overtakes(
    after: dict[str, tuple[str, ...]], count: int
) -> None:
    assert moved({"a": ("1", "2", "3"), "b": ("4",)}, after) == count


@given(st.lists(st.integers(0, 20), max_size=9))
def test_the_longest_rising_part_is_the_longest(numbers: list[int]) -> None:
    best = 0
    for mask in range(2 ** len(numbers)):
        part = [one for place, one in enumerate(numbers) if mask >> place & 1]
        if part == sorted(set(part)):
            best = max(best, len(part))
    assert longest_rising(numbers) == best


def test_routes_that_exchange_stops_stand_together_and_others_alone() -> None:
    before = {"a": ("1",), "b": ("2",), "c": ("3", "4"), "d": ("5",)}
    after = {"a": ("1", "2"), "b": (), "c": ("4", "3"), "d": ("5",)}
    assert exchanges(before, after) == [frozenset("ab"), frozenset("c")]


def town(random: Random, stops: int, vehicles: int) -> tuple[Problem, dict[str, int]]:
    """Return a small day, with promises that the first order of it may break."""
    places = [(random.randrange(900), random.randrange(900)) for _ in range(stops + 1)]
    rows = [[abs(a - c) + abs(b - d) for c, d in places] for a, b in places]
    matrix = Matrix(seconds=Grid(rows), metres=Grid(rows))
    promised = {f"s{n}": random.randrange(500, 9000) for n in range(1, stops + 1)}
    return (
        Problem(
            stops=tuple(
                ProblemStop(id=f"s{n}", point=n, service=60, deliver=(random.randrange(1, 9),))
                for n in range(1, stops + 1)
            ),
            vehicles=tuple(
                ProblemVehicle(
                    id=f"v{n}", start=0, end=0, capacity=(90,), shift=(0, 40_000), visited=1
                )
                for n in range(vehicles)
            ),
            matrix=matrix,
        ),
        promised,
    )


def dealt(random: Random, stops: int, vehicles: int) -> dict[str, tuple[str, ...]]:
    """Return all stops dealt out at random."""
    ids = [f"s{n}" for n in range(1, stops + 1)]
    random.shuffle(ids)
    return {f"v{n}": tuple(ids[n::vehicles]) for n in range(vehicles)}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(6, 16), st.integers(2, 4), st.integers(0, 8))
def test_whatever_an_engine_says_the_part_is_never_worse_and_moves_no_more_than_it_may(
    seed: int, stops: int, vehicles: int, most: int
) -> None:
    random = Random(seed)
    problem, promised = town(random, stops, vehicles)
    before, after = dealt(random, stops, vehicles), dealt(random, stops, vehicles)
    judge = Judge(problem, promised)
    part = best_part(judge, before, after, most, monotonic() + 60)
    assert moved(before, part) <= most
    assert judge.worth(part, part) <= judge.worth(before, before)
    assert sorted(id for order in part.values() for id in order) == sorted(problem.stop_of)
    changed = [route for route in part if part[route] != before[route]]
    assert all(judge.keeps(route, part[route]) for route in changed)


def test_what_pays_is_taken_stop_by_stop_where_the_whole_moves_too_much() -> None:
    rows = [[abs(a - b) * 100 for b in range(9)] for a in range(9)]
    problem = Problem(
        stops=tuple(ProblemStop(id=f"s{n}", point=n) for n in range(1, 9)),
        vehicles=(
            ProblemVehicle(id="near", start=0, end=0, shift=(0, 40_000)),
            ProblemVehicle(id="far", start=8, end=8, shift=(0, 40_000)),
        ),
        matrix=Matrix(seconds=Grid(rows), metres=Grid(rows)),
    )
    before = {"near": ("s1", "s2", "s7", "s8"), "far": ("s6", "s5", "s4", "s3")}
    after = {"near": ("s1", "s2", "s3", "s4"), "far": ("s8", "s7", "s6", "s5")}
    judge = Judge(problem, {})
    assert best_part(judge, before, after, 6, monotonic() + 60) == after
    some = best_part(judge, before, after, 1, monotonic() + 60)
    assert moved(before, some) == 1
    assert judge.worth(some, some) < judge.worth(before, before)
