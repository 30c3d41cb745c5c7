"""Routes and plans as people read them, with no more than the principal may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlmodel import col

from hub.access import scoped
from hub.dispatch.timeline import PauseLine, loading, pause_lines
from hub.fleet.measures import Measures, measures
from hub.nouns import Address, Noun
from hub.orders.happenings import by_id
from hub.orders.wishes import read_windows
from hub.store import (
    DepotRow,
    DriverRow,
    OrderRow,
    PlanRow,
    RouteRow,
    Session,
    StopRow,
    VehicleRow,
)


class Name(Noun):
    """Something by its id, and what people call it."""

    id: str
    name: str


class StopLine(Noun):
    """One visit of a route."""

    id: str
    order: str
    ref: str
    name: str
    address: str
    kind: str
    state: str
    position: int | None
    lat: float
    lon: float
    load: int
    loads: dict[str, int]
    """By measure beyond the first."""
    skills: tuple[str, ...]
    priority: int
    windows: tuple[tuple[datetime, datetime], ...]
    """Where there are several; `window_start` and `window_end` are then their outer edges."""
    ad_hoc: bool
    window_start: datetime | None
    window_end: datetime | None
    promised_start: datetime | None
    promised_end: datetime | None
    planned_at: datetime | None
    eta_at: datetime | None
    ended_at: datetime | None


class RouteSheet(Noun):
    """One route with those of its stops that the principal may see; `load` is of these."""

    id: str
    plan: str | None
    state: str
    service_date: date
    depot: Name
    driver: Name
    vehicle: Name
    capacity: int
    load: int
    capacities: dict[str, int]
    """By measure beyond the first, where the vehicle has a limit."""
    loads: dict[str, int]
    starts_at: datetime
    ends_at: datetime
    metres: int
    published_at: datetime | None
    cost: Decimal | None
    """Of the plan, where prices of vehicles are known."""
    currency: str
    pauses: tuple[PauseLine, ...]
    loading: tuple[tuple[str, ...], ...]
    """Ids of stops per trip in the order in which their goods are loaded: the last stop's first."""
    stops: tuple[StopLine, ...]


class LeftOut(Noun):
    """A stop that a plan left out, and why."""

    stop: str
    ref: str
    reason: str
    place: str = ""
    """Its address and pin, where these are what has to be looked at."""


class PlanSheet(Noun):
    """One plan, its routes as they are now, and what it left out."""

    id: str
    depot: Name
    service_date: date
    state: str
    reason: str
    engine: str
    why: str
    """Why this engine."""
    progress: dict[str, float]
    """`cost`, `left_out` and `seconds` of the best find so far, `of` how many seconds; empty
    until something is found."""
    approximate: bool
    """Travel times are straight lines made longer: good for a first look, not for promises."""
    seconds: float
    created_at: datetime
    finished_at: datetime | None
    routes: tuple[RouteSheet, ...]
    unserved: tuple[LeftOut, ...]


def route_sheets(session: Session, routes: Sequence[RouteRow]) -> list[RouteSheet]:
    """Return routes as sheets, in their order, with a handful of queries for all of them."""
    wanted = [route.id for route in routes]
    query = scoped(session, StopRow).where(col(StopRow.route).in_(wanted))
    stops = list(session.exec(query.order_by(col(StopRow.position))))
    orders = by_id(session, OrderRow, {stop.order for stop in stops})
    reloads = {pause["depot"] for route in routes for pause in route.pauses if pause["depot"]}
    depots = by_id(session, DepotRow, {route.depot for route in routes} | reloads)
    drivers = by_id(session, DriverRow, {route.driver for route in routes})
    vehicles = by_id(session, VehicleRow, {route.vehicle for route in routes})
    counted = measures(session)
    own: dict[str, list[StopRow]] = {id: [] for id in wanted}
    for stop in stops:
        own[stop.route or ""].append(stop)
    return [
        route_sheet(
            route,
            depots,
            drivers[route.driver],
            vehicles[route.vehicle],
            own[route.id],
            orders,
            counted,
        )
        for route in routes
    ]


def route_sheet(
    route: RouteRow,
    depots: Mapping[str, DepotRow],
    driver: DriverRow,
    vehicle: VehicleRow,
    stops: Sequence[StopRow],
    orders: Mapping[str, OrderRow],
    counted: Measures,
) -> RouteSheet:
    """Return one route as a sheet."""
    depot, others = depots[route.depot], counted.names[1:]
    return RouteSheet(
        id=route.id,
        plan=route.plan,
        state=route.state,
        service_date=route.service_date,
        depot=Name(id=depot.id, name=depot.name),
        driver=Name(id=driver.id, name=driver.name),
        vehicle=Name(id=vehicle.id, name=vehicle.name),
        capacity=vehicle.capacity,
        load=sum(stop.load for stop in stops),
        capacities={n: vehicle.capacities[n] for n in others if n in vehicle.capacities},
        loads={name: sum(stop.loads.get(name, 0) for stop in stops) for name in others},
        starts_at=route.starts_at,
        ends_at=route.ends_at,
        metres=route.metres,
        published_at=route.published_at,
        cost=route.cost,
        currency=counted.currency,
        pauses=pause_lines(route, depot.timezone, depots, {stop.id for stop in stops}),
        loading=tuple(tuple(trip) for trip in loading(route, stops)),
        stops=tuple(stop_line(stop, orders[stop.order]) for stop in stops),
    )


def stop_line(stop: StopRow, order: OrderRow) -> StopLine:
    """Return a stop as a line of its route."""
    return StopLine(
        id=stop.id,
        order=order.id,
        ref=order.ref,
        name=order.name,
        address=", ".join(part for part in order.address.values() if part),
        kind=stop.kind,
        state=stop.state,
        position=stop.position,
        lat=stop.lat,
        lon=stop.lon,
        load=stop.load,
        loads=stop.loads,
        skills=tuple(stop.skills),
        priority=stop.priority,
        windows=tuple(read_windows(stop.windows)),
        ad_hoc=stop.ad_hoc,
        window_start=stop.window_start,
        window_end=stop.window_end,
        promised_start=stop.promised_start,
        promised_end=stop.promised_end,
        planned_at=stop.planned_at,
        eta_at=stop.eta_at,
        ended_at=stop.ended_at,
    )


def routes_of(session: Session, day: date, depot: str | None = None) -> list[RouteSheet]:
    """Return the routes of a day that are not cancelled, drafts included."""
    query = scoped(session, RouteRow).where(
        RouteRow.service_date == day, col(RouteRow.state) != "cancelled"
    )
    if depot is not None:
        query = query.where(RouteRow.depot == depot)
    return route_sheets(session, session.exec(query.order_by(RouteRow.id)).all())


def open_stops(session: Session, day: date, depot: str) -> list[StopLine]:
    """Return the stops of a depot's day that have no route."""
    query = scoped(session, StopRow).where(
        StopRow.service_date == day, StopRow.depot == depot, StopRow.state == "unassigned"
    )
    stops = session.exec(query.order_by(StopRow.id)).all()
    orders = by_id(session, OrderRow, {stop.order for stop in stops})
    return [stop_line(stop, orders[stop.order]) for stop in stops]


def plan_sheet(session: Session, plan: PlanRow) -> PlanSheet:
    """Return a plan with its routes and what it left out."""
    depot = session.get_one(DepotRow, plan.depot)
    query = scoped(session, RouteRow).where(
        RouteRow.plan == plan.id, col(RouteRow.state) != "cancelled"
    )
    routes = session.exec(query.order_by(RouteRow.id)).all()
    return PlanSheet(
        id=plan.id,
        depot=Name(id=depot.id, name=depot.name),
        service_date=plan.service_date,
        state=plan.state,
        reason=plan.reason,
        engine=plan.engine,
        why=plan.why,
        progress=plan.progress,
        approximate=plan.approximate,
        seconds=plan.seconds,
        created_at=plan.created_at,
        finished_at=plan.finished_at,
        routes=tuple(route_sheets(session, routes)),
        unserved=left_out(session, plan),
    )


def left_out(session: Session, plan: PlanRow) -> tuple[LeftOut, ...]:
    """Return what a plan left out, with the orders' numbers."""
    ids = {left["stop"] for left in plan.unserved}
    stops = by_id(session, StopRow, ids)
    orders = by_id(session, OrderRow, {stop.order for stop in stops.values()})
    places = doubtful(plan, stops, orders)
    return tuple(
        LeftOut(
            stop=left["stop"],
            ref=orders[stops[left["stop"]].order].ref if left["stop"] in stops else "",
            reason=left["reason"],
            place=places.get(left["stop"], ""),
        )
        for left in plan.unserved
    )


def doubtful(
    plan: PlanRow, stops: Mapping[str, StopRow], orders: Mapping[str, OrderRow]
) -> dict[str, str]:
    """Return address and pin of the stops that a plan could not reach, by the stop."""
    lost = [left["stop"] for left in plan.unserved if left.get("rule") == "unreachable"]
    return {id: place_words(stops[id], orders[stops[id].order]) for id in lost if id in stops}


def place_words(stop: StopRow, order: OrderRow) -> str:
    """Return where a stop is meant to be, and where its pin is."""
    pin = f"{stop.lat:.5f}, {stop.lon:.5f}"
    address = Address(**order.address).text()
    return f"{address} (pin at {pin})" if address else f"pin at {pin}"
