"""Orders from Shopify, each fulfilment order one; and news of their delivery back to the shop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hub import (
    Callback,
    Cancelled,
    Connect,
    Connector,
    Cursor,
    Delivery,
    DeliveryStatus,
    Disconnected,
    Grant,
    Hook,
    Incoming,
    Order,
    OrderSource,
    PrivacyRequest,
    Receipt,
    RefusedRow,
    Rejected,
    Retry,
    Subscribed,
    Unauthorized,
    hookimpl,
)
from hub_shopify import sign_in
from hub_shopify.sign_in import SCOPES, VERSION, Access, Config

if TYPE_CHECKING:
    from hub_shopify.admin import Admin, Answer
    from hub_shopify.orders import Reader
    from hub_shopify.reading import Reading

__all__ = ["VERSION", "Config", "Shopify", "order_sources"]

FULFILMENT_SCOPES = frozenset(
    {
        "read_merchant_managed_fulfillment_orders",
        "read_assigned_fulfillment_orders",
        "read_third_party_fulfillment_orders",
    }
)


class Shopify(Connector[Config]):
    """Reads orders in the order of their last change, and tells the shop how they fare."""

    name = "shopify"
    title = "Shopify"
    Config = Config
    scopes = SCOPES
    sdk = ("shopify",)

    def check(self) -> None:
        """Ask for the token's scopes, and say which one is missing."""
        from hub_shopify.documents import SCOPES as ASKED

        told = self.admin.ask(ASKED, {}).data["currentAppInstallation"]
        if not isinstance(told, dict):
            raise Rejected("the shop did not say what this app may do; check its address", "url")
        scopes = {scope["handle"] for scope in told["accessScopes"]}
        scopes |= {f"read_{one[6:]}" for one in scopes if one.startswith("write_")}
        if "read_orders" not in scopes:
            raise Unauthorized("the app may not read orders; give it the scope read_orders")
        if not scopes & FULFILMENT_SCOPES:
            raise Unauthorized(
                "the app may not read fulfilment orders; "
                "give it the scope read_merchant_managed_fulfillment_orders"
            )

    def pull(self, cursor: Cursor) -> Iterator[Order | Cancelled | RefusedRow | Cursor]:
        """Yield one page of what changed since `cursor`, then the next cursor.

        Where the shop's points would not carry another page, `Retry` says how long that takes.
        """
        from hub_shopify.reading import Reading

        reading = Reading.of(cursor).begun(datetime.now(UTC))
        reading, answer = self._page(reading)
        page = answer.data["orders"]
        yield from self.reader.page(page["nodes"], answer.withheld)
        yield reading.after_page(page).cursor()
        wait = answer.pace.wait()
        if page["pageInfo"]["hasNextPage"] and wait > 0:
            raise Retry("Shopify's points are used up for the moment", after=max(1.0, wait))

    def _page(self, reading: Reading) -> tuple[Reading, Answer]:
        from dataclasses import replace

        from hub_shopify.admin import TooCostly
        from hub_shopify.documents import ORDERS
        from hub_shopify.orders import LINES, PARTS

        while True:
            try:
                asked = {**reading.variables(), "parts": PARTS, "lines": LINES}
                return reading, self.admin.ask(ORDERS, asked)
            except TooCostly as error:
                if reading.size == 1:
                    raise Rejected(f"one order costs more than Shopify allows: {error}") from error
                reading = replace(reading, size=max(1, reading.size // 2))

    def receive(self, request: Incoming) -> Delivery:
        """Verify the signature over the body, and that it is this shop's."""
        from hub_shopify.webhooks import received

        return received(self.config, request)

    def unpack(
        self, request: Incoming
    ) -> Iterator[Order | Cancelled | RefusedRow | Disconnected | PrivacyRequest]:
        """Fetch what a delivery names, as it is now; or say that the shop has left."""
        from hub_shopify import webhooks

        topic, record = request.headers.get(webhooks.TOPIC, ""), webhooks.parsed(request.body)
        yield from webhooks.ending(self.config, topic, record)
        if topic.startswith("orders/"):
            order = webhooks.order_named(record)
            if not order:
                raise Rejected("the delivery names no order", "admin_graphql_api_id")
            yield from self._fetched(order)
        elif topic.startswith("fulfillment_orders/"):
            part = webhooks.part_named(record)
            if not part:
                raise Rejected("the delivery names no fulfilment order", "fulfillment_order.id")
            yield from self._fetched(part)

    def _fetched(self, id: str) -> Iterator[Order | Cancelled | RefusedRow]:
        """Yield what becomes of one order; nothing where it is not there any more."""
        from hub_shopify.documents import ONE_ORDER, ORDER_OF_PART
        from hub_shopify.orders import MOST_LINES, MOST_PARTS

        by_part = "/FulfillmentOrder/" in id
        sizes = {"id": id, "parts": MOST_PARTS, "lines": MOST_LINES}
        answer = self.admin.ask(ORDER_OF_PART if by_part else ONE_ORDER, sizes)
        found: Any = answer.data
        if by_part:
            found = found.get("fulfillmentOrder") or {}
        if found.get("order") is not None:
            yield from self.reader.page([found["order"]], answer.withheld)

    def subscribe(self, hook: Hook) -> Subscribed:
        """Make and mend the shop's webhooks; without a secret they could not be believed."""
        from hub_shopify import hooks, webhooks

        if not webhooks.secret_of(self.config):
            return Subscribed(detail=hooks.UNPROVEN)
        return hooks.subscribe(self.admin, hook)

    def unsubscribe(self, hook: Hook) -> None:
        """Take back what `subscribe` made."""
        from hub_shopify import hooks

        hooks.unsubscribe(self.admin, hook)

    def tell(self, status: DeliveryStatus) -> Receipt:
        """Pass news on: the fulfilment, its events, and in the end the link to the proof."""
        from hub_shopify.news import Story

        if not self.config.tell_shop:
            return Receipt(detail="not told: switched off in the settings of the connection")
        return Story(self.admin, status).tell()

    def authorize(self, connect: Connect) -> str:
        """Return the address of the shop's consent page."""
        return sign_in.consent_page(self.config).address(connect)

    def exchange(self, callback: Callback) -> Grant:
        """Turn the code into an expiring token and what renews it."""
        return sign_in.exchange(self.config, callback)

    def refresh(self) -> Grant:
        """Renew the token; Shopify gives a new refresh token each time."""
        client = sign_in.token_client(self.config)
        return sign_in.named(self.config, client.refresh(self.config.refresh_token))

    @property
    def reader(self) -> Reader:
        """What makes orders of this shop's."""
        from hub_shopify.orders import Reader

        methods = {"LOCAL", "SHIPPING"} if self.config.shipped_too else {"LOCAL"}
        return Reader(frozenset(methods), self._whole)

    def _whole(self, id: str) -> dict[str, Any]:
        """Return one order with room for all that it has."""
        from hub_shopify.documents import ONE_ORDER
        from hub_shopify.orders import MOST_LINES, MOST_PARTS, Unreadable

        sizes = {"id": id, "parts": MOST_PARTS, "lines": MOST_LINES}
        order = self.admin.ask(ONE_ORDER, sizes).data["order"]
        if not isinstance(order, dict):
            raise Unreadable("it is not there any more")
        return order

    @cached_property
    def access(self) -> Access:
        """The way in; a token by credentials is kept with it."""
        return Access(self.config)

    @property
    def admin(self) -> Admin:
        """The shop's Admin API."""
        from hub_shopify.admin import Admin

        return Admin(self.config.url, self.config.version, self.access)


@hookimpl
def order_sources() -> list[type[OrderSource]]:
    """Offer Shopify."""
    return [Shopify]
