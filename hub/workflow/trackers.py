"""Read where tracking devices are: every connection that knows, while somebody is on duty."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, cast

from sqlmodel import col

from hub.capabilities import PositionSource
from hub.errors import Retry
from hub.nouns import Cursor, DevicePosition
from hub.queue.work import Claim, enqueue, renew
from hub.store import ConnectionRow, Session
from hub.tracking import devices, duty
from hub.workflow import readings
from hub.workflow.checks import begin_due

if TYPE_CHECKING:
    from hub.hub import Hub

KIND = "locate"
EVERY = timedelta(seconds=30)
TOGETHER = 500
"""Positions that are handed in at once."""
TURN = 20.0
"""Seconds after which other calls have their turn; the rest is read after that."""


def request(session: Session, connection: str) -> None:
    """Ask for the positions of a connection now."""
    enqueue(session, KIND, connection, queue="outward")


def is_source(hub: Hub, connector: str) -> bool:
    """Say whether a connector knows where devices are."""
    return connector in hub.plugins.of_kind("position_sources")


def go_round(hub: Hub) -> None:
    """Make the readings due whose time has come; called by the leading dispatcher.

    While no driver is on duty nothing is asked: what came would be dropped.
    """

    def begin(session: Session, row: ConnectionRow) -> None:
        row.locate_at = session.wall + EVERY
        if duty.anybody(session, session.now):
            request(session, row.id)

    begin_due(
        hub, "locate_at", begin,
        col(ConnectionRow.merchant).is_(None), col(ConnectionRow.state) != "action_needed",
        wanted=lambda row: is_source(hub, row.connector),
    )  # fmt: skip


def work(hub: Hub, claim: Claim) -> None:
    """Read what is new from one source, and note how that went."""
    readings.turn(hub, claim, READING)


@dataclass
class Read:
    """What one turn at a source brought."""

    more: bool = False
    refused: int = 0
    positions: int = 0

    def text(self) -> str:
        """Return it in words."""
        return f"{self.positions} position{'' if self.positions == 1 else 's'} read"


def read_on(hub: Hub, claim: Claim, row: ConnectionRow) -> Read:
    """Hand in what a source knows for one turn."""
    from redis.exceptions import RedisError

    with hub.store.read() as session:
        connector = hub.connections.usable(session, row.id)
    began, cursor, read = time.monotonic(), row.position_cursor, Read()
    begin = partial(cast(PositionSource, connector).positions, Cursor(value=cursor))
    drawn = hub.connections.drawn(connector, begin)
    for batch, after in readings.batches(connector.title, drawn, (DevicePosition,), TOGETHER):
        try:
            read.positions += devices.hand_in(hub, row.id, batch).kept
        except RedisError as error:
            raise Retry("Redis is away, so positions have to wait") from error
        if after not in ("", cursor):
            cursor = after
            save(hub, claim, row.id, cursor)
            if time.monotonic() - began > TURN:
                read.more = True
                return read
    return read


def save(hub: Hub, claim: Claim, connection: str, cursor: str) -> None:
    """Move the cursor behind what Redis has."""
    with hub.store.write() as session:
        renew(session, claim)
        session.get_one(ConnectionRow, connection).position_cursor = cursor


READING = readings.Reading(
    KIND, "positions", "locate_at", "located_at", every=EVERY, soon=EVERY, read=read_on, often=True
)
