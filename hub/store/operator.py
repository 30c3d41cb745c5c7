"""Tables of the operator: settings, the clock, merchants, users, keys and tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from hub.store.columns import instant, json, key, maybe_instant


class SettingRow(SQLModel, table=True):
    """One setting of the whole hub, such as its name or the connections' generation."""

    __tablename__ = "setting"
    name: str = Field(primary_key=True)
    value: dict[str, Any] = json()


class ClockRow(SQLModel, table=True):
    """The one row on which all processes agree what business time it is (see hub.clock.Rate)."""

    __tablename__ = "clock"
    id: int = Field(default=1, primary_key=True)
    anchor: datetime = instant()
    since: float
    speed: float = 1.0
    ceiling: datetime | None = maybe_instant()


class MerchantRow(SQLModel, table=True):
    """A brand that the operator delivers for."""

    __tablename__ = "merchant"
    id: str = key("mer")
    name: str
    slug: str = Field(unique=True)
    accent: str = "#1f6feb"
    phone: str = ""
    email: str = ""
    sender: str = ""
    currency: str = "CHF"


class UserRow(SQLModel, table=True):
    """Someone who signs in; a merchant's user has `role` merchant and a merchant."""

    __tablename__ = "user"
    id: str = key("usr")
    email: str = Field(unique=True)
    name: str = ""
    password: str = ""
    role: str = "dispatcher"
    merchant: str | None = Field(default=None, foreign_key="merchant.id")
    created_at: datetime = instant()
    disabled_at: datetime | None = maybe_instant()
    invited_at: datetime | None = maybe_instant()
    """When the open invitation was sent; empty for everybody who has come in."""
    seen_at: datetime | None = maybe_instant()
    """When the user last opened a page, to within a few minutes."""


class ApiKeyRow(SQLModel, table=True):
    """A key for the API; only its SHA-256 is kept."""

    __tablename__ = "api_key"
    id: str = key("key")
    name: str
    sha256: str = Field(unique=True)
    merchant: str | None = Field(default=None, foreign_key="merchant.id")
    scopes: list[str] = json(list)
    created_at: datetime = instant()
    last_used_at: datetime | None = maybe_instant()
    revoked_at: datetime | None = maybe_instant()
    made_by: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Id of the user who made it; `cli` for a command."""
    expires_at: datetime | None = maybe_instant()


class TokenRow(SQLModel, table=True):
    """An unguessable token (128 bits or more), kept as its SHA-256.

    `kind` is sign_in (one use, a user), welcome (one use, an invited user), driver_link (one use, a
    driver), driver_device (a phone), tracking (a recipient's page of one stop), webhook (an address
    that starts a workflow), incoming (an address to which a connection's other system sends) or
    unsubscribe (ends a merchant's mails to one address); `subject` is the id it opens, or for the
    last what it is about, encrypted.
    """

    __tablename__ = "token"
    __table_args__ = (Index("ix_token_subject", "kind", "subject"),)
    sha256: str = Field(primary_key=True)
    kind: str
    subject: str
    created_at: datetime = instant()
    expires_at: datetime | None = maybe_instant()
    used_at: datetime | None = maybe_instant()
    revoked_at: datetime | None = maybe_instant()
