"""`hub plan explain` tells a plan in lines, and as JSON for programs."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from hub.cli.plans import plan_command
from hub.hub import Hub
from hub.store import PlanRow, System
from hub.testing.fixtures import World
from hub.testing.town import Town, town

__all__ = ["town"]


@pytest.fixture
def ask(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """Return a terminal at the directory of the hub."""
    monkeypatch.setattr("hub.cli.plans.ready", lambda: hub)
    return CliRunner()


def test_a_plan_is_told_along_the_clock(ask: CliRunner, town: Town, world: World) -> None:
    town.stops(3)
    town.stop(load=500)
    plan = town.plan()
    said = ask.invoke(plan_command, ["explain", plan.id])
    assert said.exit_code == 0, said.output
    assert "Lea Frick" in said.output
    assert "spare" in said.output
    assert "left out: #1004" in said.output
    assert "with Lea Frick: it fits if Lea Frick's vehicle takes" in said.output
    told = json.loads(ask.invoke(plan_command, ["explain", plan.id, "--json"]).output)
    assert len(told["routes"][0]["timeline"]["moments"]) == 3


def test_a_plan_that_is_not_done_is_not_explained(ask: CliRunner, town: Town, hub: Hub) -> None:
    plan = town.plan()
    with hub.store.write(System()) as session:
        session.get_one(PlanRow, plan.id).state = "running"
    said = ask.invoke(plan_command, ["explain", plan.id])
    assert "is running; only one that is done" in str(said.exception)


def test_planning_without_a_depot_says_how(ask: CliRunner) -> None:
    said = ask.invoke(plan_command, [])
    assert said.exit_code == 2
    assert "hub plan --depot NAME --date YYYY-MM-DD" in said.output
