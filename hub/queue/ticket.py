"""The only thing that RQ carries for us: a wake-up for one queue, which can name nothing else.

RQ is imported when this module is, so import it inside the functions that need it. A job in Redis
names the function to run, may name callbacks, and by default is a pickle: whoever can write to
Redis could run anything. A ticket is JSON, keeps none of those fields, and always runs `run`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from redis import Redis
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer

from hub.queue.work import QUEUES

ENTRY = "hub.queue.entry.run"
"""The name that a ticket has to carry; it is compared, never imported."""
KEPT = frozenset({"data", "created_at", "enqueued_at", "origin", "description", "status"})
FAILURE_TTL = 60
TIMEOUT = 3600
"""Seconds after which RQ itself gives up on a ticket; our own limits are far below."""
log = logging.getLogger(__name__)


class Ticket(Job):  # type: ignore[misc]
    """A job that can only be our wake-up; anything else is thrown away unread."""

    duty: Callable[[str], int] | None = None
    """What a worker does for a ticket; set on the class that a worker builds for itself."""

    def restore(self, raw_data: dict[bytes, bytes]) -> None:
        """Take from Redis what a ticket has, and nothing that names code, URLs or other jobs."""
        kept = {key: value for key, value in raw_data.items() if key.decode() in KEPT}
        try:
            super().restore(kept)
            self.check()
        except Exception as error:
            # RQ skips a job that is gone and goes on with the next; so it does with a strange one.
            log.warning("dropped a job from Redis that is no ticket of ours: %s", error)
            self.connection.delete(self.key)
            raise NoSuchJobError(f"{self.key} is no ticket") from None
        self.result_ttl, self.failure_ttl, self.timeout = 0, FAILURE_TTL, TIMEOUT

    def check(self) -> None:
        """Raise `ValueError` unless this names our entry function and one of our queues."""
        arguments = self.args
        if self.func_name != ENTRY or self.instance is not None or self.kwargs:
            raise ValueError("it names another function")
        if len(arguments) != 1 or arguments[0] not in QUEUES:
            raise ValueError("it names no queue of ours")

    @property
    def func(self) -> Callable[[str], int]:
        """Return what the worker does for a ticket, whatever function the job names."""
        if self.duty is None:
            raise ValueError("only a worker of the hub can use a ticket")
        return self.duty


def ticket_class(duty: Callable[[str], int]) -> type[Ticket]:
    """Return the kind of ticket whose use is `duty(queue)`."""
    return type("Ticket", (Ticket,), {"duty": staticmethod(duty)})


def ticket_queue(name: str, connection: Redis, kind: type[Ticket] = Ticket) -> Any:
    """Return RQ's queue for tickets of the queue `name`."""
    return Queue(name, connection=connection, serializer=JSONSerializer, job_class=kind)


def hand_in(queue: Any) -> None:
    """Put one ticket into `queue`."""
    queue.enqueue_call(
        ENTRY,
        args=(queue.name,),
        result_ttl=0,
        failure_ttl=FAILURE_TTL,
        timeout=TIMEOUT,
        description="wake-up",
    )
