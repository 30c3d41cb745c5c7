"""When a driver may be tracked at all: during the shift, or while driving a route."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import col, select

from hub.fleet.shifts import local_day, shift_on, span
from hub.store import DepotRow, DriverRow, RouteRow, Session, ShiftRow

MARGIN = timedelta(minutes=30)
"""Before and after a shift, for a driver who comes early or is late home."""


def spans(session: Session, driver: str, at: datetime) -> list[tuple[datetime, datetime]]:
    """Return the times around `at` during which positions of `driver` are kept."""
    row = session.get(DriverRow, driver)
    if row is None:
        return []
    depot = session.get_one(DepotRow, row.depot)
    today = local_day(depot, at)
    shifts = [shift_on(session, row, day) for day in (today - timedelta(days=1), today)]
    driving = session.exec(
        select(RouteRow).where(RouteRow.driver == driver, RouteRow.state == "in_progress")
    )
    found = [(starts, ends) for starts, ends in filter(None, shifts)]
    # Whoever is late is still at work; the route says so until its last stop has ended.
    found += [(route.started_at or route.starts_at, at) for route in driving]
    return [(starts - MARGIN, ends + MARGIN) for starts, ends in found]


def anybody(session: Session, at: datetime) -> bool:
    """Say whether any driver may be tracked at `at`."""
    driving = select(RouteRow.id).where(RouteRow.state == "in_progress").limit(1)
    if session.exec(driving).first() is not None:
        return True
    shifts = session.exec(
        select(DepotRow, ShiftRow.weekday, ShiftRow.starts, ShiftRow.ends)
        .join(DriverRow, col(DriverRow.depot) == DepotRow.id)
        .join(ShiftRow, col(ShiftRow.driver) == DriverRow.id)
        .where(col(DriverRow.active).is_(True))
        .distinct()
    )
    return any(covers(depot, at, weekday, starts, ends) for depot, weekday, starts, ends in shifts)


def covers(depot: DepotRow, at: datetime, weekday: int, starts: str, ends: str) -> bool:
    """Say whether a weekly shift, with its margin, lasts at `at`."""
    today = local_day(depot, at)
    for day in (today - timedelta(days=1), today):
        if day.weekday() == weekday:
            begin, end = span(depot, day, starts, ends)
            if begin - MARGIN <= at <= end + MARGIN:
                return True
    return False
