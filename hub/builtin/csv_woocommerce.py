"""WooCommerce order exports, as the widely used export extensions name their columns.

Three families are read: `shipping_first_name` with `line_item_1` or `line_items` columns, the same
with one row per item (`item_name`, `item_quantity`), and `First Name (Shipping)` with `Item Name`
and `Quantity (- Refund)`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from hub.builtin.csv_cells import Row, plain, shown
from hub.builtin.csv_forms import Form, Options, joined, made, pays_at_the_door, place, span
from hub.nouns import Address, Money, Order, OrderLine, Recipient

REF = ("order_number_formatted", "order_number", "order_id")
_LINE_ITEM = re.compile(r"^line_item_\d+$")
_ITEM_NAME = ("item_name", "product_name", "name")
_ITEM_SKU = ("item_sku", "sku")
_QUANTITY = ("quantity_refund", "item_quantity", "quantity")
_DAY = ("delivery_date", "meta_delivery_date", "jckwds_date", "shipping_delivery_date")
_START = ("delivery_time_start", "delivery_time_from", "meta_delivery_time_start")
_END = ("delivery_time_end", "delivery_time_to", "meta_delivery_time_end")
_LAT = ("shipping_lat", "latitude", "lat", "meta_shipping_lat")
_LON = ("shipping_lon", "longitude", "lon", "shipping_lng", "meta_shipping_lon", "lng")
_INVOICE = ("invoice_number", "wcpdf_invoice_number", "meta_wcpdf_invoice_number", "invoice")
_FAMILIES = ("billing", "shipping", "order", "item", "line", "payment", "customer", "meta",
             "wt_import", "download", "coupon", "fee", "tax", "refund", "cart", "discount",
             "total", "product", "vat", "shipment")  # fmt: skip
_OTHERS = frozenset(
    ("status", "date", "paid_date", "date_paid", "date_completed", "completed_date", "currency",
     "transaction_id", "sku", "quantity", "quantity_refund", "image_url", "coupons_used", "name")
)  # fmt: skip
_OVER = {"completed", "cancelled", "refunded", "failed", "trash", "checkout-draft", "pending"}


def recognises(columns: frozenset[str]) -> bool:
    """Say whether the columns are an order's number and a WooCommerce address."""
    sides = ("shipping", "billing")
    first = any(f"{side}_first_name" in columns or f"first_name_{side}" in columns
                or f"{side}_address_1" in columns or f"address_1_2_{side}" in columns
                for side in sides)  # fmt: skip
    return first and bool(columns & set(REF))


def known(column: str) -> bool:
    """Say whether a column belongs to one of the exports."""
    used = (*_DAY, *_START, *_END, *_LAT, *_LON, *_INVOICE)
    return (
        column in _OTHERS
        or column in used
        or column.split("_")[0] in _FAMILIES
        or column.endswith(("_billing", "_shipping"))
    )


def build(rows: Sequence[Row], options: Options) -> Order:
    """Make one order; raise a fault for one that the shop does not want delivered."""
    head = rows[0]
    check_state(head, options)
    side = "shipping" if any(filled(head, "shipping")) else "billing"
    window = span(head, _START, _END)
    currency = head.text("order_currency", "currency", limit=3).upper() or "XXX"
    return made(
        head,
        ref=head.text(*REF, limit=200),
        recipient=Recipient(
            name=name(head, side) or name(head, "billing"),
            phone=head.phone("shipping_phone", "phone_shipping", "billing_phone", "phone_billing"),
            email=head.text("billing_email", "email_billing", "customer_email"),
        ),
        address=address(head, side),
        location=place(head, _LAT, _LON),
        lines=articles(rows),
        service_date=head.day(*_DAY) or options.service_date,
        window=window.window,
        window_start_local=window.start,
        window_end_local=window.end,
        cash_due=cash(head, currency),
        total=head.money("order_total", "order_total_amount", currency=currency),
        invoice=head.text(*_INVOICE, limit=100),
        notes=head.text("customer_note", "customer_notes", limit=5000),
    )


def check_state(row: Row, options: Options) -> None:
    """Raise a fault for an order that nobody should deliver."""
    column, said = row.find("status", "order_status")
    state = said.casefold().removeprefix("wc-").replace(" ", "-")
    if state == "completed" and options.fulfilled:
        return
    if state in _OVER or state == "pending-payment":
        raise row.fault(column, f"the shop calls this order {state}; it is not delivered")


def filled(row: Row, side: str) -> Iterator[str]:
    """Yield what an address side says about the street and town."""
    for part in ("address_1", "address_1_2", "city", "postcode"):
        text = row.cells.get(f"{side}_{part}") or row.cells.get(f"{part}_{side}")
        if text:
            yield text


def both(part: str, side: str) -> tuple[str, str]:
    """Return the two ways in which exports name a part of an address."""
    return f"{side}_{part}", f"{part}_{side}"


def name(row: Row, side: str) -> str:
    """Return a person's name, or the company's."""
    whole = joined(row.text(*both("first_name", side)), row.text(*both("last_name", side)))
    return whole or row.text(*both("full_name", side), *both("company", side))


def address(row: Row, side: str) -> Address:
    """Return the address of one side; `Address 1&2` holds both lines."""
    return Address(
        line1=row.text(*both("address_1", side), *both("address_1_2", side)),
        line2=joined(row.text(*both("address_2", side)), row.text(*both("company", side))),
        postcode=row.text(*both("postcode", side)),
        city=row.text(*both("city", side)),
        region=row.text(*both("state", side), *both("state_code", side)),
        country=row.text(*both("country", side), *both("country_code", side)),
    )


def articles(rows: Sequence[Row]) -> tuple[OrderLine, ...]:
    """Return what has to be carried, from item rows or from the item columns of one row."""
    found = [line for row in rows if (line := from_row(row)) is not None]
    if not found:
        found = [line for row in rows for line in from_columns(row)]
    return tuple(found)


def from_row(row: Row) -> OrderLine | None:
    """Return the item of a row; one that was refunded whole is not carried."""
    title = row.text(*_ITEM_NAME)
    quantity = row.whole(*_QUANTITY, least=0)
    if not title or quantity == 0:
        return None
    return OrderLine(name=title, sku=row.text(*_ITEM_SKU, limit=100), quantity=quantity or 1)


def from_columns(row: Row) -> Iterator[OrderLine]:
    """Yield the items of `line_items` (JSON, or items split by ;) and of `line_item_1`, `_2` ..."""
    whole = row.cells.get("line_items", "")
    if whole.startswith("["):
        yield from from_json(row, whole)
    elif whole:
        for part in whole.split(";"):
            yield from from_pairs(row, "line_items", part)
    for column, text in row.cells.items():
        if _LINE_ITEM.match(column):
            yield from from_pairs(row, column, text)


def from_json(row: Row, text: str) -> Iterator[OrderLine]:
    """Yield the items of a JSON list of objects with `name`, `sku` and `quantity`."""
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        raise row.fault("line_items", f"{shown(text)} is no JSON list of items") from None
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict):
            yield from item_of(row, "line_items", {k: str(v) for k, v in item.items()})


def from_pairs(row: Row, column: str, text: str) -> Iterator[OrderLine]:
    """Yield the item of `name:Cheese|product_id:12|sku:CH-1|quantity:2|total:9.00`."""
    pairs = (part.partition(":") for part in text.split("|"))
    item = {left.strip(): right.strip() for left, mark, right in pairs if mark}
    yield from item_of(row, column, item)


def item_of(row: Row, column: str, item: dict[str, str]) -> Iterator[OrderLine]:
    """Yield one item of named values, unless it was refunded whole."""
    title = plain(item.get("name", ""))[:300]
    if not title:
        return
    cells = {column: item.get("quantity", "1")}
    quantity = Row(row.line, cells, row.names).whole(column, least=0)
    if quantity:
        yield OrderLine(name=title, sku=item.get("sku", "")[:100], quantity=quantity)


def cash(row: Row, currency: str) -> Money | None:
    """Return the order's total less refunds where it is paid at the door."""
    methods = (row.cells.get("payment_method", ""), row.cells.get("payment_method_title", ""))
    if not any(pays_at_the_door(method) for method in methods):
        return None
    total = row.money("order_total", "order_total_amount", currency=currency)
    back = row.money("refunded_total", "order_refund_amount", currency=currency)
    if total is None:
        return None
    due = total.amount - (back.amount if back else 0)
    return Money(amount=due, currency=total.currency) if due > 0 else None


FORM = Form(
    name="woocommerce",
    recognises=recognises,
    ref=REF,
    build=build,
    known=known,
    continues=True,
)
