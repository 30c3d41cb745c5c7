"""Remove a connection: out of sight at once, restorable for a day, then for good.

What is left for good is a row with a name, because receipts of proofs and messages point at it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlmodel import col, delete, select

from hub.access.scope import mine
from hub.connections import grants
from hub.connections.book import GONE, bump, note
from hub.errors import Missing
from hub.store import ConnectionRow, PreviewRow, Session

if TYPE_CHECKING:
    from datetime import datetime

LASTS = timedelta(hours=24)
"""How long a removal, or a change of settings, can be undone."""


def remove(session: Session, row: ConnectionRow, by: str = "") -> None:
    """Take a connection out of everybody's sight; its work waits while that can be undone."""
    if not row.enabled and row.paused_at is None:
        row.paused_at = session.now
    row.enabled, row.removed_at, row.removed_by = False, session.wall, by
    bump(session)
    note(session, "removed", row)


def restore(session: Session, id: str) -> ConnectionRow:
    """Bring a removed connection back as it was; raise `Missing` once it is gone for good."""
    row = next((one for one in removed(session) if one.id == id), None)
    if row is None:
        raise Missing("this connection cannot be brought back any more; set it up anew")
    row.enabled = row.state != "not_set_up" and row.paused_at is None
    row.removed_at, row.removed_by, row.hook_at = None, "", None
    bump(session)
    note(session, "restored", row, f"brought the connection {row.title} back")
    return row


def removed(session: Session) -> list[ConnectionRow]:
    """Return the removed connections that the session's principal may still bring back."""
    query = select(ConnectionRow).where(
        mine(ConnectionRow, session.principal),
        col(ConnectionRow.removed_at) > session.wall - LASTS,
        ConnectionRow.state != GONE,
    )
    return list(session.exec(query.order_by(col(ConnectionRow.removed_at).desc())))


def until(row: ConnectionRow) -> datetime:
    """Return until when a removed connection can be brought back."""
    return (row.removed_at or row.created_at) + LASTS


def overdue(session: Session, limit: int = 20) -> list[ConnectionRow]:
    """Return connections that were removed so long ago that they go for good."""
    query = select(ConnectionRow).where(
        col(ConnectionRow.removed_at) <= session.wall - LASTS, ConnectionRow.state != GONE
    )
    return list(session.exec(query.limit(limit)))


def purge(session: Session, row: ConnectionRow) -> None:
    """Forget a connection's settings, secrets and samples; its name stays in the history."""
    row.state, row.reason, row.enabled = GONE, "", False
    row.config, row.mapping, row.secrets, row.previous, row.cursor = {}, {}, "", "", ""
    row.previous_at, row.hook_secret, row.hook_note, row.hook_state = None, "", "", ""
    grants.forget(row)
    session.exec(delete(PreviewRow).where(col(PreviewRow.connection) == row.id))
    bump(session)
