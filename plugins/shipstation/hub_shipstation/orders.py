"""How an order of version 1 becomes an order of the hub."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from hub import Address, Cancelled, Money, Order, OrderLine, Recipient, RefusedRow

OPEN, CANCELLED, SHIPPED = "awaiting_shipment", "cancelled", "shipped"


def read_page(
    records: list[Any],
    read: Callable[[dict[str, Any]], Order | Cancelled | None],
    named: Callable[[dict[str, Any]], tuple[str, str]],
) -> Iterator[Order | Cancelled | RefusedRow]:
    """Yield what the records of a page say; one that cannot be read is refused, the rest go on.

    `read` returns nothing for what does not concern the hub; `named` returns the ref of a record
    and how a person finds it.
    """
    for line, record in enumerate(records, start=1):
        ref, name = named(record) if isinstance(record, dict) else ("", "a record")
        try:
            found = read(record)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            said = f"{name}: {first['msg']}"
            yield RefusedRow(line=line, field=field, reason=said, ref=ref)
        except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            field = str(error.args[0]) if isinstance(error, KeyError) else ""
            said = f"{name} is not as expected: " + (
                f"it has no {field}" if field else type(error).__name__
            )
            yield RefusedRow(line=line, field=field, reason=said, ref=ref)
        else:
            if found is not None:
                yield found


def named(record: dict[str, Any]) -> tuple[str, str]:
    """Return the key of an order, and how a person finds it in ShipStation."""
    return str(record.get("orderId") or ""), f"order {record.get('orderNumber', '?')}"


def read(record: dict[str, Any], currency: str) -> Order | Cancelled | None:
    """Return what an order says; nothing for one that is paid later, on hold or shipped."""
    status = record.get("orderStatus", OPEN)
    if status == OPEN:
        return read_order(record, currency)
    if status == CANCELLED:
        return Cancelled(ref=str(record["orderId"]), reason="It was cancelled in ShipStation")
    return None


def read_order(record: dict[str, Any], currency: str) -> Order:
    """Return the order; `orderId` is its key, because order numbers repeat between stores."""
    place, items = part(record, "shipTo", dict), part(record, "items", list)
    more = (place.get("company"), place.get("street2"), place.get("street3"))
    return Order(
        ref=str(record["orderId"]),
        number=str(record.get("orderNumber") or ""),
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
        lines=read_lines(items, currency),
        total=money(record["orderTotal"], currency),
        notes=record.get("customerNotes") or "",
    )


def part(record: dict[str, Any], name: str, kind: type[Any]) -> Any:
    """Return a part of a record; raise `KeyError` with its name where there is none of its kind."""
    if not isinstance(record.get(name), kind):
        raise KeyError(name)
    return record[name]


def read_lines(items: list[dict[str, Any]], currency: str) -> tuple[OrderLine, ...]:
    """Return the articles; a discount is a line as well there, but nothing to deliver."""
    return tuple(
        OrderLine(
            name=item.get("name") or item.get("sku") or "article",
            quantity=int(item["quantity"]),
            sku=item.get("sku") or "",
            ref=str(item.get("orderItemId") or ""),
            price=money(item["unitPrice"], currency) if item.get("unitPrice") is not None else None,
        )
        for item in items
        if int(item["quantity"]) > 0 and not item.get("adjustment")
    )


def money(amount: Any, currency: str) -> Money:
    """Return an amount; a float that JSON made says what was written in its shortest form."""
    return Money(amount=Decimal(str(amount)), currency=currency)


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
