"""What an order asks of who brings it, out of the cells of a row: windows, loads, skills, turns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from hub.builtin.csv_cells import Row, read_clock, shown
from hub.nouns.wishes import PRIORITIES, tag

_TAG = re.compile(r"[^\W_][\w.-]{0,29}")
_LOAD = re.compile(r"(order_load|load)_([a-z][a-z0-9_]{0,19})")
TURNS = {"first": "first", "last": "last", "": ""}


def is_load(column: str) -> bool:
    """Say whether a column holds a load by measure: `load_kg` of one piece, `order_load_kg`."""
    return _LOAD.fullmatch(column) is not None


def is_order_load(column: str) -> bool:
    """Say whether a column holds a load of the whole order."""
    return column.startswith("order_load_")


def windows(row: Row, columns: Sequence[str]) -> tuple[str, ...]:
    """Return the windows of `08:00-10:00, 2 PM - 4 PM`, each as HH:MM-HH:MM at the depot."""
    column, text = row.find(*columns)
    found = []
    for part in filter(None, (part.strip() for part in re.split(r"[;,|]", text))):
        first, dash, last = re.sub(r"\s*[\u2013\u2014]\s*", "-", part).partition("-")
        ends = [read_clock(clock) for clock in (first, last)] if dash else [None]
        if None in ends:
            raise row.fault(
                column, f"{shown(part)} is no window; write 08:00-10:00, several with ; between"
            )
        found.append(f"{ends[0]}-{ends[1]}")
    if len(found) > 10:
        raise row.fault(column, f"has {len(found)} windows; an order has at most 10")
    return tuple(found)


def skills(row: Row, columns: Sequence[str]) -> tuple[str, ...]:
    """Return the tags of `fridge, lift`."""
    column, text = row.find(*columns)
    found = tuple(tag(part) for part in re.split(r"[;,|]", text) if part.strip())
    for one in found:
        if not _TAG.fullmatch(one):
            raise row.fault(column, f"{shown(one)} is no skill; write letters, digits and -")
    if len(found) > 20:
        raise row.fault(column, f"has {len(found)} skills; an order has at most 20")
    return found


def priority(row: Row, columns: Sequence[str]) -> int | None:
    """Return a priority from 0 to 100, in digits or as one of four words; None for none."""
    column, text = row.find(*columns)
    if text.casefold() in PRIORITIES:
        return PRIORITIES[text.casefold()]
    if text and not text.isdecimal():
        words = ", ".join(PRIORITIES)
        raise row.fault(column, f"{shown(text)} is none of {words}, and no number from 0 to 100")
    return row.whole(column, least=0, most=100)


def turn(row: Row, columns: Sequence[str]) -> str:
    """Return whether an order comes first or last on its route."""
    column, text = row.find(*columns)
    if text.casefold() not in TURNS:
        raise row.fault(column, f"{shown(text)} is neither first nor last; or leave it empty")
    return TURNS[text.casefold()]


def loads(row: Row, of_order: bool) -> dict[str, float]:
    """Return the loads by measure of one piece, or of the whole order."""
    found = {}
    for column in row.cells:
        named = _LOAD.fullmatch(column)
        if named is None or is_order_load(column) != of_order:
            continue
        found[named[2]] = amount(row, column)
    if len(found) > 5:
        raise row.fault(next(filter(is_load, row.cells)), "more than five measures of load")
    return found


def amount(row: Row, column: str) -> float:
    """Return a load, such as 12.5."""
    _, text = row.find(column)
    try:
        found = Decimal(text.replace(",", "."))
    except InvalidOperation:
        found = Decimal(-1)
    if not found.is_finite() or not 0 <= found <= 1_000_000:
        raise row.fault(column, f"{shown(text)} is no load from 0 to 1,000,000; write it like 12.5")
    return float(found)


def wishes(row: Row, columns: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    """Return the fields of an order that its first row asks for; those it does not are left out."""
    minutes = row.whole(*columns["on_board_minutes"], least=1, most=1440)
    found: dict[str, Any] = {
        "windows": windows(row, columns["windows"]),
        "loads": loads(row, of_order=True),
        "skills": skills(row, columns["skills"]),
        "priority": priority(row, columns["priority"]),
        "driver": row.text(*columns["driver"], limit=100),
        "turn": turn(row, columns["turn"]),
        "on_board": None if minutes is None else minutes * 60,
        "pair": row.text(*columns["pair"], limit=200),
    }
    return {name: value for name, value in found.items() if value not in (None, "", (), {})}
