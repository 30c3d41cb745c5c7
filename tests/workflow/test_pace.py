"""Rate limits: so many starts per second together, which cost no try."""

from __future__ import annotations

from redis import Redis

from hub.errors import Retry
from hub.hub import Hub
from hub.store import WorkRow
from hub.workflow.pace import take

from .conftest import Toys

LIMITED = """
workflow: limited
on: [{event: order.received}]
steps:
  - id: a
    use: toy.write
    with: {text: "{{ event.order.ref }}"}
    rate_limit: {key: "{{ event.merchant.id }}", per_minute: 1}
    retry: {max: 1, delay: 1s}
"""


def test_one_start_is_free_and_the_next_after_the_time_of_one(hub: Hub) -> None:
    assert take(hub, "rate:a", 1 / 600) == 0
    assert 360 < take(hub, "rate:a", 1 / 600) <= 600
    assert take(hub, "rate:b", 1 / 600) == 0, "another key is not held back"


def test_a_burst_is_let_through_at_once(hub: Hub) -> None:
    waits = [take(hub, "rate:a", 1 / 600, burst=3) for _ in range(4)]
    assert waits[:3] == [0, 0, 0]
    assert waits[3] > 0


def test_a_step_beyond_the_rate_waits_its_turn(toys: Toys) -> None:
    toys.save(LIMITED)
    for ref in ("1", "2"):
        toys.order_comes(ref=ref)
        toys.work()
    assert toys.texts() == ["1"]
    toys.hub.redis.delete(*toys.hub.redis.keys("rate:*"))  # the minute is over
    toys.wait()
    assert toys.texts() == ["1", "2"]


def test_waiting_for_the_rate_uses_up_no_tries(toys: Toys) -> None:
    toys.save(LIMITED)
    for ref in ("1", "2"):
        toys.order_comes(ref=ref)
        toys.work()
    for _ in range(3):
        toys.wait()
    tries = [row.tries for row in toys.rows(WorkRow, kind="step", state="ready")]
    assert tries == [0]
    toys.hub.redis.delete(*toys.hub.redis.keys("rate:*"))
    toys.inside_errors.append(Retry("busy"))
    toys.wait()
    toys.hub.redis.delete(*toys.hub.redis.keys("rate:*"))
    toys.wait()
    assert toys.run_named("limited") == ["succeeded", "succeeded"]


def test_without_redis_nothing_is_held_back(toys: Toys) -> None:
    toys.hub.redis = Redis(unix_socket_path="/nowhere/at/all")
    assert [take(toys.hub, "rate:a", 1) for _ in range(3)] == [0, 0, 0]
