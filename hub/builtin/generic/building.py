"""An order out of one record, field by field, so that each says by itself what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hub.builtin import csv_wishes
from hub.builtin.csv_cells import Fault, Row, read_day
from hub.builtin.csv_forms import made, place, span
from hub.builtin.generic.fields import BY_NAME, ROWS, Fields
from hub.builtin.generic.reading import cell, text_at
from hub.builtin.generic.records import MISSING, find
from hub.nouns import Address, Cancelled, Money, Order, OrderLine, Recipient, RefusedRow

MOST_LINES = 2_000
KINDS = {
    "delivery": "delivery", "lieferung": "delivery", "ship": "delivery", "shipment": "delivery",
    "collection": "collection", "pickup": "collection", "pick-up": "collection",
    "abholung": "collection", "return": "collection", "retoure": "collection",
    "service": "service", "montage": "service", "installation": "service",
}  # fmt: skip
"""What systems call a visit, by what it is here."""
LIMITS = {
    "ref": 200,
    "notes": 5_000,
    "invoice": 100,
    "kind": 40,
    "currency": 3,
    "line.sku": 100,
    "driver": 100,
    "pair": 200,
}
TEXTS = (
    "number", "recipient.name", "recipient.email", "address.line1", "address.line2",
    "address.postcode", "address.city", "address.region", "address.country", "notes", "invoice",
    "depot", "status", "driver", "pair",
)  # fmt: skip


@dataclass
class Tried:
    """What a mapping makes of one record: a value for each field, or what is wrong with it."""

    values: dict[str, Any] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)
    """The text of each field that is not one of an article."""

    def attempt(self, name: str, read: Callable[[], Any]) -> None:
        """Keep what `read` returns, or its fault, under a field's name."""
        try:
            self.values[name] = read()
        except Fault as fault:
            self.faults.setdefault(fault.field or name, fault)


def order_of(record: Any, fields: Fields, line: int) -> Order | Cancelled | RefusedRow | None:
    """Return what a record tells; None for one whose status says that it is not wanted."""
    if not isinstance(record, dict):
        kind = "nothing" if record is None else type(record).__name__
        return RefusedRow(line=line, reason=f"entry {line} is {kind}, not a record with fields")
    ref = ""
    try:
        row = row_of(record, fields, line, ("ref", "status"))
        ref = number_of(row)
        status = row.text("status")
        if status and fields.has(fields.cancelled, status):
            return Cancelled(ref=ref, reason=f"its status is {status}"[:200])
        if fields.wanted and not fields.has(fields.wanted, status):
            return None
        return build(record, fields, line)
    except Fault as fault:
        named = fault.field[:100]
        said = f"{named}: {fault.reason}" if named else fault.reason
        return RefusedRow(line=line, field=named, reason=said[:500], ref=ref)


def build(record: dict[str, Any], fields: Fields, line: int) -> Order:
    """Return the order; raise the first `Fault` that a field has."""
    tried = attempt(record, fields, line)
    for name in BY_NAME:
        if name in tried.faults:
            raise tried.faults[name]
    if tried.faults:
        raise next(iter(tried.faults.values()))
    order: Order = tried.values["order"]
    return order


def attempt(record: dict[str, Any], fields: Fields, line: int = 1) -> Tried:
    """Read every field of an order by itself, and then the order if all went well."""
    tried = Tried()
    cells = tried.cells
    own = [name for name in fields.rules if not BY_NAME[name].is_of_line and name != "lines"]
    for name in own:
        tried.attempt(name, partial(cell_of, record, fields, name, line))
        cells[name] = tried.values.pop(name, "")
    row = Row(line, cells, {})
    read_all(row, tried)
    tried.attempt("lines", lambda: articles(record, fields, line, tried.values.get("currency", "")))
    if not tried.faults:
        tried.attempt("order", lambda: assembled(row, tried.values))
    return tried


def cell_of(record: Any, fields: Fields, name: str, line: int) -> str:
    """Return the text of one field, nothing where it is not mapped."""
    rule = fields.rules.get(name)
    if rule is None:
        return ""
    return cell(text_at(record, rule, name, line), rule.how, BY_NAME[name].sort, name, line)


def row_of(record: Any, fields: Fields, line: int, names: tuple[str, ...]) -> Row:
    """Return some fields of a record as the cells of a row."""
    return Row(line, {name: cell_of(record, fields, name, line) for name in names}, {})


def number_of(row: Row) -> str:
    """Return the order's number; raise `Fault` for none."""
    text = row.text("ref", limit=LIMITS["ref"])
    if not text:
        raise row.fault("ref", "is empty; every order has a number of its own")
    return text


def read_all(row: Row, tried: Tried) -> None:
    """Read each field of the order itself."""
    tried.attempt("ref", partial(number_of, row))
    for name in TEXTS:
        tried.attempt(name, partial(row.text, name, limit=LIMITS.get(name, 300)))
    tried.attempt("recipient.phone", partial(row.phone, "recipient.phone"))
    tried.attempt("kind", partial(kind_of, row))
    tried.attempt("currency", partial(currency_of, row))
    tried.attempt("location", lambda: place(row, ["location.lat"], ["location.lon"]))
    tried.attempt("service_date", partial(day_of, row))
    tried.attempt("window", lambda: span(row, ["window.start"], ["window.end"]))
    tried.attempt("service_time", lambda: row.whole("service_time", least=0, most=86_400))
    tried.attempt("windows", partial(csv_wishes.windows, row, ["windows"]))
    tried.attempt("skills", partial(csv_wishes.skills, row, ["skills"]))
    tried.attempt("priority", partial(csv_wishes.priority, row, ["priority"]))
    tried.attempt("turn", partial(csv_wishes.turn, row, ["turn"]))
    minutes = partial(row.whole, "on_board_minutes", least=1, most=1440)
    tried.attempt("on_board_minutes", minutes)
    currency = tried.values.get("currency", "")
    for name in ("cash_due", "total"):
        tried.attempt(name, partial(money_of, row, name, currency))


def kind_of(row: Row) -> str:
    """Return what kind of visit it is."""
    text = row.text("kind", limit=LIMITS["kind"])
    found = KINDS.get(text.casefold(), "" if text else "delivery")
    if not found:
        raise row.fault("kind", f"{text!r} is none of delivery, collection, service")
    return found


def currency_of(row: Row) -> str:
    """Return the currency of the order's amounts, nothing where it names none."""
    code = row.text("currency", limit=40).upper()
    if code and not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise row.fault("currency", f"{code!r} is no currency; three letters like CHF are one")
    return code


def money_of(row: Row, name: str, currency: str) -> Money | None:
    """Return an amount; raise `Fault` where nobody says of which currency."""
    found = row.money(name, currency=currency or "XXX")
    if found is not None and found.currency == "XXX":
        raise row.fault(name, "has no currency; map Currency, or write =CHF there")
    return found


def day_of(row: Row) -> Any:
    """Return the day of delivery: its own, or that of the window."""
    day = row.day("service_date")
    if day is None:
        day = read_day(row.cells.get("window.start", "").replace(" ", "T", 1))
    return day


def articles(record: Any, fields: Fields, line: int, currency: str) -> tuple[OrderLine, ...]:
    """Return the articles of a record; what nothing is left of is not delivered."""
    of_line = [name for name in fields.rules if BY_NAME[name].is_of_line]
    if not of_line:
        return ()
    rule = fields.rules.get("lines")
    if rule is None:
        found = record.get(ROWS, [record])
    else:
        path, optional = (rule.parts or [("", True)])[0]
        found = find(record, path)
        if found is MISSING and optional:
            return ()
    if found is MISSING or not isinstance(found, list):
        said = "has no" if found is MISSING else "has no list at"
        raise Fault(line, "lines", f"the record {said} {path[:100]}")
    if len(found) > MOST_LINES:
        raise Fault(line, "lines", f"the order has more than {MOST_LINES:,} articles")
    made = [article(one, fields, line, currency, place) for place, one in enumerate(found, 1)]
    return tuple(one for one in made if one is not None)


def article(record: Any, fields: Fields, line: int, currency: str, place: int) -> OrderLine | None:
    """Return one article of an order, None for one that is empty or has a quantity of 0."""
    names = ("line.name", "line.quantity", "line.sku", "line.ref", "line.load", "line.price")
    try:
        row = row_of(record, fields, line, names)
        quantity = row.whole("line.quantity", least=0)
        load = row.whole("line.load", least=0)
        name, sku = row.text("line.name"), row.text("line.sku", limit=LIMITS["line.sku"])
        price = money_of(row, "line.price", currency)
        ref = row.text("line.ref")
    except Fault as fault:
        raise Fault(line, fault.field, f"article {place}: {fault.reason}") from None
    if quantity == 0 or (not name and not sku and quantity is None):
        return None
    given: dict[str, Any] = {"name": name or sku or "item", "sku": sku, "ref": ref, "price": price}
    given |= {} if load is None else {"load": load}
    return OrderLine(**given, quantity=1 if quantity is None else quantity)


def assembled(row: Row, values: dict[str, Any]) -> Order:
    """Return the order that the values of its fields make."""
    window = values["window"]
    given = {
        "ref": values["ref"],
        "number": values["number"],
        "recipient": Recipient(
            name=values["recipient.name"],
            phone=values["recipient.phone"],
            email=values["recipient.email"],
        ),
        "address": Address(
            **{
                part: values[f"address.{part}"]
                for part in ("line1", "line2", "postcode", "city", "region", "country")
            }
        ),
        "location": values["location"],
        "lines": values["lines"],
        "service_date": values["service_date"],
        "window": window.window,
        "window_start_local": window.start,
        "window_end_local": window.end,
        "service_time": values["service_time"],
        "total": values["total"],
        "invoice": values["invoice"],
        "depot": values["depot"],
        "notes": values["notes"],
    }
    minutes = values["on_board_minutes"]
    wished = {name: values[name] for name in ("windows", "skills", "driver", "turn", "pair")}
    wished |= {"priority": values["priority"], "on_board": minutes and minutes * 60}
    given |= {name: value for name, value in wished.items() if value not in (None, "", ())}
    cash = values["cash_due"]
    given["cash_due"] = cash if cash is not None and cash.amount > 0 else None
    if row.cells.get("kind"):  # else what every order of the connection gets counts
        given["kind"] = values["kind"]
    return made(row, **given)
