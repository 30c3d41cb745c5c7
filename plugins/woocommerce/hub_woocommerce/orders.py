"""How an order of WooCommerce becomes an order of the hub."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from hub import Address, Money, Order, OrderLine, Recipient, RefusedRow


def read_page(records: list[Any]) -> Iterator[Order | RefusedRow]:
    """Yield the orders of a page; one that cannot be read is refused, the rest go on."""
    for line, record in enumerate(records, start=1):
        try:
            yield read_order(record)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            said = f"{named(record)}: {first['msg']}"
            yield RefusedRow(line=line, field=field, reason=said, ref=ref_of(record))
        except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            said = f"{named(record)} is not as expected: {type(error).__name__}"
            yield RefusedRow(line=line, reason=said, ref=ref_of(record))


def ref_of(record: Any) -> str:
    """Return the number under which the hub knows a record, empty where it has none."""
    return str(record.get("id") or "") if isinstance(record, dict) else ""


def named(record: Any) -> str:
    """Return how a person finds an order in the shop."""
    return f"order {record.get('number', '?')}" if isinstance(record, dict) else "a record"


def read_order(record: dict[str, Any]) -> Order:
    """Return the order; where nothing is said about shipping, the bill's address counts."""
    billing, shipping = record["billing"], record["shipping"]
    place = shipping if shipping.get("address_1") else billing
    total = Money(amount=Decimal(record["total"]), currency=record["currency"])
    on_delivery = record["payment_method"] == "cod" and not record["date_paid_gmt"]
    return Order(
        ref=str(record["id"]),
        recipient=Recipient(
            name=f"{place['first_name']} {place['last_name']}".strip() or place["company"],
            phone=shipping.get("phone") or billing["phone"],
            email=billing["email"] or "",
        ),
        address=Address(
            line1=place["address_1"],
            line2=", ".join(text for text in (place["company"], place["address_2"]) if text),
            postcode=place["postcode"],
            city=place["city"],
            region=place["state"],
            country=place["country"],
        ),
        lines=read_lines(record["line_items"]),
        cash_due=total if on_delivery and total.amount > 0 else None,
        total=total,
        notes=record["customer_note"],
    )


def read_lines(items: list[dict[str, Any]]) -> tuple[OrderLine, ...]:
    """Return the articles; those of which nothing is left are not delivered."""
    return tuple(
        OrderLine(
            name=item["name"],
            quantity=int(item["quantity"]),
            sku=item["sku"] or "",
            ref=str(item["id"]),
        )
        for item in items
        if int(item["quantity"]) > 0
    )
