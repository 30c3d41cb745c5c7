"""Positions that tracking devices tell: which driver each is of, and which are nobody's."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sqlmodel import col, select

from hub.errors import Missing, Rejected
from hub.nouns import DevicePosition, Fix, Noun
from hub.store import ConnectionRow, DriverRow, Session
from hub.tracking import positions

if TYPE_CHECKING:
    from hub.hub import Hub

NAMED = 100
"""Devices without a driver of which a connection remembers the names."""
REMEMBERED = 24 * 3600
"""Seconds of wall time after which such a name is forgotten."""


class Handed(Noun):
    """What became of the positions of one batch."""

    kept: int = 0
    dropped: int = 0
    """From outside the driver's working time, or of a driver who is switched off."""
    unknown: int = 0
    """Of devices that belong to no driver."""


def hand_in(hub: Hub, connection: str, given: Iterable[DevicePosition]) -> Handed:
    """Take positions that came through a connection (id) and return what became of them.

    It opens sessions of its own: call it outside any transaction. Raises `Rejected` for a
    merchant's connection, because drivers are the operator's, and redis.exceptions.RedisError
    when Redis is away; then nothing is lost that is handed in again.
    """
    batches: dict[str, list[Fix]] = {}
    for one in given:
        batches.setdefault(one.device, []).append(one.fix)
    with hub.store.read() as session:
        row = session.get(ConnectionRow, connection)
        if row is None:
            raise Missing(f"there is no connection {connection[:60]}")
        if row.merchant is not None:
            raise Rejected(
                f"{row.title} is a merchant's; positions of drivers are taken from connections "
                f"of the operator only"
            )
        drivers = drivers_of(session, list(batches))
    kept, dropped, unknown = 0, 0, 0
    for device, fixes in batches.items():
        driver = drivers.get(device)
        if driver is None:
            unknown += len(fixes)
            continue
        taken = accept(hub, driver.id, fixes) if driver.active else 0
        kept, dropped = kept + taken, dropped + len(fixes) - taken
    if batches:
        remember(hub, connection, known=list(drivers), unknown=list(batches.keys() - drivers))
    return Handed(kept=kept, dropped=dropped, unknown=unknown)


def drivers_of(session: Session, devices: list[str]) -> dict[str, DriverRow]:
    """Return whose devices those are."""
    # PostgreSQL takes no NUL in a text, so such a name is not even asked for.
    asked = [device for device in devices if "\x00" not in device]
    rows = session.exec(select(DriverRow).where(col(DriverRow.tracker).in_(asked)))
    return {str(row.tracker): row for row in rows}


def accept(hub: Hub, driver: str, fixes: list[Fix]) -> int:
    """Take fixes of one driver, however many; return how many were kept."""
    most = positions.LARGEST_BATCH
    ordered = sorted(fixes, key=lambda fix: fix.at)
    parts = (ordered[start : start + most] for start in range(0, len(ordered), most))
    return sum(positions.accept(hub, driver, part) for part in parts)


def remember(hub: Hub, connection: str, *, known: list[str], unknown: list[str]) -> None:
    """Note which devices have no driver, so that somebody can be told; known ones are forgotten."""
    key, now = strangers_key(connection), time.time()
    with hub.redis.pipeline(transaction=False) as pipe:
        if known:
            pipe.zrem(key, *known)
        if unknown:
            pipe.zadd(key, dict.fromkeys(unknown[:NAMED], now))
            pipe.zremrangebyrank(key, 0, -NAMED - 1)
            pipe.expire(key, REMEMBERED)
        pipe.zremrangebyscore(key, "-inf", now - REMEMBERED)
        pipe.execute()


def strangers(hub: Hub, connection: str) -> list[str]:
    """Return the devices seen in the last day that belong to no driver; none if Redis is away."""
    from redis.exceptions import RedisError

    try:
        found: Any = hub.redis.zrange(strangers_key(connection), 0, -1)
    except RedisError:
        # A card without this line is better than no card.
        return []
    return sorted(named(raw) for raw in found)


def named(raw: bytes | str) -> str:
    """Return a device's name as Redis gives it."""
    return raw.decode(errors="replace") if isinstance(raw, bytes) else raw


def strangers_key(connection: str) -> str:
    """Return where the devices without a driver are remembered."""
    return f"strangers:{connection}"
