"""How far a search is, written into its plan, and ending it from outside."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.hub import Hub
from hub.nouns import Found, Plan, Problem
from hub.planning import plans, progress
from hub.planning.progress import Progress, stop
from hub.planning.trials import nothing
from hub.queue.work import LeaseLost
from hub.store import PlanRow, Session, System
from hub.testing.patience import PATIENCE
from hub.testing.town import DAY, Town


@pytest.fixture
def row(hub: Hub, town: Town) -> str:
    """Return the id of a plan that is being made."""
    with hub.store.write(System()) as session:
        return plans.add(session, "Vaduz", DAY, "test", 10).id


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every find be written."""
    monkeypatch.setattr(progress, "EVERY", 0.0)


def read(hub: Hub, id: str) -> PlanRow:
    with hub.store.read(System()) as session:
        return session.get_one(PlanRow, id)


def test_a_find_is_written_with_the_lease_and_told_to_the_board(hub: Hub, row: str) -> None:
    renewed: list[bool] = []
    listener = hub.redis.pubsub()
    listener.subscribe("live:board")
    listener.get_message(timeout=PATIENCE)
    watch = Progress(hub, row, 10, lambda session: renewed.append(True))
    assert watch(Found(cost=500, left_out=2, seconds=1.25))
    told = {"cost": 500, "left_out": 2, "seconds": 1.2, "of": 10}
    assert read(hub, row).progress == told
    assert renewed == [True]
    message: Any = listener.get_message(timeout=PATIENCE)
    assert json.loads(message["data"]) == {"t": "plan", "subject": row, "progress": told}


def test_finds_are_written_once_a_second_at_most(
    hub: Hub, row: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "EVERY", 1000.0)
    watch = Progress(hub, row, 10, nothing)
    assert watch(Found(cost=500))
    assert read(hub, row).progress == {}


def test_whoever_asks_to_stop_ends_the_search_once_and_for_all(hub: Hub, row: str) -> None:
    watch = Progress(hub, row, 10, nothing)
    assert watch(Found(cost=500))
    with hub.store.write(System()) as session:
        assert stop(session, row)
    assert not watch(Found(cost=400))
    assert not watch(Found(cost=300))


def test_a_search_whose_lease_is_lost_ends_at_once(hub: Hub, row: str) -> None:
    def lost(session: Session) -> None:
        raise LeaseLost("somebody else plans this")

    with pytest.raises(LeaseLost):
        Progress(hub, row, 10, lost)(Found(cost=500))


def test_a_plan_that_is_over_cannot_be_stopped(hub: Hub, town: Town) -> None:
    town.stop()
    plan = town.plan()
    with hub.store.write(System()) as session:
        assert not stop(session, plan.id)


def test_a_plan_says_at_the_end_what_it_costs_and_why(hub: Hub, town: Town) -> None:
    town.stop()
    town.stop(load=1000)
    plan = town.plan(0.5)
    assert plan.why == "PyVRP"
    assert plan.progress["cost"] > 0
    assert (plan.progress["left_out"], plan.progress["of"]) == (1, 0.5)


def test_a_stop_from_outside_reaches_the_engine(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.stop()
    kind = hub.plugins.connector("pyvrp")
    real: Any = kind.plan  # type: ignore[attr-defined]
    rounds: list[bool] = []

    def search(self: Any, problem: Problem, report: Any) -> Plan:
        while report(Found(cost=1)) and len(rounds) < 100:
            rounds.append(True)
            with hub.store.write(System()) as session:
                stop(session, next(iter(ids(session))))
        made: Plan = real(self, problem)
        return made

    monkeypatch.setattr(kind, "search", search)
    assert town.plan(60).state == "done"
    assert rounds == [True]


def test_a_plan_that_is_given_up_at_the_terminal_is_no_open_plan(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.stop()

    def search(self: Any, problem: Problem, report: Any) -> Plan:
        assert report(Found(cost=1))
        return Plan(engine="finds", routes=())

    def interrupted(found: Found, seconds: float) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(hub.plugins.connector("pyvrp"), "search", search)
    with pytest.raises(KeyboardInterrupt):
        plans.plan_now(hub, "Vaduz", DAY, 60, "test", plans.Wish(told=interrupted))
    with hub.store.read(System()) as session:
        row = session.get_one(PlanRow, ids(session)[0])
    assert (row.state, row.reason) == ("failed", "it was given up")


def ids(session: Session) -> list[str]:
    """Return the ids of all plans."""
    from sqlmodel import select

    return list(session.exec(select(PlanRow.id)))
