"""However often and wherever a worker dies, every run ends and nothing is done twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.queue import entry
from hub.store import EffectRow, RunRow, StepRow
from hub.workflow import branches, effects, engine, pauses, steps
from tests.workflow.conftest import Forgetful, Toy, Toys

FLOW = """
workflow: long
on: [{event: order.received}]
steps:
  - {id: first, use: toy.write, with: {text: "{{ event.order.ref }} first"}}
  - foreach: {in: "['a', 'b', 'c']", as: it, max_parallel: 2}
    steps:
      - {id: one, use: toy.write, with: {text: "{{ event.order.ref }} {{ it.value }}"}}
  - id: send
    use: toy.send
    with: {to: "1", text: "{{ event.order.ref }}"}
    retry: {max: 20, delay: 1s}
    continue_on_error: true
  - id: near
    wait: {event: stop.approaching, match: "event.order.id == trigger.order.id", timeout: 8h}
  - delay: 1h
  - {id: last, use: toy.write, with: {text: "{{ event.order.ref }} last"}}
"""
WORDS = ["first", "a", "b", "c", "last"]
MOST_PASSES = 60
"""A run passes fewer transitions than this when nothing goes wrong, about 50."""


class Crash(BaseException):
    """The end of a worker: nothing may catch it."""


class Crashes:
    """Ends the worker at some of the transitions that it passes."""

    def __init__(self) -> None:
        self.left: set[int] = set()
        self.passed = 0

    def __call__(self, point: str) -> None:
        self.passed += 1
        if self.passed in self.left:
            self.left.discard(self.passed)
            raise Crash(point)


@pytest.fixture
def crashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Crashes]:
    """Return what every transition asks whether the worker dies there."""
    made = Crashes()
    for module in (entry, engine, steps, pauses, branches, effects):
        monkeypatch.setattr(module, "reach", made)
    return made


def survive(toys: Toys, what: Callable[[], object]) -> None:
    """Do something; whenever the worker dies, let another one take over what it held."""
    while True:
        try:
            what()
            return
        except Crash:
            what = toys.wait


def live_through(toys: Toys, ref: str) -> RunRow:
    """Let a run live from its event to its end."""
    toys.order_comes(ref=ref)
    survive(toys, toys.work)
    survive(toys, toys.wait)
    toys.driver_comes_near()
    survive(toys, toys.work)
    for _ in range(2):
        survive(toys, lambda: toys.later(hours=9))
        survive(toys, toys.wait)
    return toys.rows(RunRow)[-1]


def check(toys: Toys, run: RunRow, ref: str) -> None:
    """Every step ended, what is inside was written once, and no key made two effects."""
    own = toys.rows(StepRow, run=run.id)
    assert run.state == "succeeded", [(row.path, row.state, row.error) for row in own]
    assert {row.state for row in own} <= {"done", "failed"}
    assert sorted(row.path for row in own if row.state == "failed") in ([], ["send"])
    texts = [text for text in toys.texts() if text.startswith(f"{ref} ")]
    assert sorted(texts) == sorted(f"{ref} {word}" for word in WORDS)
    assert max(Counter(row.path for row in own).values()) == 1


numbers = count(1)


@settings(
    max_examples=25, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(where=st.sets(st.integers(1, MOST_PASSES), max_size=7))
def test_crashes_at_any_transitions_leave_every_run_ended_and_every_keyed_effect_once(
    toys: Toys, crashes: Crashes, where: set[int]
) -> None:
    if not toys.rows_of(EffectRow):
        toys.save(FLOW)
        toys.connect()
        toys.connect("forgetful")
    Toy.keys, Forgetful.keys = [], []
    crashes.left, crashes.passed = set(where), 0
    ref = f"r{next(numbers)}"
    run = live_through(toys, ref)
    check(toys, run, ref)
    made = toys.rows(EffectRow, run=run.id)
    assert len({row.key for row in made}) == len(made) == 2
    # The side that drops a repeated key heard of one key only; the other was called once at most.
    assert len(set(Toy.keys)) == 1
    assert len(Forgetful.keys) <= 1
    assert {row.state for row in made} <= {"done", "unknown"}


def test_there_are_as_many_transitions_as_are_tried(toys: Toys, crashes: Crashes) -> None:
    toys.save(FLOW)
    toys.connect()
    live_through(toys, "r0")
    assert 30 <= crashes.passed <= MOST_PASSES
