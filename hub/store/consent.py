"""The table of consents: each way of one person to another system's consent page and back."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from hub.store.columns import instant, key, maybe_instant


class ConsentRow(SQLModel, table=True):
    """One try to connect by consent; bound to a connection, a person and a browser."""

    __tablename__ = "consent"
    id: str = key("cns")
    connection: str = Field(foreign_key="connection.id", index=True)
    merchant: str | None = Field(default=None, foreign_key="merchant.id")
    """The connection's."""
    user: str
    """Who began it; nobody else may come back with it."""
    browser: str
    """Digest of what marks the browser that began it."""
    digest: str = Field(unique=True)
    """Of the `state` that goes to the consent page and comes back."""
    state: str = "asked"
    """asked (a worker makes the address) | open (the person is at the other side) | returned |
    exchanging | question (it is another account than before) | done | failed | dropped"""
    sealed: str = ""
    """Fernet-encrypted JSON: state, verifier, address, code, grant; emptied at the end."""
    account: str = ""
    """Whose account it is, while that is a question."""
    reason: str = ""
    created_at: datetime = instant()
    expires_at: datetime = instant()
    """Wall time after which it leads nowhere."""
    ended_at: datetime | None = maybe_instant()
