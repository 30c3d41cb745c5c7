"""Rate limits: a bucket of tokens per key in Redis, shared by all workers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hub.workflow.scene import Scene
from hub.workflow.templates import Template, written

if TYPE_CHECKING:
    from hub.hub import Hub

log = logging.getLogger(__name__)
TAKE = """
local now = redis.call('TIME')
local at = tonumber(now[1]) + tonumber(now[2]) / 1000000
local gap = 1 / tonumber(ARGV[1])
local free = tonumber(redis.call('GET', KEYS[1]) or '0')
if free <= at then
  redis.call('SET', KEYS[1], tostring(math.max(free, at - gap * tonumber(ARGV[2])) + gap),
             'PX', math.ceil(gap * 1000) + 60000)
  return '0'
end
return tostring(free - at)
"""
"""The generic cell rate algorithm: the key holds when the next start is free (ITU-T I.371)."""


def admitted_at(hub: Hub, here: Scene) -> float:
    """Return in how many seconds the step may begin; 0 takes its place among the others.

    When Redis is away nothing is held back: the other side's own limit still holds.
    """
    move = here.move
    if move.rate_key is None or move.rate <= 0:
        return 0.0
    key = move.rate_key
    text = written(key.value(here.data)) if isinstance(key, Template) else key
    return take(hub, f"rate:{text}", move.rate)


def take(hub: Hub, key: str, rate: float, burst: int = 1) -> float:
    """Take one start of `rate` per second; return the seconds until one is free, 0 if taken."""
    from redis.exceptions import RedisError

    try:
        found = hub.redis.eval(TAKE, 1, key, str(rate), str(max(burst - 1, 0)))
    except (RedisError, OSError) as error:
        log.info("no rate limit while Redis is away: %s", error)
        return 0.0
    return float(found)
