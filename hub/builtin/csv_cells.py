"""Cells of a file as values: text stays text, and what does not fit says what to write instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation

from hub.nouns import Money

_EXCEL_TEXT = re.compile(r'^="([^"]*)"$')
_DATES = (
    (re.compile(r"^(\d{4})[-/](\d{1,2})[-/](\d{1,2})$"), (0, 1, 2)),
    (re.compile(r"^(\d{1,2})\.(\d{1,2})\.(\d{4})$"), (2, 1, 0)),
)
_CLOCK = re.compile(r"^(\d{1,2})[:.h](\d{2})(?::\d{2})?\s*([ap]\.?m\.?)?$", re.IGNORECASE)
_AMOUNT = re.compile(r"^([A-Za-z]{3})?\s*([-+]?[\d.,'\u2019\u00a0 ]*\d)\s*([A-Za-z]{3})?$")
_SCIENTIFIC = re.compile(r"^\+?\d(?:[.,]\d+)?[eE]\+?\d+$")
LARGEST_AMOUNT = Decimal(10_000_000)


class Fault(Exception):
    """One cell that cannot be read: its line, its column as the file calls it, and why."""

    def __init__(self, line: int, field: str, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.field = field
        self.reason = reason


def plain(cell: str) -> str:
    """Return the text of a cell as a person reads it; nothing in it is ever evaluated.

    Spreadsheets mark text by a leading apostrophe ('+423 ...) or as ="0123"; both marks are taken
    off. Any other formula stays the text that it is.
    """
    text = cell.strip()
    if not text.startswith(("=", "'")):
        return text
    wrapped = _EXCEL_TEXT.match(text)
    if wrapped:
        return wrapped.group(1).strip()
    if len(text) > 1 and text[0] == "'" and (text[1] in "=+-@" or text[1].isdigit()):
        return text[1:].strip()
    return text


def key(header: str) -> str:
    """Return a column's name without case, spaces and signs: `Lineitem quantity` and
    `lineitem_quantity` are one column."""
    return re.sub(r"[^0-9a-z]+", "_", header.strip().casefold()).strip("_")


@dataclass(frozen=True)
class Row:
    """The filled cells of one record by column key, with the file's own column names."""

    line: int
    cells: Mapping[str, str]
    names: Mapping[str, str]

    def find(self, *columns: str) -> tuple[str, str]:
        """Return the first of `columns` that is filled and its text; both empty if none is."""
        for column in columns:
            text = self.cells.get(column)
            if text:
                return column, text
        return columns[0], ""

    def fault(self, column: str, reason: str) -> Fault:
        """Return a fault in a column of this row."""
        return Fault(self.line, self.names.get(column, column), reason)

    def text(self, *columns: str, limit: int = 300) -> str:
        """Return the text of the first filled column, at most `limit` characters."""
        column, text = self.find(*columns)
        if len(text) > limit:
            raise self.fault(column, f"is {len(text):,} characters long; write at most {limit:,}")
        return text

    def phone(self, *columns: str) -> str:
        """Return a phone number as text; one that a spreadsheet made a number of is refused."""
        column, text = self.find(*columns)
        if _SCIENTIFIC.match(text):
            raise self.fault(
                column,
                f"{text} was shortened by a spreadsheet; "
                "format the column as text and write it like +4232345678",
            )
        return self.text(column, limit=60)

    def day(self, *columns: str) -> date | None:
        """Return a date, or None where the cell is empty."""
        column, text = self.find(*columns)
        if not text:
            return None
        found = read_day(text)
        if found is None:
            raise self.fault(column, f"{shown(text)} is no date; write it like 2026-11-23")
        return found

    def clock(self, *columns: str) -> str:
        """Return a time of day as HH:MM, or nothing where the cell is empty."""
        column, text = self.find(*columns)
        if not text:
            return ""
        found = read_clock(text)
        if found is None:
            raise self.fault(column, f"{shown(text)} is no time of day; write it like 14:30")
        return found

    def instant(self, *columns: str) -> datetime | None:
        """Return a date and time with zone, or None where the cell holds no such thing."""
        _, text = self.find(*columns)
        if len(text) < 11:
            return None
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return None

    def amount(self, *columns: str) -> Decimal | None:
        """Return an amount of money of at least 0, or None where the cell is empty."""
        money = self.money(*columns, currency="XXX")
        return None if money is None else money.amount

    def money(self, *columns: str, currency: str) -> Money | None:
        """Return an amount; a currency written beside the number goes before `currency`."""
        column, text = self.find(*columns)
        if not text:
            return None
        found = read_amount(text)
        if found is not None and found[0] < 0:
            raise self.fault(column, f"{shown(text)} is less than 0; an amount is at least 0")
        if found is None or found[0] > LARGEST_AMOUNT:
            raise self.fault(column, f"{shown(text)} is no amount of money; write it like 12.50")
        code = (found[1] or currency).upper()
        if not re.fullmatch("[A-Z]{3}", code):
            raise self.fault(column, f"{shown(code)} is no currency; write three letters like CHF")
        return Money(amount=found[0], currency=code)

    def whole(self, *columns: str, least: int, most: int = 1_000_000) -> int | None:
        """Return a whole number, or None where the cell is empty."""
        column, text = self.find(*columns)
        if not text:
            return None
        try:
            value = Decimal(text)
            number = int(value) if value.is_finite() and abs(value) <= most else None
        except InvalidOperation:
            number = None
        if number is None or number != value or not least <= number <= most:
            raise self.fault(column, f"{shown(text)} is no whole number from {least} to {most:,}")
        return number

    def degrees(self, *columns: str, most: int) -> float | None:
        """Return degrees between -`most` and `most`, or None where the cell is empty."""
        column, text = self.find(*columns)
        if not text:
            return None
        try:
            value = float(text.replace(",", "."))
        except ValueError:
            value = float("nan")
        if not -most <= value <= most:
            raise self.fault(
                column, f"{shown(text)} is not between -{most} and {most}; write degrees like 47.14"
            )
        return value


def shown(text: str) -> str:
    """Return a cell as an error quotes it."""
    return repr(text if len(text) <= 40 else text[:40] + "…")


def read_day(text: str) -> date | None:
    """Return a date written 2026-11-23, 2026/11/23 or 23.11.2026, or an ISO date and time.

    23/11/2026 is not read: nobody can tell a day from a month there.
    """
    for form, order in _DATES:
        found = form.match(text)
        if found:
            year, month, day = (int(found.groups()[place]) for place in order)
            try:
                return date(year, month, day)
            except ValueError:
                return None
    try:
        return datetime.fromisoformat(text).date() if len(text) > 10 else None
    except ValueError:
        return None


def read_clock(text: str) -> str | None:
    """Return HH:MM from 9:00, 09:00:00, 9.30, 9:30 PM or an ISO date and time."""
    found = _CLOCK.match(text.strip())
    if not found:
        try:
            return datetime.fromisoformat(text).strftime("%H:%M") if len(text) > 10 else None
        except ValueError:
            return None
    hour, minute, half = int(found.group(1)), int(found.group(2)), found.group(3)
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    try:
        return time(hour, minute).strftime("%H:%M")
    except ValueError:
        return None


def read_amount(text: str) -> tuple[Decimal, str] | None:
    """Return an amount and its currency code, from 12.50, 12,50, 1'234.50, 1.234,50 or CHF 12."""
    found = _AMOUNT.match(text)
    if not found:
        return None
    before, number, behind = found.groups()
    for sign in ("'", "\u2019", "\u00a0", " "):
        number = number.replace(sign, "")
    last = max(number.rfind("."), number.rfind(","))
    if last >= 0:
        mark = number[last]
        decimals = len(number) - last - 1
        # 1,234 and 1.234.567 group thousands; 12,50 and 12.345 end in decimals.
        grouped = number.count(mark) > 1 or (mark == "," and decimals == 3)
        whole = number[:last].replace(".", "").replace(",", "")
        number = whole + ("" if grouped else ".") + number[last + 1 :]
    try:
        return Decimal(number), (before or behind or "")
    except InvalidOperation:
        return None
