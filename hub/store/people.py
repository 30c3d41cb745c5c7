"""Tables of who comes in: signed-in browsers, second factors, and who did what."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from hub.store.columns import instant, key, maybe_instant


class SessionRow(SQLModel, table=True):
    """One browser in which a user is signed in; only the SHA-256 of its token is kept."""

    __tablename__ = "session"
    id: str = key("ses")
    sha256: str = Field(unique=True)
    user: str = Field(foreign_key="user.id", index=True)
    how: str = "password"
    """password | link | invitation: how it was begun."""
    browser: str = ""
    """What it runs in, in words: `Firefox on Windows`."""
    address: str = ""
    created_at: datetime = instant()
    last_seen_at: datetime = instant(index=True)
    ended_at: datetime | None = maybe_instant()


class FactorRow(SQLModel, table=True):
    """The second factor of a user: a sealed TOTP secret (RFC 6238)."""

    __tablename__ = "factor"
    user: str = Field(primary_key=True, foreign_key="user.id")
    secret: str
    """Sealed by the hub's keys."""
    on_at: datetime | None = maybe_instant()
    """Since when a code is asked for; empty while it is being set up."""
    last_step: int = 0
    """The 30-second step of the last code that was taken, so that none is taken twice."""


class RecoveryRow(SQLModel, table=True):
    """A code of 80 bits that stands in for the second factor once, kept as its SHA-256."""

    __tablename__ = "recovery"
    sha256: str = Field(primary_key=True)
    user: str = Field(foreign_key="user.id", index=True)
    used_at: datetime | None = maybe_instant()


class AuditRow(SQLModel, table=True):
    """That somebody did something to something; outlives everything that it names."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_who", "who", "at"),
        Index("ix_audit_subject", "subject", "at"),
    )
    id: str = key("aud")
    at: datetime = instant(index=True)
    who: str = ""
    """Id of the user or the API key; `cli` for a command; empty for nobody known."""
    name: str
    """What `who` was called at that time."""
    via: str
    """session | key | command | public (nobody signed in) | hub"""
    action: str
    """`<kind>.<past verb>`, such as person.invited."""
    subject: str = ""
    merchant: str | None = None
    text: str
    """What was done, to be read after the name; no secret and no recipient's data."""
    address: str = ""
    """Network address it came from."""
    times: int = 1
    """How often in a row; only failed attempts are counted together."""
