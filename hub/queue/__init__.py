"""Due work in the database, and the doorbell that wakes whoever does it."""

from hub.queue.work import Claim, LeaseLost, defer, enqueue, finish, park, unpark

__all__ = ["Claim", "LeaseLost", "defer", "enqueue", "finish", "park", "unpark"]
