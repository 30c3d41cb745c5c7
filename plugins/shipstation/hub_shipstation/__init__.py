"""Orders from ShipStation, news of their delivery back: API version 1, or 2 by a setting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from hub import (
    Cancelled,
    Connector,
    Cursor,
    Delivery,
    DeliveryStatus,
    Hook,
    Incoming,
    Kept,
    Order,
    OrderSource,
    Receipt,
    RefusedRow,
    Subscribed,
    Url,
    hookimpl,
)

if TYPE_CHECKING:
    from hub_shipstation.version1 import Version1
    from hub_shipstation.version2 import Version2

NONE = SecretStr("")
ROOTS = {"v1": "https://ssapi.shipstation.com", "v2": "https://api.shipstation.com"}


class Config(BaseModel):
    """The keys of an account, and what it is told."""

    api: Literal["v1", "v2"] = Field(
        default="v1",
        title="Version of the API",
        description="v1 has the orders of every account; v2 is for accounts that work with it",
    )
    key: SecretStr = Field(
        title="API key",
        description="ShipStation > Settings > Account > API Settings; for v2 a key of version 2",
    )
    secret: SecretStr = Field(
        default=NONE,
        title="API secret",
        description="Of the same pair; v2 has none",
        validate_default=True,
    )
    currency: str = Field(
        default="USD",
        title="Currency",
        description="Of the account's orders, where ShipStation does not tell it",
        pattern="^[A-Z]{3}$",
    )
    tell_shop: bool = Field(
        default=True,
        title="Tell ShipStation",
        description="How deliveries go; off: orders are only read",
    )
    mark_when: Literal["dispatched", "delivered"] = Field(
        default="delivered",
        title="Mark as shipped when",
        description="The order leaves, or it is delivered. A shipped order takes no more notes",
        json_schema_extra={"group": "How ShipStation is told"},
    )
    note: bool = Field(
        default=True,
        title="Write internal notes",
        description="Tracking link, attempts and delivery into the order's internal notes (v1)",
        json_schema_extra={"group": "How ShipStation is told"},
    )
    carrier_code: str = Field(
        default="other",
        title="Carrier",
        description="Code of the carrier that orders are shipped with; other fits any",
        pattern="^[A-Za-z0-9_-]{1,50}$",
        json_schema_extra={"group": "How ShipStation is told"},
    )
    notify_customer: bool = Field(
        default=False,
        title="ShipStation mails the customer",
        description="When an order is marked as shipped",
        json_schema_extra={"group": "How ShipStation is told"},
    )
    notify_sales_channel: bool = Field(
        default=False,
        title="ShipStation tells the sales channel",
        description="When an order is marked as shipped, so that the shop shows it as well",
        json_schema_extra={"group": "How ShipStation is told"},
    )
    url: Url = Field(
        default=ROOTS["v1"],
        title="Address of the API",
        description="Leave it as it is, also for v2; another one is for tests",
        json_schema_extra={"group": "Addresses"},
    )
    keys_url: Url = Field(
        default="https://api.shipengine.com/jwks",
        title="Address of the signing keys",
        description="Where version 2 publishes what its webhooks are verified with",
        json_schema_extra={"group": "Addresses"},
    )
    webhook_keys: Kept = Field(
        default=NONE, title="Signing keys", description="Fetched with the webhooks of version 2"
    )

    @field_validator("secret")
    @classmethod
    def pair(cls, secret: SecretStr, info: ValidationInfo) -> SecretStr:
        """Demand the secret where the version needs one."""
        if info.data.get("api") == "v1" and not secret.get_secret_value():
            raise PydanticCustomError("missing", "version 1 needs the API secret as well")
        return secret

    @property
    def root(self) -> str:
        """The address that is called."""
        return ROOTS[self.api] if self.url in ROOTS.values() else self.url


class ShipStation(Connector[Config]):
    """Reads orders, is told of new ones, and marks them as shipped.

    Everything is looked up before it is done, so that doing it again does nothing.
    """

    name = "shipstation"
    title = "ShipStation"
    Config = Config

    def check(self) -> None:
        """Make the smallest call that needs the keys."""
        self.version.check()

    def pull(self, cursor: Cursor) -> Iterator[Order | Cancelled | RefusedRow | Cursor]:
        """Yield one page of orders that changed since `cursor`, then the next cursor."""
        from hub_shipstation.changes import pull

        return pull(self.version, cursor)

    def receive(self, request: Incoming) -> Delivery:
        """Name a webhook; those of version 2 are verified, those of version 1 are not signed."""
        return self.version.receive(request)

    def unpack(self, request: Incoming) -> Iterator[Order | Cancelled | RefusedRow]:
        """Yield the orders that a webhook names, fetched from ShipStation itself."""
        return self.version.unpack(request)

    def subscribe(self, hook: Hook) -> Subscribed:
        """Have ShipStation tell of new orders."""
        return self.version.subscribe(hook)

    def unsubscribe(self, hook: Hook) -> None:
        """Have it tell no more."""
        self.version.unsubscribe(hook)

    def tell(self, status: DeliveryStatus) -> Receipt:
        """Note how a delivery goes, and mark the order as shipped when it is time."""
        return self.version.tell(status)

    @property
    def version(self) -> Version1 | Version2:
        """The version of the API that the settings name."""
        if self.config.api == "v2":
            from hub_shipstation.version2 import Version2

            return Version2(self.config)
        from hub_shipstation.version1 import Version1

        return Version1(self.config)


@hookimpl
def order_sources() -> list[type[OrderSource]]:
    """Offer ShipStation."""
    return [ShipStation]
