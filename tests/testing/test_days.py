"""The small days of the kit: an engine that ignores a rule plans the day of that rule wrong."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from hub.builtin.ortools import Ortools, OrtoolsConfig
from hub.nouns import Feature, Plan, Problem
from hub.nouns.plans import Costs
from hub.planning.check import faults
from hub.testing.conformance.days import Day, days

PLAIN: dict[str, dict[str, Any]] = {
    "several_loads": {"capacity": (9,)},
    "several_depots": {"start": 0, "end": 0},
    "skills": {"skills": {"fridge"}},
    "costs": {"costs": Costs()},
    "overtime": {"overtime": 0},
    "breaks": {"breaks": ()},
    "reloads": {"reloads": None},
    "most_metres": {"most_metres": None},
    "most_stops": {"most_stops": None},
    "profiles": {"profile": "van"},
    "stacked": {"stacked": False},
    "locked": {"locked": ()},
}
"""What vehicles are for who ignores a rule about them."""
CALM: dict[str, dict[str, Any]] = {
    "skills": {"skills": frozenset()},
    "collections": {"collect": ()},
    "pinned": {"vehicles": frozenset()},
    "priorities": {"priority": 0},
    "first_last": {"position": ""},
    "on_board": {"on_board": None},
}
"""What stops are for who ignores a rule about them."""


def without(problem: Problem, feature: str) -> Problem:
    """Return a day as it is for who ignores a rule."""
    stops = [one.model_copy(update=CALM.get(feature, {})) for one in problem.stops]
    if feature == "several_windows":
        stops = [one.model_copy(update={"windows": one.windows[:1]}) for one in stops]
    vehicles = [one.model_copy(update=PLAIN.get(feature, {})) for one in problem.vehicles]
    told: dict[str, Any] = {"stops": tuple(stops), "vehicles": tuple(vehicles), "seconds": 0.3}
    if feature == "shipments":
        told["shipments"] = ()
    if feature == "balance":
        told["balance"] = 0.0
    return problem.model_copy(update=told)


def is_wrong(day: Day, plan: Plan) -> bool:
    """Say whether the kit has anything against a plan."""
    served = sum(len(route.visits) for route in plan.routes)
    return bool(faults(day.problem, plan)) or served < day.served or bool(day.wrong(plan))


@pytest.mark.parametrize("feature", get_args(Feature))
def test_who_ignores_a_rule_plans_its_day_wrong(feature: Feature) -> None:
    day = days()[feature]
    engine = Ortools(OrtoolsConfig())
    plans = [
        engine.plan(without(day.problem, feature).model_copy(update={"seed": seed}))
        for seed in range(1, 6)
    ]
    assert any(is_wrong(day, plan) for plan in plans)
    assert not is_wrong(day, engine.plan(day.problem))
