"""What the page Mapping shows where people map fields: the record, and what each field gets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flask import request
from pydantic import ValidationError

from hub.builtin.generic.building import Tried, attempt, order_of
from hub.builtin.generic.fields import TARGETS, Fields, Rule, Target
from hub.builtin.generic.records import find, flat
from hub.builtin.generic.shape import Shape
from hub.builtin.generic.suggesting import articles_of, suggest
from hub.errors import Refused
from hub.nouns import Cancelled, Order, RefusedRow
from hub.store import ConnectionRow
from hub.web.context import hub

GROUPS = (
    ("Order", ("ref", "number", "status", "kind", "depot")),
    ("Recipient", ("recipient.name", "recipient.phone", "recipient.email")),
    ("Address", ("address.line1", "address.line2", "address.postcode", "address.city",
                 "address.region", "address.country", "location.lat", "location.lon")),
    ("When", ("service_date", "window.start", "window.end", "windows", "service_time")),
    ("Who and how", ("skills", "priority", "driver", "turn", "on_board_minutes", "pair")),
    ("Money and notes", ("cash_due", "currency", "total", "invoice", "notes")),
    ("Articles", ("lines", "line.name", "line.quantity", "line.sku", "line.price", "line.load",
                  "line.ref")),
)  # fmt: skip
"""The fields as they stand on the page."""
SHOWN_LINES = 4
MOST_SHOWN = 200
BY_NAME = {target.name: target for target in TARGETS}


@dataclass(frozen=True)
class Line:
    """One field: where it comes from, and what that gives on the sample."""

    target: Target
    path: str
    how: str
    value: str = ""
    error: str = ""
    suggested: bool = False

    @property
    def id(self) -> str:
        """What stands in the page's ids."""
        return self.target.name.replace(".", "-")


@dataclass(frozen=True)
class FieldMap:
    """Everything that the page shows."""

    groups: list[tuple[str, list[Line]]]
    fields: Fields
    records: list[str]
    """The numbers of the sample's records, by which one is chosen."""
    chosen: int
    raw: list[tuple[str, str]]
    """(path, text) of the record that is chosen."""
    paths: list[tuple[str, str]]
    line_paths: list[tuple[str, str]]
    good: int
    """How many records of the sample make an order."""
    aside: int
    """How many are called off, or not wanted."""
    wrong: list[str] = field(default_factory=list)
    """What is wrong with the others."""
    order: Order | None = None
    suggested: int = 0

    @property
    def unused(self) -> bool:
        """Whether there is no record to show."""
        return not self.records


def shape_of(connector: str) -> type[Shape] | None:
    """Return the settings of a connector whose fields people map, None for another one."""
    plugin = hub().plugins.owner(connector)
    config = plugin.connectors[connector].Config if plugin else None
    return config if config is not None and issubclass(config, Shape) else None


def fields_of(row: ConnectionRow) -> Fields:
    """Return the mapping that a connection has."""
    return Fields.model_validate(row.config.get("fields") or {})


def sent_fields() -> Fields:
    """Return the mapping that a form sent; raise `Refused` naming the field at fault."""
    rules: dict[str, Any] = {}
    for target in TARGETS:
        path = request.form.get(f"path.{target.name}", "").strip()
        if path:
            how = request.form.get(f"how.{target.name}", "")
            try:
                rules[target.name] = Rule(path=path, how=how)
            except ValidationError as error:
                said = error.errors(include_input=False, include_url=False)[0]["msg"]
                raise Refused(f"{target.label}: {said}", target.name) from None
    values = {
        name: [one.strip()[:100] for one in request.form.get(name, "").split(",") if one.strip()]
        for name in ("cancelled", "wanted")
    }
    try:
        return Fields.model_validate({"rules": rules, **values})
    except ValidationError as error:
        said = error.errors(include_input=False, include_url=False)[0]["msg"]
        raise Refused(f"Fields: {said}", "fields") from None


def view(
    row: ConnectionRow, fields: Fields, found: dict[str, Any], guessed: frozenset[str] = frozenset()
) -> FieldMap:
    """Return what the page shows of a mapping on the sample that is kept."""
    records = [one for one in found.get("records") or [] if isinstance(one, dict)]
    chosen = request.values.get("record", "0")
    place = int(chosen) if chosen.isdecimal() and int(chosen) < len(records) else 0
    record = records[place] if records else {}
    tried = attempt(record, fields) if records else Tried()
    made = [order_of(one, fields, number) for number, one in enumerate(records, 1)]
    lines = fields.rules.get("lines")
    table = row.config.get("format") == "csv"
    path = lines.parts[0][0] if lines and lines.parts else "rows" if table else ""
    articles = articles_of(record, path, table)
    return FieldMap(
        groups=[
            (title, [line_of(BY_NAME[name], fields, tried, bool(records), guessed) for name in own])
            for title, own in GROUPS
        ],
        fields=fields,
        records=[named(one, fields, number) for number, one in enumerate(records, 1)],
        chosen=place,
        raw=list(flat(record))[:MOST_SHOWN],
        paths=[pair for pair in flat(record) if ".0" not in pair[0]][:MOST_SHOWN],
        line_paths=list(flat(articles[0]))[:MOST_SHOWN] if articles else [],
        good=sum(isinstance(one, Order) for one in made),
        aside=sum(one is None or isinstance(one, Cancelled) for one in made),
        wrong=list(dict.fromkeys(one.reason for one in made if isinstance(one, RefusedRow)))[:3],
        order=tried.values.get("order"),
        suggested=len(guessed),
    )


def named(record: dict[str, Any], fields: Fields, number: int) -> str:
    """Return how a record of the sample is called in the choice."""
    rule = fields.rules.get("ref")
    told = find(record, rule.parts[0][0]) if rule and rule.constant is None and rule.parts else None
    return f"{number}: {str(told)[:40]}" if isinstance(told, str | int) else str(number)


def line_of(
    target: Target, fields: Fields, tried: Tried, sampled: bool, guessed: frozenset[str]
) -> Line:
    """Return one line of the page."""
    rule = fields.rules.get(target.name)
    fault = tried.faults.get(target.name)
    given = {"target": target, "path": rule.path if rule else "", "how": rule.how if rule else ""}
    wanted = sampled and (rule is not None or (target.name == "ref" and bool(fields.rules)))
    return Line(
        **given,  # type: ignore[arg-type]
        value=value_of(target.name, tried, fields) if sampled and rule and not fault else "",
        error=fault.reason if fault and wanted else "",
        suggested=target.name in guessed,
    )


def value_of(name: str, tried: Tried, fields: Fields) -> str:
    """Return what a field of an order gets, as people read it."""
    values = tried.values
    if name == "lines":
        count = len(values.get("lines") or ())
        return f"{count} article{'' if count == 1 else 's'}"
    if name.startswith("line."):
        attribute = name.removeprefix("line.")
        lines = list(values.get("lines") or ())[:SHOWN_LINES]
        return ", ".join(filter(None, (told(getattr(line, attribute)) for line in lines)))
    if name in ("window.start", "window.end") and values.get("window") is not None:
        span, end = values["window"], name.rpartition(".")[2]
        if span.window is not None:
            return f"{getattr(span.window, end):%Y-%m-%d %H:%M %Z}"
        return str(getattr(span, end))
    if name == "service_time" and values.get(name) is not None:
        return f"{values[name] / 60:g} min"
    if name == "status":
        return status_of(str(values.get(name) or ""), fields)
    if name in values:
        return told(values[name])
    return tried.cells.get(name, "")


def status_of(status: str, fields: Fields) -> str:
    """Return a status with what it means for the order."""
    if status and fields.has(fields.cancelled, status):
        return f"{status}: called off"
    wanted = not fields.wanted or fields.has(fields.wanted, status)
    return status if wanted else f"{status or 'none'}: not taken"


def told(value: Any) -> str:
    """Return a value in words."""
    if value is None:
        return ""
    if hasattr(value, "currency"):
        return f"{value.amount} {value.currency}"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def guesses(row: ConnectionRow, fields: Fields, found: dict[str, Any]) -> dict[str, Rule]:
    """Return rules for the fields that have none, as far as the sample's names tell."""
    records = found.get("records") or []
    return suggest(records, fields.rules, row.config.get("format") == "csv")


def chosen_order(fields: Fields, found: dict[str, Any]) -> Order | None:
    """Return the first order that the sample makes, None where it makes none."""
    for made in orders_in(fields, found):
        return made
    kept = found.get("order")
    return Order.model_validate(kept) if kept else None


def orders_in(fields: Fields, found: dict[str, Any]) -> Iterator[Order]:
    """Yield the orders that a sample makes."""
    for number, record in enumerate(found.get("records") or [], 1):
        made = order_of(record, fields, number) if fields.are_set else None
        if isinstance(made, Order):
            yield made
