"""A thousand random problems: every plan is sound, and every reason is true."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from hub.hub import Hub
from hub.nouns import Plan, Problem
from hub.planning.check import faults
from hub.planning.locks import unlocked
from hub.planning.relaxations import gone_with, joined, narrowed, sequence
from hub.planning.schedule import drive
from hub.planning.settle import settle
from hub.planning.solving import solve
from tests.planning.problems import problem, sequences

EACH = 50
COUNT = {"careless": 1000, "idle": 250, "pyvrp": 50, "ortools": 50}
CHOSEN = 60
"""Problems for the chooser, with all engines that are installed."""
Maker = Callable[[Problem], Plan]


def careless(asked: Problem) -> Plan:
    """Settle what an engine found that knows none of the rules."""
    return settle(asked, "careless", sequences(asked, Random(asked.seed)))


def idle(asked: Problem) -> Plan:
    """Settle what an engine found that found nothing."""
    return settle(asked, "idle", {})


def pyvrp(asked: Problem) -> Plan:
    """Plan with the default engine."""
    from hub.builtin.pyvrp import PyVrp
    from hub.connector import NoSettings

    return PyVrp(NoSettings()).plan(asked.model_copy(update={"seconds": 0.2}))


def ortools(asked: Problem) -> Plan:
    """Plan with the engine that knows every rule."""
    from hub.builtin.ortools import Ortools, OrtoolsConfig

    return Ortools(OrtoolsConfig()).plan(asked.model_copy(update={"seconds": 0.2}))


MAKERS: dict[str, Maker] = {
    "careless": careless, "idle": idle, "pyvrp": pyvrp, "ortools": ortools,
}  # fmt: skip
"""By name: what makes a plan of any problem; a new way to plan is added here and to `COUNT`."""


@pytest.mark.parametrize(
    ("maker", "first"),
    [(maker, first) for maker in MAKERS for first in range(0, COUNT[maker], EACH)],
)
def test_every_plan_is_sound_and_every_reason_true(maker: str, first: int) -> None:
    for seed in range(first, first + EACH):
        asked = problem(seed)
        plan = MAKERS[maker](asked)
        assert faults(asked, plan) == [], f"seed {seed}"
        assert all(left.rule and left.reason for left in plan.unserved), f"seed {seed}"
        assert fitting(asked, plan) == [], f"seed {seed}"


@pytest.mark.parametrize("first", range(0, CHOSEN, EACH))
def test_every_plan_of_the_engine_that_is_chosen_is_sound_and_every_reason_true(
    hub: Hub, first: int
) -> None:
    for seed in range(first, min(first + EACH, CHOSEN)):
        asked = unlocked(problem(seed)).model_copy(update={"seconds": 0.5})
        plan = solve(hub, asked)
        assert faults(asked, plan) == [], f"seed {seed}"
        assert all(left.rule and left.reason for left in plan.unserved), f"seed {seed}"
        assert fitting(asked, plan) == [], f"seed {seed}"
        assert "passed over" not in plan.why, f"seed {seed}"


def fitting(asked: Problem, plan: Plan) -> list[str]:
    """Return the stops that are left out though they fit somewhere as they are."""
    routes = {route.vehicle: route for route in plan.routes}
    locked = {stop for vehicle in asked.vehicles for stop in vehicle.locked}
    found = []
    for left in plan.unserved:
        ids = gone_with(asked, left.stop)
        if len(ids) > 1 or ids[0] in locked:
            continue
        stops = [asked.stop_of[left.stop]]
        for vehicle in asked.vehicles:
            items = sequence(asked, routes, vehicle)
            for index in range(len(items) + 1):
                longer = joined(items, stops, index, 0)
                small = narrowed(asked, vehicle, longer)
                if not drive(small, small.vehicles[0], longer).broken:
                    found.append(left.stop)
    return found
