"""Tables of what connections exchange: what was refused of it, and a log of all of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.store.columns import instant, key, maybe_instant


class RejectedRow(SQLModel, table=True):
    """A record of another system that could not be taken, until it is or somebody lays it by."""

    __tablename__ = "rejected"
    __table_args__ = (
        UniqueConstraint("connection", "key"),
        Index("ix_rejected_open", "connection", "state", "last_at"),
    )
    id: str = key("rej")
    connection: str = Field(foreign_key="connection.id")
    merchant: str | None = Field(default=None, foreign_key="merchant.id")
    key: str
    """`ref:` and the source's own number, or `row:` and a digest of what was said about it."""
    ref: str = ""
    field: str = ""
    """Which part of it is at fault, where that is known."""
    reason: str
    origin: str
    """pull | delivery"""
    inbox: str = ""
    """The delivery that last brought it."""
    cursor: str = ""
    """Behind which a pull last found it."""
    state: str = "open"
    """open | resolved (it was taken since) | dismissed (somebody laid it by)"""
    times: int = 1
    first_at: datetime = instant()
    last_at: datetime = instant()
    ended_at: datetime | None = maybe_instant()
    ended_by: str = ""


class ActivityRow(SQLModel, table=True):
    """One exchange with the other system of a connection; floods are counted in one row."""

    __tablename__ = "activity"
    __table_args__ = (
        Index("ix_activity_connection", "connection", "at"),
        Index("ix_activity_about", "about"),
        Index("ix_activity_at", "at"),
    )
    id: str = key("act")
    connection: str = Field(foreign_key="connection.id")
    merchant: str | None = Field(default=None, foreign_key="merchant.id")
    at: datetime = instant()
    """Of a counted row, when it came last."""
    direction: str
    """in | out"""
    what: str
    """delivery | pull | check | send | subscribe | unsubscribe | disconnected ..."""
    outcome: str
    """waiting | done | failed | rejected | repeat | forged | replayed | too_large | unreadable |
    broken (the connector's fault) | ok | retry | unauthorized | unknown | lost | error"""
    ms: int = 0
    about: str = ""
    """What ties it to the rest: the delivery's id, or the run's."""
    text: str = ""
    excerpt: str = ""
    """A few lines of what was exchanged, nothing personal or secret in it."""
    times: int = 1
