"""Breaks of a shift: written by people, kept with the shift, told as instants."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlmodel import select

from hub.errors import Missing, Refused
from hub.fleet.abilities import Rest, given, minute_of
from hub.fleet.shifts import DAYS, at_depot, drawn_together, read_days
from hub.store import DepotRow, DriverRow, Session, ShiftRow

EXAMPLE = "write it like: mon-fri 12:00-13:30 30, or: sat off"
_REST = re.compile(r"^(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})\s+(\d{1,3})\s*(?:min(?:utes)?)?$")
A_DAY = 24 * 60
"""In minutes."""
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
    """Set the breaks of a driver's shift on a weekday; raise `Refused` where there is no shift, and
    for breaks that nobody could take in it.
    """
    row = session.get(DriverRow, driver) if "\x00" not in driver else None
    if row is None:
        raise Missing(f"there is no driver {driver[:60]}")
    shift = session.exec(
        select(ShiftRow).where(ShiftRow.driver == driver, ShiftRow.weekday == weekday)
    ).one_or_none()
    if shift is None:
        day = DAYS[weekday]
        raise Refused(f"{row.name} does not work on {day}; set the hours first", "breaks")
    check_room(shift, rests, row.overtime_minutes)
    shift.breaks = [one.model_dump() for one in rests]
    return shift


def check_kept(session: Session, row: DriverRow, weekday: int) -> None:
    """Raise `Refused` where a driver's hours on a weekday have no room for the breaks they had."""
    shift = session.exec(
        select(ShiftRow).where(ShiftRow.driver == row.id, ShiftRow.weekday == weekday)
    ).one_or_none()
    if shift is not None:
        rests = [Rest.model_validate(one) for one in shift.breaks]
        check_room(shift, rests, row.overtime_minutes)


def check_room(shift: ShiftRow, rests: Iterable[Rest], overtime: int) -> None:
    """Raise `Refused` unless all breaks can be taken in a shift, one after the other.

    A break beyond the hours is taken by nobody: the driver would go without, and not know why.
    """
    starts = minute_of(shift.starts)
    length = ((minute_of(shift.ends) - starts) % A_DAY or A_DAY) + overtime
    hours = f"{shift.starts}-{shift.ends}"
    now, before = 0, ""
    for opens, closes, one in sorted(
        ((*window_of(rest, starts), rest) for rest in rests), key=lambda found: found[:2]
    ):
        text = f"{one.start}-{one.end} {one.minutes}"
        if minute_of(one.end) <= minute_of(one.start) and starts + length <= A_DAY:
            raise Refused(f"the break {text} ends before it begins", "breaks")
        if max(opens, 0) + one.minutes > min(closes, length):
            raise Refused(f"the break {text} does not fit into the hours {hours}", "breaks")
        now = max(now, opens) + one.minutes
        if now > min(closes, length):
            raise Refused(f"there is no time for the break {text} after {before}", "breaks")
        before = text


def window_of(rest: Rest, starts: int) -> tuple[int, int]:
    """Return when a break opens and closes, in minutes since a shift that begins at `starts`."""
    opens, closes = minute_of(rest.start) - starts, minute_of(rest.end) - starts
    if minute_of(rest.end) <= minute_of(rest.start):
        closes += A_DAY
    return (opens + A_DAY, closes + A_DAY) if closes <= 0 else (opens, closes)


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
