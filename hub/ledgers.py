"""Where calls are counted that were taken from budgets: in this process, or in Redis for all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from redis import Redis

T = TypeVar("T")
CELLS = 60
"""Parts of a window that are counted for themselves; a call counts up to one of them too long."""
FULL = 1.0
"""Seconds after which it is tried again where all places are taken."""
BUSY = 2.0
"""Seconds after which it is tried again where somebody else is in a block."""
PATIENCE = 0.25
"""Seconds that one command may take: what has committed must not wait for Redis."""
COUNTING = 1.0
"""Seconds that the count of a call may take: nothing is held meanwhile."""
SULK = 5.0
"""Seconds without another try after Redis has failed, so that it costs one call, not all."""


@dataclass(frozen=True)
class Window:
    """A count of calls within so many seconds: how many may be, or how many there were."""

    name: str
    calls: int
    seconds: int


@dataclass(frozen=True)
class Call:
    """A call that somebody wants to make; `slot` is its own name."""

    name: str
    slot: str
    concurrent: int
    lease: float
    windows: tuple[Window, ...]


@dataclass(frozen=True)
class Refusal:
    """Why a call must not be made now: `asked`, `slots` or the name of a window."""

    why: str
    wait: float
    """Seconds until there may be room."""


class Ledger(Protocol):
    """Counts calls and says who is in a block that only one may be in."""

    def take(self, call: Call) -> Refusal | None:
        """Count a call; return why it must not be made, if so: then it is not counted."""
        ...

    def give_back(self, name: str, slot: str) -> None:
        """Note that a call has ended."""
        ...

    def rest(self, name: str, seconds: float) -> None:
        """Refuse every call for so long."""
        ...

    def correct(self, name: str, window: Window) -> None:
        """Set the count of a window to `window.calls`, as the service has it.

        Calls that are on their way may not have been counted there yet.
        """
        ...

    def hold(self, name: str, holder: str, seconds: float) -> float | None:
        """Let `holder` into a block; return in how many seconds to try again, where it is taken."""
        ...

    def release(self, name: str, holder: str) -> None:
        """Note that a holder has left."""
        ...


class Alone:
    """Counts for this process, by the monotonic clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._cells: dict[tuple[str, str], dict[int, int]] = {}
        self._slots: dict[str, dict[str, float]] = {}
        self._rests: dict[str, float] = {}
        self._held: dict[str, tuple[str, float]] = {}

    def take(self, call: Call) -> Refusal | None:
        """Count a call."""
        now = self._clock()
        with self._lock:
            if self._rests.get(call.name, 0.0) > now:
                return Refusal("asked", self._rests[call.name] - now)
            slots = self._open(call.name, now)
            if call.concurrent and len(slots) >= call.concurrent:
                return Refusal("slots", FULL)
            for window in call.windows:
                wait = self._wait(call.name, window, now)
                if wait > 0:
                    return Refusal(window.name, wait)
            for window in call.windows:
                self._add(call.name, window, now, 1)
            if call.concurrent:
                slots[call.slot] = now + call.lease
        return None

    def give_back(self, name: str, slot: str) -> None:
        """Note that a call has ended."""
        with self._lock:
            self._slots.get(name, {}).pop(slot, None)

    def rest(self, name: str, seconds: float) -> None:
        """Refuse every call for so long."""
        with self._lock:
            until = self._clock() + seconds
            self._rests[name] = max(self._rests.get(name, 0.0), until)

    def correct(self, name: str, window: Window) -> None:
        """Set the count of a window to what the service has."""
        now = self._clock()
        with self._lock:
            cells = self._counted(name, window, now)
            used, open_ = sum(cells.values()), len(self._open(name, now))
            if used < window.calls:
                self._add(name, window, now, window.calls - used)
            surplus = used - window.calls - open_
            for cell in sorted(cells):
                less = min(max(surplus, 0), cells[cell])
                cells[cell] -= less
                surplus -= less

    def hold(self, name: str, holder: str, seconds: float) -> float | None:
        """Let `holder` into a block."""
        now = self._clock()
        with self._lock:
            _, until = self._held.get(name, ("", 0.0))
            if until > now:
                return min(BUSY, until - now)
            self._held[name] = holder, now + seconds
        return None

    def release(self, name: str, holder: str) -> None:
        """Note that a holder has left."""
        with self._lock:
            if self._held.get(name, ("", 0.0))[0] == holder:
                del self._held[name]

    def _open(self, name: str, now: float) -> dict[str, float]:
        kept = {slot: end for slot, end in self._slots.get(name, {}).items() if end > now}
        self._slots[name] = kept
        return kept

    def _counted(self, name: str, window: Window, now: float) -> dict[int, int]:
        first = int(now * CELLS / window.seconds) - CELLS
        found = self._cells.get((name, window.name), {})
        kept = {cell: count for cell, count in found.items() if cell >= first and count}
        self._cells[name, window.name] = kept
        return kept

    def _add(self, name: str, window: Window, now: float, calls: int) -> None:
        cells = self._cells.setdefault((name, window.name), {})
        cell = int(now * CELLS / window.seconds)
        cells[cell] = cells.get(cell, 0) + calls

    def _wait(self, name: str, window: Window, now: float) -> float:
        cells = self._counted(name, window, now)
        used, wait = sum(cells.values()), 0.0
        for cell in sorted(cells):
            if used < window.calls:
                break
            used -= cells[cell]
            wait = (cell + CELLS + 1) * window.seconds / CELLS - now
        return wait


COUNTED = """
local now = redis.call('TIME')
local at = tonumber(now[1]) + tonumber(now[2]) / 1000000
local function counted(key, seconds)
  local first, used, cells = math.floor(at * 60 / seconds) - 60, 0, {}
  local found = redis.call('HGETALL', key)
  for i = 1, #found, 2 do
    local cell, count = tonumber(found[i]), tonumber(found[i + 1])
    if cell < first or count <= 0 then
      redis.call('HDEL', key, found[i])
    else
      used = used + count
      cells[#cells + 1] = {cell, count}
    end
  end
  table.sort(cells, function(a, b) return a[1] < b[1] end)
  return used, cells
end
local function add(key, seconds, calls)
  redis.call('HINCRBY', key, string.format('%d', math.floor(at * 60 / seconds)), calls)
  redis.call('EXPIRE', key, seconds * 2)
end
"""
"""What both scripts begin with; the server's clock is everybody's."""
TAKE = (
    COUNTED
    + """
local asked = tonumber(redis.call('GET', KEYS[1]) or '0') - at
if asked > 0 then return {'asked', tostring(asked)} end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', at)
local places, lease = tonumber(ARGV[2]), tonumber(ARGV[3])
if places > 0 and redis.call('ZCARD', KEYS[2]) >= places then return {'slots', ARGV[4]} end
for i = 3, #KEYS do
  local calls, seconds = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i - 1])
  local used, cells = counted(KEYS[i], seconds)
  local wait = 0
  for _, cell in ipairs(cells) do
    if used < calls then break end
    used = used - cell[2]
    wait = (cell[1] + 61) * seconds / 60 - at
  end
  if wait > 0 then return {tostring(i - 3), tostring(wait)} end
end
for i = 3, #KEYS do add(KEYS[i], tonumber(ARGV[2 * i - 1]), 1) end
if places > 0 then
  redis.call('ZADD', KEYS[2], at + lease, ARGV[1])
  redis.call('EXPIRE', KEYS[2], math.ceil(lease) + 60)
end
return {'', '0'}
"""
)
CORRECT = (
    COUNTED
    + """
local calls, seconds = tonumber(ARGV[1]), tonumber(ARGV[2])
local used, cells = counted(KEYS[1], seconds)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', at)
if used < calls then add(KEYS[1], seconds, calls - used) end
local surplus = used - calls - redis.call('ZCARD', KEYS[2])
for _, cell in ipairs(cells) do
  if surplus <= 0 then break end
  local less = math.min(surplus, cell[2])
  redis.call('HINCRBY', KEYS[1], string.format('%d', cell[1]), -less)
  surplus = surplus - less
end
"""
)
REST = """
local now = redis.call('TIME')
local at = tonumber(now[1]) + tonumber(now[2]) / 1000000
local ends = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), at + tonumber(ARGV[1]))
redis.call('SET', KEYS[1], string.format('%.3f', ends), 'EX', math.ceil(ends - at) + 1)
"""
RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


class Shared:
    """Counts in Redis for all workers; while Redis is away each process counts for itself.

    Every key expires, so that what nobody uses any more is gone by itself.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = impatient(redis, COUNTING)
        self._alone = Alone()
        self._silent_until = 0.0

    def take(self, call: Call) -> Refusal | None:
        """Count a call."""
        keys = [key(call.name, "rest"), key(call.name, "slots")]
        keys += [key(call.name, window.name) for window in call.windows]
        told: list[Any] = [call.slot, call.concurrent, call.lease, FULL]
        for window in call.windows:
            told += [window.seconds, window.calls]
        found = self._ask(lambda: self._redis.eval(TAKE, len(keys), *keys, *told))
        if found is None:
            return self._alone.take(call)
        why, wait = (part.decode() for part in found)
        if not why:
            return None
        return Refusal(call.windows[int(why)].name if why.isdecimal() else why, float(wait))

    def give_back(self, name: str, slot: str) -> None:
        """Note that a call has ended."""
        self._alone.give_back(name, slot)
        self._ask(lambda: self._redis.zrem(key(name, "slots"), slot))

    def rest(self, name: str, seconds: float) -> None:
        """Refuse every call for so long."""
        self._alone.rest(name, seconds)
        self._ask(lambda: self._redis.eval(REST, 1, key(name, "rest"), str(seconds)))

    def correct(self, name: str, window: Window) -> None:
        """Set the count of a window to what the service has."""
        keys = [key(name, window.name), key(name, "slots")]
        told = [str(window.calls), str(window.seconds)]
        self._alone.correct(name, window)
        self._ask(lambda: self._redis.eval(CORRECT, 2, *keys, *told))

    def hold(self, name: str, holder: str, seconds: float) -> float | None:
        """Let `holder` into a block; nobody while Redis cannot say who is in it."""
        own, life = key(name, "held"), int(seconds * 1000)
        found = self._ask(lambda: [self._redis.set(own, holder, nx=True, px=life)])
        if found is None:
            return SULK
        return None if found[0] else BUSY

    def release(self, name: str, holder: str) -> None:
        """Note that a holder has left."""
        self._ask(lambda: self._redis.eval(RELEASE, 1, key(name, "held"), holder))

    def _ask(self, asked: Callable[[], T]) -> T | None:
        """Return what Redis answers, `None` while it is away."""
        from redis.exceptions import RedisError

        if time.monotonic() < self._silent_until:
            return None
        try:
            return asked()
        except (RedisError, OSError):
            # Not passed on: a count that is less exact is better than no call; see `Shared`.
            self._silent_until = time.monotonic() + SULK
            return None


def key(name: str, part: str) -> str:
    """Return the name of a key; those of one budget lie together in a cluster."""
    return f"budget:{{{name}}}:{part}"


def impatient(redis: Redis, seconds: float | None = None) -> Redis:
    """Return a client of the same server that gives up after `seconds` and does not try again.

    Without `seconds` it is `PATIENCE`.
    """
    from redis import ConnectionPool, Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    pool = redis.connection_pool
    seconds = PATIENCE if seconds is None else seconds
    given = {
        **pool.connection_kwargs,
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "retry": Retry(NoBackoff(), 0),
        "retry_on_error": [],
    }
    return Redis(connection_pool=ConnectionPool(connection_class=pool.connection_class, **given))
