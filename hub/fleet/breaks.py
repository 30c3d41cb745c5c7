"""Breaks of a shift: written by people, kept with the shift, told as instants."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlmodel import select

from hub.errors import Missing, Refused
from hub.fleet.abilities import Rest, given
from hub.fleet.shifts import DAYS, at_depot, drawn_together, read_days
from hub.store import DepotRow, DriverRow, Session, ShiftRow

EXAMPLE = "write it like: mon-fri 12:00-13:30 30, or: sat off"
_REST = re.compile(r"^(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})\s+(\d{1,3})\s*(?:min(?:utes)?)?$")
Due = tuple[datetime, datetime, int]
"""When a break may begin at the soonest and at the latest, and its seconds."""


def read_breaks(text: str) -> tuple[list[int], list[Rest]]:
    """Return the weekdays and breaks that a text such as `mon-fri 9:00-10:00 15, 12:00-13:30 30`
    says, none for `mon-fri off`; raise `Refused` for one that says anything else.
    """
    days, _, rest = text.strip().lower().partition(" ")
    found = read_days(days, text)
    if rest.strip() in ("off", "none"):
        return found, []
    return found, read_rests(rest)


def read_rests(text: str) -> list[Rest]:
    """Return the breaks of `12:00-13:30 30, 16:00-17:00 15`; none for an empty text."""
    rests = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = _REST.match(part)
        if found is None:
            raise Refused(f"{part[:60]!r} is no break; {EXAMPLE}", "breaks")
        start, end, minutes = found.groups()
        rests.append(given(Rest, {"start": start, "end": end, "minutes": int(minutes)}))
    if len(rests) > 4:
        raise Refused("a shift has at most four breaks", "breaks")
    return rests


def write_rests(rests: Iterable[Mapping[str, Any]]) -> str:
    """Return breaks in the words of `read_rests`."""
    return ", ".join(f"{one['start']}-{one['end']} {one['minutes']} min" for one in rests)


def write_breaks(shifts: Iterable[ShiftRow]) -> str:
    """Return the breaks of a week in words, equal days in a row drawn together."""
    told = drawn_together((one.weekday, write_rests(one.breaks)) for one in shifts if one.breaks)
    return "; ".join(f"{days} {text}" for days, text in told)


def set_breaks(session: Session, driver: str, weekday: int, rests: Sequence[Rest]) -> ShiftRow:
    """Set the breaks of a driver's shift on a weekday; raise `Refused` where there is no shift."""
    row = session.get(DriverRow, driver) if "\x00" not in driver else None
    if row is None:
        raise Missing(f"there is no driver {driver[:60]}")
    shift = session.exec(
        select(ShiftRow).where(ShiftRow.driver == driver, ShiftRow.weekday == weekday)
    ).one_or_none()
    if shift is None:
        day = DAYS[weekday]
        raise Refused(f"{row.name} does not work on {day}; set the hours first", "breaks")
    shift.breaks = [one.model_dump() for one in rests]
    return shift


def breaks_on(session: Session, driver: DriverRow, day: date) -> list[Due]:
    """Return the breaks of a driver's shift of `day`, in the order in which they are taken.

    A break whose time lies before the beginning of the shift is one of the night after it.
    """
    shift = session.exec(
        select(ShiftRow).where(ShiftRow.driver == driver.id, ShiftRow.weekday == day.weekday())
    ).one_or_none()
    if shift is None or not shift.breaks:
        return []
    depot = session.get_one(DepotRow, driver.depot)
    begins = at_depot(depot, day, shift.starts)
    found = []
    for rest in shift.breaks:
        opens, closes = (at_depot(depot, day, rest[name]) for name in ("start", "end"))
        if closes <= opens:
            closes += timedelta(days=1)
        if closes <= begins:
            opens, closes = opens + timedelta(days=1), closes + timedelta(days=1)
        minutes = int(rest["minutes"])
        # In UTC, because minutes of a zone are those of the wall, where an hour may be missing.
        soonest, last = opens.astimezone(UTC), closes.astimezone(UTC) - timedelta(minutes=minutes)
        found.append((soonest, max(soonest, last), minutes * 60))
    return sorted(found)
