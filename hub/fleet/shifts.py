"""When drivers work: shifts as instants, and the day that a new order is delivered on."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from hub.errors import Refused
from hub.store import DepotRow, DriverRow, Session, ShiftRow

DAYS_AHEAD = 14
"""How far the next working day is looked for."""


def zone(depot: DepotRow) -> ZoneInfo:
    """Return the depot's time zone."""
    return ZoneInfo(depot.timezone)


def local_day(depot: DepotRow, at: datetime) -> date:
    """Return the date at the depot at an instant."""
    return at.astimezone(zone(depot)).date()


def at_depot(depot: DepotRow, day: date, clock: str) -> datetime:
    """Return the instant of HH:MM at the depot on `day`; raise `Refused` for another text."""
    return datetime.combine(day, read_clock(clock), zone(depot))


def read_clock(clock: str) -> time:
    """Return HH:MM as a time of day; raise `Refused` for another text."""
    try:
        return datetime.strptime(clock, "%H:%M").time()  # noqa: DTZ007 - a time of day only
    except ValueError:
        raise Refused(f"{clock[:40]!r} is no time of day; write it like 14:30") from None


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
    depot = session.get_one(DepotRow, row.depot)
    start = at_depot(depot, day, shift.starts)
    ends_on = day if shift.ends > shift.starts else day + timedelta(days=1)
    return start, at_depot(depot, ends_on, shift.ends)


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
