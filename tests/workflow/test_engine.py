"""Which workflows start, decided exactly once."""

import pytest
from sqlmodel import select

from hub.events.log import CAUSE
from hub.queue.work import claim
from hub.store import CursorRow, EventRow, PersonRow, StepRow, System, WorkflowRow, WorkRow
from hub.workflow import engine
from hub.workflow.library import Library

from .conftest import Toys

NOTE = """\
workflow: note
on:
  - event: order.received
    if: event.order.total_minor > 100
steps:
  - id: note
    use: toy.write
    with: {text: "{{ event.order.ref }}"}
"""


def test_an_event_whose_condition_holds_starts_a_run(toys: Toys) -> None:
    toys.save(NOTE)
    event = toys.order_comes()
    toys.work()
    assert toys.run().event == event
    assert toys.run().state == "succeeded"
    assert toys.texts() == ["1001"]


def test_an_event_whose_condition_does_not_hold_starts_nothing(toys: Toys) -> None:
    toys.save(NOTE)
    toys.order_comes(total_minor=5)
    toys.work()
    assert toys.texts() == []
    with toys.hub.store.read(System()) as session:
        assert session.get_one(CursorRow, "workflow").seq == 1


def test_a_workflow_that_is_switched_off_starts_nothing(toys: Toys) -> None:
    toys.save(NOTE)
    with toys.hub.store.write(System()) as session:
        session.get_one(WorkflowRow, "note").enabled = False
    toys.order_comes()
    toys.work()
    assert toys.texts() == []


def test_one_event_starts_a_workflow_once_however_many_triggers_hold(toys: Toys) -> None:
    toys.save(NOTE.replace("steps:", "  - event: order.received\nsteps:"))
    toys.order_comes()
    toys.work()
    assert toys.texts() == ["1001"]


def test_a_condition_that_fails_is_a_dead_letter_with_its_reason(toys: Toys) -> None:
    toys.save(NOTE.replace("total_minor > 100", "total_minor / event.order.lines > 1"))
    toys.order_comes()
    toys.work()
    run = toys.run()
    assert (run.state, run.error["step"], run.error["kind"]) == ("failed", "on[0].if", "invalid")
    assert "divide by zero" in run.error["message"]
    assert len(toys.events("workflow.failed")) == 1


def test_a_failing_trigger_does_not_hide_one_that_holds(toys: Toys) -> None:
    text = NOTE.replace("total_minor > 100", "total_minor / event.order.lines > 1")
    toys.save(text.replace("steps:", "  - event: order.received\nsteps:"))
    toys.order_comes()
    toys.work()
    assert toys.run().state == "succeeded"


def test_two_evaluators_that_read_the_same_events_start_one_run(
    toys: Toys, monkeypatch: pytest.MonkeyPatch
) -> None:
    toys.save(NOTE)
    toys.order_comes()
    (first,) = claim(toys.hub.store, "fast", "first")
    decide = engine.decide
    raced = []

    def race(*arguments: object) -> list[object]:
        """Let a second evaluator do all its work while the first is between read and write."""
        found = decide(*arguments)  # type: ignore[arg-type]
        if not raced:
            raced.append(True)
            with toys.hub.store.write(System()) as session:
                row = WorkRow(
                    kind="evaluate", subject="again", queue="fast",
                    not_before=session.wall, created_at=session.wall,
                )  # fmt: skip
                session.add(row)
            (second,) = claim(toys.hub.store, "fast", "second")
            engine.evaluate(Library(toys.hub), toys.hub, second)
        return found  # type: ignore[return-value]

    monkeypatch.setattr(engine, "decide", race)
    engine.evaluate(Library(toys.hub), toys.hub, first)
    toys.work()
    assert raced
    assert toys.run().state == "succeeded"
    assert toys.texts() == ["1001"]


def test_more_events_than_fit_in_one_transaction_are_all_decided_in_order(
    toys: Toys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "MOST_RUNS", 2)
    toys.save(NOTE)
    for number in range(5):
        toys.order_comes(ref=str(number))
    toys.work()
    assert toys.texts() == ["0", "1", "2", "3", "4"]


def test_an_event_behind_eight_workflows_starts_nothing_and_says_so(
    toys: Toys, caplog: pytest.LogCaptureFixture
) -> None:
    toys.save(NOTE)
    with toys.hub.store.write(System()) as session:
        session.info[CAUSE] = ("evt_x", 7)
        row = EventRow(
            merchant=toys.merchant, type="order.received", subject="ord_1", depth=8,
            occurred_at=session.now, recorded_at=session.now,
            data={"order": {"id": "ord_1", "total_minor": 500}},
        )  # fmt: skip
        session.add(row)
    toys.number()
    toys.work()
    assert toys.texts() == []
    assert "8 workflows lie behind it" in caplog.text


def test_a_workflow_that_causes_its_own_event_ends_at_depth_eight(toys: Toys) -> None:
    toys.save(
        """\
workflow: circle
on: [{event: workflow.failed}, {event: order.received}]
steps:
  - id: fail
    use: toy.write
    with: {text: x, copies: 0}
    retry: {max: 0}
"""
    )
    toys.order_comes()
    for _ in range(12):
        toys.work()
        toys.number()
    assert [event.depth for event in toys.events("workflow.failed")] == list(range(1, 9))


def test_an_erased_person_reads_as_absent(toys: Toys) -> None:
    toys.save(NOTE.replace("event.order.total_minor > 100", "has(event.customer.phone)"))
    event = toys.order_comes()
    with toys.hub.store.write(System()) as session:
        session.delete(session.get_one(PersonRow, event))
    toys.work()
    assert toys.texts() == []


def test_a_running_run_stays_on_its_revision(toys: Toys) -> None:
    toys.save(NOTE)
    toys.order_comes()
    (one,) = claim(toys.hub.store, "fast", "test")
    toys.hub.handlers["evaluate"](toys.hub, one)
    toys.save(NOTE.replace("{{ event.order.ref }}", "new text"))
    toys.work()
    assert toys.texts() == ["1001"]
    toys.order_comes()
    toys.work()
    assert toys.texts() == ["1001", "new text"]


def test_a_workflow_whose_action_is_gone_fails_by_name(toys: Toys) -> None:
    toys.save(NOTE)
    toys.order_comes()
    del toys.hub.actions["toy.write"]
    toys.work()
    assert toys.run().state == "failed"
    assert "there is no action 'toy.write'" in toys.run().error["message"]
    with toys.hub.store.read(System()) as session:
        assert session.exec(select(StepRow)).all() == []
