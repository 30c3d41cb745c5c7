"""Ten thousand events against two hundred workflows: decided once, in short transactions."""

from pathlib import Path

import pytest
from sqlalchemy import func
from sqlmodel import select

from hub.events import MerchantFacts, OrderFacts
from hub.events.catalogue import OrderReceived
from hub.events.log import append_all, number
from hub.queue import enqueue, entry
from hub.queue.leader import lead
from hub.queue.work import hold
from hub.store import CursorRow, RunRow, StepRow, System, WorkRow
from hub.store.tracing import TRACE, read

from .conftest import Toys

pytestmark = pytest.mark.demo

EVENTS = 10_000
WORKFLOWS = 200
FLOW = """\
workflow: many-{n}
on: [{{event: order.received, if: event.order.total_minor == {n}}}]
steps:
  - {{id: note, use: toy.write, with: {{text: "{n}"}}}}
"""


def order(toys: Toys, row: int) -> OrderReceived:
    """Return an event of which every second one fits one workflow."""
    order = OrderFacts(id=f"ord_{row}", total_minor=row // 2 % WORKFLOWS if row % 2 else 1_000)
    merchant = MerchantFacts(id=toys.merchant, name="Alpenkraut")
    return OrderReceived(
        subject=order.id, merchant_id=toys.merchant, order=order, merchant=merchant
    )


def decide(toys: Toys) -> None:
    """Evaluate as a worker does until the cursor is at the last event."""
    with toys.hub.store.write(System()) as session:
        enqueue(session, "evaluate", "events")
    seen = 0
    while seen < EVENTS:
        with toys.hub.store.write(System()) as session:
            row = session.exec(select(WorkRow).where(WorkRow.kind == "evaluate")).one()
            claim = hold(session, row, "test")
        entry.work(toys.hub, claim)
        with toys.hub.store.read(System()) as session:
            reached = session.get_one(CursorRow, "workflow").seq
        assert reached > seen
        seen = reached


def test_ten_thousand_events_and_two_hundred_workflows_start_each_run_once(
    toys: Toys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(WORKFLOWS):
        toys.save(FLOW.format(n=n))
    token = lead(toys.hub.store, "dispatcher", "test")
    assert token is not None
    for start in range(0, EVENTS, 200):
        with toys.hub.store.write(System()) as session:
            append_all(session, [order(toys, row) for row in range(start, start + 200)])
        with toys.hub.store.write(System()) as session:
            number(session, token, 200)
    monkeypatch.setenv(TRACE, str(tmp_path / "writes"))
    decide(toys)
    with toys.hub.store.read(System()) as session:
        by_workflow = session.exec(select(RunRow.workflow, func.count()).group_by(RunRow.workflow))
        assert dict(by_workflow.all()) == {f"many-{n}": 25 for n in range(WORKFLOWS)}
        assert session.exec(select(func.count()).select_from(StepRow)).one() == EVENTS // 2
    held = sorted(
        one.held for one in read(tmp_path / "writes") if one.name.endswith("engine.evaluate")
    )
    assert held[len(held) // 2] < 0.05
