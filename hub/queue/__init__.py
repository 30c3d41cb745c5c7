"""Due work in the database, and the doorbell that wakes whoever does it."""

from hub.queue.work import (
    Backlog,
    Claim,
    LeaseLost,
    backlog,
    bury,
    dead,
    defer,
    enqueue,
    enqueue_all,
    finish,
    park,
    unpark,
)

__all__ = [
    "Backlog",
    "Claim",
    "LeaseLost",
    "backlog",
    "bury",
    "dead",
    "defer",
    "enqueue",
    "enqueue_all",
    "finish",
    "park",
    "unpark",
]
