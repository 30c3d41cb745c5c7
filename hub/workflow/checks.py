"""Try a connection's settings in a worker, because no connector is called in the web process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.errors import HubError, Unauthorized
from hub.queue.work import Claim, enqueue, finish
from hub.store import ConnectionRow, Session
from hub.workflow.effects import expire, release

if TYPE_CHECKING:
    from hub.hub import Hub

KIND = "check"


def request(session: Session, connection: str) -> None:
    """Ask for a check; its outcome is the connection's `state`, `reason` and `checked_at`."""
    enqueue(session, KIND, connection, queue="outward")


def run(hub: Hub, claim: Claim) -> None:
    """Make the connector's cheapest call and write down how it ended."""
    error = attempt(hub, claim.subject)
    with hub.store.write() as session:
        row = session.get(ConnectionRow, claim.subject)
        if row is not None:
            note(hub, session, row, error)
        finish(session, claim)


def attempt(hub: Hub, connection: str) -> Exception | None:
    """Return why the check failed; `None` when it worked or there is no such connection."""
    try:
        with hub.store.read() as session:
            row = session.get(ConnectionRow, connection)
            if row is None:
                return None
            connector = hub.connections.build(session, row)
        connector.check()
    except Exception as error:
        # A plugin may raise anything; whatever it is belongs on the connection's card.
        return error
    return None


def note(hub: Hub, session: Session, row: ConnectionRow, error: Exception | None) -> None:
    """Write the outcome; a connection that works again lets its waiting work go on."""
    row.checked_at = session.now
    if isinstance(error, Unauthorized):
        expire(hub, session, row.id, str(error))
        row.reason = str(error)[:500]
    elif error is not None:
        said = str(error) if isinstance(error, HubError) else f"{type(error).__name__}: {error}"
        row.reason = f"The last check failed: {said}"[:500]
    else:
        row.state, row.reason = "healthy", ""
        release(session, row.id)
