"""Shopify's order export: one row per line item, the order's own columns in its first row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hub.builtin.csv_cells import Row, key, read_clock, read_day, shown
from hub.builtin.csv_forms import Form, Options, joined, made, pays_at_the_door
from hub.nouns import Address, Location, Money, Order, OrderLine, Recipient

_STANDARD = """
Name, Email, Financial Status, Paid at, Fulfillment Status, Fulfilled at, Accepts Marketing,
Currency, Subtotal, Shipping, Taxes, Total, Discount Code, Discount Amount, Shipping Method,
Created at, Lineitem quantity, Lineitem name, Lineitem price, Lineitem compare at price,
Lineitem sku, Lineitem requires shipping, Lineitem taxable, Lineitem fulfillment status,
Billing Name, Billing Street, Billing Address1, Billing Address2, Billing Company, Billing City,
Billing Zip, Billing Province, Billing Country, Billing Phone, Shipping Name, Shipping Street,
Shipping Address1, Shipping Address2, Shipping Company, Shipping City, Shipping Zip,
Shipping Province, Shipping Country, Shipping Phone, Notes, Note Attributes, Cancelled at,
Payment Method, Payment Reference, Refunded Amount, Vendor, Outstanding Balance, Employee,
Location, Device ID, Id, Tags, Risk Level, Source, Lineitem discount, Tax 1 Name, Tax 1 Value,
Tax 2 Name, Tax 2 Value, Tax 3 Name, Tax 3 Value, Tax 4 Name, Tax 4 Value, Tax 5 Name,
Tax 5 Value, Phone, Receipt Number, Duties, Billing Province Name, Shipping Province Name,
Payment ID, Payment Terms Name, Next Payment Due At, Payment References
"""
_KNOWN = frozenset(key(name) for name in _STANDARD.split(","))
_BETWEEN = re.compile(r"\s*(?:-|–|—|\bto\b|\bbis\b)\s*")
_PHYSICAL = ("", "true", "yes", "1")


@dataclass(frozen=True)
class Wishes:
    """What Note Attributes say about the delivery; names as checkout extensions write them."""

    day: str = ""
    span: str = ""
    invoice: str = ""
    lat: str = ""
    lon: str = ""
    depot: str = ""
    method: str = ""
    notes: str = ""


_WISH = {
    "delivery_date": "day",
    "delivery_day": "day",
    "delivery_time": "span",
    "delivery_slot": "span",
    "delivery_window": "span",
    "invoice": "invoice",
    "invoice_number": "invoice",
    "latitude": "lat",
    "longitude": "lon",
    "depot": "depot",
    "delivery_location": "depot",
    "checkout_method": "method",
    "delivery_instructions": "notes",
}


def wishes(text: str) -> Wishes:
    """Read `Name: value` lines; unknown names are left alone."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        field = _WISH.get(key(name))
        if field and value.strip():
            found.setdefault(field, value.strip())
    return Wishes(**found)


def build(rows: Sequence[Row], options: Options) -> Order:
    """Make one order; raise a fault for one that the shop does not want delivered."""
    head = rows[0]
    wish = wishes(head.cells.get("note_attributes", ""))
    check_state(head, wish, options)
    start, end = window(head, wish)
    currency = head.text("currency", limit=3).upper() or "XXX"
    day = read_day(wish.day) if wish.day else None
    if wish.day and day is None:
        raise head.fault(
            "note_attributes",
            f"Delivery-Date {shown(wish.day)} is no date; write it like 2026-11-23",
        )
    return made(
        head,
        ref=head.text("name", limit=200),
        recipient=Recipient(
            name=head.text("shipping_name", "shipping_company", "billing_name"),
            phone=head.phone("shipping_phone", "phone", "billing_phone"),
            email=head.text("email"),
        ),
        address=address(head),
        location=location(head, wish),
        lines=articles(rows),
        service_date=day or options.service_date,
        window_start_local=start,
        window_end_local=end,
        cash_due=cash(head, currency),
        total=head.money("total", currency=currency),
        invoice=wish.invoice[:100],
        depot=wish.depot,
        notes="\n".join(filter(None, (head.text("notes", limit=5000), wish.notes))),
    )


def check_state(row: Row, wish: Wishes, options: Options) -> None:
    """Raise a fault for an order that nobody should deliver."""
    if row.cells.get("cancelled_at"):
        raise row.fault("cancelled_at", "the shop has cancelled this order; it is not delivered")
    paid = row.cells.get("financial_status", "").casefold()
    if paid in ("voided", "refunded", "expired"):
        raise row.fault("financial_status", f"the shop calls this order {paid}; not delivered")
    if row.cells.get("fulfillment_status", "").casefold() == "fulfilled" and not options.fulfilled:
        raise row.fault(
            "fulfillment_status",
            "the shop calls this order fulfilled; it is not delivered again",
        )
    if wish.method.casefold() == "pickup":
        raise row.fault("note_attributes", "the customer picks this order up; nothing to deliver")


def window(row: Row, wish: Wishes) -> tuple[str, str]:
    """Return the wished window, such as `10:00 - 12:00` or `2:00 PM - 4:00 PM`."""
    if not wish.span:
        return "", ""
    ends = [read_clock(part) for part in _BETWEEN.split(wish.span)]
    if len(ends) != 2 or ends[0] is None or ends[1] is None:
        raise row.fault(
            "note_attributes",
            f"Delivery-Time {shown(wish.span)} is no window; write it like 10:00 - 12:00",
        )
    if ends[1] <= ends[0]:
        raise row.fault("note_attributes", f"Delivery-Time {wish.span} ends before it starts")
    return ends[0], ends[1]


def location(row: Row, wish: Wishes) -> Location | None:
    """Return the coordinates from the note attributes, where a checkout extension left them."""
    if not wish.lat or not wish.lon:
        return None
    made_up = Row(row.line, {"latitude": wish.lat, "longitude": wish.lon},
                  {"latitude": "Note Attributes", "longitude": "Note Attributes"})  # fmt: skip
    lat, lon = made_up.degrees("latitude", most=90), made_up.degrees("longitude", most=180)
    assert lat is not None
    assert lon is not None
    return Location(lat=lat, lon=lon)


def address(row: Row) -> Address:
    """Return the shipping address; `Shipping Street` is both address lines in one."""
    return Address(
        line1=row.text("shipping_address1", "shipping_street"),
        line2=joined(row.text("shipping_address2"), row.text("shipping_company")),
        postcode=row.text("shipping_zip"),
        city=row.text("shipping_city"),
        region=row.text("shipping_province"),
        country=row.text("shipping_country"),
    )


def articles(rows: Sequence[Row]) -> tuple[OrderLine, ...]:
    """Return what has to be carried; gift cards and the like need no shipping."""
    found = []
    for row in rows:
        name = row.text("lineitem_name")
        if not name or row.cells.get("lineitem_requires_shipping", "").casefold() not in _PHYSICAL:
            continue
        quantity = row.whole("lineitem_quantity", least=1)
        sku = row.text("lineitem_sku", limit=100)
        found.append(OrderLine(name=name, sku=sku, quantity=1 if quantity is None else quantity))
    if not found:
        raise rows[0].fault("lineitem_name", "nothing in this order needs shipping")
    return tuple(found)


def cash(row: Row, currency: str) -> Money | None:
    """Return what is paid at the door: the outstanding balance, or the total while unpaid."""
    if not pays_at_the_door(row.cells.get("payment_method", "")):
        return None
    due = row.money("outstanding_balance", currency=currency)
    if due is None and row.cells.get("financial_status", "").casefold() != "paid":
        due = row.money("total", currency=currency)
    return due if due is not None and due.amount > 0 else None


FORM = Form(
    name="shopify",
    recognises=frozenset({"name", "lineitem_name", "lineitem_quantity"}).issubset,
    ref=("name",),
    build=build,
    known=_KNOWN.__contains__,
)
