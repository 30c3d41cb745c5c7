"""Table of what persons have asked for: to see what is held about them, or to have it erased."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from hub.store.columns import instant, key, maybe_instant


class PrivacyRow(SQLModel, table=True):
    """One request of a person or a shop, and what was done about it; itself without the person."""

    __tablename__ = "privacy"
    id: str = key("prv")
    key: str = Field(unique=True)
    """Same request, same key, however often it is sent."""
    merchant: str | None = Field(default=None, foreign_key="merchant.id", index=True)
    connection: str | None = Field(default=None, foreign_key="connection.id")
    """Through which it came; none for one that was made here."""
    kind: str
    """export | erase | erase_all"""
    ref: str = ""
    """The other system's own number of the request."""
    asked: str = ""
    """Whom it is about, encrypted; dropped once it is done."""
    state: str = "waiting"
    """waiting | partly (the rest is still being delivered) | done"""
    orders: int = 0
    """How many orders it found."""
    text: str = ""
    """What was done, in words."""
    file: str = ""
    """SHA-256 of what an export holds, encrypted in the file store; dropped after some weeks."""
    asked_by: str = ""
    asked_at: datetime = instant(index=True)
    due_at: datetime = instant()
    """By when the law wants it done."""
    ended_at: datetime | None = maybe_instant()
