"""Tables of outgoing webhooks: where events are sent, what is sent there, and every try."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.store.columns import count, instant, json, key, maybe_instant


class EndpointRow(SQLModel, table=True):
    """An address that is sent events; without a merchant it is the operator's and gets all."""

    __tablename__ = "endpoint"
    id: str = key("end")
    merchant: str | None = Field(default=None, foreign_key="merchant.id", index=True)
    url: str
    description: str = ""
    types: list[str] = json(list)
    """Names of events; empty for all."""
    secret: str
    """Fernet-encrypted `whsec_...`."""
    previous: str = ""
    """The secret before, with which is signed too until `previous_until`."""
    previous_until: datetime | None = maybe_instant()
    enabled: bool = True
    """What a person switched; what the hub itself switches off is `state` disabled."""
    state: str = "healthy"
    """healthy | failing (left alone for a while after each failure) | disabled"""
    reason: str = ""
    seq: int = count()
    """The number, in the order of all events, up to which it was given what it is to be sent."""
    failures: int = 0
    """Rounds of calls in a row of which none was taken."""
    failing_since: datetime | None = maybe_instant()
    """Wall time since which nothing was taken."""
    rests_until: datetime | None = maybe_instant()
    """Nothing is sent before that wall time."""
    recovered_at: datetime | None = maybe_instant()
    """What was last tried before that wall time is due at once."""
    last_ok_at: datetime | None = maybe_instant()
    disabled_at: datetime | None = maybe_instant()
    removed_at: datetime | None = maybe_instant()
    created_at: datetime = instant()


class OutgoingRow(SQLModel, table=True):
    """One event on its way to one endpoint; without an event it is a test."""

    __tablename__ = "outgoing"
    __table_args__ = (
        UniqueConstraint("endpoint", "event"),
        Index("ix_outgoing_line", "endpoint", "state", "subject", "seq"),
        Index("ix_outgoing_log", "endpoint", "id"),
    )
    id: str = key("out")
    endpoint: str = Field(foreign_key="endpoint.id")
    merchant: str | None = Field(default=None, foreign_key="merchant.id")
    """The endpoint's, so that who may see the one may see the other."""
    event: str | None = Field(default=None, foreign_key="event.id", index=True)
    seq: int = count()
    """The event's number in the feed of the endpoint's owner; 0 for a test."""
    type: str
    subject: str
    state: str = "pending"
    """pending | sending | delivered | failed (given up) | dropped (a person laid it by)"""
    tries: int = 0
    next_at: datetime = instant()
    tried_at: datetime | None = maybe_instant()
    status: int = 0
    """What was answered last; 0 where nothing was."""
    error: str = ""
    """Why the last try failed, in words."""
    created_at: datetime = instant(index=True)
    ended_at: datetime | None = maybe_instant()


class OutgoingTryRow(SQLModel, table=True):
    """One call: when, how long it took, and what came back."""

    __tablename__ = "outgoing_try"
    id: str = key("otr")
    outgoing: str = Field(foreign_key="outgoing.id", index=True)
    number: int
    at: datetime = instant()
    ms: int = 0
    status: int = 0
    excerpt: str = ""
    """The beginning of the reply, without what looks like a credential; at most 1,000 bytes."""
    error: str = ""
