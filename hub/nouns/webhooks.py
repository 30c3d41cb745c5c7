"""What another system sends to a connection by itself, and where to."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from hub.nouns.noun import Noun


class Incoming(Noun):
    """A request that another system sent to a connection, byte for byte as it came."""

    body: bytes = Field(default=b"", repr=False)
    headers: dict[str, str] = Field(default={}, repr=False)
    """By their names in small letters."""
    query: dict[str, str] = Field(default={}, repr=False)
    at: AwareDatetime
    """When it came, wall time."""


class Delivery(Noun):
    """What a request says about itself, once its signature has been found to hold.

    The hub takes each `id` of a connection once, and refuses one that was `signed_at` more than
    five minutes ago. Without an `id` the same bytes count as the same delivery.
    """

    id: Annotated[str, Field(max_length=200)] = ""
    topic: Annotated[str, Field(max_length=200)] = ""
    """What it is about in the sender's words, such as `orders/updated`."""
    signed_at: AwareDatetime | None = None
    """When the sender signed it, where the signature covers that."""


class Disconnected(Noun):
    """Says that the other system has ended the connection, such as by removing its app."""

    reason: str


class PrivacyRequest(Noun):
    """What a shop asks for on behalf of a person, or of itself once it has left."""

    kind: Literal["export", "erase", "erase_all"]
    """`erase_all`: everything personal that came through this connection."""
    orders: tuple[str, ...] = ()
    """By `ref` or `parent`."""
    email: str = ""
    phone: str = ""
    ref: str = ""
    """The other system's own number of the request."""


class Hook(Noun):
    """Where a connection takes webhooks, and a secret to sign them with."""

    url: str
    secret: str = Field(repr=False)
    """The same as before, as long as the address is."""


class Subscribed(Noun):
    """What became of a connection's webhooks at the other system."""

    settings: dict[str, Any] = Field(default={}, repr=False)
    """Names and values of the connector's `Config` to keep, such as a signing secret."""
    detail: str = ""
    """In words for people: what was made, mended or was there."""
    mended: bool = False
    """Whether some were missing or stopped, so that news may have been missed: orders are then
    read at once."""
