"""Orders from Shopify: each fulfilment order that has something left to deliver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, SecretStr

from hub import (
    Connector,
    Cursor,
    Order,
    OrderSource,
    RefusedRow,
    Rejected,
    Unauthorized,
    Url,
    hookimpl,
)

if TYPE_CHECKING:
    from hub_shopify.admin import Admin

VERSION = "2026-07"
PAGE = 25
FULFILMENT_SCOPES = frozenset(
    {
        "read_merchant_managed_fulfillment_orders",
        "read_assigned_fulfillment_orders",
        "read_third_party_fulfillment_orders",
    }
)


class Config(BaseModel):
    """Which shop, and the token of the app that reads it."""

    url: Url = Field(title="Address of the shop", description="https://NAME.myshopify.com")
    token: SecretStr = Field(title="Admin API access token", description="Of a custom app")
    shipped_too: bool = Field(
        default=False,
        title="Also orders that ship",
        description="Off: only those with local delivery; on: those for a carrier as well",
    )


class Shopify(Connector[Config]):
    """Reads orders in the order of their last change."""

    name = "shopify"
    title = "Shopify"
    Config = Config
    sdk = ("shopify",)

    def check(self) -> None:
        """Ask for the token's scopes, and say which one is missing."""
        from hub_shopify.orders import SCOPES

        found = self.admin.ask(SCOPES, {})["currentAppInstallation"]["accessScopes"]
        scopes = {scope["handle"] for scope in found}
        if "read_orders" not in scopes:
            raise Unauthorized("the app may not read orders; give it the scope read_orders")
        if not scopes & FULFILMENT_SCOPES:
            raise Unauthorized(
                "the app may not read fulfilment orders; "
                "give it the scope read_merchant_managed_fulfillment_orders"
            )

    def pull(self, cursor: Cursor) -> Iterator[Order | RefusedRow | Cursor]:
        """Yield one page of orders that changed since `cursor`, then the next cursor."""
        from hub_shopify.orders import Reading, read_page

        reading = Reading.of(cursor)
        page = self._page(reading.variables())
        yield from read_page(page["nodes"], self.config.shipped_too)
        yield reading.after_page(page).cursor()

    def _page(self, variables: dict[str, object]) -> dict[str, Any]:
        from hub_shopify.admin import TooCostly
        from hub_shopify.orders import ORDERS

        size = PAGE
        while True:
            try:
                answer = self.admin.ask(ORDERS, {**variables, "first": size})
            except TooCostly as error:
                if size == 1:
                    raise Rejected(f"one order costs more than Shopify allows: {error}") from error
                size = max(1, size // 2)
            else:
                page: dict[str, Any] = answer["orders"]
                return page

    @property
    def admin(self) -> Admin:
        """The shop's Admin API."""
        from hub_shopify.admin import Admin

        return Admin(self.config.url, VERSION, self.config.token.get_secret_value())


@hookimpl
def order_sources() -> list[type[OrderSource]]:
    """Offer Shopify."""
    return [Shopify]
