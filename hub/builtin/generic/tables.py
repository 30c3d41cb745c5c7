"""Orders out of a document, a table or lines, each with how far that is read."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, BinaryIO

from hub import Cancelled, Cursor, Order, RefusedRow
from hub.builtin.csv import read_orders
from hub.builtin.csv_cells import Fault, plain
from hub.builtin.csv_forms import Options
from hub.builtin.csv_records import LONGEST_LINE, Broken, Reader, Record, decoded, plain_text
from hub.builtin.generic.building import number_of, order_of, row_of
from hub.builtin.generic.fields import ROWS, Fields
from hub.builtin.generic.records import find, listed, lists_in
from hub.builtin.generic.shape import Shape
from hub.errors import Refused

Thing = Order | Cancelled | RefusedRow
Pair = tuple[int, Thing | None]
"""How far is read once a thing is taken, by line or by entry, and the thing."""
LARGEST = 10_000_000
"""Bytes of a JSON document, which is held in memory as a whole."""
MOST_ROWS = 2_000
"""Rows of a table that one order may have."""
MARKS = {"auto": "", "comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
FORMLESS = "no known form of file"
UNMAPPED = "no fields are mapped yet; say on the page Mapping which field comes from where"


@dataclass(frozen=True)
class Found:
    """One record: where it ends, and what it is or why it is none."""

    line: int
    record: Any = None
    fault: str = ""


def pairs(file: BinaryIO, shape: Shape, after: int = 0) -> Iterator[Pair]:
    """Yield the orders of a file that lie behind `after`; raise `Refused` where it is no such file.

    A table whose fields are not mapped is read as a form that the hub knows.
    """
    if shape.format == "csv" and not shape.fields.are_set:
        yield from of_form(file, shape, after)
        return
    if not shape.fields.are_set:
        raise Refused(UNMAPPED, "fields")
    yield from mapped(found_in(file, shape), shape.fields, after)


def of_form(file: BinaryIO, shape: Shape, after: int) -> Iterator[Pair]:
    """Yield the orders of a table whose columns the hub knows by themselves."""
    waiting: list[Thing] = []
    for one in known_form(read_orders(reader(file, shape), shape.form, Options(), after)):
        if isinstance(one, Cursor):
            line = int(one.value.partition(":")[0])
            yield from ((line, thing) for thing in waiting)
            if not waiting:
                yield line, None
            waiting = []
        else:
            waiting.append(one)


def known_form(read: Iterator[Order | RefusedRow | Cursor]) -> Iterator[Any]:
    """Yield the same; columns that nobody knows have to be mapped, so nothing is used up."""
    try:
        yield from read
    except Refused as error:
        if FORMLESS not in str(error):
            raise
        raise Refused(f"{error}; or map them on the page Mapping", "fields") from None


def mapped(found: Iterable[Found], fields: Fields, after: int = 0) -> Iterator[Pair]:
    """Yield what each record becomes."""
    for one in found:
        if one.line <= after:
            continue
        if one.fault:
            yield one.line, RefusedRow(line=one.line, reason=one.fault[:500])
        else:
            yield one.line, order_of(one.record, fields, one.line)


def found_in(file: BinaryIO, shape: Shape) -> Iterator[Found]:
    """Yield the records of a file."""
    if shape.format == "csv":
        yield from rows_in(file, shape)
    elif shape.format == "lines":
        yield from lines_in(file)
    else:
        yield from entries(document(file.read(LARGEST + 1)), shape.records)


def document(body: bytes) -> Any:
    """Return a JSON document with exact numbers; raise `Refused` in words for what is none."""
    if len(body) > LARGEST:
        raise Refused(
            f"the document has more than {LARGEST:,} bytes; use pages, or lines", "format"
        )
    text = decoded(body.removeprefix(b"\xef\xbb\xbf")).strip()
    if not text:
        raise Refused("nothing came where a JSON document was expected", "url")
    if text[:200].lower().startswith(("<!doctype", "<html", "<?xml", "<")):
        raise Refused("a page came instead of JSON; look at the address and at the format", "url")
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=str)
    except (ValueError, RecursionError) as error:
        where = f"; {error}" if isinstance(error, json.JSONDecodeError) else ""
        raise Refused(f"this is not valid JSON{where[:100]}", "format") from None


def entries(told: Any, path: str) -> Iterator[Found]:
    """Yield the records of a document; raise `Refused` where no list lies at the path."""
    found = listed(told, path)
    if found is None:
        lies = lists_in(told) if isinstance(told, dict) else []
        hint = f"; lists are at {', '.join(lies)}" if lies else ""
        where = f"at {path}" if path else "at its top"
        raise Refused(f"the answer has no list of records {where}{hint}", "records")
    for number, record in enumerate(found, 1):
        yield Found(number, record)


def lines_in(file: BinaryIO) -> Iterator[Found]:
    """Yield the records of JSON lines; one that cannot be read stops no other."""
    number = 0
    while raw := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(raw) > LONGEST_LINE:
            while raw and not raw.endswith(b"\n"):
                raw = file.readline(LONGEST_LINE)
            yield Found(number, fault=f"line {number} is longer than {LONGEST_LINE:,} bytes")
            continue
        text = decoded(raw.removeprefix(b"\xef\xbb\xbf")).strip()
        if not text:
            continue
        if number == 1 and text.startswith("<"):
            raise Refused("a page came instead of lines of JSON; look at the address", "url")
        try:
            yield Found(number, json.loads(text, parse_float=Decimal, parse_constant=str))
        except (ValueError, RecursionError):
            yield Found(number, fault=f"line {number} is not valid JSON")


def reader(file: BinaryIO, shape: Shape) -> Reader:
    """Return what reads the rows of a table."""
    return Reader(plain_text(file), MARKS[shape.delimiter])


def rows_in(file: BinaryIO, shape: Shape) -> Iterator[Found]:
    """Yield the orders of a table as records: the first row's cells, and all of them as `rows`.

    Rows with the same number that stand one below the other are one order.
    """
    rows = iter(reader(file, shape))
    head = next(rows, None)
    if head is None:
        raise Refused("the file is empty", "file")
    if isinstance(head, Broken):
        raise Refused(f"line {head.line}: {head.reason}", "file")
    if head.cells and head.cells[0].lstrip().startswith("<"):
        raise Refused("a page came instead of a table; look at the address", "url")
    columns = named(head.cells)
    group: list[dict[str, str]] = []
    number, last, seen = "", 0, set[int]()
    for row in rows:
        fault, cells = cells_of(row, columns)
        own = "" if fault else ref_of(cells, shape.fields, row.line)
        if group and own and own == number and len(group) < MOST_ROWS:
            group.append(cells)
            last = row.line
            continue
        if group:
            yield closed(group, number, last, seen)
        group, number, last = ([], "", 0) if fault else ([cells], own, row.line)
        if fault:
            yield Found(row.line, fault=fault)
    if group:
        yield closed(group, number, last, seen)


def closed(group: list[dict[str, str]], number: str, last: int, seen: set[int]) -> Found:
    """Return the rows of one order as a record, or why they are none."""
    mark = hash(number)
    if number and mark in seen:
        return Found(
            last, fault=f"order {number[:60]} has rows further up; put them one below the other"
        )
    seen.add(mark)
    record: dict[str, Any] = dict(group[0])
    record.setdefault(ROWS, group)
    return Found(last, record)


def named(cells: list[str]) -> list[str]:
    """Return the names of columns; one that comes again has a number behind."""
    found: list[str] = []
    for place, cell in enumerate(cells, 1):
        name = plain(cell) or f"column {place}"
        found.append(name if name not in found else f"{name} ({place})")
    return found


def cells_of(row: Record | Broken, columns: list[str]) -> tuple[str, dict[str, str]]:
    """Return why a row cannot be read, or its cells by column."""
    if isinstance(row, Broken):
        return f"line {row.line}: {row.reason}", {}
    if any(cell.strip() for cell in row.cells[len(columns) :]):
        said = f"line {row.line} has {len(row.cells)} cells where the header has {len(columns)}"
        return f"{said}; quote the cell that contains a delimiter", {}
    padded = [*row.cells, *[""] * (len(columns) - len(row.cells))]
    return "", {name: plain(cell) for name, cell in zip(columns, padded, strict=False)}


def ref_of(cells: dict[str, str], fields: Fields, line: int) -> str:
    """Return the number of the order that a row belongs to, nothing where it has none."""
    try:
        return number_of(row_of(cells, fields, line, ("ref",)))
    except Fault:
        return ""


def changed_at(found: list[Found], path: str) -> list[str]:
    """Return when records were changed last, as they say it."""
    told = (find(one.record, path) for one in found if not one.fault)
    return [str(one).strip() for one in told if isinstance(one, str | int | Decimal)]


def opened(body: bytes) -> BinaryIO:
    """Return bytes as a file."""
    return io.BytesIO(body)
