"""Orders from a CSV file: the hub's own template, Shopify's export and WooCommerce exports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field

from hub import Connector, Cursor, Order, RefusedRow, hookimpl
from hub.builtin import csv_shopify, csv_template, csv_woocommerce
from hub.builtin.csv_cells import Fault, Row, key, plain
from hub.builtin.csv_forms import Form, Options, recognised
from hub.builtin.csv_records import Broken, Reader, Record, open_plain
from hub.errors import Refused

FORMS = (csv_shopify.FORM, csv_woocommerce.FORM, csv_template.FORM)
MOST_ROWS = 2_000
"""Rows that one order may have."""


@hookimpl
def order_sources() -> list[type[Any]]:
    """Offer the source."""
    return [Csv]


class CsvConfig(BaseModel):
    """A file to read, and what it does not say itself."""

    path: Path = Field(title="File", description="As the hub's own machine sees it")
    form: Literal["auto", "template", "shopify", "woocommerce"] = Field(
        default="auto", title="Form", description="Whose columns it has; auto looks at them"
    )
    delimiter: Literal["auto", ",", ";", "\t", "|"] = Field(
        default="auto", title="Delimiter", description="What stands between two cells"
    )
    service_date: date | None = Field(
        default=None, title="Day", description="Day to deliver for orders that name none"
    )
    fulfilled: bool = Field(
        default=False,
        title="Fulfilled too",
        description="Also take orders that the shop calls fulfilled or completed",
    )


@dataclass(frozen=True)
class Layout:
    """What a file's first line told: its form, its columns, and how to speak of them."""

    form: Form
    columns: tuple[str, ...]
    names: dict[str, str]
    unused: tuple[str, ...]
    refs: tuple[int, ...]
    """Where the columns stand that may hold the order's number, the first filled one counts."""

    def note(self) -> str:
        """Return a sentence about columns that are not read, or nothing."""
        if not self.unused:
            return ""
        some = ", ".join(self.unused[:20])
        more = f" and {len(self.unused) - 20} more" if len(self.unused) > 20 else ""
        return f"columns that are not read: {some}{more}"


class Csv(Connector[CsvConfig]):
    """Reads a file of orders from its first line to its last, in bounded memory."""

    name: ClassVar[str] = "csv"
    title: ClassVar[str] = "CSV file"
    Config = CsvConfig

    def check(self) -> None:
        """Read the header; raise `Refused` where there is no file or no known form."""
        self.inspect()

    def inspect(self) -> Layout:
        """Return how the file is laid out; raise `Refused` where it cannot be told."""
        with self._open() as file:
            return layout_of(iter(self._reader(file)), self.config.form)

    def pull(self, cursor: Cursor) -> Iterator[Order | RefusedRow | Cursor]:
        """Yield the orders from line `cursor` on, and after each a cursor `line:byte`.

        Reading always begins at the top, so that an order whose rows stand in two places of the
        file is noticed also after an interruption; what lies before the cursor is not built.
        """
        done = int(cursor.value.partition(":")[0] or 0)
        config = self.config
        options = Options(config.service_date, config.fulfilled)
        with self._open() as file:
            yield from read_orders(self._reader(file), config.form, options, done)

    def _open(self) -> Any:
        try:
            return open_plain(self.config.path)
        except FileNotFoundError:
            raise Refused(f"there is no file {self.config.path}", "path") from None

    def _reader(self, file: Any) -> Reader:
        wanted = self.config.delimiter
        return Reader(file, "" if wanted == "auto" else wanted)


def layout_of(records: Iterator[Record | Broken], name: str = "auto") -> Layout:
    """Return how a file is laid out by its header; raise `Refused` where it cannot be told."""
    header = next(records, None)
    if header is None:
        raise Refused("the file is empty", "file")
    if isinstance(header, Broken):
        raise Refused(f"line {header.line}: {header.reason}", "file")
    columns = tuple(key(name) for name in header.cells)
    form = form_of(name, frozenset(columns))
    if form is None:
        some = ", ".join(name.strip()[:40] for name in header.cells[:12])
        raise Refused(
            f"the columns {some} are no known form of file; use the template's columns "
            "(ref, name, address, postcode, city ...), or an order export of Shopify or "
            "WooCommerce",
            "file",
        )
    named = zip(columns, header.cells, strict=True)
    unused = (shown.strip()[:60] for name, shown in named if name and not form.known(name))
    names = dict(zip(columns, (cell.strip() for cell in header.cells), strict=True))
    refs = tuple(columns.index(name) for name in form.ref if name in columns)
    return Layout(form, columns, names, tuple(unused), refs)


def form_of(name: str, columns: frozenset[str]) -> Form | None:
    """Return the form of that name, or with `auto` the one that its columns have."""
    if name == "auto":
        return recognised(FORMS, columns)
    return next(form for form in FORMS if form.name == name)


def read_orders(
    reader: Reader, form: str, options: Options, done: int = 0
) -> Iterator[Order | RefusedRow | Cursor]:
    """Yield the orders whose rows end behind line `done`, and after each a cursor `line:byte`."""
    records = iter(reader)
    layout = layout_of(records, form)
    seen: set[int] = set()
    for group in groups(records, layout):
        known = group.mark in seen
        seen.add(group.mark)
        if group.last <= done:
            continue
        yield from read_group(group, layout, options, known)
        yield Cursor(value=f"{group.last}:{group.ends}")


@dataclass
class Group:
    """The records of one order, or what made them unreadable."""

    ref: str
    records: list[Record]
    last: int
    ends: int
    fault: Fault | None = None

    @property
    def mark(self) -> int:
        """A number that stands for the order's ref, or for the line where it has none."""
        return hash(self.ref) if self.ref else -self.last


def groups(records: Iterator[Record | Broken], layout: Layout) -> Iterator[Group]:
    """Yield runs of records with the same ref; an unreadable one is a group of its own."""
    current: Group | None = None
    for record in records:
        made = group_of(record, layout)
        if current is not None and belongs(made, current, layout.form):
            current.last, current.ends = made.last, made.ends
            if len(current.records) < MOST_ROWS:
                current.records.extend(made.records)
            elif current.fault is None:
                current.fault = Fault(made.last, "", f"the order has more than {MOST_ROWS:,} rows")
            continue
        if current is not None:
            yield current
        current = made
    if current is not None:
        yield current


def group_of(record: Record | Broken, layout: Layout) -> Group:
    """Return one record as a group; only its ref is looked at."""
    if isinstance(record, Broken):
        fault = Fault(record.line, "", record.reason)
        return Group("", [], record.line, record.ends, fault)
    ref = ""
    for place in layout.refs:
        if place < len(record.cells) and not ref:
            ref = plain(record.cells[place])
    return Group(ref, [record], record.line, record.ends)


def belongs(made: Group, current: Group, form: Form) -> bool:
    """Say whether a record goes on with the order above it."""
    if not made.records or not current.ref:
        return False
    return made.ref == current.ref or (form.continues and not made.ref)


def row_of(record: Record, layout: Layout) -> Row:
    """Return a record's filled cells by column; raise a fault for more cells than columns."""
    cells: dict[str, str] = {}
    for column, cell in zip(layout.columns, record.cells, strict=False):
        if cell and column and column not in cells:
            text = plain(cell)
            if text:
                cells[column] = text
    row = Row(record.line, cells, layout.names)
    if any(cell.strip() for cell in record.cells[len(layout.columns) :]):
        raise row.fault(
            "",
            f"has {len(record.cells)} cells where the header has {len(layout.columns)}; "
            "quote the cell that contains a delimiter",
        )
    return row


def read_group(
    group: Group, layout: Layout, options: Options, known: bool
) -> Iterator[Order | RefusedRow]:
    """Yield the order of a group, or once why it is left out."""
    try:
        if group.fault is not None:
            raise group.fault
        rows = [row_of(record, layout) for record in group.records]
        if not any(row.cells for row in rows):
            return
        if not group.ref:
            raise rows[0].fault(
                layout.form.ref[0], "is empty; give every order a number of its own"
            )
        if known:
            raise rows[0].fault(
                rows[0].find(*layout.form.ref)[0],
                f"order {group.ref[:60]} has rows further up; put them one below the other",
            )
        yield layout.form.build(rows, options)
    except Fault as fault:
        yield RefusedRow(line=fault.line, field=fault.field[:100], reason=fault.reason[:500])
