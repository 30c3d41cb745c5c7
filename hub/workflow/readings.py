"""Read from sources by turns: who rests is left alone, and what goes wrong is told on the card."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from hub.budget import KeptBack
from hub.connections import activity
from hub.connections.book import Parked, Renewing
from hub.connections.grants import doubt
from hub.connections.pulse import degrade, fails, hangs, rests, works
from hub.errors import HubError, PluginError, Retry, Unauthorized
from hub.nouns import Cursor
from hub.queue.work import Claim, defer, finish, postpone
from hub.store import ConnectionRow
from hub.workflow.checks import SHORTLY, SILENT, wait_for_renewal
from hub.workflow.failures import kind_of, message_of
from hub.workflow.parking import expire

if TYPE_CHECKING:
    from hub.hub import Hub

T = TypeVar("T")


class Read(Protocol):
    """What one turn at a source brought."""

    more: bool
    """Whether there is more than one turn is long."""
    refused: int

    def text(self) -> str:
        """Return it in words."""
        ...


@dataclass(frozen=True)
class Reading:
    """One thing that is read from connections again and again."""

    kind: str
    """The kind of work, and what the log of a connection calls it."""
    what: str
    """What it is, in the plural."""
    due: str
    """The column of `ConnectionRow` that says when it is read next."""
    last: str
    """The column that says when it was last read to the end."""
    every: timedelta
    soon: timedelta
    """When it is tried again after a failure, at the earliest."""
    read: Callable[[Hub, Claim, ConnectionRow], Read]
    """Read for one turn. It may raise anything."""
    often: bool = False
    """Whether the log tells of failures only, because it would else be full of this."""


def turn(hub: Hub, claim: Claim, reading: Reading) -> None:
    """Read what is new from one source, and note how that went."""
    with hub.store.read() as session:
        began, row = session.wall, session.get(ConnectionRow, claim.subject)
        until = rests(row, session.wall) if row is not None else None
    if row is None or until is not None:
        with hub.store.write() as session:
            if until is not None:
                defer(session, claim, until)
            else:
                finish(session, claim)
        return
    if claim.hung or claim.losses >= SILENT:
        why = HubError(claim.why or "its worker died again and again while it was read")
        note(hub, claim, reading, row.id, why, began)
        return
    try:
        read = reading.read(hub, claim, row)
    except Renewing:
        wait_for_renewal(hub, claim)
    except Parked:
        with hub.store.write() as session:
            finish(session, claim)
    except Exception as error:  # a connector may raise anything; it is told on its card
        note(hub, claim, reading, row.id, error, began)
    else:
        end(hub, claim, reading, row.id, read, began)


def batches(
    title: str, records: Iterator[Any], kinds: tuple[type[T], ...], together: int
) -> Iterator[tuple[list[T], str]]:
    """Yield records as they are taken in at once, each time with the cursor behind them, if any.

    Raise `PluginError`, naming the connector's `title`, for a record of another kind.
    """
    batch: list[T] = []
    for record in records:
        if isinstance(record, Cursor):
            yield batch, record.value
            batch = []
            continue
        if not isinstance(record, kinds):
            raise PluginError(
                f"{title} yielded a {type(record).__name__}, not a {kinds[0].__name__}"
            )
        batch.append(record)
        if len(batch) >= together:
            yield batch, ""
            batch = []
    if batch:
        yield batch, ""


def end(
    hub: Hub, claim: Claim, reading: Reading, connection: str, read: Read, began: datetime
) -> None:
    """Write down what a turn brought, and when the next one is."""
    with hub.store.write() as session:
        row = session.get_one(ConnectionRow, connection)
        works(row, session.wall)
        if not reading.often:
            outcome = "rejected" if read.refused else "ok"
            activity.note(
                session, row, "out", reading.kind, outcome, began=began, about=claim.id,
                text=read.text(),
            )  # fmt: skip
        if read.more:
            defer(session, claim, session.wall)
            return
        setattr(row, reading.last, session.now)
        setattr(row, reading.due, session.wall + reading.every)
        finish(session, claim)


def note(
    hub: Hub, claim: Claim, reading: Reading, connection: str, error: Any, began: datetime
) -> None:
    """Write down why a source could not be read, and when it is tried again."""
    with hub.store.write() as session:
        row = session.get_one(ConnectionRow, connection, with_for_update=True)
        text = hub.connections.cover(row, message_of(error))
        if isinstance(error, Unauthorized) and doubt(row, began, session.wall):
            postpone(session, claim, session.wall + SHORTLY, text)
            return
        again = session.wall + reading.every
        activity.note(
            session, row, "out", reading.kind, kind_of(error), began=began, about=claim.id,
            text=text,
        )  # fmt: skip
        if isinstance(error, Unauthorized):
            expire(hub, session, row.id, text)
        elif claim.hung:
            hangs(row, session.wall, f"Its {reading.what} could not be read: {text}")
            again = row.rests_until or again
        elif isinstance(error, KeptBack):  # other calls go on
            again = session.wall + max(reading.soon, timedelta(seconds=error.after or 0.0))
        elif isinstance(error, Retry):
            fails(row, session.wall, text, error.after)
            # Who says when is taken at the word, as a shop says it often when it is first read.
            soon = reading.soon if error.after is None else SHORTLY
            again = max(row.rests_until or session.wall, session.wall + soon)
        else:
            degrade(row, session.wall, f"Its {reading.what} could not be read: {text}")
        setattr(row, reading.due, again)
        finish(session, claim)
