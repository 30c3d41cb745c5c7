"""How a shop lets the hub in: a fixed token, an app's own credentials, or somebody's consent."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr

from hub import Callback, Grant, Kept, Rejected, TokenClient, Unauthorized, Url

VERSION = "2026-07"
NOTHING = SecretStr("")
SCOPES = (
    "read_orders", "write_orders", "read_merchant_managed_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders", "read_fulfillments", "write_fulfillments",
)  # fmt: skip
"""To read orders and how they are to be delivered, to fulfil them, and to leave tag and proof."""
CLOSE = 120.0
"""Seconds before its end from which a token is not used any more."""
DAY = 86_400.0
JUST_NOW = 60.0
"""Seconds within which a token that is refused is not worth another one."""


class Config(BaseModel):
    """Which shop, and one of three ways in: token, client id with secret, or these and consent."""

    url: Url = Field(title="Address of the shop", description="https://NAME.myshopify.com")
    token: SecretStr = Field(
        default=NOTHING,
        title="Admin API access token",
        description="Of a custom app from before 2026 (shpat_...); empty for every other app",
    )
    client_id: str = Field(
        default="", title="Client id", description="Dev Dashboard > your app > Settings"
    )
    client_secret: SecretStr = Field(
        default=NOTHING,
        title="Client secret",
        description="Beside the client id. It also proves webhooks. For an app of your own shop "
        "this is all; for a public app press Connect afterwards",
    )
    scopes: list[str] = Field(
        default=list(SCOPES),
        title="Scopes",
        description="What Connect asks for; as in the app's version in the Dev Dashboard",
        json_schema_extra={"group": "Scopes, version and webhooks"},
    )
    version: str = Field(
        default=VERSION,
        title="Version of the API",
        description="Year and month, as in Shopify's release notes; change it only on purpose",
        pattern=r"^20\d\d-(0[1-9]|1[0-2])$",
        json_schema_extra={"group": "Scopes, version and webhooks"},
    )
    shipped_too: bool = Field(
        default=False,
        title="Also orders that ship",
        description="Off: only those with local delivery; on: those for a carrier as well",
    )
    tell_shop: bool = Field(
        default=True,
        title="Tell the shop",
        description="On: dispatch, delivery and proof are written to the order in Shopify. "
        "Off: the hub only reads",
    )
    webhook_secret: SecretStr = Field(
        default=NOTHING,
        title="Webhook secret",
        description="Only where webhooks were made by hand: Shopify > Settings > Notifications > "
        "Webhooks. Empty: the client secret",
        json_schema_extra={"group": "Scopes, version and webhooks"},
    )
    access_token: Kept = Field(
        default=NOTHING, title="Access by consent", description="Filled in when you connect"
    )
    refresh_token: Kept = Field(
        default=NOTHING, title="Renewal of that access", description="Filled in when you connect"
    )


class Access:
    """Hands out the token that the settings lead to; one by credentials is kept while it holds."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._token = ""
        self._got = self._until = 0.0

    def token(self) -> str:
        """Return a token; raise `Unauthorized` where the settings open no way in."""
        for secret in (self.config.token, self.config.access_token):
            if secret.get_secret_value():
                return secret.get_secret_value()
        if not (self.config.client_id and self.config.client_secret.get_secret_value()):
            raise Unauthorized(
                "Shopify is not connected yet: give client id and client secret under Settings "
                "(for a public app press Connect then), or the access token of a custom app"
            )
        if not self._token or time.monotonic() >= self._until:
            self._fetch()
        return self._token

    def again(self, refused: str) -> str:
        """Return another token for one that was refused, nothing where there is no point."""
        if refused != self._token or time.monotonic() - self._got < JUST_NOW:
            return ""
        self._fetch()
        return self._token

    def _fetch(self) -> None:
        """Ask for a token by the app's own credentials; Shopify lets it hold for 24 hours."""
        self._got = time.monotonic()
        self._token = ""
        try:
            grant = token_client(self.config).credentials()
        except Rejected as error:  # shop_not_permitted, app_not_installed, and their like
            raise Unauthorized(
                f"Shopify gives this app no access by its client id and secret ({error}). Install "
                "the app in the shop; if it is a public app, press Connect"
            ) from None
        ends = grant.expires_at
        lives = (ends - datetime.now(UTC)).total_seconds() if ends else DAY
        self._until = self._got + max(lives - CLOSE, lives / 2)
        self._token = str(grant.settings["access_token"])


def token_client(config: Config) -> TokenClient:
    """Return the client of the shop's own token address; raise `Rejected` without an app."""
    for name in ("client_id", "client_secret"):
        value = getattr(config, name)
        if not (value if isinstance(value, str) else value.get_secret_value()):
            words = name.replace("_", " ")
            raise Rejected(f"give the {words} of your Shopify app under Settings first", field=name)
    return TokenClient(
        authorize_url=f"{config.url}/admin/oauth/authorize",
        token_url=f"{config.url}/admin/oauth/access_token",
        client_id=config.client_id,
        client_secret=config.client_secret,
        told={"expiring": "1"},  # else it would give a token without an end, refused from 2027 on
        in_form=True,
    )


def consent_page(config: Config) -> TokenClient:
    """Return the same for the consent page, where Shopify wants scopes parted by commas."""
    return replace(token_client(config), scopes=(",".join(config.scopes),))


def exchange(config: Config, callback: Callback) -> Grant:
    """Turn the code into an expiring token, once what came back is found to be Shopify's."""
    if callback.query:
        prove(config, callback.query)
    grant = token_client(config).exchange(callback)
    return named(config, grant)


def named(config: Config, grant: Grant) -> Grant:
    """Return a grant with the shop's name, and with all that its scopes imply.

    Shopify leaves out `read_x` where it grants `write_x`.
    """
    told = dict.fromkeys(grant.scopes)
    implied = [f"read_{scope[6:]}" for scope in told if scope.startswith("write_")]
    scopes = tuple(dict.fromkeys([*told, *implied]))
    return grant.model_copy(update={"account": shop_of(config.url), "scopes": scopes})


def shop_of(url: str) -> str:
    """Return the name of a shop as Shopify tells it: host, and port where there is one."""
    return urlsplit(url).netloc.lower()


def prove(config: Config, query: Mapping[str, str]) -> None:
    """Raise `Rejected` unless a way back from the consent page was signed for this very shop."""
    secret = config.client_secret.get_secret_value().encode()
    made = hmac.digest(secret, signed_text(query).encode(), "sha256").hex()
    if not hmac.compare_digest(made.encode(), query.get("hmac", "").encode()):
        raise Rejected(
            "what came back was not signed by Shopify with this client secret; check the secret "
            "under Settings, then press Connect again",
            field="client_secret",
        )
    if query.get("shop", "").lower() != shop_of(config.url):
        raise Rejected(
            f"this consent is for {query.get('shop', 'no shop')[:100]}, not for "
            f"{shop_of(config.url)}; check the address of the shop",
            field="url",
        )


def signed_text(query: Mapping[str, str]) -> str:
    """Return what the `hmac` of a callback covers: the other parts, sorted, joined by `&`.

    The delimiters inside are escaped, so that no part can pass for two.
    """
    pairs = []
    for name, value in query.items():
        if name not in ("hmac", "signature"):
            name = name.replace("%", "%25").replace("&", "%26").replace("=", "%3D")
            pairs.append(f"{name}={value.replace('%', '%25').replace('&', '%26')}")
    return "&".join(sorted(pairs))
