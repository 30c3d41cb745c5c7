"""A run is told in the order of its file, with what every step saw, did and waits for."""

from __future__ import annotations

import pytest

from hub.errors import Missing, Retry
from hub.store import Merchant, Operator
from hub.workflow.trace import Passed, Trace, recent, trace

from .conftest import Toy, Toys
from .test_engine import NOTE

BY = Operator("ops", user="usr_1")
LOOP = """\
workflow: loop
on: [{event: order.received}]
steps:
  - id: first
    use: toy.write
    with: {text: first}
    undo: {use: toy.write, with: {text: "first taken back"}}
  - foreach: {in: "['a', 'b']", as: letter, max_parallel: 2}
    steps:
      - {id: one, use: toy.write, with: {text: "{{ letter.value }}"}}
      - {id: two, use: toy.write, with: {text: "{{ letter.value }}"}}
  - {id: late, use: toy.write, with: {text: late}, expires_in: 0s, if: event.seq > 0}
  - id: other
    if: event.seq < 0
    use: toy.write
    with: {text: one}
    else: {use: toy.send, with: {to: "+423", text: "{{ event.customer.name }}"}}
  - {id: bad, use: toy.write, with: {text: bad, copies: 0}, retry: {max: 0}}
on_error: [{use: toy.write, with: {text: sorry}}]
"""


def told(toys: Toys) -> Trace:
    with toys.hub.store.read(BY) as session:
        return trace(toys.hub, session, toys.run().id)


@pytest.fixture
def failed(toys: Toys) -> Trace:
    """Return the trace of a run that went through everything and failed at its end."""
    toys.connect()
    toys.save(LOOP)
    toys.order_comes()
    toys.later(seconds=5)
    return told(toys)


def steps(found: Trace) -> dict[str, Passed]:
    return {step.path: step for step in found.steps}


def test_steps_follow_the_file_and_items_their_loop(failed: Trace) -> None:
    assert [(step.path, step.depth) for step in failed.steps] == [
        ("first", 0),
        ("foreach1", 0),
        ("foreach1[0].one", 1), ("foreach1[0].two", 1),
        ("foreach1[1].one", 1), ("foreach1[1].two", 1),
        ("late", 0), ("other", 0), ("bad", 0),
        ("undo:first", 0), ("on_error[0]", 0),
    ]  # fmt: skip
    assert failed.missed == ()


def test_the_action_that_was_done_instead_is_named_and_what_it_sent(failed: Trace) -> None:
    other = steps(failed)["other"]
    assert (other.action, other.condition, other.held) == ("toy.send", "event.seq < 0", False)
    assert other.input == {"to": "+423", "text": "•••"}
    assert [(one.number, one.outcome) for one in other.tries] == [(1, "ok")]


def test_every_outward_try_is_told(toys: Toys) -> None:
    toys.connect()
    Toy.answers.append(Retry("busy"))
    toys.save(NOTE.replace("toy.write", "toy.send").replace("{text:", "{to: x, text:"))
    toys.order_comes()
    toys.work()
    toys.wait()
    (step,) = told(toys).steps
    assert [(one.number, one.outcome, one.message) for one in step.tries] == [
        (1, "retry", "busy"), (2, "ok", ""),
    ]  # fmt: skip
    assert step.count == 2


def test_nobody_can_tell_whether_the_condition_of_an_expired_step_held(toys: Toys) -> None:
    toys.save(NOTE.replace("    use:", "    if: event.seq > 0\n    expires_in: 5s\n    use:"))
    toys.order_comes()
    toys.later(hours=1)
    (step,) = told(toys).steps
    assert (step.state, step.condition, step.held) == ("skipped", "event.seq > 0", None)


def test_a_run_whose_file_no_longer_compiles_is_still_told(toys: Toys) -> None:
    toys.save(NOTE)
    toys.order_comes()
    toys.work()
    toys.hub.parts.clear()
    del toys.hub.actions["toy.write"]
    (step,) = told(toys).steps
    assert (step.path, step.state, step.action, step.count) == ("note", "done", "", 1)


def test_a_run_that_failed_before_its_first_step_has_none(toys: Toys) -> None:
    toys.save(NOTE.replace("total_minor > 100", "total_minor / event.order.lines > 1"))
    toys.order_comes()
    toys.work()
    found = told(toys)
    assert (found.run.state, found.steps, found.missed) == ("failed", (), ("note",))


def test_the_latest_runs_come_first_with_their_revision_and_event(toys: Toys) -> None:
    toys.save(NOTE)
    toys.order_comes()
    toys.save(NOTE + "# again\n")
    toys.order_comes(ref="1002")
    toys.work()
    with toys.hub.store.read(BY) as session:
        found = [(row.workflow, number, event.type) for row, number, event in recent(session)]
        assert recent(session, state="failed") == []
    assert found == [("note", 2, "order.received")] * 2


def test_a_merchant_sees_own_runs_only(toys: Toys) -> None:
    toys.save(NOTE)
    toys.order_comes()
    toys.work()
    run = toys.run().id
    with toys.hub.store.read(Merchant(toys.merchant)) as session:
        assert trace(toys.hub, session, run).run.id == run
    with toys.hub.store.read(Merchant("mer_other")) as session:
        assert recent(session) == []
        with pytest.raises(Missing):
            trace(toys.hub, session, run)
