"""What there is to plan on one depot's day: its open stops and the drivers who have time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from hub.errors import Refused
from hub.fleet.shifts import shift_on
from hub.nouns import Matrix, Problem, ProblemStop, ProblemVehicle
from hub.store import DepotRow, DriverRow, RouteRow, Session, StopRow, VehicleRow

LARGEST = 1500
"""Stops in one plan; the matrix of more would not fit beside the other work of a small machine."""
LAST = 86_399
"""23:59:59, where a window has no end."""
TAKEN = ("ready", "loaded", "in_progress")

Point = tuple[float, float]


@dataclass(frozen=True)
class Day:
    """One depot's day in the numbers of a problem, still without travel times."""

    depot: str
    date: date
    zero: datetime
    """Local midnight, from which all seconds count."""
    points: tuple[Point, ...]
    """Depot first; then every place once."""
    stops: tuple[ProblemStop, ...]
    vehicles: tuple[ProblemVehicle, ...]
    """One per driver: `id` is the driver's."""

    def problem(self, matrix: Matrix, seconds: float, seed: int = 1) -> Problem:
        """Return the problem for an engine."""
        return Problem(
            stops=self.stops, vehicles=self.vehicles, matrix=matrix, seconds=seconds, seed=seed
        )

    def at(self, second: int) -> datetime:
        """Return a second of the day as an instant."""
        return self.zero + timedelta(seconds=second)


def midnight(day: date, timezone: str) -> datetime:
    """Return when a day begins in a zone, in UTC."""
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC)


def survey(session: Session, depot: DepotRow, day: date) -> Day:
    """Return all that can be planned: stops without a route or in a draft, drivers without one.

    Raises `Refused` for more stops than one plan takes.
    """
    zero = midnight(day, depot.timezone)
    rows = open_stops(session, depot.id, day)
    if len(rows) > LARGEST:
        raise Refused(
            f"{depot.name} has {len(rows)} open stops on {day}; one plan takes at most {LARGEST}. "
            f"Give some of them to another depot or day",
            "service_date",
        )
    places: dict[Point, int] = {(depot.lat, depot.lon): 0}
    stops = tuple(asked(row, places, zero) for row in rows)
    return Day(
        depot=depot.id,
        date=day,
        zero=zero,
        points=tuple(places),
        stops=stops,
        vehicles=tuple(available(session, depot, day, zero)),
    )


def open_stops(session: Session, depot: str, day: date) -> list[StopRow]:
    """Return the stops of a depot's day that no published route has, oldest first."""
    return list(
        session.exec(
            select(StopRow)
            .where(
                StopRow.depot == depot,
                StopRow.service_date == day,
                col(StopRow.state).in_(["unassigned", "planned"]),
            )
            .order_by(StopRow.id)
        )
    )


def asked(row: StopRow, places: dict[Point, int], zero: datetime) -> ProblemStop:
    """Return a stop as an engine is asked for it; a new place gets the next number."""
    start, end = row.promised_start or row.window_start, row.promised_end or row.window_end
    window = None  # a window that has only an end begins at midnight
    if start is not None or end is not None:
        low = 0 if start is None else seconds_since(zero, start)
        window = (low, max(low, LAST) if end is None else seconds_since(zero, end))
    return ProblemStop(
        id=row.id,
        point=places.setdefault((row.lat, row.lon), len(places)),
        service=row.service_time,
        deliver=(row.load,),
        windows=() if window is None else (window,),
    )


def available(session: Session, depot: DepotRow, day: date, zero: datetime) -> list[ProblemVehicle]:
    """Return the depot's drivers with shift time left who have no published route that day."""
    query = (
        select(DriverRow, VehicleRow)
        .join(VehicleRow, col(VehicleRow.id) == col(DriverRow.vehicle))
        .where(
            DriverRow.depot == depot.id,
            col(DriverRow.active).is_(True),
            col(DriverRow.id).not_in(
                select(RouteRow.driver).where(
                    RouteRow.service_date == day, col(RouteRow.state).in_(TAKEN)
                )
            ),
        )
        .order_by(DriverRow.id)
    )
    now = seconds_since(zero, session.now)
    found = []
    for driver, vehicle in session.exec(query).all():
        shift = shift_on(session, driver, day)
        if shift is None:
            continue
        starts, ends = (seconds_since(zero, at) for at in shift)
        starts = max(starts, now)
        if starts < ends:
            found.append(
                ProblemVehicle(
                    id=driver.id, start=0, end=0, capacity=(vehicle.capacity,), shift=(starts, ends)
                )
            )
    return found


def seconds_since(zero: datetime, at: datetime) -> int:
    """Return the whole seconds from `zero` to `at`, rounded down."""
    return int((at - zero).total_seconds() // 1)
