"""The process that follows one shard of positions: doors reached and left, ETAs, live news."""

from __future__ import annotations

import gc
import os
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from hub.tracking.follow import Follower
from hub.tracking.positions import decode, stream

if TYPE_CHECKING:
    from hub.hub import Hub
    from hub.nouns import Fix
    from hub.settings import Settings

GROUP = "tracking"
BATCH = 100
WAIT = 500
"""Milliseconds that a read waits for positions."""
LEASE = 5_000
"""Milliseconds for which a shard belongs to its consumer without a sign of life."""
LONGEST_PAUSE = 2.0


def main(settings: Settings, shard: int = 0) -> None:
    """Follow one shard until SIGTERM or SIGINT."""
    from hub.hub import open_hub

    hub = open_hub(settings, patience=20)
    gc.freeze()  # what start-up made stays: looking through it would hold a write up for 100 ms
    stopping = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    try:
        Consumer(hub, shard).run(stopping)
    finally:
        hub.close()


class Consumer:
    """Reads a shard's stream in order and acknowledges what is committed.

    One consumer at a time owns a shard, so that a driver's fixes stay in order. Whatever one that
    died had read but not acknowledged is read again by the next.
    """

    def __init__(self, hub: Hub, shard: int) -> None:
        self.hub = hub
        self.key = stream(shard)
        self.name = f"{socket.gethostname()}:{os.getpid()}:{id(self)}"
        self.follower = Follower(hub)
        self.ready = False

    def run(self, stopping: threading.Event) -> None:
        """Work until `stopping` is set; while Redis is away, wait for it."""
        import structlog
        from redis.exceptions import RedisError, ResponseError

        log = structlog.get_logger("hub.tracking")
        pause = 0.0
        while not stopping.is_set():
            try:
                self.step()
                pause = 0.0
            except ResponseError as error:
                # Redis was wiped: the group is gone. Anything else is a mistake of ours.
                if "NOGROUP" not in str(error):
                    raise
                self.ready = False
            except RedisError as error:
                if not pause:
                    log.warning("redis_away", error=str(error))
                pause = min(LONGEST_PAUSE, pause * 2 or 0.1)
                self.ready = False
                stopping.wait(pause)
        self.release()

    def step(self) -> None:
        """Own the shard, read one batch, follow it, acknowledge it."""
        if not self.own():
            time.sleep(WAIT / 1000)
            return
        if not self.ready:
            self.prepare()
        found: Any = self.hub.redis.xreadgroup(
            GROUP, self.name, {self.key: ">"}, count=BATCH, block=WAIT
        )
        for _key, entries in pairs(found):
            self.handle(entries)
        self.follower.settle()

    def own(self) -> bool:
        """Take or keep the shard; return False while another consumer holds it."""
        owner = f"{self.key}:owner"
        if self.hub.redis.set(owner, self.name, nx=True, px=LEASE):
            # Another may have had the shard in between, or Redis was wiped.
            self.ready = False
            return True
        if text(self.hub.redis.get(owner)) != self.name:
            return False
        self.hub.redis.pexpire(owner, LEASE)
        return True

    def prepare(self) -> None:
        """Make the group where it is missing, and take over what a dead consumer left."""
        from redis.exceptions import ResponseError

        try:
            self.hub.redis.xgroup_create(self.key, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
        self.follower.forget()
        cursor: Any = "0-0"
        while True:
            cursor, entries, *_ = self.hub.redis.xautoclaim(
                self.key, GROUP, self.name, min_idle_time=0, start_id=cursor, count=BATCH
            )
            self.handle(entries)
            if text(cursor) == "0-0":
                break
        self.ready = True

    def handle(self, entries: list[Any]) -> None:
        """Follow the batches of the entries; acknowledge them once everything is committed."""
        if not entries:
            return
        self.follower.follow(batches(entries))
        self.hub.redis.xack(self.key, GROUP, *[id for id, _fields in entries])

    def release(self) -> None:
        """Let the next consumer begin at once."""
        from redis.exceptions import RedisError

        try:
            if text(self.hub.redis.get(f"{self.key}:owner")) == self.name:
                self.hub.redis.delete(f"{self.key}:owner")
                self.hub.redis.xgroup_delconsumer(self.key, GROUP, self.name)
        except RedisError:
            # Without Redis there is nothing to release; the lease runs out by itself.
            return


def batches(entries: list[Any]) -> dict[str, list[Fix]]:
    """Return the fixes of stream entries by driver; an entry that cannot be read is logged."""
    import structlog

    found: dict[str, list[Fix]] = {}
    for id, fields in entries:
        if not fields:
            continue  # trimmed away since it was read
        try:
            found.setdefault(text(fields[b"driver"]), []).extend(decode(fields[b"fixes"]))
        except (KeyError, ValueError, TypeError) as error:
            structlog.get_logger("hub.tracking").error("bad_entry", id=text(id), error=str(error))
    return found


def pairs(found: Any) -> list[tuple[Any, list[Any]]]:
    """Return the streams of a reply with their entries, in either protocol version."""
    if not found:
        return []
    if isinstance(found, dict):
        return [(key, [e for part in parts for e in part]) for key, parts in found.items()]
    return list(found)


def text(raw: Any) -> str:
    """Return what Redis gave as text; nothing as empty."""
    return raw.decode() if isinstance(raw, bytes) else str(raw or "")
