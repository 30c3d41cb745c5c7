"""What stands in a record as the text that a cell of a table would have, read as was chosen.

From there on a value is read as one of a CSV file is; see hub.builtin.csv_cells.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from hub.builtin.csv_cells import Fault
from hub.builtin.generic.fields import JOINS, Rule
from hub.builtin.generic.records import MISSING, find, text_of

_DASH = re.compile(r"\s*(?:–|—|\s-\s|(?<=[\d:h])-(?=\d)|\sto\s|\sbis\s)\s*")
_PARTS = re.compile(r"^(\d{1,2})[./\s-](\d{1,2})[./\s-](\d{4})(?:[T\s,]+(.*))?$")
_SECONDS = {"": 60, "seconds": 1, "hours": 3600}


def text_at(record: Any, rule: Rule, field: str, line: int) -> str:
    """Return the text that a rule finds in a record; raise `Fault` naming what is missing."""
    if rule.constant is not None:
        return rule.constant
    whole = find(record, rule.path)
    if whole is not MISSING and JOINS in rule.path:
        return told(whole, rule.path, field, line)  # a column that is itself called "a + b"
    texts = []
    for path, optional in rule.parts:
        found = find(record, path)
        if found is MISSING:
            if optional:
                continue
            raise Fault(
                line, field,
                f"the record has no {path[:100]}; write {path[:100]}? if it may be missing",
            )  # fmt: skip
        texts.append(told(found, path, field, line))
    return " ".join(text for text in texts if text)


def told(found: Any, path: str, field: str, line: int) -> str:
    """Return a value as text; raise `Fault` for an object."""
    text = text_of(found)
    if text is None:
        kind = "a list" if isinstance(found, list) else "an object"
        raise Fault(line, field, f"{path[:100]} is {kind}; choose one of its own fields")
    return text


def cell(text: str, how: str, sort: str, field: str, line: int) -> str:
    """Return a text as a cell of a table would have it; raise `Fault` where it does not fit."""
    if not text:
        return ""
    try:
        if sort == "minutes":
            return seconds(text, how)
        if not how:
            return text
        if how in ("before", "after"):
            return side(text, how)
        if how in ("dmy", "mdy"):
            return ordered(text, how)
        if how in ("unix", "unixms"):
            return moment(text, 1000 if how == "unixms" else 1)
        return amount(text, how)
    except ValueError as error:
        raise Fault(line, field, str(error)) from None


def side(text: str, how: str) -> str:
    """Return the part before or behind a dash; the whole where there is none, before only."""
    found = _DASH.split(text, maxsplit=1)
    if len(found) == 1:
        return text if how == "before" else ""
    return found[0 if how == "before" else 1].strip()


def ordered(text: str, how: str) -> str:
    """Return a date of which the order of day and month is known as ISO 8601 writes it."""
    found = _PARTS.match(text)
    if not found:
        wish = "23/11/2026" if how == "dmy" else "11/23/2026"
        raise ValueError(f"{text[:40]!r} is no date like {wish}")
    first, second, year, rest = found.groups()
    day, month = (first, second) if how == "dmy" else (second, first)
    made = f"{year}-{int(month):02}-{int(day):02}"
    return f"{made} {rest.strip()}" if rest else made


def moment(text: str, per_second: int) -> str:
    """Return an instant that was counted from 1970, in UTC."""
    number = plain_number(text) / per_second
    if not 0 < number < 4_102_444_800:  # the year 2100
        raise ValueError(f"{text[:40]!r} is no instant counted from 1970")
    return datetime.fromtimestamp(int(number), UTC).isoformat()


def seconds(text: str, how: str) -> str:
    """Return a time at the door in whole seconds."""
    number = plain_number(text.replace(",", ".")) * _SECONDS[how]
    if not 0 <= number <= 86_400:
        raise ValueError(f"{text[:40]!r} is not between nothing and a day")
    return str(round(number))


def amount(text: str, how: str) -> str:
    """Return an amount with a decimal point."""
    if how == "comma":
        return text.replace(".", "").replace("'", "").replace(" ", "").replace(",", ".")
    return format(plain_number(text) / 100, "f")


def plain_number(text: str) -> Decimal:
    """Return a number; raise `ValueError` for what is none."""
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise ValueError(f"{text[:40]!r} is no number") from None
    if not number.is_finite() or abs(number) > 10**16:
        raise ValueError(f"{text[:40]!r} is no number that can be meant")
    return number
