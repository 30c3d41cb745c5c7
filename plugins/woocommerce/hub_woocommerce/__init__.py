"""Orders from WooCommerce, read in the order of their last change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from pydantic import BaseModel, Field, SecretStr

from hub import (
    Cancelled,
    Connector,
    Cursor,
    Delivery,
    Http,
    Incoming,
    Order,
    OrderSource,
    RefusedRow,
    Rejected,
    Url,
    hookimpl,
)

PAGE = 100
"""The most that WooCommerce gives at once."""
ORDERS = "/wp-json/wc/v3/orders"
TIMEOUT = (5, 30)
"""Seconds to connect and to read; the first answer of a sleeping shop takes some four."""
TOPIC = "x-wc-webhook-topic"
OVERLAP = timedelta(seconds=120)
"""`modified_after` leaves out its own second, so a little is read again each time."""


class Config(BaseModel):
    """Which shop, and a key that may read it."""

    url: Url = Field(title="Address of the shop", description="As in WordPress > Settings")
    key: SecretStr = Field(title="Consumer key", description="WooCommerce > Settings > Advanced")
    secret: SecretStr = Field(title="Consumer secret", description="Shown once, with the key")
    statuses: str = Field(
        default="processing,on-hold",
        title="Statuses to deliver",
        description="Separated by commas, without blanks",
        pattern=r"^[a-z0-9-]+(,[a-z0-9-]+)*$",
    )
    webhook_secret: SecretStr = Field(
        default=SecretStr(""),
        title="Webhook secret",
        description="The same as in WooCommerce > Settings > Advanced > Webhooks",
    )


@dataclass(frozen=True)
class Reading:
    """How far a shop has been read: the last change seen, and the page where many share it."""

    since: str = ""
    page: int = 1

    @classmethod
    def of(cls, cursor: Cursor) -> Reading:
        """Return the reading that a cursor stands for; an empty one starts at the beginning."""
        since, _, page = cursor.value.partition("|")
        return cls(since, int(page or 1))

    def cursor(self) -> Cursor:
        """Return the cursor that stands for this reading."""
        return Cursor(value=f"{self.since}|{self.page}")

    def after_page(self, changes: list[str]) -> Reading:
        """Return where to go on; only a full page without a newer change asks for the next one."""
        newest = max([*changes, self.since])
        if newest > self.since or len(changes) < PAGE:
            return Reading(newest)
        return Reading(self.since, self.page + 1)


class WooCommerce(Connector[Config]):
    """Reads a shop through its REST API, version 3."""

    name = "woocommerce"
    title = "WooCommerce"
    Config = Config
    sdk = ("woocommerce",)

    def check(self) -> None:
        """Read the number of one order, which proves the key and its permission."""
        self._get(per_page="1", _fields="id")

    def pull(self, cursor: Cursor) -> Iterator[Order | RefusedRow | Cursor]:
        """Yield one page of orders that changed since `cursor`, then the next cursor."""
        from hub_woocommerce.orders import read_page

        reading = Reading.of(cursor)
        asked = {"status": self.config.statuses, "orderby": "modified", "order": "asc"}
        asked |= {"per_page": str(PAGE), "page": str(reading.page), "dates_are_gmt": "true"}
        if reading.since:
            since = datetime.fromisoformat(reading.since) - OVERLAP
            asked["modified_after"] = since.isoformat()
        found = self._get(**asked)
        yield from read_page(found)
        changes = [str(one["date_modified_gmt"]) for one in found if changed(one)]
        yield reading.after_page(changes).cursor()

    def receive(self, request: Incoming) -> Delivery:
        """Verify the signature over the body; a ping, which WordPress does not sign, passes.

        The shop's own id of a delivery is left alone: it is made from the webhook and the second,
        so that different orders share it. The same bytes are the same delivery.
        """
        from hub_woocommerce.webhooks import is_ping, verify

        if is_ping(request):
            return Delivery(topic="ping")
        verify(request, self.config.webhook_secret.get_secret_value())
        return Delivery(topic=request.headers.get(TOPIC, "")[:200])

    def unpack(self, request: Incoming) -> Iterator[Order | Cancelled | RefusedRow]:
        """Yield the order that a delivery tells of, if it is to be delivered or called off."""
        from hub_woocommerce.webhooks import is_ping, read

        if is_ping(request) or not request.headers.get(TOPIC, "").startswith("order."):
            return
        yield from read(request.body, self.config.statuses.split(","))

    def _get(self, **asked: str) -> list[Any]:
        """Return a list of orders; every value is text, because lists break the signature.

        The SDK's own call would look the shop's name up again after it was checked, and go through
        a proxy that the environment names: its signature is used, with the hub's transport.
        """
        config = self.config
        pair = (config.key.get_secret_value(), config.secret.get_secret_value())
        http = Http(config.url, User_Agent="lastmile-hub", Accept="application/json")
        if config.url.startswith("https:"):
            return listed(http.get(ORDERS, params=asked, auth=pair, timeout=TIMEOUT))
        from woocommerce.oauth import OAuth

        url = f"{config.url}{ORDERS}?{urlencode(asked)}"
        signed = OAuth(url, *pair, version="wc/v3", method="GET").get_oauth_url()
        headers = {"Authorization": proof_of(signed)}
        return listed(http.get(ORDERS, params=asked, headers=headers, timeout=TIMEOUT))


def proof_of(signed: str) -> str:
    """Return what signs an address as a header, so that no log of addresses keeps the key."""
    told = parse_qsl(urlsplit(signed).query)
    parts = [f'{n}="{quote(v, safe="")}"' for n, v in told if n.startswith("oauth_")]
    return f"OAuth {', '.join(parts)}"


def changed(record: Any) -> bool:
    """Say whether a record tells when it was last changed."""
    return isinstance(record, dict) and bool(record.get("date_modified_gmt"))


def listed(reply: Any) -> list[Any]:
    """Return the list in a reply; raise `Rejected` where a page or something else came."""
    try:
        found = reply.json()
    except ValueError as error:
        raise Rejected(
            "the shop answered with a page; its permalinks must not be Plain", "url"
        ) from error
    if not isinstance(found, list):
        raise Rejected("the shop's answer is no list of orders; check its address", "url")
    return found


@hookimpl
def order_sources() -> list[type[OrderSource]]:
    """Offer WooCommerce."""
    return [WooCommerce]
