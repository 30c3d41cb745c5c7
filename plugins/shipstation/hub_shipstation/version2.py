"""Version 2 of the API, where an order is a shipment: https://api.shipstation.com."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hub import Delivery, DeliveryStatus, Hook, Incoming, Receipt, Rejected, Subscribed, Unknown
from hub_shipstation import addresses, hooks, orders, shipments, signatures
from hub_shipstation.api import Api
from hub_shipstation.changes import Found, Page
from hub_shipstation.notes import is_due

if TYPE_CHECKING:
    from hub_shipstation import Config

PAGE = 100
MOST_PAGES = 100
SKEW = timedelta(seconds=2)
EVENT = "shipment_created_v2"
"""What it calls a new order; not yet among the events of its published description."""
EVENTS = (EVENT, "shipment_updated_v2")


class Version2:
    """One account."""

    opened, cancelled = shipments.OPEN, shipments.CANCELLED

    def __init__(self, config: Config) -> None:
        self.config = config
        self.api = Api(config.root, api_key=config.key.get_secret_value())

    def check(self) -> None:
        """List the account's tags, the smallest thing that needs the key."""
        self.api.get("/v2/tags")

    def page(self, status: str, since: str, number: int) -> Page:
        """Return one page of the shipments of a status that changed since `since`, in UTC."""
        asked = {"shipment_status": status, "sort_by": "modified_at", "sort_dir": "asc"}
        asked |= {"page": str(number), "page_size": str(PAGE)}
        if since:
            asked["modified_at_start"] = written(datetime.fromisoformat(since) - SKEW)
        answer = self.api.get("/v2/shipments", **asked)
        if not isinstance(answer, dict) or not isinstance(answer.get("shipments"), list):
            raise Rejected("ShipStation's answer has no shipments; check the address", "url")
        found, pages = addresses.listed(answer, "shipments")
        return Page(found, [at for one in found if (at := shipments.instant(one))], pages > number)

    def read(self, records: list[Any]) -> Iterator[Found]:
        """Yield what records say."""
        currency = self.config.currency
        return orders.read_page(records, lambda one: shipments.read(one, currency), shipments.named)

    def rest(self) -> None:
        """Go on: an allowance that is used up is told by a 429 with its time."""
        self.api.rest()

    def receive(self, request: Incoming) -> Delivery:
        """Verify the signature by the keys that `subscribe` has fetched."""
        signed_at = signatures.verify(request, self.config.webhook_keys.get_secret_value())
        _, event = addresses.thin(request)
        return Delivery(topic=event, signed_at=signed_at)

    def unpack(self, request: Incoming) -> Iterator[Found]:
        """Fetch the shipments that a webhook names, page after page; others tell nothing new."""
        url, event = addresses.thin(request)
        if event.lower() not in EVENTS:
            return
        path, query = addresses.checked(url, "v2", self.config.root)
        number, pages = 1, 1
        while number <= min(pages, MOST_PAGES):
            asked = {**query, "page": str(number)} if number > 1 else query
            found, pages = addresses.listed(self.api.get(path, **asked), "shipments")
            yield from self.read(found)
            number += 1

    def subscribe(self, hook: Hook) -> Subscribed:
        """Have the account tell of new shipments, and fetch the keys that it signs with."""
        keys = signatures.usable(Api(self.config.keys_url).get(""))
        if not keys:
            raise Rejected("ShipStation publishes no key to check webhooks with", "keys_url")

        def make() -> None:
            self.api.post("/v2/environment/webhooks", {"event": EVENT, "url": hook.url})

        detail = hooks.settle(self._hooks(), hook, EVENT, make, self._unhook)
        return Subscribed(settings={"webhook_keys": json.dumps(keys)}, detail=detail)

    def unsubscribe(self, hook: Hook) -> None:
        """Take back every webhook of this connection."""
        for one in hooks.of_ours(self._hooks(), hook):
            hooks.take_back(one, self._unhook)

    def _hooks(self) -> list[hooks.Known]:
        answer = self.api.get("/v2/environment/webhooks")
        if not isinstance(answer, list):
            raise Rejected("ShipStation's answer has no webhooks; check the address", "url")
        return [
            hooks.Known(
                id=str(one.get("webhook_id", "")),
                url=str(one.get("url") or ""),
                event=str(one.get("event") or "").lower(),
            )
            for one in answer
            if isinstance(one, dict)
        ]

    def _unhook(self, id: str) -> None:
        self.api.delete(f"/v2/environment/webhooks/{id}")

    def tell(self, status: DeliveryStatus) -> Receipt:
        """Mark the shipment as fulfilled when it is time; version 2 takes no notes."""
        if not is_due(status, self.config.mark_when):
            return Receipt(ref=status.order, detail="nothing to tell")
        shipment = self.api.get(f"/v2/shipments/{named(status.order)}")
        if not isinstance(shipment, dict) or "shipment_status" not in shipment:
            raise Rejected("ShipStation's answer is no shipment; check the address", "url")
        if shipment["shipment_status"] == shipments.CANCELLED:
            return Receipt(ref=status.order, detail="it is cancelled there already")
        there = self.api.get("/v2/fulfillments", shipment_id=status.order)
        done = there.get("fulfillments") if isinstance(there, dict) else None
        if not isinstance(done, list):
            raise Rejected("ShipStation's answer has no fulfillments; check the address", "url")
        if any(isinstance(one, dict) and one.get("shipment_id") == status.order for one in done):
            return Receipt(ref=status.order, detail="it is fulfilled there already")
        return self._fulfil(status)

    def _fulfil(self, status: DeliveryStatus) -> Receipt:
        config = self.config
        told = {
            "shipment_id": status.order,
            "tracking_number": status.stop or status.order,
            "carrier_code": config.carrier_code,
            "ship_date": written(status.at),
            "notify_customer": config.notify_customer,
            "notify_order_source": config.notify_sales_channel,
        }
        answer = self.api.post("/v2/fulfillments", {"fulfillments": [told]})
        made = answer.get("fulfillments")
        if not isinstance(made, list) or not isinstance(answer.get("has_errors"), bool):
            raise Unknown("ShipStation did not confirm the fulfillment, so it may be done or not")
        wrong = [str(one.get("error_message") or "") for one in made if isinstance(one, dict)]
        if answer["has_errors"] or any(wrong):
            said = next(filter(None, wrong), "without a reason")
            raise Rejected(f"ShipStation refused the fulfillment: {said[:300]}")
        return Receipt(ref=status.order, detail="marked as fulfilled")


def named(ref: str) -> str:
    """Return the id of a shipment; raise `Rejected` for a ref of another sort."""
    if not ref.replace("-", "").replace("_", "").isalnum() or not ref.isascii():
        raise Rejected(f"{ref[:50]} is no shipment of ShipStation's version 2", "order")
    return ref


def written(at: datetime) -> str:
    """Return an instant as version 2 writes it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
