"""A worker process: one queue, its limits, and a clean end."""

from __future__ import annotations

import gc
import os
import secrets
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hub.errors import Refused
from hub.hub import Hub, open_hub
from hub.queue.bell import install
from hub.queue.entry import run
from hub.queue.warmth import Warmth
from hub.queue.work import QUEUES, forfeit
from hub.settings import Settings

if TYPE_CHECKING:
    from redis import Redis

PROCESS = "HUB_PROCESS"
WAIT_FOR_DATABASE = 15.0
WAIT_FOR_REDIS = 10.0
REDIS_LEASE = 30
"""Seconds after which RQ takes a silent worker for dead; half of it is one wait for a ticket."""


def main(settings: Settings, queue: str, assemble: Callable[[Hub], None], name: str = "") -> None:
    """Work on `queue` until SIGTERM or SIGINT; raise `SystemExit` with a reason if Redis is gone.

    `fast` works in this process; `outward` and `heavy` fork a child per ticket. `assemble` adds
    the handlers. `name` (else the variable HUB_PROCESS) may be given by a supervisor that never
    runs two processes of one name on this machine: then what a killed predecessor held is free at
    once, instead of when its lease runs out.
    """
    if queue not in QUEUES:
        raise Refused(f"there is no queue {queue}; choose one of {', '.join(QUEUES)}", "queue")
    hub = open_hub(settings, patience=WAIT_FOR_DATABASE)
    try:
        assemble(hub)
        gc.freeze()  # what start-up made stays: looking through it would hold a write up for 100 ms
        install(hub)
        if queue == "outward":
            hub.connections.warm()  # once here instead of in every child
        label = label_of(name, queue)
        with hub.store.write() as session:
            forfeit(session, label)
        worker = make(hub, queue, label)
        worker.work(logging_level="WARNING")
        if not worker.stopping:
            raise SystemExit(f"worker {label}: Redis does not answer at {settings.redis_url}")
    finally:
        hub.close()


def label_of(name: str, service: str) -> str:
    """Return how this process is called in leases: by its supervisor's name for it, if it has one.

    Without one the label is unique to the process.
    """
    name = name or os.environ.get(PROCESS, "")
    host = socket.gethostname()
    return f"{name}@{host}" if name else f"{service}@{host}:{os.getpid()}:{secrets.token_hex(3)}"


def make(hub: Hub, queue: str, label: str) -> Any:
    """Return RQ's worker for `queue`, which does what its tickets ask for."""
    from hub.queue.horse import FastWorker, ForkWorker
    from hub.queue.ticket import ticket_class, ticket_queue

    def duty(name: str) -> int:
        return run(hub, name, label, seconds=seconds, stop=lambda: worker.stopping)

    kind = ticket_class(duty)
    seconds = limit(hub.settings, queue)
    redis = connect(hub.settings.redis_url)
    worker = (FastWorker if queue == "fast" else ForkWorker)(
        [ticket_queue(queue, redis, kind)],
        connection=redis,
        job_class=kind,
        serializer="json",
        worker_ttl=REDIS_LEASE,
        log_job_description=False,
    )
    worker.max_connection_wait_time = 1.0
    worker.heard = time.monotonic()
    if queue != "fast":
        worker.hub, worker.label, worker.warmth = hub, label, Warmth()
        worker.megabytes = hub.settings.worker_megabytes
    return worker


def limit(settings: Settings, queue: str) -> float:
    """Return how many seconds one piece of work of `queue` may take."""
    return {
        "fast": settings.fast_seconds,
        "outward": settings.outward_seconds,
        "heavy": settings.heavy_seconds,
    }[queue]


def connect(url: str) -> Redis:
    """Return a client for RQ alone, once Redis answers; raise `SystemExit` if it does not."""
    from redis import Redis
    from redis.exceptions import RedisError

    # Longer than one wait for a ticket, which would otherwise look like a server that is gone.
    redis = Redis.from_url(url, socket_connect_timeout=2, socket_timeout=REDIS_LEASE)
    until = time.monotonic() + WAIT_FOR_REDIS
    while True:
        try:
            redis.ping()
            return redis
        except (RedisError, OSError) as error:
            if time.monotonic() > until:
                raise SystemExit(f"no worker without Redis: {url} does not answer") from error
        time.sleep(0.2)
