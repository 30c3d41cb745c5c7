"""Waits, delays, calls of other workflows and timeouts: rows that survive everything."""

from __future__ import annotations

import pytest

from hub.errors import Retry
from hub.store import RunRow

from .conftest import Toy, Toys

WAIT = """
workflow: patient
on: [{event: order.received}]
steps:
  - id: near
    wait: {event: stop.approaching, match: "event.order.id == trigger.order.id", timeout: 8h}
  - id: told
    use: toy.write
    with:
      text: "{{ steps.near.timed_out ? 'nobody' : string(steps.near.event.stop.eta_minutes) }}"
"""


def test_a_wait_ends_with_the_event_that_fits(toys: Toys) -> None:
    toys.save(WAIT)
    toys.order_comes()
    toys.work()
    assert toys.steps()["near"].state == "waiting"
    toys.driver_comes_near()
    toys.work()
    assert toys.run().state == "succeeded"
    assert toys.texts() == ["8"]


def test_an_event_about_another_order_does_not_end_it(toys: Toys) -> None:
    toys.save(WAIT)
    toys.order_comes(id="ord_2")
    toys.work()
    toys.driver_comes_near()
    toys.work()
    assert toys.steps()["near"].state == "waiting"


def test_an_event_that_came_before_the_wait_began_counts(toys: Toys) -> None:
    toys.save(WAIT)
    toys.order_comes()
    toys.driver_comes_near()
    toys.work()
    assert toys.texts() == ["8"]


def test_a_wait_goes_on_when_its_time_is_over(toys: Toys) -> None:
    toys.save(WAIT)
    toys.order_comes()
    toys.work()
    toys.later(hours=7, minutes=59)
    assert toys.steps()["near"].state == "waiting"
    toys.later(minutes=2)
    assert toys.texts() == ["nobody"]


def test_a_wait_fails_when_its_time_is_over_where_it_shall(toys: Toys) -> None:
    toys.save(WAIT.replace("timeout: 8h}", "timeout: 8h}\n    on_timeout: fail"))
    toys.order_comes()
    toys.work()
    toys.later(hours=9)
    run = toys.run()
    assert (run.state, run.error["kind"], run.error["step"]) == ("failed", "timeout", "near")


def test_an_emptied_redis_loses_no_wait(toys: Toys) -> None:
    toys.save(WAIT)
    toys.order_comes()
    toys.work()
    toys.hub.redis.flushall()
    toys.driver_comes_near()
    toys.work()
    assert toys.run().state == "succeeded"


def test_until_waits_for_a_moment_and_a_jump_of_the_clock_only_wakes_it(toys: Toys) -> None:
    toys.save(
        "workflow: late\non: [{event: order.received}]\nsteps:\n"
        "  - until: event.occurred_at + duration('3h')\n"
        "  - {id: a, use: toy.write, with: {text: now}}\n"
    )
    toys.order_comes()
    toys.work()
    toys.later(hours=2)
    assert toys.texts() == []
    toys.later(days=400)
    assert toys.texts() == ["now"]
    toys.later(days=-400)
    assert toys.texts() == ["now"]


CHILD = """
workflow: child
on: [{workflow: true}]
inputs:
  name: {type: text, default: nobody}
steps:
  - {id: a, use: toy.write, with: {text: "hello {{ inputs.name }}"}}
"""
PARENT = """
workflow: parent
on: [{event: order.received}]
steps:
  - {id: call, use: workflow.child, with: {name: "{{ event.order.ref }}"}}
  - {id: b, use: toy.write, with: {text: after}}
"""


def settle(toys: Toys) -> None:
    """Let everything happen that follows from what has happened."""
    for _ in range(4):
        toys.tick()


def test_a_called_workflow_is_done_before_the_caller_goes_on(toys: Toys) -> None:
    toys.save(CHILD)
    toys.save(PARENT)
    toys.order_comes()
    settle(toys)
    assert toys.texts() == ["hello 1001", "after"]
    assert toys.run_named("parent") == ["succeeded"]


def test_a_called_workflow_that_fails_fails_the_caller(toys: Toys) -> None:
    toys.save(CHILD.replace("{{ inputs.name }}", "{{ 1 / 0 }}"))
    toys.save(PARENT)
    toys.order_comes()
    settle(toys)
    assert toys.run_named("parent") == ["failed"]
    (run,) = toys.rows(RunRow, workflow="parent")
    assert "the workflow child is failed" in run.error["message"]


def test_calling_a_workflow_that_is_not_there_fails_at_once(toys: Toys) -> None:
    toys.save(PARENT)
    toys.order_comes()
    settle(toys)
    (run,) = toys.rows(RunRow)
    expected = "there is no workflow child that is on and has `workflow: true` under on:"
    assert run.error["message"] == expected


@pytest.mark.parametrize(("condition", "said"), [
    ("inputs.name == 'nobody'", "the workflow child is skipped"),
    ("1 / int(inputs.name) > 1 / 0", "the workflow child is failed"),
])  # fmt: skip
def test_a_called_workflow_whose_condition_does_not_hold_does_not_keep_its_caller_waiting(
    toys: Toys, condition: str, said: str
) -> None:
    toys.save(CHILD.replace("{workflow: true}", f'{{workflow: true, if: "{condition}"}}'))
    toys.save(PARENT)
    toys.order_comes()
    settle(toys)
    (run,) = toys.rows(RunRow, workflow="parent")
    assert said in run.error["message"]


def test_a_workflow_that_does_not_let_itself_be_called_fails_its_caller_at_once(
    toys: Toys,
) -> None:
    toys.save(CHILD.replace("workflow: true", "manual: true"))
    toys.save(PARENT)
    toys.order_comes()
    settle(toys)
    (run,) = toys.rows(RunRow)
    assert "has `workflow: true` under on:" in run.error["message"]


def test_a_workflow_that_calls_itself_is_stopped(toys: Toys) -> None:
    toys.save(
        "workflow: child\non: [{event: order.received}, {workflow: true}]\n"
        "steps: [{id: again, use: workflow.child}]\n"
    )
    toys.order_comes()
    for _ in range(15):
        toys.tick()
    assert len(toys.rows(RunRow)) == 8


def test_a_run_that_takes_too_long_fails_and_its_steps_end(toys: Toys) -> None:
    toys.save(WAIT.replace("steps:", "timeout: 1h\nsteps:", 1))
    toys.order_comes()
    toys.work()
    toys.later(minutes=61)
    run = toys.run()
    assert (run.state, run.error["kind"]) == ("failed", "timeout")
    assert toys.steps()["near"].state == "cancelled"
    toys.driver_comes_near()
    toys.work()
    assert toys.texts() == []


def test_what_a_run_that_took_too_long_had_not_sent_is_not_sent(toys: Toys) -> None:
    toys.connect()
    toys.save(
        "workflow: slow\non: [{event: order.received}]\ntimeout: 1h\n"
        "steps: [{id: a, use: toy.send, with: {to: x, text: y}, retry: {max: 9, delay: 10m}}]\n"
    )
    Toy.answers.append(Retry("busy"))
    toys.order_comes()
    toys.work()
    toys.later(minutes=61)
    toys.wait()
    assert toys.run().state == "failed"
    assert len(Toy.keys) == 1
