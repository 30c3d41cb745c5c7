"""How a shipment of version 2, which is an order there, becomes an order of the hub."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hub import Address, Cancelled, Money, Order, OrderLine, Recipient
from hub_shipstation.orders import money, part

OPEN, CANCELLED = "pending", "cancelled"


def named(record: dict[str, Any]) -> tuple[str, str]:
    """Return the key of a shipment, and how a person finds it in ShipStation."""
    id = str(record.get("shipment_id") or "")
    return id, f"order {record.get('shipment_number') or id or '?'}"


def read(record: dict[str, Any], currency: str) -> Order | Cancelled | None:
    """Return what a shipment says; nothing for one that is being shipped or has a label."""
    status = record.get("shipment_status", OPEN)
    if status == OPEN:
        return read_shipment(record, currency)
    if status == CANCELLED:
        return Cancelled(ref=record["shipment_id"], reason="It was cancelled in ShipStation")
    return None


def read_shipment(record: dict[str, Any], currency: str) -> Order:
    """Return the order; `shipment_id` is its key."""
    place = part(record, "ship_to", dict)
    more = [place.get(name) for name in ("company_name", "address_line2", "address_line3")]
    paid, items = record.get("amount_paid") or {}, record.get("items") or []
    currency = str(paid.get("currency") or currency).upper()
    return Order(
        ref=record["shipment_id"],
        number=str(record.get("shipment_number") or ""),
        parent=str(next((one["sales_order_id"] for one in items if one.get("sales_order_id")), "")),
        recipient=Recipient(
            name=place.get("name") or "",
            phone=place.get("phone") or "",
            email=place.get("email") or "",
        ),
        address=Address(
            line1=place.get("address_line1") or "",
            line2=", ".join(text for text in more if text),
            postcode=place.get("postal_code") or "",
            city=place.get("city_locality") or "",
            region=place.get("state_province") or "",
            country=place.get("country_code") or "",
        ),
        lines=tuple(read_line(item, currency) for item in items if int(item["quantity"]) > 0),
        total=total(paid, currency),
        notes=record.get("notes_from_buyer") or "",
    )


def read_line(item: dict[str, Any], currency: str) -> OrderLine:
    """Return an article."""
    price = item.get("unit_price")
    return OrderLine(
        name=item.get("name") or item.get("sku") or "article",
        quantity=int(item["quantity"]),
        sku=item.get("sku") or "",
        ref=str(item.get("sales_order_item_id") or item.get("item_id") or ""),
        price=money(price, currency) if price is not None else None,
    )


def total(paid: dict[str, Any], currency: str) -> Money | None:
    """Return what was paid, as far as it is told."""
    return money(paid["amount"], currency) if paid.get("amount") is not None else None


def instant(record: Any) -> str:
    """Return when a record was last changed, in UTC, or nothing."""
    said = record.get("modified_at") if isinstance(record, dict) else None
    try:
        at = datetime.fromisoformat(said if isinstance(said, str) else "")
    except ValueError:
        return ""
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return at.astimezone(UTC).isoformat(timespec="microseconds")
