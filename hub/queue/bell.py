"""Ring for workers and the dispatcher after a commit; a bell that fails does no harm."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hub.ledgers import impatient

if TYPE_CHECKING:
    from redis import Redis

    from hub.hub import Hub

CAP = 8
"""How many tickets may wait in one queue: more would only find nothing to do."""
DOORBELL = "hub:doorbell"
SULK = 1.0
"""Seconds without another try after a failure, so that a dead Redis costs one request, not all."""


class Bell:
    """Wakes whoever has work; called with queue names, of which `dispatcher` is one.

    The database holds the work, and the dispatcher looks for due work on its own, so a ring that
    is lost costs a fraction of a second and nothing else.
    """

    def __init__(self, redis: Redis) -> None:
        self.redis = impatient(redis)
        self.quiet = ""
        """A queue not to ring, because this process is emptying it right now."""
        self._queues: dict[str, Any] = {}
        self._silent_until = 0.0

    def __call__(self, rings: Iterable[str]) -> None:
        """Ring once for each name in `rings`."""
        from redis.exceptions import RedisError

        if time.monotonic() < self._silent_until:
            return
        try:
            for name in sorted(set(rings) - {self.quiet}):
                self._ring(name)
        except (RedisError, OSError):
            # Deliberately dropped: what is due lies in the database, and the dispatcher finds it
            # without a ring. The request that got here has committed and must be answered.
            self._silent_until = time.monotonic() + SULK

    def _ring(self, name: str) -> None:
        if name == "dispatcher":
            with self.redis.pipeline(transaction=False) as pipeline:
                pipeline.lpush(DOORBELL, "1")
                pipeline.ltrim(DOORBELL, 0, 0)
                pipeline.execute()
            return
        from hub.queue.ticket import hand_in

        queue = self._queue(name)
        if self.redis.llen(queue.key) < CAP:
            hand_in(queue)

    def _queue(self, name: str) -> Any:
        from hub.queue.ticket import ticket_queue

        if name not in self._queues:
            self._queues[name] = ticket_queue(name, self.redis)
        return self._queues[name]


def install(hub: Hub) -> Bell:
    """Let every commit of this process ring; return the bell."""
    if not isinstance(hub.store.bell, Bell):
        hub.store.bell = Bell(hub.redis)
    return hub.store.bell
