"""What is asked of Shopify, and how its fulfilment orders become orders of the hub."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from hub import (
    Address,
    Cursor,
    Location,
    Money,
    Order,
    OrderLine,
    Recipient,
    RefusedRow,
    TimeWindow,
)

SCOPES = "query Scopes { currentAppInstallation { accessScopes { handle } } }"

ORDERS = """
query Orders($first: Int!, $after: String, $query: String!) {
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
    pageInfo { hasNextPage endCursor }
    nodes {
      id name note email phone updatedAt cancelledAt paymentGatewayNames
      currentTotalPriceSet { shopMoney { amount currencyCode } }
      totalOutstandingSet { shopMoney { amount currencyCode } }
      shippingAddress {
        name company address1 address2 zip city province countryCodeV2 phone latitude longitude
      }
      fulfillmentOrders(first: 10) {
        pageInfo { hasNextPage }
        nodes {
          id status
          deliveryMethod {
            methodType minDeliveryDateTime maxDeliveryDateTime
            additionalInformation { instructions phone }
          }
          lineItems(first: 100) {
            pageInfo { hasNextPage }
            nodes { id sku productTitle variantTitle remainingQuantity requiresShipping }
          }
        }
      }
    }
  }
}
"""
OPEN = "(fulfillment_status:unfulfilled OR fulfillment_status:partial)"


@dataclass(frozen=True)
class Reading:
    """How far a shop has been read: changed since when, and the page within that."""

    since: str = ""
    after: str = ""

    @classmethod
    def of(cls, cursor: Cursor) -> Reading:
        """Return the reading that a cursor stands for; an empty one starts at the beginning."""
        return cls(**json.loads(cursor.value)) if cursor.value else cls()

    def cursor(self) -> Cursor:
        """Return the cursor that stands for this reading."""
        return Cursor(value=json.dumps({"since": self.since, "after": self.after}))

    def variables(self) -> dict[str, object]:
        """Return the variables of the query; `>=` reads the last second again, which is safe."""
        changed = f"updated_at:>='{self.since}' " if self.since else ""
        return {"after": self.after or None, "query": changed + OPEN}

    def after_page(self, page: dict[str, Any]) -> Reading:
        """Return where to go on: the next page, or from the last change once there is none."""
        if page["pageInfo"]["hasNextPage"]:
            return replace(self, after=page["pageInfo"]["endCursor"])
        changes = [str(node["updatedAt"]) for node in page["nodes"] if node and node["updatedAt"]]
        return Reading(since=max([*changes, self.since]))


def read_page(nodes: list[Any], shipped_too: bool) -> Iterator[Order | RefusedRow]:
    """Yield the orders of a page; one that cannot be read is refused, the rest go on."""
    methods = {"LOCAL", "SHIPPING"} if shipped_too else {"LOCAL"}
    for line, node in enumerate(nodes, start=1):
        try:
            yield from read_order(node, methods)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            yield RefusedRow(line=line, field=field, reason=f"{named(node)}: {first['msg']}")
        except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            yield RefusedRow(
                line=line, reason=f"{named(node)} is not as expected: {type(error).__name__}"
            )


def named(node: Any) -> str:
    """Return how a person finds an order in the shop."""
    return f"order {node.get('name', '?')}" if isinstance(node, dict) else "a record"


def read_order(node: dict[str, Any], methods: set[str]) -> list[Order]:
    """Return one order per fulfilment order that is open and goes to the customer.

    Cash on delivery is due once, so it goes with the first of them.
    """
    if node.get("cancelledAt"):
        return []
    parts = node["fulfillmentOrders"]
    if parts["pageInfo"]["hasNextPage"]:
        raise ValueError("more than ten fulfilment orders")
    made: list[Order] = []
    for part in parts["nodes"]:
        method = part.get("deliveryMethod") or {}
        lines = read_lines(part["lineItems"])
        if (
            part["status"] in ("OPEN", "IN_PROGRESS")
            and method.get("methodType") in methods
            and lines
        ):
            made.append(one_order(node, part, method, lines, first=not made))
    return made


def one_order(
    node: dict[str, Any],
    part: dict[str, Any],
    method: dict[str, Any],
    lines: tuple[OrderLine, ...],
    *,
    first: bool,
) -> Order:
    """Return the order of one fulfilment order."""
    place = node.get("shippingAddress") or {}
    more = method.get("additionalInformation") or {}
    phone = more.get("phone") or place.get("phone") or node.get("phone") or ""
    notes = [text for text in (more.get("instructions"), node.get("note")) if text]
    return Order(
        ref=part["id"],
        recipient=Recipient(
            name=place.get("name") or "", phone=phone, email=node.get("email") or ""
        ),
        address=read_address(place),
        location=read_location(place),
        lines=lines,
        window=read_window(method),
        cash_due=cash_due(node) if first else None,
        total=money(node["currentTotalPriceSet"]),
        notes="\n".join(notes),
    )


def read_lines(items: dict[str, Any]) -> tuple[OrderLine, ...]:
    """Return what is left to deliver."""
    if items["pageInfo"]["hasNextPage"]:
        raise ValueError("more than a hundred lines")
    return tuple(
        OrderLine(
            name=" - ".join(t for t in (item["productTitle"], item.get("variantTitle")) if t),
            quantity=item["remainingQuantity"],
            sku=item.get("sku") or "",
            ref=item["id"],
        )
        for item in items["nodes"]
        if item["remainingQuantity"] > 0 and item["requiresShipping"]
    )


def read_address(place: dict[str, Any]) -> Address:
    """Return the address; all empty where the app may not see it, so that the order waits."""
    lines = [place.get(name) or "" for name in ("company", "address1", "address2")]
    first, *others = [text for text in lines if text] or [""]
    if place.get("company") and place.get("address1"):
        first, others = place["address1"], [place["company"], place.get("address2") or ""]
    return Address(
        line1=first,
        line2=", ".join(text for text in others if text),
        postcode=place.get("zip") or "",
        city=place.get("city") or "",
        region=place.get("province") or "",
        country=place.get("countryCodeV2") or "",
    )


def read_location(place: dict[str, Any]) -> Location | None:
    """Return where Shopify's own geocoder puts the address: good, but nobody has checked it."""
    if place.get("latitude") is None or place.get("longitude") is None:
        return None
    return Location(lat=place["latitude"], lon=place["longitude"], confidence=0.8)


def read_window(method: dict[str, Any]) -> TimeWindow | None:
    """Return the time that the customer chose, where both ends are known."""
    ends = method.get("minDeliveryDateTime"), method.get("maxDeliveryDateTime")
    if not all(ends):
        return None
    start, end = (datetime.fromisoformat(str(text)) for text in ends)
    return TimeWindow(start=start, end=end) if start < end else None


def cash_due(node: dict[str, Any]) -> Money | None:
    """Return what the driver has to collect: the open amount of an order paid on delivery."""
    gateways = " ".join(node.get("paymentGatewayNames") or []).casefold()
    if "cash on delivery" not in gateways and "cod" not in gateways.split():
        return None
    due = money(node["totalOutstandingSet"])
    return due if due.amount > 0 else None


def money(amounts: dict[str, Any]) -> Money:
    """Return an amount in the shop's currency."""
    told = amounts["shopMoney"]
    return Money(amount=told["amount"], currency=told["currencyCode"])
