"""How Xero lets a hub in: consent, custom connections, and the organisations that they open."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, Field, SecretStr, TypeAdapter, ValidationError

from hub import Grant, Http, Rejected, TokenClient, Unauthorized
from hub_xero.settings import Config

ENDS = ("invalid_client", "unauthorized_client", "invalid_grant")
"""What the identity service says to credentials that only a person can mend."""
EARLY = 120
"""Seconds before its end at which a token is used no more."""


class Organisation(BaseModel):
    """One entry of Xero's `/connections`, as far as it matters here."""

    id: str = Field(alias="tenantId")
    name: str = Field(alias="tenantName", default="")


class Token(BaseModel):
    """What the identity service gives to a custom connection."""

    access: SecretStr = Field(alias="access_token", min_length=1)
    lives: int = Field(alias="expires_in", default=1800, ge=0)


class Custom:
    """The access of a custom connection, kept for as long as it holds."""

    def __init__(self) -> None:
        self._token, self._until = "", 0.0

    def token(self, config: Config) -> str:
        """Return an access token, a new one where the last is about to end."""
        if time.monotonic() >= self._until:
            given = client_credentials(config)
            self._token = given.access.get_secret_value()
            self._until = time.monotonic() + given.lives - EARLY
        return self._token


LISTED = TypeAdapter(list[Organisation])


def token_client(config: Config) -> TokenClient:
    """Return the client of Xero's identity service; raise `Rejected` without an app."""
    if not config.client_id:
        raise Rejected(
            "give the client id of your Xero app under Settings first", field="client_id"
        )
    if config.custom:
        raise Rejected(
            "a custom connection needs no consent: the hub gets its access by itself", "custom"
        )
    return TokenClient(
        authorize_url=config.login_url,
        token_url=config.identity_url,
        client_id=config.client_id,
        client_secret=config.client_secret,
        scopes=tuple(config.scopes),
    )


def client_credentials(config: Config) -> Token:
    """Ask for the access of a custom connection (RFC 6749, 4.4)."""
    secret = config.client_secret.get_secret_value()
    if not (config.client_id and secret):
        raise Unauthorized("give the client id and the secret of the custom connection")
    scopes = [scope for scope in config.scopes if scope != "offline_access"]
    asked = {"grant_type": "client_credentials", "scope": " ".join(scopes)}
    try:
        reply = Http(config.identity_url).read("", data=asked, auth=(config.client_id, secret))
    except Rejected as error:
        if any(word in str(error) for word in ENDS):
            raise Unauthorized(
                "Xero does not know this client id with this secret as a custom connection"
            ) from None
        raise
    try:
        return Token.model_validate_json(reply.content)
    except ValidationError:  # what it came from may hold the token
        raise Rejected("Xero answered with something that is no token", "identity_url") from None


def granted(config: Config) -> Grant:
    """Return the access of a custom connection as what a renewal gives."""
    began, given = datetime.now(UTC), client_credentials(config)
    settings = {"access_token": given.access.get_secret_value()}
    return Grant(settings=settings, expires_at=began + timedelta(seconds=given.lives))


def organisations(config: Config, token: str) -> list[Organisation]:
    """Return the organisations that a token opens; raise `Rejected` for what is no list of them."""
    reply = Http(config.connections_url, Authorization=f"Bearer {token}").get("")
    try:
        return LISTED.validate_json(reply.content)
    except ValidationError:
        raise Rejected("Xero did not answer with organisations", field="connections_url") from None


def chosen(found: list[Organisation], tenant: str) -> Organisation | None:
    """Return the one that is meant: the only one, or the one that the settings name."""
    if len(found) == 1:
        return found[0]
    return next((one for one in found if one.id == tenant), None)


def question(found: list[Organisation]) -> str:
    """Return in words what a person has to choose."""
    if not found:
        return "Xero opened no organisation; reconnect and choose one"
    names = ", ".join(f"{one.name} ({one.id})" for one in found[:10])
    return f"Xero opened several organisations; put the tenant id of one under Settings: {names}"
