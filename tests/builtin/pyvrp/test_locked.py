"""Vehicles with locked stops: they have to go home anyway, and what lies on their way is theirs."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from hub.builtin.ortools import Ortools, OrtoolsConfig
from hub.builtin.pyvrp import PyVrp
from hub.builtin.pyvrp.answer import started
from hub.builtin.pyvrp.model import made
from hub.connector import NoSettings
from hub.nouns import Found, Matrix, Problem
from hub.nouns.plans import Reloads
from hub.planning.costs import cost
from tests.builtin.routes import ask, day, routes, stop, van

ENGINE = PyVrp(NoSettings())


def on_the_way_home(**values: Any) -> Problem:
    """Return a day on which v1 passes by stop 1 on its way home from stop 3, which is locked."""
    told = {"locked": ("s3",), "capacity": (9,)}
    first, second = van("v1", **{**told, **values}), van("v2", capacity=(9,))
    return day([stop(3, deliver=(2,)), stop(1, deliver=(2,))], [first, second])


@pytest.mark.parametrize(
    "values",
    [{}, {"most_stops": 2}, {"capacity": (4,)}, {"reloads": Reloads(points=(0,))}, {"visited": 3}],
)
def test_who_passes_by_on_the_way_home_takes_a_stop_along(values: dict[str, Any]) -> None:
    assert routes(ask(ENGINE, on_the_way_home(**values))) == {"v1": ["s3", "s1"]}


@pytest.mark.parametrize("values", [{"most_stops": 1}, {"capacity": (3,)}])
def test_who_may_not_take_it_along_leaves_it_to_another(values: dict[str, Any]) -> None:
    assert routes(ask(ENGINE, on_the_way_home(**values))) == {"v1": ["s3"], "v2": ["s1"]}


def test_routes_to_begin_with_do_not_keep_a_stop_from_who_passes_by() -> None:
    problem = on_the_way_home().model_copy(update={"warm": {"v2": ("s1",)}})
    assert routes(ask(ENGINE, problem)) == {"v1": ["s3", "s1"]}


def test_routes_to_begin_with_lead_every_driver_home() -> None:
    problem = on_the_way_home().model_copy(update={"warm": {"v2": ("s1",)}})
    asked = made(problem)
    assert asked is not None
    begun = started(problem, asked)
    assert begun is not None
    assert begun.is_complete()
    assert begun.num_routes() == 2


def test_where_somebody_is_free_only_that_vehicle_can_be() -> None:
    stops = [stop(1 + n % 5, id=f"s{n}", skills={"lift"} if n > 20 else set()) for n in range(40)]
    vans = [van(f"v{n}", locked=(f"s{n}",), skills={"lift"}) for n in range(12)]
    asked = made(day(stops, [*vans, van("free")]))
    assert asked is not None
    for client, owner in zip(asked.data.clients()[len(asked.clients) :], asked.heads, strict=True):
        takes = {
            vehicle.id
            for kind, those in zip(asked.data.vehicle_types(), asked.fleet, strict=True)
            for vehicle in those
            if all(a <= b for a, b in zip(client.delivery, kind.capacity, strict=True))
        }
        assert takes == {owner}


def test_what_a_search_tells_counts_what_is_spent_on_locked_stops() -> None:
    told: list[Found] = []
    problem = on_the_way_home()
    plan = ENGINE.search(problem, lambda found: told.append(found) or True)
    assert (told[-1].cost, told[-1].left_out) == (cost(problem, plan), 0)


@pytest.mark.parametrize("seed", range(3))
def test_many_locked_stops_cost_no_more_than_with_another_engine(seed: int) -> None:
    problem = morning(seed)
    other = Ortools(OrtoolsConfig()).plan(problem)
    assert cost(problem, ask(ENGINE, problem)) <= cost(problem, other) * 1.01


def morning(seed: int) -> Problem:
    """Return a day on which six of seven drivers have begun their routes in six directions."""
    chance = Random(seed)
    at = [(0, 0), *((chance.randint(-3000, 3000), chance.randint(-3000, 3000)) for _ in range(14))]
    cells = [[int(((a - c) ** 2 + (b - d) ** 2) ** 0.5) for c, d in at] for a, b in at]
    vans = [van(f"v{n}", locked=(f"s{n}",)) for n in range(1, 7)]
    return day(
        [stop(n) for n in range(1, 15)],
        [*vans, van("w")],
        matrix=Matrix(seconds=cells, metres=cells),
        seconds=3.0,
    )
