"""What connecting by a consent page takes (RFC 6749, RFC 7636)."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, Field

from hub.nouns.noun import Noun


class Connect(Noun):
    """What the address of a consent page has to carry (RFC 6749, RFC 7636)."""

    redirect_url: str
    state: str
    challenge: str
    """The S256 code challenge of PKCE."""


class Callback(Noun):
    """What came back from a consent page, once the hub has checked its state."""

    code: str = Field(repr=False)
    verifier: str = Field(repr=False)
    """The PKCE code verifier."""
    redirect_url: str
    query: dict[str, str] = Field(default={}, repr=False)
    """Everything that came, for what a service adds of its own."""


class Grant(Noun):
    """Settings that a token call changed, and when they have to be renewed."""

    settings: dict[str, Any] = Field(repr=False)
    """Names and values of the connector's `Config`, merged over those that are stored."""
    expires_at: AwareDatetime | None = None
    """Wall time at which the access ends; none where it does not end by itself."""
    scopes: tuple[str, ...] = ()
    """What was granted."""
    account: str = ""
    """Whose account it is, for people."""
