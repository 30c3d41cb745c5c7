"""How an order of ShipStation becomes an order of the hub."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from hub import Address, Money, Order, OrderLine, Recipient, RefusedRow


def read_page(records: list[Any], currency: str) -> Iterator[Order | RefusedRow]:
    """Yield the orders of a page; one that cannot be read is refused, the rest go on."""
    for line, record in enumerate(records, start=1):
        try:
            yield read_order(record, currency)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            yield RefusedRow(line=line, field=field, reason=f"{named(record)}: {first['msg']}")
        except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            yield RefusedRow(
                line=line, reason=f"{named(record)} is not as expected: {type(error).__name__}"
            )


def named(record: Any) -> str:
    """Return how a person finds an order in ShipStation."""
    return f"order {record.get('orderNumber', '?')}" if isinstance(record, dict) else "a record"


def read_order(record: dict[str, Any], currency: str) -> Order:
    """Return the order; `orderId` is its key, because order numbers repeat between stores."""
    place = record["shipTo"]
    more = (place.get("company"), place.get("street2"), place.get("street3"))
    return Order(
        ref=str(record["orderId"]),
        recipient=Recipient(
            name=place.get("name") or "",
            phone=place.get("phone") or "",
            email=record.get("customerEmail") or "",
        ),
        address=Address(
            line1=place.get("street1") or "",
            line2=", ".join(text for text in more if text),
            postcode=place.get("postalCode") or "",
            city=place.get("city") or "",
            region=place.get("state") or "",
            country=place.get("country") or "",
        ),
        lines=read_lines(record["items"]),
        total=Money(amount=Decimal(str(record["orderTotal"])), currency=currency),
        notes=record.get("customerNotes") or "",
    )


def read_lines(items: list[dict[str, Any]]) -> tuple[OrderLine, ...]:
    """Return the articles; a discount is a line as well there, but nothing to deliver."""
    return tuple(
        OrderLine(
            name=item.get("name") or item.get("sku") or "article",
            quantity=int(item["quantity"]),
            sku=item.get("sku") or "",
            ref=str(item.get("orderItemId") or ""),
        )
        for item in items
        if int(item["quantity"]) > 0 and not item.get("adjustment")
    )


def instant(record: Any) -> str:
    """Return when a record was last changed, Pacific time to the second, or nothing.

    The API gives 2015-06-29T08:46:27.0000000, its documentation also 6/29/2015 8:46:27 AM.
    """
    said = str(record.get("modifyDate") or "") if isinstance(record, dict) else ""
    for text, form in ((said[:19], "%Y-%m-%dT%H:%M:%S"), (said, "%m/%d/%Y %I:%M:%S %p")):
        try:
            return datetime.strptime(text, form).isoformat()  # noqa: DTZ007 - it has no offset
        except ValueError:
            continue
    return ""
