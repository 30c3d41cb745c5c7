"""Reasons that a plan had no time for are found afterwards, by a worker or when somebody asks."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from hub.cli.explain import explain_command
from hub.hub import Hub
from hub.planning import plans, register
from hub.planning.reasons import PENDING
from hub.planning.reasons_later import FITS, look_again
from hub.queue.work import claim
from hub.store import PlanRow, System
from hub.testing.town import Town, at


@pytest.fixture
def hurried(hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch) -> PlanRow:
    """Return a plan of four stops that leaves two out without a reason; one of them would fit."""
    town.stops(2)
    never = town.stop(window_start=at(22), window_end=at(23))
    fits = town.stop(0.02)
    real = plans.solve

    def solve(*given: Any, **named: Any) -> Any:
        plan = real(*given, **named)
        routes = tuple(without(route, fits) for route in plan.routes)
        left = plan.unserved[0].model_copy(
            update={"reason": PENDING, "rule": "", "relaxations": (), "vehicle": ""}
        )
        both = (left, left.model_copy(update={"stop": fits}))
        return plan.model_copy(update={"routes": routes, "unserved": both})

    monkeypatch.setattr(plans, "solve", solve)
    plan = town.plan()
    assert {left["stop"] for left in plan.unserved} == {never, fits}
    return plan


def without(route: Any, stop: str) -> Any:
    kept = tuple(visit for visit in route.visits if visit.stop != stop)
    return route.model_copy(update={"visits": kept})


def reasons(hub: Hub, plan: PlanRow) -> list[tuple[str, str]]:
    with hub.store.read(System()) as session:
        row = session.get_one(PlanRow, plan.id)
    return sorted((left["rule"], left["reason"]) for left in row.unserved)


def test_a_worker_finds_them_behind_the_plan(hub: Hub, hurried: PlanRow) -> None:
    register(hub)
    (held,) = claim(hub.store, "heavy", "test")
    hub.handlers[held.kind](hub, held)
    fits, never = reasons(hub, hurried)
    assert fits == ("", FITS)
    assert (never[0], "22:00-23:00 lies outside every shift" in never[1]) == ("window", True)
    assert "it fits if its window opens" in never[1]


def test_whoever_asks_at_the_terminal_does_not_wait_for_a_worker(
    hub: Hub, hurried: PlanRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.cli.plans.ready", lambda: hub)
    told = CliRunner().invoke(explain_command, [hurried.id], catch_exceptions=False)
    assert "22:00-23:00 lies outside every shift" in told.output
    assert FITS in told.output
    assert PENDING not in told.output


def test_a_day_that_has_gone_on_keeps_what_was_said(hub: Hub, town: Town, hurried: PlanRow) -> None:
    for stop in hurried.unserved:
        town.change(stop["stop"], state="cancelled")
    assert look_again(hub, hurried.id) == 2
    assert {reason for _, reason in reasons(hub, hurried)} == {PENDING}


def test_a_plan_that_gave_its_reasons_is_left_as_it_is(hub: Hub, town: Town) -> None:
    town.stop(window_start=at(22), window_end=at(23))
    plan = town.plan()
    before = reasons(hub, plan)
    assert look_again(hub, plan.id) == 0
    assert reasons(hub, plan) == before
