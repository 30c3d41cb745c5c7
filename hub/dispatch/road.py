"""A published route as it stands now: what is behind, what is ahead, and from where it goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, select

from hub.errors import Refused
from hub.fleet.shifts import shift_on
from hub.nouns import Matrix, Problem, ProblemStop, ProblemVehicle
from hub.planning.day import LAST, TAKEN, Point, midnight, seconds_since
from hub.planning.schedule import run
from hub.store import DepotRow, DriverRow, RouteRow, Session, StopRow, VehicleRow

AHEAD = ("dispatched", "en_route")


@dataclass(frozen=True)
class Road:
    """The rest of one route as a small problem; seconds count from local midnight."""

    route: str
    driver: str
    zero: datetime
    vehicle: ProblemVehicle
    """Starts where and when the driver goes on; `id` is the route's."""
    stops: tuple[ProblemStop, ...]
    """Those ahead, in order."""
    frozen: int
    """How many of `stops` nothing may precede: 1 while the driver is on the way to the first."""
    behind: tuple[str, ...]
    """Stops that are visited or left out, in the order of their visits."""
    stamp: str
    """Changes with every change of the route's stops or their states."""


def read_road(session: Session, route: RouteRow, places: dict[Point, int]) -> Road:
    """Return the rest of a route; new places get the next numbers in `places`."""
    depot = session.get_one(DepotRow, route.depot)
    vehicle = session.get_one(VehicleRow, route.vehicle)
    zero = midnight(route.service_date, depot.timezone)
    query = select(StopRow).where(StopRow.route == route.id).order_by(col(StopRow.position))
    rows = list(session.exec(query))
    ahead = [row for row in rows if row.state in AHEAD]
    ahead.sort(key=lambda row: (row.state != "en_route", row.position or 0))
    place, at = goes_on(session, route, depot, rows)
    shift = shift_on(session, route.driver, route.service_date)
    ends = max(route.ends_at, shift[1]) if shift else route.ends_at
    return Road(
        route=route.id,
        driver=route.driver,
        zero=zero,
        vehicle=ProblemVehicle(
            id=route.id,
            start=places.setdefault(place, len(places)),
            end=places.setdefault((depot.lat, depot.lon), len(places)),
            capacity=(vehicle.capacity,),
            shift=(seconds_since(zero, at), seconds_since(zero, ends)),
        ),
        stops=tuple(as_promised(row, places, zero) for row in ahead),
        frozen=1 if ahead and ahead[0].state == "en_route" else 0,
        behind=tuple(row.id for row in sorted(rows, key=visited) if row.state not in AHEAD),
        stamp=stamp(route, rows),
    )


def goes_on(
    session: Session, route: RouteRow, depot: DepotRow, rows: Sequence[StopRow]
) -> tuple[Point, datetime]:
    """Return where and when the driver is free: at a door, or at the depot before the start."""
    now = session.now
    for row in rows:
        if row.state == "arrived":
            open_at = max(row.arrived_at or now, row.window_start or now)
            return (row.lat, row.lon), max(now, open_at + timedelta(seconds=row.service_time))
    for row in rows:
        if row.state == "en_route":
            return (row.lat, row.lon), max(now, row.eta_at or row.planned_at or now)
    gone = [row for row in rows if row.departed_at is not None or row.ended_at is not None]
    if gone:
        last = max(gone, key=visited)
        return (last.lat, last.lon), now
    return (depot.lat, depot.lon), max(now, route.starts_at)


def visited(row: StopRow) -> tuple[bool, float, int]:
    """Return a key that sorts visited stops by their time, and the others behind them."""
    left = row.departed_at or row.ended_at or row.arrived_at
    return (left is None, left.timestamp() if left else 0, row.position or 0)


def as_promised(row: StopRow, places: dict[Point, int], zero: datetime) -> ProblemStop:
    """Return a stop ahead with its latest promised arrival; an early visit waits for no promise."""
    window = None
    opens, closes = row.window_start, row.promised_end or row.window_end
    if opens is not None or closes is not None:
        low = 0 if opens is None else seconds_since(zero, opens)
        window = (low, max(low, LAST) if closes is None else seconds_since(zero, closes))
    return ProblemStop(
        id=row.id,
        point=places.setdefault((row.lat, row.lon), len(places)),
        service=row.service_time,
        deliver=(row.load,),
        windows=() if window is None else (window,),
    )


def stamp(route: RouteRow, rows: Sequence[StopRow]) -> str:
    """Return a fingerprint of a route's stops, their order and states."""
    told = [route.state, *(f"{row.id} {row.position} {row.state}" for row in rows)]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def problem_of(roads: Iterable[Road], matrix: Matrix, *more: ProblemStop) -> Problem:
    """Return what is ahead on some routes, and perhaps more stops, as a problem."""
    found = list(roads)
    stops = [stop for road in found for stop in road.stops]
    return Problem(
        stops=(*stops, *more), vehicles=tuple(road.vehicle for road in found), matrix=matrix
    )


def lenient(road: Road, matrix: Matrix) -> Road:
    """Return the road with what is late already excused, but only by as much as it is late.

    So a new stop never makes a late one later, and never adds to overtime.
    """
    asis = run(problem_of([road], matrix), road.vehicle, road.stops, road.vehicle.shift[0])
    stops = []
    for stop, visit in zip(road.stops, asis.visits, strict=True):
        if stop.windows and visit.arrive > stop.windows[-1][1]:
            windows = (*stop.windows[:-1], (stop.windows[-1][0], visit.arrive))
            stop = stop.model_copy(update={"windows": windows})
        stops.append(stop)
    shift = (road.vehicle.shift[0], max(road.vehicle.shift[1], asis.ends))
    vehicle = road.vehicle.model_copy(update={"shift": shift})
    return Road(**{**vars(road), "stops": tuple(stops), "vehicle": vehicle})


def published(session: Session, stop: StopRow) -> list[RouteRow]:
    """Return the published routes of a stop's depot and day, but none of a driver who is off."""
    return list(
        session.exec(
            select(RouteRow)
            .join(DriverRow, col(DriverRow.id) == RouteRow.driver)
            .where(
                RouteRow.depot == stop.depot,
                RouteRow.service_date == stop.service_date,
                col(RouteRow.state).in_(TAKEN),
                col(DriverRow.active).is_(True),
            )
            .order_by(RouteRow.id)
        )
    )


def check_published(route: RouteRow) -> None:
    """Raise `Refused` for a route that is not on its way to be driven."""
    if route.state not in TAKEN:
        raise Refused(f"route {route.id} is {route.state}; only a published one can be changed")
