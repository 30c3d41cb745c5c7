"""Positions of drivers on their way in: kept in a Redis stream, the newest one in a hash."""

from __future__ import annotations

import json
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import AwareDatetime

from hub.errors import Refused
from hub.nouns import Fix, Noun
from hub.tracking import duty
from hub.tracking.geometry import WORST_ACCURACY

if TYPE_CHECKING:
    from hub.hub import Hub

SHARDS = 1
LARGEST_BATCH = 600
KEPT = 50_000
"""Batches that stay in a shard's stream, about; far more than a consumer is ever behind."""
REMEMBERED = 24 * 3600
"""Seconds of wall time after which a driver's last position is forgotten."""
AHEAD = timedelta(minutes=1)
"""How far a phone's clock may be ahead of the hub's."""

# One round trip: the batch goes into the stream whole, and the hash takes the newest usable fix
# unless it has a newer one already (a phone that was offline sends old ones later), which counts
# as long as it is not from the future.
_ACCEPT = """
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'driver', ARGV[2], 'fixes', ARGV[3])
if ARGV[4] ~= '' then
  local known = tonumber(redis.call('HGET', KEYS[2], 'ms') or '0')
  if tonumber(ARGV[5]) > known or known > tonumber(ARGV[7]) then
    redis.call('HSET', KEYS[2], 'ms', ARGV[5], 'fix', ARGV[4])
    redis.call('EXPIRE', KEYS[2], ARGV[6])
  end
end
return 1
"""


class Position(Noun):
    """The last position of a driver: degrees, degrees from north, device time."""

    lat: float
    lon: float
    at: AwareDatetime
    heading: float | None = None


def shard(driver: str) -> int:
    """Return which stream takes this driver's positions; always the same for one driver."""
    return zlib.crc32(driver.encode()) % SHARDS


def stream(number: int) -> str:
    """Return the key of a shard's stream."""
    return f"pos:{number}"


def accept(hub: Hub, driver: str, fixes: list[Fix]) -> int:
    """Take a batch of at most 600 fixes of one driver and return how many were kept.

    Those from outside the driver's working time are dropped for good. The kept ones are safe once
    Redis has them (at most its last second is lost if the machine dies). Raises `Refused` for a
    larger batch, and redis.exceptions.RedisError when Redis is away: then the phone keeps the
    batch and sends it again.
    """
    if len(fixes) > LARGEST_BATCH:
        raise Refused(f"a batch has at most {LARGEST_BATCH} fixes, this one {len(fixes)}", "fixes")
    if not fixes:
        return 0
    now = hub.store.clock.now()
    ordered = at_work(hub, driver, believed(sorted(fixes, key=lambda fix: fix.at), now))
    if not ordered:
        return 0
    usable = [fix for fix in ordered if is_usable(fix)]
    newest = usable[-1] if usable else None
    hub.redis.eval(
        _ACCEPT,
        2,
        stream(shard(driver)),
        f"drv:{driver}",
        KEPT,
        driver,
        encode(ordered),
        "" if newest is None else encode([newest]),
        0 if newest is None else milliseconds(newest.at),
        REMEMBERED,
        milliseconds(now + AHEAD),
    )
    return len(ordered)


def at_work(hub: Hub, driver: str, fixes: list[Fix]) -> list[Fix]:
    """Return the fixes from the driver's working time."""
    with hub.store.read() as session:
        spans = duty.spans(session, driver, fixes[-1].at)
    return [fix for fix in fixes if any(start <= fix.at <= end for start, end in spans)]


def believed(fixes: list[Fix], now: datetime) -> list[Fix]:
    """Return fixes in order as a right clock would have told them.

    A phone whose clock is ahead would otherwise be late for ever once it is set right: its batch
    is moved back as a whole so that the newest fix is now.
    """
    early = fixes[-1].at - now
    if early <= AHEAD:
        return fixes
    return [fix.model_copy(update={"at": fix.at - early}) for fix in fixes]


def is_usable(fix: Fix) -> bool:
    """Say whether a fix is sharp enough to act on."""
    return fix.accuracy is None or fix.accuracy <= WORST_ACCURACY


def last(hub: Hub, driver: str) -> dict[str, Any] | None:
    """Return `{lat, lon, at, heading}` of the driver's newest usable fix, or `None`."""
    found = position(hub, driver)
    return None if found is None else found.model_dump()


def position(hub: Hub, driver: str) -> Position | None:
    """Return the driver's newest usable fix; `None` if there is none or Redis is away."""
    from redis.exceptions import RedisError

    try:
        raw: Any = hub.redis.hget(f"drv:{driver}", "fix")
    except RedisError:
        # A page without a dot is better than no page.
        return None
    if raw is None:
        return None
    fix = decode(raw)[0]
    return Position(lat=fix.lat, lon=fix.lon, at=fix.at, heading=fix.heading)


def encode(fixes: list[Fix]) -> str:
    """Return fixes as one line of JSON: short rows, instants in milliseconds."""
    rows = [
        [round(f.lat, 6), round(f.lon, 6), milliseconds(f.at), f.accuracy, f.speed, f.heading]
        for f in fixes
    ]
    return json.dumps(rows, separators=(",", ":"))


def decode(raw: bytes | str) -> list[Fix]:
    """Return the fixes that `encode` wrote."""
    return [
        Fix(lat=lat, lon=lon, at=instant(ms), accuracy=accuracy, speed=speed, heading=heading)
        for lat, lon, ms, accuracy, speed, heading in json.loads(raw)
    ]


def milliseconds(at: datetime) -> int:
    """Return an instant as milliseconds since 1970."""
    return round(at.timestamp() * 1000)


def instant(ms: int) -> datetime:
    """Return milliseconds since 1970 as an aware instant."""
    return datetime.fromtimestamp(ms / 1000, UTC)
