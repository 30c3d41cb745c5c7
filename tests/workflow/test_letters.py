"""Dead letters: go on, begin again at a step, send something else, lay by, many at once."""

from __future__ import annotations

import pytest

from hub.errors import Refused, Rejected
from hub.store import RunRow, System
from hub.workflow import letters

from .conftest import Toy, Toys

THREE = """
workflow: three
on: [{event: order.received}]
steps:
  - {id: a, use: toy.write, with: {text: a}}
  - {id: b, use: toy.send, with: {to: somewhere, text: b}}
  - {id: c, use: toy.write, with: {text: "c {{ steps.a.output.length }}"}}
"""
LOOP = """
workflow: loop
on: [{event: order.received}]
steps:
  - foreach: {in: "['x', 'y']"}
    steps:
      - parallel: [{id: one, use: toy.write, with: {text: "{{ item.value }}"}}]
  - {id: end, use: toy.write, with: {text: end}}
"""


def die(toys: Toys, text: str = THREE) -> RunRow:
    """Let a run fail at its call."""
    toys.connect()
    toys.save(text)
    Toy.answers.append(Rejected("no such number"))
    toys.order_comes()
    toys.work()
    assert toys.run().state == "failed"
    return toys.run()


def test_it_begins_again_at_a_step_and_makes_no_call_twice(toys: Toys) -> None:
    run = die(toys)
    with toys.hub.store.write(System()) as session:
        letters.retry(toys.hub, session, run.id)
    toys.inside_errors.append(Rejected("not yet"))
    toys.work()
    assert toys.run().state == "failed"
    with toys.hub.store.write(System()) as session:
        letters.retry_from(toys.hub, session, run.id, "a")
    toys.work()
    assert toys.run().state == "succeeded"
    assert toys.texts() == ["a", "a", "c 1"]
    assert len(set(Toy.keys)) == 1
    assert len(Toy.keys) == 2, "one was refused, one was made; the step done anew made none"


def test_what_is_sent_can_be_put_right(toys: Toys) -> None:
    run = die(toys)
    sent: list[str] = []

    def listen(message: object) -> object:
        sent.append(message.to)  # type: ignore[attr-defined]
        return toys.receipt()

    Toy.answers.append(listen)  # type: ignore[arg-type]
    with toys.hub.store.write(System()) as session:
        letters.retry(toys.hub, session, run.id, given={"to": "elsewhere"})
    toys.work()
    assert (toys.run().state, sent) == ("succeeded", ["elsewhere"])


def test_one_that_is_laid_by_is_kept_and_not_tried_again(toys: Toys) -> None:
    run = die(toys)
    with toys.hub.store.write(System()) as session:
        letters.discard(session, run.id, "ops@example.com")
    assert (toys.run().state, toys.run().reason) == ("cancelled", "discarded by ops@example.com")
    with toys.hub.store.write(System()) as session, pytest.raises(Refused, match="cancelled"):
        letters.retry(toys.hub, session, run.id)


def test_they_are_found_and_retried_by_the_kind_of_their_error(toys: Toys) -> None:
    toys.connect()
    toys.save(THREE)
    for error in (Rejected("no"), Rejected("no"), RuntimeError("oops")):
        Toy.answers.append(error)
        toys.order_comes()
        toys.work()
    with toys.hub.store.write(System()) as session:
        found = [row.id for row in letters.letters(session, kind="rejected")]
        done, refused = letters.retry_all(toys.hub, session, found)
    assert (len(done), refused) == (2, [])
    toys.work()
    # The third was not asked for: its error passes, so its own policy tries it again.
    assert sorted(toys.run_named("three")) == ["running", "succeeded", "succeeded"]


def test_a_step_within_blocks_goes_on_with_the_blocks_around_it(toys: Toys) -> None:
    toys.inside_errors.append(Rejected("no"))
    toys.save(LOOP)
    toys.order_comes()
    toys.work()
    run = toys.run()
    assert run.error["step"] == "foreach1[0].parallel1.one"
    with toys.hub.store.write(System()) as session:
        letters.retry(toys.hub, session, run.id)
    toys.work()
    assert toys.run().state == "succeeded"
    assert toys.texts() == ["x", "y", "end"], "the item that was never begun is not forgotten"


def test_a_block_is_begun_again_as_a_whole(toys: Toys) -> None:
    toys.inside_errors.append(Rejected("no"))
    toys.save(LOOP)
    toys.order_comes()
    toys.work()
    with toys.hub.store.write(System()) as session:
        with pytest.raises(Refused, match="part of a block; begin again at foreach1"):
            letters.retry_from(toys.hub, session, toys.run().id, "foreach1[0].parallel1.one")
        letters.retry_from(toys.hub, session, toys.run().id, "foreach1")
    toys.work()
    assert toys.texts() == ["x", "y", "end"]


def test_a_run_whose_time_was_over_begins_again_at_its_first_step(toys: Toys) -> None:
    toys.save(
        "workflow: slow\non: [{event: order.received}]\ntimeout: 1h\nsteps:\n"
        "  - {delay: 2h}\n  - {id: a, use: toy.write, with: {text: done}}\n"
    )
    toys.order_comes()
    toys.work()
    toys.later(hours=1, seconds=1)
    assert toys.run().error["kind"] == "timeout"
    with toys.hub.store.write(System()) as session:
        letters.retry(toys.hub, session, toys.run().id)
    toys.work()
    toys.later(hours=2, seconds=1)
    assert (toys.run().state, toys.texts()) == ("succeeded", ["done"])
