"""Read what became of messages, from every connection that something comes back to."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, cast

from sqlmodel import col

from hub.capabilities import ReportSource
from hub.notify import bounces, replies, unsubscribe
from hub.nouns import Cursor, DeliveryReport, InboundText
from hub.queue.faults import reach
from hub.queue.work import Claim, enqueue, renew
from hub.store import ConnectionRow, Session, System
from hub.workflow import readings
from hub.workflow.checks import begin_due

if TYPE_CHECKING:
    from hub.hub import Hub

KIND = "reports"
EVERY = timedelta(minutes=5)
TOGETHER = 100
"""Reports that are stored in one transaction."""
TURN = 20.0
"""Seconds after which other calls have their turn; the rest is read after that."""

Told = DeliveryReport | InboundText
KINDS: tuple[type[Told], ...] = (DeliveryReport, InboundText)


def request(session: Session, connection: str) -> None:
    """Ask for the reports of a connection now."""
    enqueue(session, KIND, connection, queue="outward")


def sources(hub: Hub) -> list[str]:
    """Return the connectors that something comes back to."""
    return [
        name
        for plugin in hub.plugins.plugins.values()
        for name, kind in plugin.connectors.items()
        if issubclass(kind, ReportSource)
    ]


def go_round(hub: Hub) -> None:
    """Make the readings due whose time has come; called by the leading dispatcher."""
    names = sources(hub)
    if not names:
        return

    def begin(session: Session, row: ConnectionRow) -> None:
        row.report_at = session.wall + EVERY
        if hub.connections.serves(row, KIND):
            request(session, row.id)

    begin_due(
        hub, "report_at", begin,
        col(ConnectionRow.connector).in_(names), col(ConnectionRow.state) != "action_needed",
    )  # fmt: skip


def work(hub: Hub, claim: Claim) -> None:
    """Read what is new from one source, and note how that went."""
    readings.turn(hub, claim, READING)


@dataclass
class Read:
    """What one turn at a source brought."""

    more: bool = False
    refused: int = 0
    reports: int = 0

    def text(self) -> str:
        """Return it in words."""
        return f"{self.reports} report{'' if self.reports == 1 else 's'} read"


def read_on(hub: Hub, claim: Claim, row: ConnectionRow) -> Read:
    """Take in what a source tells for one turn."""
    with hub.store.read() as session:
        connector = hub.connections.usable(session, row.id)
    began, cursor, read = time.monotonic(), row.report_cursor, Read()
    begin = partial(cast(ReportSource, connector).reports, Cursor(value=cursor))
    drawn = hub.connections.drawn(connector, begin)
    for batch, after in readings.batches(connector.title, drawn, KINDS, TOGETHER):
        read.reports += take(hub, claim, row, batch, after)
        if after and time.monotonic() - began > TURN:
            read.more = after != cursor
            return read
    return read


def take(hub: Hub, claim: Claim, row: ConnectionRow, batch: list[Told], after: str) -> int:
    """Store a part of what a source tells together with its cursor; return how much was news.

    Who dies in between finds both undone: the part is then read again, and told once.
    """
    if not batch and after in ("", row.report_cursor):
        return 0
    medium = hub.plugins.connector(row.connector).medium
    with hub.store.write(System(row.merchant)) as session:
        renew(session, claim)
        news = sum(hear(session, row, medium, told) for told in batch)
        if after:
            session.get_one(ConnectionRow, row.id).report_cursor = after
        reach("before_commit")
    return news


def hear(session: Session, row: ConnectionRow, medium: str, told: Told) -> bool:
    """Take in one thing that a channel tells; return whether it is news."""
    if medium == "sms":
        return replies.hear(session, row, told)
    if isinstance(told, InboundText):
        return unsubscribe.by_mail(session, row.id, told)
    return bounces.take(session, row.id, told)


READING = readings.Reading(
    KIND, "reports", "report_at", "reported_at", every=EVERY, soon=EVERY, read=read_on, often=True
)
