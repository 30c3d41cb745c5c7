"""Version 1 of the API, where the orders are: https://ssapi.shipstation.com."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hub import Delivery, DeliveryStatus, Hook, Incoming, Receipt, Rejected, Subscribed, Unknown
from hub_shipstation import addresses, hooks, orders
from hub_shipstation.api import Api
from hub_shipstation.changes import Found, Page
from hub_shipstation.notes import is_due, with_news

if TYPE_CHECKING:
    from hub_shipstation import Config

PAGE = 500
"""The most that it gives at once."""
MOST_PAGES = 40
"""Pages that one webhook may name: a minute's allowance."""
PACIFIC = ZoneInfo("America/Los_Angeles")
"""Of all its times, which it writes without an offset."""
SKEW, REPEATED = timedelta(seconds=2), timedelta(minutes=62)
EVENT = "ORDER_NOTIFY"
EVENTS = (EVENT, "ITEM_ORDER_NOTIFY")
"""What tells of orders; both name the same ones, so that one is subscribed to."""


class Version1:
    """One account."""

    opened, cancelled = orders.OPEN, orders.CANCELLED

    def __init__(self, config: Config) -> None:
        self.config = config
        pair = (config.key.get_secret_value(), config.secret.get_secret_value())
        self.api = Api(config.root, auth=pair)

    def check(self) -> None:
        """List the account's tags, the smallest thing that needs the keys."""
        self.api.get("/accounts/listtags")

    def page(self, status: str, since: str, number: int) -> Page:
        """Return one page of the orders of a status that changed since `since`, Pacific time."""
        asked = {"orderStatus": status, "sortBy": "ModifyDate", "sortDir": "ASC"}
        asked |= {"page": str(number), "pageSize": str(PAGE)}
        if since:
            asked["modifyDateStart"] = f"{start(datetime.fromisoformat(since)):%Y-%m-%d %H:%M:%S}"
        answer = self.api.get("/orders", **asked)
        if not isinstance(answer, dict) or not isinstance(answer.get("orders"), list):
            raise Rejected("ShipStation's answer has no orders; check the address", "url")
        found, pages = addresses.listed(answer, "orders")
        return Page(found, [at for one in found if (at := orders.instant(one))], pages > number)

    def read(self, records: list[Any]) -> Iterator[Found]:
        """Yield what records say."""
        currency = self.config.currency
        return orders.read_page(records, lambda one: orders.read(one, currency), orders.named)

    def rest(self) -> None:
        """Raise `Retry` where the minute's allowance is used up."""
        self.api.rest()

    def receive(self, request: Incoming) -> Delivery:
        """Name a webhook; version 1 signs none, so that its secret address is all there is."""
        return addresses.delivery(request)

    def unpack(self, request: Incoming) -> Iterator[Found]:
        """Fetch the orders that a webhook names, page after page; others tell nothing new."""
        url, event = addresses.thin(request)
        if event not in EVENTS:
            return
        path, query = addresses.checked(url, "v1", self.config.root)
        number, pages = 1, 1
        while number <= min(pages, MOST_PAGES):
            asked = {**query, "page": str(number)} if number > 1 else query
            found, pages = addresses.listed(self.api.get(path, **asked), "orders")
            yield from self.read(found)
            number += 1
            if number <= pages:
                self.rest()

    def subscribe(self, hook: Hook) -> Subscribed:
        """Have the account tell of new orders."""

        def make() -> None:
            told = {"target_url": hook.url, "event": EVENT, "friendly_name": hooks.NAME}
            self.api.post("/webhooks/subscribe", {**told, "store_id": None})

        detail = hooks.settle(self._hooks(), hook, EVENT, make, self._unhook)
        return Subscribed(detail=detail)

    def unsubscribe(self, hook: Hook) -> None:
        """Take back every webhook of this connection."""
        for one in hooks.of_ours(self._hooks(), hook):
            hooks.take_back(one, self._unhook)

    def _hooks(self) -> list[hooks.Known]:
        answer = self.api.get("/webhooks")
        found = answer.get("webhooks") if isinstance(answer, dict) else None
        if not isinstance(found, list):
            raise Rejected("ShipStation's answer has no webhooks; check the address", "url")
        return [
            hooks.Known(
                id=str(one.get("WebHookID", "")),
                url=str(one.get("Url") or ""),
                event=str(one.get("HookType") or ""),
                active=one.get("Active") is not False,
            )
            for one in found
            if isinstance(one, dict)
        ]

    def _unhook(self, id: str) -> None:
        self.api.delete(f"/webhooks/{id}")

    def tell(self, status: DeliveryStatus) -> Receipt:
        """Note the news and mark the order as shipped when it is time.

        An order that is shipped is closed to notes, so that the note comes first.
        """
        order = self.api.get(f"/orders/{number(status.order)}")
        if not isinstance(order, dict) or not isinstance(order.get("orderStatus"), str):
            raise Rejected("ShipStation's answer is no order; check the address", "url")
        if order["orderStatus"] in (orders.SHIPPED, orders.CANCELLED):
            return Receipt(ref=status.order, detail=f"it is {order['orderStatus']} there already")
        done = [self._note(order, status)] if self.config.note else []
        if is_due(status, self.config.mark_when):
            done.append(self._mark(status))
        return Receipt(ref=status.order, detail=", ".join(filter(None, done)) or "nothing to tell")

    def _note(self, order: dict[str, Any], status: DeliveryStatus) -> str:
        """Write the news into the internal notes, where it is not yet."""
        notes = order.get("internalNotes")
        text = with_news(notes if isinstance(notes, str) else "", status)
        if text == (notes or ""):
            return ""
        if not order.get("orderKey"):  # without it, a second order would be made
            return "no note, because the order has no key"
        answer = self.api.post("/orders/createorder", {**order, "internalNotes": text})
        kept = str(answer.get("orderId") or "")
        if kept != status.order:
            raise Rejected(
                f"ShipStation answered with order {kept or '?'} when order {status.order} was to "
                f"get a note; look there whether it was made twice, and switch notes off"
            )
        return "noted"

    def _mark(self, status: DeliveryStatus) -> str:
        config = self.config
        told = {
            "orderId": int(status.order),
            "carrierCode": config.carrier_code,
            "shipDate": f"{status.at.astimezone(PACIFIC):%Y-%m-%d}",
            "trackingNumber": status.stop or status.order,
            "notifyCustomer": config.notify_customer,
            "notifySalesChannel": config.notify_sales_channel,
        }
        answer = self.api.post("/orders/markasshipped", told)
        if str(answer.get("orderId") or "") != status.order:
            raise Unknown("ShipStation did not confirm that the order is marked as shipped")
        return "marked as shipped"


def number(ref: str) -> int:
    """Return the number of an order; raise `Rejected` for a ref of another sort."""
    if not ref.isdecimal():
        raise Rejected(f"{ref[:50]} is no order number of ShipStation's version 1", "order")
    return int(ref)


def start(since: datetime) -> datetime:
    """Return from when to read on: a little earlier, and an hour more where clocks go back.

    In the hour that autumn repeats, what changes later may carry an earlier time.
    """
    there = since.replace(tzinfo=PACIFIC)
    repeated = there.utcoffset() != there.replace(fold=1).utcoffset()
    return since - (REPEATED if repeated else SKEW)
