"""A published route as it stands now: what is behind, what is ahead, and from where it goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import zip_longest
from typing import Any

from sqlmodel import col, select

from hub.dispatch.pauses import parted, resting, still_due
from hub.errors import Refused
from hub.fleet.shifts import span
from hub.nouns import Loads, Matrix, Problem, ProblemStop, ProblemVehicle, Shipment
from hub.nouns.plans import Wall
from hub.nouns.ways import Profile
from hub.orders.happenings import by_id
from hub.planning.day import FIRST, LAST, TAKEN, Point, asked, midnight, seconds_since, wall
from hub.planning.fleet import Terms, able, all_depots, read_terms, rests
from hub.planning.rules import AtDepot, Item
from hub.planning.schedule import run
from hub.planning.visits import shipments, taken
from hub.store import DepotRow, DriverRow, RouteRow, Session, ShiftRow, StopRow, VehicleRow

AHEAD = ("dispatched", "en_route")
UNDELIVERED = ("failed", "returning", "skipped", "cancelled")
"""What a driver who has left the depot still has on board of a stop in such a state."""
COLLECTED = ("completed", "partial")
Ask = Callable[[Sequence[Point], Profile, datetime | None], Matrix]
"""Returns the travel times between places for what drives and leaves then."""


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
    items: tuple[Item, ...]
    """`stops` with the reloads that are planned between them."""
    shipments: tuple[Shipment, ...]
    """What is fetched and brought on the way ahead."""
    depots: Mapping[int, str]
    """Ids of depots by their point."""
    loaded: bool
    """Whether the goods are on board: they can change to no other vehicle, and what is at the
    depot can be brought only by somebody who fetches it."""
    metres: int
    """Of the whole route, as it was planned last."""
    wall: Wall = ()
    over: tuple[dict[str, Any], ...] = ()
    """Breaks and reloads that have begun, as the route keeps them."""


def read_road(session: Session, route: RouteRow, places: dict[Point, int]) -> Road:
    """Return the rest of a route; new places get the next numbers in `places`."""
    return read_roads(session, [route], places)[0]


def read_roads(
    session: Session,
    routes: Sequence[RouteRow],
    places: dict[Point, int],
    terms: Terms | None = None,
) -> list[Road]:
    """Return the rest of some routes of one day, in their order, with one query per table."""
    rows = rows_of(session, routes)
    drivers = by_id(session, DriverRow, {route.driver for route in routes})
    vehicles = by_id(session, VehicleRow, {route.vehicle for route in routes})
    depots, terms = all_depots(session), terms or read_terms(session)
    shifts = shifts_of(session, routes)
    found = []
    for route in routes:
        driver, mine = drivers[route.driver], rows[route.id]
        zero = midnight(route.service_date, depots[route.depot].timezone)
        shift = shifts.get(driver.id)
        place, at = goes_on(session.now, route, mine)
        over, to_come = parted(route, mine, session.now)
        if place is not None and all(row.state not in ("arrived", "en_route") for row in mine):
            at = max(at, resting(over, session.now))
        ends = route.ends_at
        if shift is not None:
            ends = span(depots[driver.depot], route.service_date, shift.starts, shift.ends)[1]
        hours = (seconds_since(zero, at), seconds_since(zero, ends))
        due = rests(session, driver, route.service_date, zero) if shift and shift.breaks else ()
        due = still_due(due, over, to_come, zero, hours[0])
        vehicle = able(driver, vehicles[route.vehicle], hours, places, depots, terms, due)
        more = seconds_since(zero, route.ends_at) - hours[1]
        changed = {"id": route.id, "overtime": max(vehicle.overtime, more)}
        if place is not None:
            changed["start"] = number(places, place)
        vehicle = vehicle.model_copy(update=changed)
        road = road_of(route, zero, vehicle, mine, places, terms, depots, to_come)
        said = wall(route.service_date, depots[route.depot].timezone)
        found.append(replace(road, over=tuple(over), wall=said))
    return found


def shifts_of(session: Session, routes: Sequence[RouteRow]) -> dict[str, ShiftRow]:
    """Return the shifts of the routes' day by driver; who works outside of one has none."""
    if not routes:
        return {}
    drivers = [route.driver for route in routes]
    weekday = routes[0].service_date.weekday()
    query = select(ShiftRow).where(col(ShiftRow.driver).in_(drivers), ShiftRow.weekday == weekday)
    return {shift.driver: shift for shift in session.exec(query)}


def rows_of(session: Session, routes: Iterable[RouteRow]) -> dict[str, list[StopRow]]:
    """Return the stops of routes in their order, by the route's id."""
    rows: dict[str, list[StopRow]] = {route.id: [] for route in routes}
    query = select(StopRow).where(col(StopRow.route).in_(list(rows)))
    for row in session.exec(query.order_by(col(StopRow.position))):
        rows[row.route or ""].append(row)
    return rows


def number(places: dict[Point, int], place: Point) -> int:
    """Return the number of a place; a new one gets the next."""
    return places.setdefault(place, len(places))


def road_of(
    route: RouteRow,
    zero: datetime,
    vehicle: ProblemVehicle,
    rows: Sequence[StopRow],
    places: dict[Point, int],
    terms: Terms,
    depots: Mapping[str, DepotRow],
    pauses: Sequence[Mapping[str, Any]],
) -> Road:
    """Return the rest of a route whose vehicle goes on as `vehicle` says; `pauses` are to come."""
    ahead = sorted((row for row in rows if row.state in AHEAD), key=turn)
    frozen = 1 if ahead and ahead[0].state == "en_route" else 0
    behind = sorted((row for row in rows if row.state not in AHEAD), key=visited)
    loaded = route.state != "ready"
    vehicle = vehicle.model_copy(
        update={
            "visited": sum(row.arrived_at is not None for row in behind),
            "locked": tuple(row.id for row in ahead[:frozen]),
            "carries": aboard(behind, zero, terms) if loaded else (),
        }
    )
    pairs = tuple(shipments(ahead, terms.names)[0])
    stops = tuple(stops_ahead(ahead, pairs, places, zero, terms))
    points = {(row.lat, row.lon): row.id for row in depots.values()}
    return Road(
        route=route.id,
        driver=route.driver,
        zero=zero,
        vehicle=vehicle,
        stops=stops,
        items=tuple(with_reloads(pauses, stops, places, depots)),
        shipments=pairs,
        depots={at: points[place] for place, at in places.items() if place in points},
        frozen=frozen,
        behind=tuple(row.id for row in behind),
        stamp=stamp(route, rows),
        loaded=loaded,
        metres=route.metres,
    )


def stops_ahead(
    rows: Sequence[StopRow],
    pairs: Sequence[Shipment],
    places: dict[Point, int],
    zero: datetime,
    terms: Terms,
) -> list[ProblemStop]:
    """Return the stops ahead; what was fetched for one already is on board from the beginning."""
    both = {id for pair in pairs for id in (pair.pickup, pair.delivery)}
    stops = []
    for row in rows:
        stop = as_promised(row, places, zero, terms)
        if row.pair and row.kind == "delivery" and row.id not in both:
            stop = stop.model_copy(update={"deliver": taken(row, terms.names)})
        stops.append(stop)
    return stops


def with_reloads(
    pauses: Sequence[Mapping[str, Any]],
    stops: Sequence[ProblemStop],
    places: dict[Point, int],
    depots: Mapping[str, DepotRow],
) -> Iterable[Item]:
    """Yield the stops ahead and the reloads to come, those behind a visited stop first."""
    reloads = {
        str(pause["after"]): depots[str(pause["depot"])]
        for pause in pauses
        if pause["kind"] == "reload" and pause["depot"] in depots
    }
    ahead = {stop.id for stop in stops}
    for id, depot in reloads.items():
        if id and id not in ahead:
            yield AtDepot(number(places, (depot.lat, depot.lon)))
    for stop in stops:
        yield stop
        if stop.id in reloads:
            depot = reloads[stop.id]
            yield AtDepot(number(places, (depot.lat, depot.lon)))


def goes_on(
    now: datetime, route: RouteRow, rows: Sequence[StopRow]
) -> tuple[Point | None, datetime]:
    """Return where and when the driver is free: at a door, or None before the start."""
    for row in rows:
        if row.state == "arrived":
            there = row.arrived_at or now
            open_at = max(there, row.window_start or there)
            return (row.lat, row.lon), max(now, open_at + timedelta(seconds=row.service_time))
    for row in rows:
        if row.state == "en_route":
            return (row.lat, row.lon), max(now, row.eta_at or row.planned_at or now)
    gone = [row for row in rows if row.departed_at is not None or row.ended_at is not None]
    if gone:
        last = max(gone, key=visited)
        return (last.lat, last.lon), now
    return None, max(now, route.starts_at)


def turn(row: StopRow) -> tuple[bool, int]:
    """Return a key that sorts stops ahead, the one under way before the others."""
    return row.state != "en_route", row.position or 0


def visited(row: StopRow) -> tuple[bool, float, int]:
    """Return a key that sorts visited stops by their time, and the others behind them."""
    left = row.departed_at or row.ended_at or row.arrived_at
    return (left is None, left.timestamp() if left else 0, row.position or 0)


def aboard(rows: Sequence[StopRow], zero: datetime, terms: Terms) -> Loads:
    """Return what rides to the end of the route: what was not handed over, what was collected."""
    loads: list[Loads] = []
    for row in rows:
        if row.state in UNDELIVERED:
            loads.append(asked(row, {}, zero, terms.names).deliver)
        elif row.state in COLLECTED:
            loads.append(asked(row, {}, zero, terms.names).collect)
    return tuple(sum(amounts) for amounts in zip_longest(*loads, fillvalue=0))


def as_promised(
    row: StopRow, places: dict[Point, int], zero: datetime, terms: Terms
) -> ProblemStop:
    """Return a stop ahead with its latest promised arrival; an early visit waits for no promise."""
    stop = asked(row, places, zero, terms.names)
    opens, closes = row.window_start, row.promised_end or row.window_end
    if len(stop.windows) != 1:
        return stop
    low = FIRST if opens is None else seconds_since(zero, opens)
    if row.windows:  # which of several was promised is known, and it opens then
        low = stop.windows[0][0]
    high = max(low, LAST) if closes is None else seconds_since(zero, closes)
    return stop.model_copy(update={"windows": ((low, high),)})


def stamp(route: RouteRow, rows: Sequence[StopRow]) -> str:
    """Return a fingerprint of a route's stops, their order and states."""
    told = [route.state, *(f"{row.id} {row.position} {row.state}" for row in rows)]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


@dataclass(frozen=True)
class Ways:
    """Travel times between the places of some routes, by what drives."""

    matrix: Matrix
    """Of most vehicles."""
    profiles: Mapping[Profile, Matrix] = field(default_factory=dict)
    """Of the others."""

    @property
    def approximate(self) -> bool:
        """Whether no road was looked at, for one of them at least."""
        return any(one.approximate for one in (self.matrix, *self.profiles.values()))


def ways(roads: Iterable[Road], places: Sequence[Point], ask: Ask) -> Ways:
    """Return the travel times between places for whatever drives on some roads.

    As of when the first of the drivers goes on, so that the traffic of now counts.
    """
    roads = list(roads)
    used = [road.vehicle.profile for road in roads]
    kinds = sorted(set(used), key=lambda one: (-used.count(one), one)) or ["van"]
    departs = min(
        (road.zero + timedelta(seconds=road.vehicle.shift[0]) for road in roads), default=None
    )
    found = {kind: ask(places, kind, departs) for kind in kinds}
    return Ways(found.pop(kinds[0]), found)


def problem_of(roads: Iterable[Road], ways: Ways, *more: ProblemStop) -> Problem:
    """Return what is ahead on some routes, and perhaps more stops, as a problem."""
    found = list(roads)
    stops = [stop for road in found for stop in road.stops]
    return Problem(
        stops=(*stops, *more),
        vehicles=tuple(road.vehicle for road in found),
        matrix=ways.matrix,
        profiles=dict(ways.profiles),
        shipments=tuple(pair for road in found for pair in road.shipments),
        wall=found[0].wall if found else (),
    )


def lenient(road: Road, ways: Ways) -> Road:
    """Return the road with what is late already excused, but only by as much as it is late.

    So a new stop never makes a late one later, and never adds to overtime beyond what is allowed.
    """
    asis = run(problem_of([road], ways), road.vehicle, road.items, road.vehicle.shift[0])
    arrivals = {visit.stop: visit.arrive for visit in asis.visits}
    overtime = max(road.vehicle.overtime, asis.ends - road.vehicle.shift[1])
    driven = max(0, road.metres - asis.metres) if road.loaded else 0
    vehicle = road.vehicle.model_copy(update={"overtime": overtime, "driven": driven})
    return with_stops(
        replace(road, vehicle=vehicle),
        [excused(stop, arrivals[stop.id]) for stop in road.stops],
    )


def with_stops(road: Road, stops: Sequence[ProblemStop]) -> Road:
    """Return a road with other words about the same stops."""
    told = {stop.id: stop for stop in stops}
    items = tuple(told[one.id] if isinstance(one, ProblemStop) else one for one in road.items)
    return replace(road, stops=tuple(stops), items=items)


def excused(stop: ProblemStop, arrives: int) -> ProblemStop:
    """Return a stop whose last window closes no earlier than it is reached as things are."""
    if not stop.windows or arrives <= stop.windows[-1][1]:
        return stop
    windows = (*stop.windows[:-1], (stop.windows[-1][0], arrives))
    return stop.model_copy(update={"windows": windows})


def published(session: Session, depot: str, day: date, *, waiting: bool = False) -> list[str]:
    """Return the ids of a depot's published routes of a day, but none of a driver who is off.

    With `waiting` only those whose goods are still at the depot.
    """
    states = ("ready",) if waiting else TAKEN
    return list(
        session.exec(
            select(RouteRow.id)
            .join(DriverRow, col(DriverRow.id) == RouteRow.driver)
            .where(
                RouteRow.depot == depot,
                RouteRow.service_date == day,
                col(RouteRow.state).in_(states),
                col(DriverRow.active).is_(True),
            )
            .order_by(RouteRow.id)
        )
    )


def check_published(route: RouteRow) -> None:
    """Raise `Refused` for a route that is not on its way to be driven."""
    if route.state not in TAKEN:
        raise Refused(f"route {route.id} is {route.state}; only a published one can be changed")
