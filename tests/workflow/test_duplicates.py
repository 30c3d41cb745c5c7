"""Whatever is delivered twice is done once."""

import pytest

from hub.queue import entry
from hub.queue.work import Claim
from hub.store import RunRow

from .conftest import Forgetful, Toy, Toys

FLOW = """
workflow: long
on: [{event: order.received}]
steps:
  - foreach: {in: "['a', 'b']", as: it, max_parallel: 2}
    steps:
      - {id: one, use: toy.write, with: {text: "{{ it.value }}"}}
  - id: send
    use: toy.send
    with: {to: "1", text: hello}
  - id: near
    wait: {event: stop.approaching, match: "event.order.id == trigger.order.id", timeout: 8h}
  - delay: 1h
  - {id: last, use: toy.write, with: {text: last}}
"""


def live_through(toys: Toys) -> RunRow:
    """Let one run live from its event to its end."""
    toys.save(FLOW)
    toys.connect()
    toys.connect("forgetful")
    toys.order_comes()
    toys.work()
    toys.driver_comes_near()
    toys.work()
    toys.later(hours=2)
    return toys.run()


def check(toys: Toys, run: RunRow) -> None:
    assert run.state == "succeeded"
    assert sorted(toys.texts()) == ["a", "b", "last"]
    assert len(Toy.keys) == len(Forgetful.keys) == 1


def test_a_claim_that_is_worked_twice_is_done_once(
    toys: Toys, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = entry.work
    worked = []

    def twice(hub: object, claim: Claim, seconds: float = 0) -> list[Claim]:
        worked.append(claim.kind)
        then = work(toys.hub, claim, seconds)
        work(toys.hub, claim, seconds)
        return then

    monkeypatch.setattr(entry, "work", twice)
    check(toys, live_through(toys))
    assert {"evaluate", "step", "effect"} <= set(worked)


def test_a_ticket_that_is_delivered_in_the_middle_of_another_does_nothing_twice(
    toys: Toys, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = entry.work
    inner = []

    def interrupted(hub: object, claim: Claim, seconds: float = 0) -> list[Claim]:
        """Let a second worker answer the same ticket while the first holds its claim."""
        if not inner:
            inner.append(claim)
            entry.run(toys.hub, claim.queue, "second")
            inner.pop()
        return work(toys.hub, claim, seconds)

    monkeypatch.setattr(entry, "work", interrupted)
    check(toys, live_through(toys))


def test_every_wake_up_asked_for_again_while_it_is_due_or_over_changes_nothing(
    toys: Toys,
) -> None:
    run = live_through(toys)
    for _ in range(2):
        toys.number()
        toys.tick()
    check(toys, run)
    assert len(toys.rows(RunRow)) == 1
