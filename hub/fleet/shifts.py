"""When drivers work: shifts as instants, and the day that a new order is delivered on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from hub.errors import Refused
from hub.store import DepotRow, DriverRow, Session, ShiftRow

DAYS_AHEAD = 14
"""How far the next working day is looked for."""
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EXAMPLE = "write it like: mon-fri 08:00-17:00, or: sun off"
Hours = tuple[int, str, str]
"""A weekday (0 = Monday) with its first and last HH:MM at the depot; both empty on a day off."""


def zone(depot: DepotRow) -> ZoneInfo:
    """Return the depot's time zone."""
    return ZoneInfo(depot.timezone)


def local_day(depot: DepotRow, at: datetime) -> date:
    """Return the date at the depot at an instant."""
    return at.astimezone(zone(depot)).date()


def at_depot(depot: DepotRow, day: date, clock: str, field: str | None = None) -> datetime:
    """Return the instant of HH:MM at the depot on `day`; raise `Refused` for another text."""
    return datetime.combine(day, read_clock(clock, field), zone(depot))


def read_clock(clock: str, field: str | None = None) -> time:
    """Return HH:MM as a time of day; raise `Refused` for another text, naming its field."""
    try:
        return datetime.strptime(clock, "%H:%M").time()  # noqa: DTZ007 - a time of day only
    except ValueError:
        raise Refused(f"{clock[:40]!r} is no time of day; write it like 14:30", field) from None


def read_hours(text: str) -> list[Hours]:
    """Return the hours that a text such as `mon-fri 08:00-17:00`, `sat,sun 22:00-06:00` or
    `sun off` says; raise `Refused` for one that says anything else.
    """
    days, _, times = text.strip().lower().partition(" ")
    starts, dash, ends = (part.strip() for part in times.partition("-"))
    if starts == "off" and not dash:
        return [(day, "", "") for day in read_days(days, text)]
    if not starts or not ends:
        raise Refused(f"{text[:60]!r} is no working time; {EXAMPLE}", "hours")
    read_clock(starts), read_clock(ends)
    return [(day, starts, ends) for day in read_days(days, text)]


def read_days(days: str, text: str) -> list[int]:
    """Return the weekdays of `mon-wed,sat`; `text` is what an error quotes."""
    found = []
    for part in days.split(","):
        first, dash, last = part.partition("-")
        last = last if dash else first
        if first not in DAYS or last not in DAYS:
            raise Refused(f"{text[:60]!r} names no weekday; {EXAMPLE}", "hours")
        start = DAYS.index(first)
        length = (DAYS.index(last) - start) % len(DAYS) + 1
        found += [(start + ahead) % len(DAYS) for ahead in range(length)]
    return found


def write_hours(shifts: Iterable[Hours]) -> str:
    """Return working hours in the words of `read_hours`, equal days in a row drawn together."""
    told = ((weekday, f"{starts}-{ends}") for weekday, starts, ends in shifts)
    return ", ".join(f"{days} {text}" for days, text in drawn_together(told))


def drawn_together(told: Iterable[tuple[int, str]]) -> list[tuple[str, str]]:
    """Return what is told of weekdays as (`mon-fri`, text), equal days in a row in one."""
    found = []
    # Days in a row with the same text have the same difference between day and position.
    ordered = enumerate(sorted(told))
    for (_, text), group in groupby(ordered, lambda one: (one[1][0] - one[0], one[1][1])):
        days = [DAYS[day] for _, (day, _) in group]
        found.append(("-".join(dict.fromkeys((days[0], days[-1]))), text))
    return found


def shift_on(
    session: Session, driver: DriverRow | str, day: date
) -> tuple[datetime, datetime] | None:
    """Return when a driver begins and ends on `day`, or None for a day off.

    A shift whose end is not after its start ends on the next day.
    """
    row = session.get_one(DriverRow, driver) if isinstance(driver, str) else driver
    shift = session.exec(
        select(ShiftRow).where(ShiftRow.driver == row.id, ShiftRow.weekday == day.weekday())
    ).one_or_none()
    if shift is None:
        return None
    return span(session.get_one(DepotRow, row.depot), day, shift.starts, shift.ends)


def span(depot: DepotRow, day: date, starts: str, ends: str) -> tuple[datetime, datetime]:
    """Return from when until when a shift of `day` lasts."""
    ends_on = day if ends > starts else day + timedelta(days=1)
    return at_depot(depot, day, starts), at_depot(depot, ends_on, ends)


def next_day(session: Session, depot: DepotRow, now: datetime) -> date:
    """Return the day that an order without a date is delivered on.

    It is the first day from today on which a shift of the depot has still to begin at `now`, so
    that today's last shift can still take it along; without any shift in two weeks it is today.
    """
    starts = latest_starts(session, depot)
    today = local_day(depot, now)
    for ahead in range(DAYS_AHEAD):
        day = today + timedelta(days=ahead)
        start = starts.get(day.weekday())
        if start is not None and now <= at_depot(depot, day, start):
            return day
    return today


def latest_starts(session: Session, depot: DepotRow) -> dict[int, str]:
    """Return per weekday when the last shift of the depot's active drivers begins."""
    found = session.exec(
        select(ShiftRow.weekday, ShiftRow.starts)
        .join(DriverRow, col(DriverRow.id) == ShiftRow.driver)
        .where(DriverRow.depot == depot.id, col(DriverRow.active).is_(True))
    )
    latest: dict[int, str] = {}
    for weekday, starts in found:
        latest[weekday] = max(latest.get(weekday, ""), starts)
    return latest
