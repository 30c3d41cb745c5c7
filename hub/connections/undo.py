"""Take the last change of a connection's settings back, for as long as that is kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlmodel import col, select

from hub.connections.book import bump, note
from hub.connections.removal import LASTS
from hub.errors import Refused
from hub.store import ConnectionRow, Session

if TYPE_CHECKING:
    from datetime import datetime

    from hub.access.keys import Keys


def remember(keys: Keys, session: Session, row: ConnectionRow) -> None:
    """Keep the settings that a connection has, encrypted, before somebody changes them."""
    kept = {"title": row.title, "config": row.config, "secrets": row.secrets}
    row.previous, row.previous_at = keys.seal(json.dumps(kept)), session.wall


def undo(keys: Keys, session: Session, row: ConnectionRow) -> None:
    """Give a connection the settings from before its last change; raise `Refused` for none."""
    if until(row, session.wall) is None:
        raise Refused("there is no change of the last 24 hours to take back")
    kept = json.loads(keys.unseal(row.previous))
    row.title, row.config, row.secrets = kept["title"], kept["config"], kept["secrets"]
    forget(row)
    row.reason, row.failures, row.rests_until, row.troubled_at = "", 0, None, None
    row.hook_at = None
    if row.state != "not_set_up":
        row.state = "healthy"
    bump(session)
    note(session, "undone", row, f"took the last change of the connection {row.title} back")


def forget(row: ConnectionRow) -> None:
    """Drop the settings from before the last change."""
    row.previous, row.previous_at = "", None


def until(row: ConnectionRow, wall: datetime) -> datetime | None:
    """Return until when the last change can be taken back; None where it cannot."""
    if not row.previous or row.previous_at is None or row.previous_at + LASTS <= wall:
        return None
    return row.previous_at + LASTS


def overdue(session: Session, limit: int = 50) -> list[ConnectionRow]:
    """Return connections that still keep settings which nobody can bring back any more."""
    query = select(ConnectionRow).where(col(ConnectionRow.previous_at) <= session.wall - LASTS)
    return list(session.exec(query.limit(limit)))
