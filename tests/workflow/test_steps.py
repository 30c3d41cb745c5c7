"""Steps run in order, exactly once, and fail in the open."""

from datetime import timedelta

import pytest

from hub.errors import Refused, Rejected, Retry
from hub.queue.work import LeaseLost, claim
from hub.store import FlagRow, StepRow, System, WorkRow
from hub.workflow import steps
from hub.workflow.problem import Invalid

from .conftest import Toys

TWO = """\
workflow: two
on: [{event: order.received}]
steps:
  - id: first
    use: toy.write
    with: {text: "for {{ event.customer.name }}", copies: "{{ 1 + 1 }}"}
    retry: {max: 1, delay: 30s}
  - id: between
    if: steps.first.output.length > 1000
    use: toy.write
    with: {text: never}
  - id: second
    if: steps.between.skipped && !has(steps.between.output)
    use: toy.write
    with: {text: "after {{ steps.first.output.id }}"}
on_error:
  - use: toy.write
    with: {text: "{{ error.step }} {{ error.kind }}: {{ error.message }}"}
  - use: toy.write
    with: {text: "failed: {{ steps.first.failed }}"}
"""


def test_steps_run_in_order_and_read_what_came_before(toys: Toys) -> None:
    toys.save(TWO)
    toys.order_comes()
    toys.work()
    flag = toys.rows(FlagRow)[1].id
    assert toys.texts() == ["for Rosa Beck", "for Rosa Beck", f"after {flag}"]
    assert {path: row.state for path, row in toys.steps().items()} == {
        "first": "done",
        "between": "skipped",
        "second": "done",
    }
    assert toys.run().state == "succeeded"


def test_a_step_works_on_behalf_of_its_events_merchant(toys: Toys) -> None:
    toys.save(TWO)
    toys.order_comes()
    toys.work()
    assert {row.merchant for row in toys.rows(FlagRow)} == {toys.merchant}


def test_what_a_failed_try_wrote_is_rolled_back_and_the_next_try_writes_it_once(
    toys: Toys,
) -> None:
    toys.save(TWO)
    toys.inside_errors = [Retry("busy", after=1)]
    toys.order_comes()
    toys.work()
    assert toys.texts() == []
    toys.wait()
    assert len(toys.texts()) == 3


def test_retries_wait_as_long_as_the_policy_says(toys: Toys) -> None:
    toys.save(TWO)
    toys.inside_errors = [Retry("busy", after=1)]
    toys.order_comes()
    began = toys.hub.store.clock.wall()
    toys.work()
    (work,) = toys.rows(WorkRow, kind="step")
    assert work.not_before - began >= timedelta(seconds=30)
    assert work.not_before - toys.hub.store.clock.wall() <= timedelta(seconds=37.5)


def test_when_the_retries_are_used_up_the_run_is_a_dead_letter(toys: Toys) -> None:
    toys.save(TWO)
    toys.inside_errors = [Retry("busy"), Retry("still busy for Rosa Beck")]
    toys.order_comes()
    toys.work()
    toys.wait()
    run = toys.run()
    assert run.state == "failed"
    assert run.error == {"step": "first", "kind": "retry", "message": "still busy for •••"}


def test_on_error_steps_run_inside_the_failed_run(toys: Toys) -> None:
    toys.save(TWO)
    toys.inside_errors = [Rejected("no such street")]
    toys.order_comes()
    toys.work()
    assert toys.texts() == ["first rejected: no such street", "failed: true"]
    assert [path for path, row in toys.steps().items() if row.state == "done"] == [
        "on_error[0]",
        "on_error[1]",
    ]
    (event,) = toys.events("workflow.failed")
    assert event.data["run"]["message"] == "no such street"
    assert event.depth == 1


def test_an_on_error_step_that_fails_does_not_stop_the_next(toys: Toys) -> None:
    toys.save(TWO)
    toys.inside_errors = [Rejected("first"), Rejected("second")]
    toys.order_comes()
    toys.work()
    assert toys.texts() == ["failed: true"]
    assert toys.steps()["on_error[0]"].state == "failed"
    assert len(toys.events("workflow.failed")) == 1


def test_a_tolerated_failure_lets_the_run_go_on(toys: Toys) -> None:
    text = TWO.replace("retry: {max: 1, delay: 30s}", "continue_on_error: true")
    text = text.replace("steps.first.output.length > 1000", "1 > 2")
    toys.save(text.replace("{{ steps.first.output.id }}", "{{ steps.first.failed }}"))
    toys.inside_errors = [Refused("no")]
    toys.order_comes()
    toys.work()
    assert toys.texts() == ["after true"]
    assert toys.run().state == "succeeded"


@pytest.mark.parametrize(("kinds", "tried_again"), [("[retry]", False), ("[error, lost]", True)])
def test_only_the_kinds_that_the_policy_names_are_tried_again(
    toys: Toys, kinds: str, tried_again: bool
) -> None:
    toys.save(TWO.replace("{max: 1, delay: 30s}", f"{{max: 1, on: {kinds}}}"))
    toys.inside_errors = [ValueError("odd")]
    toys.order_comes()
    toys.work()
    assert (toys.run().state == "running") is tried_again


def test_an_input_that_does_not_fit_is_rejected_by_its_field(toys: Toys) -> None:
    toys.save(
        TWO.replace('"{{ 1 + 1 }}"', '"{{ dyn(event.order.ref + "x") }}"'.replace('"x"', "'x'"))
    )
    toys.order_comes()
    toys.work()
    assert toys.run().error["kind"] == "rejected"
    assert "toy.write: copies" in toys.run().error["message"]


def test_personal_values_are_not_kept_beside_the_run(toys: Toys) -> None:
    toys.save(TWO)
    toys.order_comes()
    toys.work()
    assert toys.steps()["first"].input == {"text": "for •••", "copies": 2}


def test_a_worker_that_lost_its_lease_writes_nothing(
    toys: Toys, monkeypatch: pytest.MonkeyPatch
) -> None:
    toys.save(TWO)
    toys.order_comes()
    (evaluate,) = claim(toys.hub.store, "fast", "first")
    toys.hub.handlers["evaluate"](toys.hub, evaluate)
    (slow,) = claim(toys.hub.store, "fast", "slow")
    with toys.hub.store.write(System()) as session:
        session.get_one(WorkRow, slow.id).lease_until = session.wall
    toys.work()
    done = toys.texts()
    with toys.hub.store.write(System()) as session:
        session.get_one(StepRow, slow.subject).state = "pending"
    with pytest.raises(LeaseLost):
        toys.hub.handlers["step"](toys.hub, slow)
    assert toys.texts() == done
    assert steps.checked(toys.hub.actions["toy.write"], _output()) == {"id": "a", "length": 1}


def _output() -> object:
    from .conftest import TextOutput

    return TextOutput(id="a", length=1)


def test_a_step_knows_the_time_and_what_is_connected(toys: Toys) -> None:
    toys.connect("toy")
    toys.save(
        "workflow: aware\non: [{event: order.received}]\nsteps:\n  - delay: 1h\n"
        "  - {id: a, use: toy.write, with: "
        "{text: \"{{ connected('toy') }} {{ connected('xero') }} {{ string(now()) }}\"}}\n"
    )
    toys.order_comes()
    toys.work()
    toys.later(hours=1, seconds=1)
    assert toys.texts() == ["true false 2026-11-23T08:00:01Z"]


def test_what_is_connected_is_not_asked_before_a_run_begins(toys: Toys) -> None:
    with pytest.raises(Invalid, match="can be asked by a step"):
        toys.save(
            "workflow: aware\non: [{event: order.received, if: connected('toy')}]\n"
            "steps: [{id: a, use: toy.write, with: {text: a}}]\n"
        )
