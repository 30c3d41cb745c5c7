"""How an order of WooCommerce becomes an order of the hub, or a cancellation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Any

from pydantic import ValidationError

from hub import Address, Cancelled, Money, Order, OrderLine, Recipient, RefusedRow, Rejected
from hub_woocommerce.slots import Slots, meta_of

CALLED_OFF = ("cancelled", "refunded", "failed", "trash")
"""Statuses in which nothing is to be delivered any more."""
DELIVERED_AT = "_hub_delivered_at"
"""Meta data of ours: when the hub delivered it. What becomes of it after that is the shop's own."""
Taken = Order | Cancelled | RefusedRow


@dataclass(frozen=True)
class Reader:
    """Reads records of one shop."""

    statuses: tuple[str, ...]
    """In which an order is to be delivered; they count before `CALLED_OFF`."""
    slots: Slots
    refunds: Callable[[str], list[Any]]
    """Asks the shop for the refunds of an order; called only for one that has some."""

    def read_page(self, records: list[Any]) -> Iterator[Taken]:
        """Yield what the records of a page tell; one that cannot be read stops no other."""
        for line, record in enumerate(records, start=1):
            try:
                found = self.read(record)
            except ValidationError as error:
                first = error.errors(include_input=False, include_url=False)[0]
                field = ".".join(str(part) for part in first["loc"])
                found = refused(line, record, f"{named(record)}: {first['msg']}", field)
            except Rejected as error:
                found = refused(line, record, f"{named(record)}: {error}", "refunds")
            except KeyError as error:
                said = f"{named(record)} has no {error.args[0]}"
                found = refused(line, record, said, str(error.args[0]))
            except Unreadable as error:
                found = refused(line, record, f"{named(record)}: {error}", error.field)
            except (TypeError, ValueError, ArithmeticError, AttributeError) as error:
                said = f"{named(record)} is not as expected: {type(error).__name__}"
                found = refused(line, record, said)
            if found is not None:
                yield found

    def read(self, record: dict[str, Any]) -> Taken | None:
        """Return what a record tells, `None` for one that is none of the hub's business."""
        status = record.get("status")
        if DELIVERED_AT in meta_of(record):
            return None
        if status is None or status in self.statuses:
            return self.read_order(record)
        if status in CALLED_OFF:
            return Cancelled(ref=ref_of(record), reason=f"the shop set it to {status}")
        return None

    def read_order(self, record: dict[str, Any]) -> Order:
        """Return the order; where nothing is said about shipping, the bill's address counts."""
        billing, shipping = record["billing"], record["shipping"]
        place = shipping if shipping.get("address_1") else billing
        total = money(record, "total")
        back = record.get("refunds") or []
        owed = total.amount + sum((amount(one, "total") for one in back), Decimal(0))
        on_delivery = record["payment_method"] == "cod" and not record["date_paid_gmt"]
        gone = refunded(self.refunds(str(record["id"]))) if back else Counter[str]()
        slot = self.slots.read(record)
        due = total.model_copy(update={"amount": owed}) if on_delivery and owed > 0 else None
        return Order(
            ref=str(record["id"]),
            number=str(record.get("number") or ""),
            recipient=recipient_of(place, billing, shipping),
            address=address_of(place),
            lines=read_lines(record, gone),
            service_date=slot.day,
            window_start_local=slot.start,
            window_end_local=slot.end,
            cash_due=due,
            total=total,
            notes=notes_of(record, slot.text),
        )


class Unreadable(ValueError):
    """Say that one field of a record cannot be read."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


def refused(line: int, record: Any, reason: str, field: str = "") -> RefusedRow:
    """Return why a record was refused."""
    return RefusedRow(line=line, field=field, reason=reason, ref=ref_of(record))


def ref_of(record: Any) -> str:
    """Return the number under which the hub knows a record, empty where it has none."""
    return str(record.get("id") or "") if isinstance(record, dict) else ""


def named(record: Any) -> str:
    """Return how a person finds an order in the shop."""
    return f"order {record.get('number', '?')}" if isinstance(record, dict) else "a record"


def amount(record: dict[str, Any], field: str) -> Decimal:
    """Return an amount, which WooCommerce writes as text; raise `Unreadable`."""
    try:
        found = Decimal(str(record[field]))
    except ArithmeticError as error:
        raise Unreadable(f"{record[field]!r} is no amount", field) from error
    if not found.is_finite():
        raise Unreadable(f"{record[field]!r} is no amount", field)
    return found


def money(record: dict[str, Any], field: str) -> Money:
    """Return an amount in the order's currency."""
    return Money(amount=amount(record, field), currency=record["currency"])


def recipient_of(
    place: dict[str, Any], billing: dict[str, Any], shipping: dict[str, Any]
) -> Recipient:
    """Return who receives; phone and e-mail mostly stand with the bill."""
    return Recipient(
        name=f"{place['first_name']} {place['last_name']}".strip() or place["company"],
        phone=shipping.get("phone") or billing["phone"],
        email=billing["email"] or "",
    )


def address_of(place: dict[str, Any]) -> Address:
    """Return an address."""
    return Address(
        line1=place["address_1"],
        line2=", ".join(text for text in (place["company"], place["address_2"]) if text),
        postcode=place["postcode"],
        city=place["city"],
        region=place["state"],
        country=place["country"],
    )


def notes_of(record: dict[str, Any], slot: str) -> str:
    """Return the customer's note, and the slot that was chosen where it could not be read."""
    parts = (record["customer_note"], f"Delivery slot: {slot}" if slot else "")
    return "\n".join(part for part in parts if part)


def read_lines(record: dict[str, Any], gone: Counter[str]) -> tuple[OrderLine, ...]:
    """Return the articles; those of which nothing is left are not delivered."""
    return tuple(
        OrderLine(
            name=item["name"],
            quantity=left,
            sku=item["sku"] or "",
            ref=str(item["id"]),
            price=price_of(item, record["currency"]),
        )
        for item in record["line_items"]
        if (left := pieces(item) - gone[str(item["id"])]) > 0
    )


def pieces(item: dict[str, Any]) -> int:
    """Return how many pieces a line has; a part of one, as plugins allow it, is one to carry."""
    return ceil(amount(item, "quantity"))


def price_of(item: dict[str, Any], currency: str) -> Money | None:
    """Return the price of one piece without tax, after discounts, as WooCommerce tells it."""
    if item.get("price") in (None, ""):
        return None
    found = amount(item, "price")
    return Money(amount=min(found, round(found, 4), key=digits), currency=currency)


def digits(value: Decimal) -> int:
    """Return how many decimals a value has."""
    return -int(value.as_tuple().exponent)


def refunded(refunds: list[Any]) -> Counter[str]:
    """Return how many pieces of each line were taken back, by the line's id."""
    gone: Counter[str] = Counter()
    for refund in refunds:
        for item in refund["line_items"]:
            line = meta_of(item).get("_refunded_item_id")
            if line:
                gone[str(line)] += int(abs(amount(item, "quantity")))
    return gone
