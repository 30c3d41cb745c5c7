"""What a connection showed when it was tried: kept for a day, encrypted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.store.columns import instant, key, maybe_instant


class PreviewRow(SQLModel, table=True):
    """The last test, or the last dry run, of one connection."""

    __tablename__ = "preview"
    __table_args__ = (UniqueConstraint("connection", "stage"),)
    id: str = key("pre")
    connection: str = Field(foreign_key="connection.id")
    stage: str
    """test (a real call) | dry_run (what would be imported)"""
    state: str = "waiting"
    """waiting | done | failed"""
    kind: str = ""
    """The kind of error that ended it, as hub.workflow.failures names them."""
    field: str = ""
    """The setting at fault, where the connector named one."""
    error: str = ""
    sealed: str = ""
    """What was found, Fernet-encrypted JSON: an order has personal values. Emptied after a day."""
    asked_at: datetime = instant()
    ended_at: datetime | None = maybe_instant()
