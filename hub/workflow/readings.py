"""Read from sources by turns: who rests is left alone, and what goes wrong is told on the card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from hub.connections.book import Parked, Renewing
from hub.connections.grants import doubt
from hub.connections.pulse import degrade, fails, rests, works
from hub.errors import Retry, Unauthorized
from hub.queue.work import Claim, defer, finish, postpone
from hub.store import ConnectionRow
from hub.workflow.checks import SHORTLY, wait_for_renewal
from hub.workflow.effects import expire
from hub.workflow.failures import message_of

if TYPE_CHECKING:
    from hub.hub import Hub


@dataclass(frozen=True)
class Reading:
    """One thing that is read from connections again and again."""

    what: str
    """What it is, in the plural."""
    due: str
    """The column of `ConnectionRow` that says when it is read next."""
    last: str
    """The column that says when it was last read to the end."""
    every: timedelta
    soon: timedelta
    """When it is tried again after a failure, at the earliest."""
    read: Callable[[Hub, Claim, ConnectionRow], bool]
    """Read for one turn; return whether there is more. It may raise anything."""


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
    try:
        more = reading.read(hub, claim, row)
    except Renewing:
        wait_for_renewal(hub, claim)
    except Parked:
        with hub.store.write() as session:
            finish(session, claim)
    except Exception as error:  # a connector may raise anything; it is told on its card
        note(hub, claim, reading, error, began)
    else:
        with hub.store.write() as session:
            found = session.get_one(ConnectionRow, row.id)
            works(found, session.wall)
            if more:
                defer(session, claim, session.wall)
                return
            setattr(found, reading.last, session.now)
            setattr(found, reading.due, session.wall + reading.every)
            finish(session, claim)


def note(hub: Hub, claim: Claim, reading: Reading, error: Any, began: datetime) -> None:
    """Write down why a source could not be read, and when it is tried again."""
    with hub.store.write() as session:
        row = session.get_one(ConnectionRow, claim.subject, with_for_update=True)
        text = hub.connections.cover(row, message_of(error))
        if isinstance(error, Unauthorized) and doubt(row, began, session.wall):
            postpone(session, claim, session.wall + SHORTLY, text)
            return
        again = session.wall + reading.every
        if isinstance(error, Unauthorized):
            expire(hub, session, row.id, text)
        elif isinstance(error, Retry):
            fails(row, session.wall, text, error.after)
            again = max(row.rests_until or session.wall, session.wall + reading.soon)
        else:
            degrade(row, session.wall, f"Its {reading.what} could not be read: {text}")
        setattr(row, reading.due, again)
        finish(session, claim)
