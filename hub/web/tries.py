"""Wrong passwords and codes, counted by account and by address, and the pause after too many."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict

from flask import current_app, request

from hub.web.context import hub

FREE = 5
"""Wrong tries in a row before the first pause."""
FIRST = 60
LONGEST = 900
"""Seconds: each further wrong try doubles the pause, from the first to the longest."""
FORGET = 3600
"""Seconds after the last try when all is forgotten."""
MOST = 10_000
"""Accounts and addresses that one process keeps in mind by itself."""


class Memory:
    """What a process counts by itself while Redis is away: less than all together, never nothing.

    An attacker who can make Redis fail is then held by each web process on its own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[int, float, float]] = OrderedDict()
        """Key -> tries, pause until, forgotten at (seconds of a clock that only goes on)."""

    def take(self, key: str) -> int:
        """Count a try; return the seconds to wait before it may be made, 0 for now."""
        now = time.monotonic()
        with self._lock:
            count, until, forgotten = self._known.pop(key, (0, 0.0, 0.0))
            if forgotten <= now:
                count, until = 0, 0.0
            wait = until - now
            if wait <= 0:
                count, wait = count + 1, 0
                until = now + pause(count)
            self._known[key] = count, until, now + FORGET
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return int(wait) + 1 if wait > 0 else 0

    def forget(self, key: str, *, one: bool = False) -> None:
        """Begin to count anew; with `one`, forget the last try alone."""
        with self._lock:
            count, _, forgotten = self._known.pop(key, (0, 0.0, 0.0))
            if one and count > 1:
                self._known[key] = count - 1, 0.0, forgotten


def pause(count: int) -> int:
    """Return the seconds for which nothing is tried after the try with that number."""
    return 0 if count < FREE else min(FIRST << min(count - FREE, 10), LONGEST)


def take(kind: str, account: str) -> int:
    """Count a try for an account from this request's address, before it is made.

    Return the seconds to wait, 0 where it may be made now. Because it is counted first, a hundred
    tries at the same moment are no more than a hundred one after the other.
    """
    from redis.exceptions import RedisError

    waits = []
    for key in keys(kind, account):
        try:
            waits.append(counted(key))
        except RedisError:
            waits.append(memory().take(key))
    return max(waits)


def counted(key: str) -> int:
    """Count a try in Redis; return the seconds to wait."""
    redis, held = hub().redis, f"{key}:pause"
    left = redis.ttl(held)
    if left > 0:
        return int(left)
    with redis.pipeline() as pipe:
        pipe.incr(key)
        pipe.expire(key, FORGET)
        count = int(pipe.execute()[0])
    rest = pause(count)
    # Past the free ones the next try is had by whoever sets the pause that follows it.
    if rest and not redis.set(held, "1", nx=True, ex=rest) and count > FREE:
        return rest
    return 0


def forget(kind: str, account: str) -> None:
    """Begin to count anew after a right password or code.

    At the address only this try is forgotten: whoever has an account could otherwise clear the
    count for others' accounts by signing in between.
    """
    from redis.exceptions import RedisError

    own, place = keys(kind, account)
    memory().forget(own)
    memory().forget(place, one=True)
    try:
        redis = hub().redis
        redis.delete(own, f"{own}:pause", f"{place}:pause")
        if int(redis.decr(place)) <= 0:
            redis.delete(place)
    except RedisError:
        return


def keys(kind: str, account: str) -> tuple[str, str]:
    """Return under what a try is counted: its account, and where it comes from."""
    return f"tries:{kind}:{account.strip().lower()[:200]}", f"tries:address:{neighbourhood()}"


def neighbourhood() -> str:
    """Return the address that is asking; of IPv6 the network of 64 bits that one customer has.

    `X-Forwarded-For` counts only as far as HUB_PROXIES says (see `hub.web.app`).
    """
    said = request.remote_addr or ""
    try:
        found = ipaddress.ip_address(said)
    except ValueError:
        return said[:60]
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)


def memory() -> Memory:
    """Return what this process counts by itself."""
    found: Memory = current_app.extensions.setdefault("tries", Memory())
    return found


def told(seconds: int) -> str:
    """Return how long to wait, in words."""
    if seconds < 90:
        return f"{max(seconds, 1)} second{'s' if seconds != 1 else ''}"
    return f"{-(-seconds // 60)} minutes"
