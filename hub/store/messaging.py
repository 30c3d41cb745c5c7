"""Tables about text messages: what a merchant may send, what recipients wrote back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.store.columns import instant, json, key, maybe_instant


class TextLimitRow(SQLModel, table=True):
    """How many texts a merchant may send, and where to; one without a row has the defaults."""

    __tablename__ = "text_limit"
    id: str = key("lim")
    merchant: str = Field(unique=True, foreign_key="merchant.id")
    daily: int = 500
    """Texts in one day of the first depot's zone."""
    countries: list[str] = json(list)
    """Two letters each; none for the countries that the depots are in."""
    footer: str = ""
    """Words at the end of every text, such as how to opt out."""


class ReplyRow(SQLModel, table=True):
    """A text that a recipient wrote back, as one merchant sees it."""

    __tablename__ = "reply"
    __table_args__ = (UniqueConstraint("channel", "ref", "merchant"),)
    id: str = key("rpl")
    merchant: str = Field(foreign_key="merchant.id", index=True)
    channel: str
    """The connection that it came through."""
    ref: str
    """The channel's own id of it, or a digest of what it says."""
    sender: str = Field(index=True)
    text: str = ""
    meaning: str = ""
    """stop | start | empty for whatever else was written"""
    message: str | None = Field(default=None, foreign_key="message.id")
    """The last message that went to its sender before."""
    stop: str | None = Field(default=None, foreign_key="stop.id", index=True)
    written_at: datetime | None = maybe_instant()
    received_at: datetime = instant(index=True)


class EarlyReportRow(SQLModel, table=True):
    """What a channel said about a message before the hub had stored the channel's id of it."""

    __tablename__ = "early_report"
    __table_args__ = (UniqueConstraint("channel", "ref", "state"),)
    id: str = key("erp")
    channel: str
    ref: str
    state: str
    detail: str = ""
    at: datetime | None = maybe_instant()
    received_at: datetime = instant()
