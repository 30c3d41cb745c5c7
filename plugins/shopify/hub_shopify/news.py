"""News of a delivery, told to the shop once each: fulfilment, events, and the proof.

Shopify drops no repetition by itself. So every step looks first at what is there, makes only what
is missing, and does the same again after a lost reply without a second effect.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hub import DeliveryStatus, Receipt, Rejected
from hub_shopify.admin import Admin, UserError
from hub_shopify.documents import ADD_TAGS, FULFIL, SET_METAFIELDS, STANDING, TELL_EVENT

EVENTS = {
    "out_for_delivery": "OUT_FOR_DELIVERY",
    "delayed": "DELAYED",
    "attempted": "ATTEMPTED_DELIVERY",
    "delivered": "DELIVERED",
    "partial": "DELIVERED",
    "failed": "FAILURE",
    "cancelled": "FAILURE",
}
"""Shopify's word for each news; `dispatched` is the fulfilment itself."""
AT_THE_DOOR = ("delivered", "partial")
DEAD = ("CANCELLED", "ERROR", "FAILURE")
"""Fulfilments that do not count."""
NAMESPACE = "hub"
TAGS = {"delivered": "hub-delivered", "partial": "hub-partly-delivered"}


@dataclass
class Story:
    """One news on its way, and what was done about it."""

    admin: Admin
    news: DeliveryStatus
    done: list[str] = field(default_factory=list)

    def tell(self) -> Receipt:
        """Bring the shop to where the news is; return what was done, for people."""
        part = self.look()
        found = self.fulfilment(part)
        if found is None:
            return Receipt(ref=self.news.order, detail="nothing to tell: it never set off")
        self.event(found)
        if self.news.status in AT_THE_DOOR:
            self.proof(part["order"])
        return Receipt(ref=str(found["id"]), detail=", ".join(self.done) or "was there")

    def look(self) -> dict[str, Any]:
        """Return the fulfilment order as it stands; raise `Rejected` where there is none."""
        answer = self.admin.ask(STANDING, {"id": self.news.order})
        part = answer.data.get("fulfillmentOrder")
        if not isinstance(part, dict):
            raise Rejected(
                f"Shopify has no fulfilment order {self.news.order} that this app may see", "order"
            )
        return part

    def fulfilment(self, part: dict[str, Any]) -> dict[str, Any] | None:
        """Return the fulfilment that the news is about, made first where there is none.

        Whoever fulfilled it: where nothing is left, another fulfilment cannot be made, and the
        events belong to the one that is there.
        """
        found = chosen(part, number(self.news))
        if found is not None:
            return found
        if self.news.status == "cancelled":
            return None
        if not may_fulfil(part):
            raise Rejected(standstill(part), "order")
        try:
            made = self.admin.change(FULFIL, self.wanted(part), "fulfillmentCreate")
        except UserError as error:
            # Somebody else may have fulfilled it between the look and the change.
            found = chosen(self.look(), number(self.news))
            if found is None:
                raise Rejected(str(error), error.field or "order") from error
            return found
        self.done.append("fulfilled")
        return {**(made.get("fulfillment") or {}), "events": {"nodes": []}}

    def wanted(self, part: dict[str, Any]) -> dict[str, Any]:
        """Return the fulfilment to make: all that is left, or what was handed over if known."""
        own: dict[str, Any] = {"fulfillmentOrderId": part["id"]}
        if self.news.status == "partial":
            lines = handed_over(part, self.news)
            if lines:
                own["fulfillmentOrderLineItems"] = lines
        told = {
            "company": self.news.carrier,
            "number": number(self.news),
            "url": self.news.tracking_url,
        }
        return {
            "fulfillment": {
                "lineItemsByFulfillmentOrder": [own],
                "trackingInfo": {name: value for name, value in told.items() if value},
                "notifyCustomer": False,
            }
        }

    def event(self, found: dict[str, Any]) -> None:
        """Add the event, unless it is there or something later has been told."""
        status = EVENTS.get(self.news.status, "")
        events = found["events"]["nodes"]
        if not status or any(is_same(one, status, self.news.at) for one in events):
            return
        if status != "DELIVERED" and is_overtaken(events, self.news.at):
            self.done.append("left alone: the shop knows later news")
            return
        told = {
            "fulfillmentId": found["id"],
            "status": status,
            "happenedAt": written(self.news.at),
            "message": message(self.news),
            "estimatedDeliveryAt": written(self.news.eta) if self.news.eta else None,
        }
        if self.news.location is not None:
            told |= {"latitude": self.news.location.lat, "longitude": self.news.location.lon}
        given = {name: value for name, value in told.items() if value not in (None, "")}
        self.admin.change(TELL_EVENT, {"event": given}, "fulfillmentEventCreate")
        self.done.append(f"told {status.replace('_', ' ').lower()}")

    def proof(self, order: dict[str, Any]) -> None:
        """Leave the link to the proof, the time and a tag on the order."""
        there = {one["key"]: one["value"] for one in order["metafields"]["nodes"]}
        at = written(self.news.at)
        # One news may come again without its proof; a time of another part of the order stays.
        wanted = {"delivered_at": ("date_time", at), "pod_url": ("url", self.news.proof_url)}
        missing = [
            {"ownerId": order["id"], "namespace": NAMESPACE, "key": key, "type": kind, "value": v}
            for key, (kind, v) in wanted.items()
            if v and not same(there.get(key, ""), v)
        ]
        if missing:
            self.admin.change(SET_METAFIELDS, {"metafields": missing}, "metafieldsSet")
            self.done.append("proof left")
        tag = TAGS[self.news.status]
        if tag not in order["tags"]:
            self.admin.change(ADD_TAGS, {"id": order["id"], "tags": [tag]}, "tagsAdd")
            self.done.append("tagged")


def number(news: DeliveryStatus) -> str:
    """Return the tracking number by which the hub's own fulfilment is known again."""
    return news.stop or f"hub-{hashlib.sha256(news.order.encode()).hexdigest()[:10]}"


def chosen(part: dict[str, Any], own: str) -> dict[str, Any] | None:
    """Return the fulfilment with our number, else that which left nothing to fulfil."""
    live = [one for one in part["fulfillments"]["nodes"] if one["status"] not in DEAD]
    for one in live:
        if any(info.get("number") == own for info in one["trackingInfo"]):
            return dict(one)
    left = sum(int(line["remainingQuantity"]) for line in part["lineItems"]["nodes"])
    return dict(live[0]) if live and (part["status"] == "CLOSED" or not left) else None


def may_fulfil(part: dict[str, Any]) -> bool:
    """Say whether Shopify takes a fulfilment now."""
    return any(one["action"] == "CREATE_FULFILLMENT" for one in part["supportedActions"])


def standstill(part: dict[str, Any]) -> str:
    """Return in words why nothing can be fulfilled, and what to do."""
    name = part["order"].get("name") or "the order"
    why = {
        "ON_HOLD": "is on hold in Shopify; release it there, then try again",
        "SCHEDULED": "is scheduled for later in Shopify; mark it as open there, then try again",
        "CANCELLED": "was cancelled in Shopify, so its delivery cannot be told",
        "CLOSED": "was moved, merged or cancelled in Shopify, so its delivery cannot be told",
    }
    return f"{name} {why.get(part['status'], 'cannot be fulfilled by this app in Shopify')}"


def handed_over(part: dict[str, Any], news: DeliveryStatus) -> list[dict[str, Any]]:
    """Return which lines, and how many pieces of each, were handed over and can be fulfilled."""
    left = {one["id"]: int(one["remainingQuantity"]) for one in part["lineItems"]["nodes"]}
    found = []
    for line in news.lines:
        pieces = min(line.handed_over, left.get(line.ref, 0))
        if pieces > 0:
            found.append({"id": line.ref, "quantity": pieces})
    return found


def is_same(event: dict[str, Any], status: str, at: datetime) -> bool:
    """Say whether an event is this news; a delivery is told once, whenever it was."""
    if event["status"] != status:
        return False
    return status == "DELIVERED" or same(str(event["happenedAt"]), written(at))


def is_overtaken(events: list[dict[str, Any]], at: datetime) -> bool:
    """Say whether the shop knows that it is delivered, or anything that happened later."""
    when = at.astimezone(UTC).replace(microsecond=0)
    return any(
        one["status"] == "DELIVERED" or datetime.fromisoformat(str(one["happenedAt"])) > when
        for one in events
    )


def message(news: DeliveryStatus) -> str:
    """Return what the customer reads beside the event."""
    if news.status == "partial":
        short = [
            f"{line.handed_over} of {line.ordered} {line.name}"
            for line in news.lines
            if line.handed_over < line.ordered
        ]
        return ("Partly delivered: " + ", ".join(short) if short else "Partly delivered")[:250]
    if news.status == "cancelled":
        return f"Called off: {news.reason}"[:250] if news.reason else "Called off"
    if news.status == "delivered" and news.received_by:
        return f"Received by {news.received_by}"[:250]
    return news.reason[:250]


def written(instant: datetime) -> str:
    """Return an instant as Shopify keeps it: UTC, whole seconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def same(one: str, other: str) -> bool:
    """Say whether two values are the same, as instants where both are such."""
    if one == other:
        return True
    try:
        return datetime.fromisoformat(one) == datetime.fromisoformat(other)
    except (ValueError, TypeError):
        return False
