"""The hub's own columns for a file of orders; see docs/orders.md."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from hub.builtin.csv_cells import Row
from hub.builtin.csv_forms import Form, Options, made, place, span
from hub.builtin.csv_wishes import is_load, is_order_load, loads, wishes
from hub.nouns import Address, Order, OrderLine, Recipient

COLUMNS: dict[str, tuple[str, ...]] = {
    "ref": ("ref", "order", "order_ref", "order_number"),
    "kind": ("kind",),
    "name": ("name", "recipient"),
    "phone": ("phone", "mobile"),
    "email": ("email", "e_mail"),
    "line1": ("line1", "address", "address1", "address_1", "street"),
    "line2": ("line2", "address2", "address_2"),
    "postcode": ("postcode", "zip", "postal_code"),
    "city": ("city", "town"),
    "region": ("region", "state", "province"),
    "country": ("country",),
    "lat": ("lat", "latitude"),
    "lon": ("lon", "lng", "longitude"),
    "service_date": ("service_date", "delivery_date", "date"),
    "window_start": ("window_start", "from"),
    "window_end": ("window_end", "until", "to"),
    "service_minutes": ("service_minutes",),
    "depot": ("depot",),
    "cash_due": ("cash_due", "cod"),
    "currency": ("currency",),
    "total": ("total",),
    "invoice": ("invoice", "invoice_number"),
    "notes": ("notes", "note", "instructions"),
    "item": ("item", "item_name", "article"),
    "sku": ("sku", "item_sku"),
    "quantity": ("quantity", "qty", "item_quantity"),
    "load": ("load", "item_load"),
    "windows": ("windows", "time_windows"),
    "skills": ("skills", "requires"),
    "priority": ("priority",),
    "driver": ("driver",),
    "turn": ("turn", "first_last"),
    "on_board_minutes": ("on_board_minutes",),
    "pair": ("pair",),
}
"""Each column and the other names it may have; the first is the one in the template."""
LINE_COLUMNS = ("item", "sku", "quantity", "load")
_NAMES = frozenset(name for names in COLUMNS.values() for name in names)
_OF_ORDER = tuple(name for column in COLUMNS if column not in LINE_COLUMNS
                  for name in COLUMNS[column])  # fmt: skip


def recognises(columns: frozenset[str]) -> bool:
    """Say whether a file has a number and a place for each order."""
    where = COLUMNS["line1"] + COLUMNS["lat"] + COLUMNS["city"]
    return bool(columns & set(COLUMNS["ref"])) and bool(columns & set(where))


def build(rows: Sequence[Row], options: Options) -> Order:
    """Make one order; order columns stand in its first row and are empty or equal below."""
    head = rows[0]
    for row in rows[1:]:
        agree(head, row)
    window = span(head, COLUMNS["window_start"], COLUMNS["window_end"])
    day = day_of(head)
    currency = head.text(*COLUMNS["currency"], limit=3).upper()
    minutes = head.whole(*COLUMNS["service_minutes"], least=0, most=1440)
    kind = head.text(*COLUMNS["kind"]).casefold() or "delivery"
    if kind not in ("delivery", "collection", "service"):
        raise head.fault("kind", f"{kind!r} is none of delivery, collection, service")
    return made(
        head,
        ref=head.text(*COLUMNS["ref"], limit=200),
        kind=kind,
        recipient=Recipient(
            name=head.text(*COLUMNS["name"]),
            phone=head.phone(*COLUMNS["phone"]),
            email=head.text(*COLUMNS["email"]),
        ),
        address=address(head),
        location=place(head, COLUMNS["lat"], COLUMNS["lon"]),
        lines=tuple(line for row in rows if (line := article(row)) is not None),
        service_date=day or options.service_date,
        window=window.window,
        window_start_local=window.start,
        window_end_local=window.end,
        service_time=None if minutes is None else minutes * 60,
        cash_due=head.money(*COLUMNS["cash_due"], currency=currency or "XXX"),
        total=head.money(*COLUMNS["total"], currency=currency or "XXX"),
        invoice=head.text(*COLUMNS["invoice"], limit=100),
        depot=head.text(*COLUMNS["depot"]),
        notes=head.text(*COLUMNS["notes"], limit=5000),
        **wishes(head, COLUMNS),
    )


def day_of(row: Row) -> date | None:
    """Return the day of an order, its own or that of its window, which have to agree."""
    start, day = row.instant(*COLUMNS["window_start"]), row.day(*COLUMNS["service_date"])
    if day is None or start is None or start.tzinfo is not None or start.date() == day:
        return day or (start.date() if start else None)
    raise row.fault(
        COLUMNS["window_start"][0], f"is on another day than the order, which is of {day}"
    )


def address(row: Row) -> Address:
    """Return the address of a row."""
    parts = ("line1", "line2", "postcode", "city", "region", "country")
    return Address(**{part: row.text(*COLUMNS[part]) for part in parts})


def article(row: Row) -> OrderLine | None:
    """Return the article that a row names, if it names one."""
    name = row.text(*COLUMNS["item"])
    sku = row.text(*COLUMNS["sku"], limit=100)
    quantity = row.whole(*COLUMNS["quantity"], least=1)
    load = row.whole(*COLUMNS["load"], least=0)
    more = loads(row, of_order=False)
    if not name and not sku and quantity is None:
        return None
    return OrderLine(
        name=name or sku or "item",
        sku=sku,
        quantity=1 if quantity is None else quantity,
        load=1 if load is None else load,
        loads=more,
    )


def agree(head: Row, row: Row) -> None:
    """Raise a fault where a further row of an order says something else than its first."""
    for column in (*_OF_ORDER, *filter(is_order_load, row.cells)):
        text = row.cells.get(column, "")
        if text and text != head.cells.get(column, ""):
            raise row.fault(
                column,
                f"differs from line {head.line} of the same order; "
                "leave it empty or write the same, or give this order a ref of its own",
            )


FORM = Form(
    name="template",
    recognises=recognises,
    ref=COLUMNS["ref"],
    build=build,
    known=lambda column: column in _NAMES or is_load(column),
)
