"""The shipped workflows: every file's own tests, and the optional ones on real rows."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlmodel import select

from hub.dispatch.actions import RescheduleInput, reschedule
from hub.events.catalogue import StopFailed
from hub.events.facts import ProofFacts
from hub.events.log import number
from hub.hub import Hub
from hub.orders.happenings import tell_stop
from hub.queue import enqueue
from hub.queue.entry import run
from hub.queue.leader import lead
from hub.store import (
    AttemptRow,
    FlagRow,
    Operator,
    OrderRow,
    ReoptimisationRow,
    RouteRow,
    RunRow,
    StopRow,
    System,
)
from hub.testing.fixtures import set_time
from hub.testing.town import DAY, Town, town
from hub.workflow.examples import run_file
from hub.workflow.library import save, shipped
from hub.workflow.parts import assemble, installed_actions
from hub.workflow.requests import request

__all__ = ["town"]
FILES = sorted(shipped().rglob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_shipped_workflow_passes_its_own_tests(file: Path) -> None:
    outcomes = run_file(file, installed_actions())
    assert [(one.name, one.faults) for one in outcomes if one.faults] == []
    assert len(outcomes) >= 2


def put_in_force(hub: Hub, name: str) -> None:
    """Save one of the optional workflows."""
    assemble(hub)
    with hub.store.write(Operator("ops")) as session:
        save(hub, session, (shipped() / "optional" / f"{name}.yaml").read_text())


def ask(hub: Hub, name: str) -> None:
    """Ask for a run and let everything happen that follows."""
    with hub.store.write(Operator("ops")) as session:
        request(hub, session, name, by="ops@example.com")
    settle(hub)


def settle(hub: Hub) -> None:
    """Number, evaluate and do everything until nothing is due."""
    for _ in range(20):
        token = lead(hub.store, "dispatcher", "test")
        assert token is not None
        with hub.store.write() as session:
            if number(session, token):
                enqueue(session, "evaluate", "events")
        for go_round in hub.rounds:
            go_round(hub)
        if not sum(run(hub, queue, "test") for queue in ("fast", "outward", "heavy")):
            return


@pytest.mark.whole
def test_the_night_plans_and_publishes_every_depots_day(hub: Hub, town: Town) -> None:
    put_in_force(hub, "nightly-planning")
    stops = town.stops(6)
    ask(hub, "nightly-planning")
    with hub.store.read(System()) as session:
        ran = session.exec(select(RunRow)).one()
        assert ran.state == "succeeded", ran.error
    assert {town.read(id).state for id in stops} == {"dispatched"}
    assert {route.state for route in town.routes()} == {"ready"}


@pytest.mark.whole
def test_a_failed_delivery_is_put_on_the_next_workday_once_its_route_has_ended(
    hub: Hub, town: Town
) -> None:
    from hub.events.catalogue import RouteClosed, StopFailed
    from hub.events.facts import DriverFacts, ProofFacts, RouteFacts
    from hub.events.log import append
    from hub.orders.happenings import merchant_facts, order_facts, stop_facts

    put_in_force(hub, "failed-attempt")
    (id,) = town.stops(1)
    (route,) = town.published()
    town.change(id, state="failed", reason="not_home", attempts=1)
    with hub.store.write(System()) as session:
        stop = session.get_one(StopRow, id)
        order = session.get_one(OrderRow, stop.order)
        said = StopFailed(
            subject=id, merchant_id=stop.merchant, stop=stop_facts(stop, session.now),
            order=order_facts(order, 0), merchant=merchant_facts(session, stop.merchant),
            route=RouteFacts(id=route), proof=ProofFacts(),
        )  # fmt: skip
        append(session, said)
    settle(hub)
    assert town.read(id).state == "failed", "the route is still under way"
    with hub.store.write(System()) as session:
        row = session.get_one(RouteRow, route)
        row.state = "closed"
        facts = RouteFacts(id=route, state="closed")
        append(session, RouteClosed(subject=route, route=facts, driver=DriverFacts()))
    settle(hub)
    stop = town.read(id)
    assert (stop.state, stop.service_date, stop.attempts) == (
        "unassigned", DAY + timedelta(days=1), 1,
    )  # fmt: skip


def tried(hub: Hub, town: Town, stop: str, outcome: str, cash: str | None = None) -> None:
    """Let an attempt at a stop of a published route have been made."""
    row = town.read(stop)
    with hub.store.write(System()) as session:
        session.add(
            AttemptRow(
                merchant=row.merchant, stop=stop, number=1, route=row.route,
                driver=town.world.driver, outcome=outcome, occurred_at=session.now,
                recorded_at=session.now, cash_taken=Decimal(cash) if cash else None,
            )
        )  # fmt: skip
    town.change(stop, state=outcome, attempts=1)


def test_the_evenings_figures_stay_those_of_the_day_when_a_stop_gets_another(
    hub: Hub, town: Town
) -> None:
    put_in_force(hub, "accounting-summary")
    done, failed, _ = town.stops(3)
    (route,) = town.published()
    tried(hub, town, done, "completed", "12.50")
    tried(hub, town, failed, "failed")
    with hub.store.write(System()) as session:
        session.get_one(RouteRow, route).state = "closed"
        reschedule(hub, session, RescheduleInput(stop=failed, date=DAY + timedelta(days=1)))
    set_time(hub, hub.store.clock.now() + timedelta(hours=1))
    ask(hub, "accounting-summary")
    with hub.store.read(System()) as session:
        flag = session.exec(select(FlagRow)).one()
        currency = session.get_one(OrderRow, town.read(done).order).currency
    assert flag.text == (
        f"{DAY}: 2 stops, 1 delivered, 0 in part, 1 failed; cash 12.50 {currency}".rstrip()
    )


def test_a_failed_stop_has_the_rest_worked_out_anew(hub: Hub, town: Town) -> None:
    put_in_force(hub, "replan")
    failed, *_ = town.stops(3)
    town.published()
    town.change(failed, state="failed", reason="not_home", attempts=1)
    with hub.store.write(System()) as session:
        stop = session.get_one(StopRow, failed)
        tell_stop(session, StopFailed, stop, proof=ProofFacts(id="prf_1"))
    settle(hub)
    with hub.store.read(System()) as session:
        (ran,) = session.exec(select(RunRow)).all()
        (search,) = session.exec(select(ReoptimisationRow)).all()
    assert (ran.state, search.state) == ("succeeded", "done"), ran.error
