"""How Shopify's fulfilment orders become orders of the hub."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from hub import (
    Address,
    Cancelled,
    Location,
    Money,
    Order,
    OrderLine,
    Recipient,
    RefusedRow,
    TimeWindow,
)
from hub_shopify.admin import Path

PARTS, LINES = 5, 20
"""Fulfilment orders of an order, and lines of each, in a page. Whoever has more is read alone."""
MOST_PARTS, MOST_LINES = 25, 250
"""The same where one order is read alone."""
OURS = ("stp_", "hub-")
"""How the tracking numbers begin that the hub gives."""
NOT_APPROVED = (
    "Shopify withheld data of the customer: this app is not approved for protected customer data. "
    "Ask for that in the Dev Dashboard (API access requests), or fill in the address by hand."
)
NO_ADDRESS = (
    "Shopify gave no address: the order has none, or this app is not approved for protected "
    "customer data (Dev Dashboard > API access requests)."
)


class Unreadable(ValueError):
    """Say in words why an order is not taken in."""


Whole = Callable[[str], dict[str, Any]]
"""Reads one order alone, by its id."""


@dataclass(frozen=True)
class Reader:
    """Makes orders of the hub from those of a shop."""

    methods: frozenset[str]
    """Delivery methods that are the hub's business."""
    whole: Whole

    def page(
        self, nodes: list[Any], withheld: Iterable[Path] = ()
    ) -> Iterator[Order | Cancelled | RefusedRow]:
        """Yield the orders of a page; one that cannot be read is refused, the rest go on.

        `withheld` are the places in the answer where this app may not see something.
        """
        hidden = {path[2] if len(path) > 2 and path[0] == "orders" else None for path in withheld}
        for number, node in enumerate(nodes):
            note = NOT_APPROVED if hidden & {number, None} else ""
            try:
                yield from self.order(node, note)
            except ValidationError as error:
                first = error.errors(include_input=False, include_url=False)[0]
                field = ".".join(str(part) for part in first["loc"])
                yield refused(number, node, f"{named(node)}: {first['msg']}", field)
            except Unreadable as error:
                yield refused(number, node, f"{named(node)}: {error}", "")
            except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
                said = f"{named(node)} is not as expected: {type(error).__name__}"
                field = str(error.args[0]) if isinstance(error, KeyError) else ""
                yield refused(number, node, said, field)

    def order(self, node: dict[str, Any], note: str = "") -> list[Order | Cancelled]:
        """Return what becomes of each fulfilment order: an order, called off, or nothing.

        Cash on delivery is due once, so it goes with the first of them.
        """
        if is_cut(node):
            node = self.whole(node["id"])
            if is_cut(node):
                raise Unreadable("it has more than 25 fulfilment orders, or 250 lines in one")
        made: list[Order | Cancelled] = []
        for part in node["fulfillmentOrders"]["nodes"]:
            why = ended(node, part)
            method = part.get("deliveryMethod") or {}
            if why:
                if not method or method.get("methodType") in self.methods:
                    made.append(Cancelled(ref=part["id"], reason=why))
                continue
            lines = read_lines(part["lineItems"])
            wanted = part["status"] in ("OPEN", "IN_PROGRESS") and lines
            # Once the hub has told of a part delivery, what is left is for the shop to decide.
            if wanted and not is_ours(part) and method.get("methodType") in self.methods:
                first = not any(isinstance(one, Order) for one in made)
                made.append(one_order(node, part, method, lines, first=first, note=note))
        return made


def is_cut(node: dict[str, Any]) -> bool:
    """Say whether an order has more than the page had room for."""
    parts = node["fulfillmentOrders"]
    cut = [part["lineItems"]["pageInfo"]["hasNextPage"] for part in parts["nodes"]]
    return bool(parts["pageInfo"]["hasNextPage"] or any(cut))


def ended(node: dict[str, Any], part: dict[str, Any]) -> str:
    """Return why there is nothing to deliver any more; nothing where there is, or it was us.

    A fulfilment order is closed by the fulfilment that the hub itself makes when a driver sets
    off; that calls nothing off.
    """
    if node.get("cancelledAt"):
        return f"the shop cancelled order {node.get('name', '')}".strip()
    if part["status"] == "CANCELLED":
        return "the shop cancelled its fulfilment"
    if part["status"] != "CLOSED":
        return ""
    if is_ours(part):
        return ""
    made = live(part)
    return "the shop fulfilled it in another way" if made else "the shop moved or merged it"


def live(part: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the fulfilments that were not taken back."""
    return [one for one in part["fulfillments"]["nodes"] if one["status"] != "CANCELLED"]


def is_ours(part: dict[str, Any]) -> bool:
    """Say whether the hub itself has told that this was fulfilled."""
    numbers = [info.get("number") or "" for one in live(part) for info in one["trackingInfo"]]
    return any(number.startswith(OURS) for number in numbers)


def refused(number: int, node: Any, reason: str, field: str) -> RefusedRow:
    """Return a record as one that could not be read, under the number of its first part."""
    try:
        ref = str(node["fulfillmentOrders"]["nodes"][0]["id"])
    except (KeyError, TypeError, IndexError):
        ref = ""
    return RefusedRow(line=number + 1, reason=reason, field=field, ref=ref)


def named(node: Any) -> str:
    """Return how a person finds an order in the shop."""
    return f"order {node.get('name', '?')}" if isinstance(node, dict) else "a record"


def one_order(
    node: dict[str, Any],
    part: dict[str, Any],
    method: dict[str, Any],
    lines: tuple[OrderLine, ...],
    *,
    first: bool,
    note: str,
) -> Order:
    """Return the order of one fulfilment order."""
    place = node.get("shippingAddress") or {}
    more = method.get("additionalInformation") or {}
    phone = more.get("phone") or place.get("phone") or node.get("phone") or ""
    note = note or ("" if place else NO_ADDRESS)
    notes = [text for text in (more.get("instructions"), node.get("note"), note) if text]
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
        number=node.get("name") or "",
        parent=node["id"],
    )


def read_lines(items: dict[str, Any]) -> tuple[OrderLine, ...]:
    """Return what is left to deliver; each line under its own id, by which it is fulfilled."""
    return tuple(
        OrderLine(
            name=" - ".join(t for t in (item["productTitle"], item.get("variantTitle")) if t),
            quantity=item["remainingQuantity"],
            sku=item.get("sku") or "",
            ref=item["id"],
            price=read_price(item),
        )
        for item in items["nodes"]
        if item["remainingQuantity"] > 0 and item["requiresShipping"]
    )


def read_price(item: dict[str, Any]) -> Money | None:
    """Return the price of one piece after its discounts, where all pieces have the same."""
    summaries = item.get("financialSummaries") or []
    prices = [money(one["approximateDiscountedUnitPriceSet"]) for one in summaries]
    return prices[0] if prices and all(one == prices[0] for one in prices) else None


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
