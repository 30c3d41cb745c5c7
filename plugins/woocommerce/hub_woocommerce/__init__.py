"""WooCommerce both ways: orders and cancellations come in, news of their delivery goes back."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Literal

from pydantic import BaseModel, Field, SecretStr

from hub import (
    Connector,
    Cursor,
    Delivery,
    DeliveryStatus,
    Hook,
    Incoming,
    OrderSource,
    Receipt,
    Rejected,
    Subscribed,
    Url,
    hookimpl,
)
from hub_woocommerce.orders import CALLED_OFF, Reader, Taken
from hub_woocommerce.reading import Reading, now
from hub_woocommerce.shop import Shop
from hub_woocommerce.slots import DATE_KEYS, TIME_KEYS, Slots

TOPIC = "x-wc-webhook-topic"
BUILT_IN = frozenset({"", "completed", "processing", "on-hold"})
"""Statuses that every shop has."""


class Config(BaseModel):
    """Which shop, a key to it, what comes from it and what it is told."""

    url: Url = Field(title="Address of the shop", description="As in WordPress > Settings")
    key: SecretStr = Field(
        title="Consumer key", description="WooCommerce > Settings > Advanced > REST API, Read/Write"
    )
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
        description="Leave it empty: the hub makes one, with the webhooks",
    )
    tell_shop: bool = Field(
        default=True,
        title="Tell the shop how deliveries go",
        description="Needs a key with Read/Write",
    )
    delivered_status: str = Field(
        default="completed",
        title="Status of a delivered order",
        description="Empty leaves the status alone",
        pattern=r"^[a-z0-9-]*$",
        json_schema_extra={"group": "How the shop is told"},
    )
    notes: Literal["none", "private", "customer"] = Field(
        default="private",
        title="Order notes",
        description="customer: WooCommerce sends those about dispatch and delivery by e-mail",
        json_schema_extra={"group": "How the shop is told"},
    )
    slot_date_keys: str = Field(
        default="",
        title="Meta keys of the delivery date",
        description="Looked at before those of the well-known plugins; none: no slot is read",
        max_length=500,
        json_schema_extra={"group": "Delivery slots"},
    )
    slot_time_keys: str = Field(
        default="",
        title="Meta keys of the time slot",
        description="Separated by commas; from+to where beginning and end lie apart",
        max_length=500,
        json_schema_extra={"group": "Delivery slots"},
    )
    slot_day_order: Literal["dmy", "mdy"] = Field(
        default="dmy",
        title="Dates such as 5/6/2026 are",
        description="dmy: the day stands first; mdy: the month does",
        json_schema_extra={"group": "Delivery slots"},
    )


class WooCommerce(Connector[Config]):
    """Reads and tells a shop through its REST API, version 3."""

    name = "woocommerce"
    title = "WooCommerce"
    Config = Config
    sdk = ("woocommerce",)

    def check(self) -> None:
        """Read the number of one order, which proves the key and the statuses of the settings."""
        statuses = self.config.statuses
        try:
            self._probe(statuses)
        except Rejected as error:
            if error.field != "status":
                raise
            self._name_the_wrong(error)
        if self.config.delivered_status in BUILT_IN:
            return
        try:
            self._probe(self.config.delivered_status)
        except Rejected as error:
            field = "delivered_status" if error.field == "status" else error.field
            raise Rejected(str(error), field) from error

    def pull(self, cursor: Cursor) -> Iterator[Taken | Cursor]:
        """Yield one page of what changed since `cursor`, then the next cursor.

        The first reading leaves out what was called off before it: nobody here knows of it.
        """
        reading = Reading.of(cursor, now())
        statuses = self.config.statuses.split(",")
        wanted = dict.fromkeys([*statuses, *(() if reading.first else CALLED_OFF)])
        asked = {"status": ",".join(wanted), **reading.question()}
        try:
            found = self._shop.list("/orders", **asked)
        except Rejected as error:
            if error.field != "status":
                raise
            raise Rejected(str(error), "statuses") from error
        yield from self._reader.read_page(found)
        changes = [str(one["date_modified_gmt"]) for one in found if is_dated(one)]
        after = reading.after_page(changes, len(found), now())
        yield cursor if after == reading else after.cursor()

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

    def unpack(self, request: Incoming) -> Iterator[Taken]:
        """Yield the order that a delivery tells of, if it is to be delivered or called off."""
        from hub_woocommerce.webhooks import is_ping, read

        if is_ping(request) or not request.headers.get(TOPIC, "").startswith("order."):
            return
        yield from read(request.body, self._reader)

    def subscribe(self, hook: Hook) -> Subscribed:
        """Make or mend the shop's webhooks; a secret that is set already stays."""
        from hub_woocommerce.subscriptions import Subscription

        own = self.config.webhook_secret.get_secret_value()
        settings = {} if own else {"webhook_secret": hook.secret}
        done = Subscription(self._shop, hook.url, own or hook.secret).ensure()
        return done.model_copy(update={"settings": settings})

    def unsubscribe(self, hook: Hook) -> None:
        """Delete the webhooks that send to this connection."""
        from hub_woocommerce.subscriptions import Subscription

        Subscription(self._shop, hook.url, hook.secret).remove()

    def tell(self, status: DeliveryStatus) -> Receipt:
        """Write the news to the order: meta data, its status once it is delivered, and a note."""
        from hub_woocommerce.news import Teller

        return Teller(self._shop, self.config.delivered_status, self.config.notes).tell(status)

    @property
    def _shop(self) -> Shop:
        config = self.config
        return Shop(config.url, config.key.get_secret_value(), config.secret.get_secret_value())

    @property
    def _reader(self) -> Reader:
        statuses = tuple(self.config.statuses.split(","))
        return Reader(statuses, slots_of(self.config), partial(refunds_of, self._shop))

    def _probe(self, statuses: str) -> None:
        self._shop.list("/orders", per_page="1", _fields="id", status=statuses)

    def _name_the_wrong(self, error: Rejected) -> None:
        """Raise which of the statuses the shop does not know."""
        wrong = []
        for status in self.config.statuses.split(","):
            try:
                self._probe(status)
            except Rejected as refusal:
                if refusal.field != "status":
                    raise
                wrong.append(status)
        said = f"the shop has no status {' and no '.join(wrong)}" if wrong else "a status is wrong"
        raise Rejected(f"{said}: {error}", "statuses") from error


def slots_of(config: Config) -> Slots:
    """Return where the settings say that delivery slots lie: own keys first."""
    if config.slot_date_keys.strip() == "none":
        return Slots((), (), config.slot_day_order)
    dates, times = keys_in(config.slot_date_keys), keys_in(config.slot_time_keys)
    return Slots((*dates, *DATE_KEYS), (*times, *TIME_KEYS), config.slot_day_order)


def keys_in(text: str) -> tuple[str, ...]:
    """Return the keys that a setting lists."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def refunds_of(shop: Shop, order: str) -> list[Any]:
    """Return the refunds of an order, which name the lines that were taken back."""
    return shop.list(f"/orders/{order}/refunds", per_page="100")


def is_dated(record: Any) -> bool:
    """Say whether a record tells when it was last changed."""
    return isinstance(record, dict) and bool(record.get("date_modified_gmt"))


@hookimpl
def order_sources() -> list[type[OrderSource]]:
    """Offer WooCommerce."""
    return [WooCommerce]
