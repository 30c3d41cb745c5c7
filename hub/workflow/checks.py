"""Check connections, on a schedule and when somebody asks.

That happens in a worker, because no connector is called in the web process.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement
from sqlmodel import col, or_, select

from hub.access.scope import column
from hub.connections import activity
from hub.connections.grants import doubt, waits
from hub.connections.pulse import CHECKED_EVERY, degrade, is_in_use, works
from hub.deadlines import deadline
from hub.errors import HubError, Unauthorized
from hub.queue.work import Claim, enqueue, finish, postpone
from hub.store import ConnectionRow, Session
from hub.workflow.failures import kind_of, message_of
from hub.workflow.parking import expire, release

if TYPE_CHECKING:
    from hub.hub import Hub

KIND = "check"
MOST = 50
"""Connections that are begun with in one transaction."""
LONGEST = 45.0
"""Seconds that a check may take before its worker is ended."""
SILENT = 2
"""Workers that have to be lost in a row over a check until that is put down to the connection."""
SHORTLY = timedelta(seconds=3)
NO_ANSWER = "it gave no answer until its worker was ended"


def request(session: Session, connection: str) -> None:
    """Ask for a check; its outcome is the connection's `state`, `reason` and `checked_at`."""
    enqueue(session, KIND, connection, queue="outward")


def go_round(hub: Hub) -> None:
    """Make the checks due whose time has come; called by the leading dispatcher."""

    def begin(session: Session, row: ConnectionRow) -> None:
        row.check_at = session.wall + CHECKED_EVERY
        request(session, row.id)

    begin_due(hub, "check_at", begin)


def begin_due(
    hub: Hub,
    name: str,
    begin: Callable[[Session, ConnectionRow], None],
    *conditions: ColumnElement[bool],
    wanted: Callable[[ConnectionRow], bool] = lambda row: True,
) -> None:
    """Call `begin` for every connection that is on and whose instant `name` has come, or is unset.

    Nothing is written where there is none, so that idle rounds keep nobody waiting.
    """
    at = column(ConnectionRow, name)

    def found(session: Session) -> list[ConnectionRow]:
        query = select(ConnectionRow).where(
            col(ConnectionRow.enabled).is_(True),
            col(ConnectionRow.removed_at).is_(None),
            ConnectionRow.state != "not_set_up",
            or_(at.is_(None), at <= session.wall),
            *conditions,
        )
        rows = session.exec(query.order_by(ConnectionRow.id).limit(MOST))
        return [
            row for row in rows if wanted(row) and hub.connections.is_on(session, row.connector)
        ]

    with hub.store.read() as session:
        if not found(session):
            return
    with hub.store.write() as session:
        for row in found(session):
            begin(session, row)


def run(hub: Hub, claim: Claim) -> None:
    """Make the connector's cheapest call and write down how it ended."""
    silent = claim.hung or claim.losses >= SILENT
    with hub.store.read() as session:
        began, row = session.wall, session.get(ConnectionRow, claim.subject)
    if row is not None and row.state != "action_needed" and waits(row, began):
        wait_for_renewal(hub, claim)
        return
    error = HubError(NO_ANSWER) if silent else attempt(hub, claim.subject)
    with hub.store.write() as session:
        row = session.get(ConnectionRow, claim.subject, with_for_update=True)
        if row is not None and is_in_use(row):
            if isinstance(error, Unauthorized) and doubt(row, began, session.wall):
                postpone(session, claim, session.wall + SHORTLY, "its access is renewed first")
                return
            note(hub, session, row, error)
            if silent:  # each such check keeps a worker busy until it is ended
                row.check_at = session.wall + CHECKED_EVERY
            how = "ok" if error is None else kind_of(error)
            text = "" if error is None else hub.connections.cover(row, message_of(error))
            activity.note(session, row, "out", KIND, how, began=began, about=claim.id, text=text)
        finish(session, claim)


def wait_for_renewal(hub: Hub, claim: Claim) -> None:
    """Let work come back when the access of its connection may have been renewed."""
    with hub.store.write() as session:
        postpone(session, claim, session.wall + SHORTLY, "its access is renewed first")


def attempt(hub: Hub, connection: str) -> Exception | None:
    """Return why the check failed; `None` when it worked or there is no such connection."""
    try:
        with hub.store.read() as session:
            row = session.get(ConnectionRow, connection)
            if row is None or not is_in_use(row):
                return None
            connector = hub.connections.build(session, row)
        with deadline(LONGEST), hub.connections.contained(connector):
            connector.check()
    except Exception as error:
        # A plugin may raise anything; whatever it is belongs on the connection's card.
        return error
    return None


def note(hub: Hub, session: Session, row: ConnectionRow, error: Exception | None) -> None:
    """Write the outcome; a connection that works again lets its waiting work go on."""
    row.checked_at = session.now
    row.check_at = session.wall + CHECKED_EVERY
    if isinstance(error, Unauthorized):
        reason = hub.connections.cover(row, str(error))
        expire(hub, session, row.id, reason)
        if row.renewed_at is None:
            row.reason = reason[:500]
    elif error is not None:
        said = str(error) if isinstance(error, HubError) else f"{type(error).__name__}: {error}"
        row.failures += 1
        said = hub.connections.cover(row, said)
        degrade(row, session.wall, f"The last check failed: {said}")
    else:
        works(row, session.wall)
        if row.state == "action_needed":
            row.hook_at = None
        row.state, row.reason, row.troubled_at = "healthy", "", None
        release(session, row.id)
