"""The driver's sheet: today's route and its stops in order, as the phone shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlmodel import col, select

from hub.dispatch.timeline import PauseLine, loading, pause_lines
from hub.driving import attempts, routes
from hub.errors import Missing
from hub.nouns import Address, Noun
from hub.orders.reasons import REASONS
from hub.planning.fleet import all_depots, place_of
from hub.store import DriverRow, OrderLineRow, OrderRow, RouteRow, Session, StopRow


class SheetLine(Noun):
    """One article to hand over, `quantity` pieces of it."""

    id: str
    name: str
    sku: str
    quantity: int


class SheetDepot(Noun):
    """Whose goods the route carries, and the zone its times are shown in."""

    name: str
    lat: float
    lon: float
    timezone: str


class SheetPlace(Noun):
    """Where a day begins or ends: at a depot, or at home."""

    lat: float
    lon: float


class SheetRoute(Noun):
    """The route of the day."""

    id: str
    state: str
    service_date: date
    depot: SheetDepot
    start: SheetPlace
    end: SheetPlace
    pauses: tuple[PauseLine, ...]
    """Breaks and reloads, each behind the stop that it follows."""
    loading: tuple[tuple[str, ...], ...]
    """Ids of stops per trip in the order in which their goods are loaded: the last stop's first."""


class SheetStop(Noun):
    """One stop with what the driver needs at the door; amounts are decimal text."""

    id: str
    position: int
    state: str
    kind: str
    ref: str
    name: str
    phone: str
    address: str
    lat: float
    lon: float
    window_start: datetime | None
    window_end: datetime | None
    notes: str
    cash_due: str | None
    currency: str
    lines: tuple[SheetLine, ...]
    eta_at: datetime | None
    planned_at: datetime | None
    arrived_at: datetime | None
    departed_at: datetime | None
    ended_at: datetime | None
    reason: str


class Sheet(Noun):
    """All that the driver's page shows; `speed` is business seconds per second."""

    now: datetime
    speed: float
    driver: dict[str, str]
    route: SheetRoute | None
    stops: tuple[SheetStop, ...]
    reasons: tuple[dict[str, str], ...]


def sheet(session: Session, driver_id: str, day: date | None = None) -> Sheet:
    """Return the sheet of a driver for `day` (default: today at the depot)."""
    driver = session.get(DriverRow, driver_id)
    if driver is None:
        raise Missing(f"there is no driver {driver_id}")
    route = routes.current(session, driver_id, day)
    stops = stops_of(session, route) if route else []
    rate = session.clock.rate()
    return Sheet(
        now=session.now,
        speed=1.0 if rate is None else rate.speed,
        driver={"id": driver.id, "name": driver.name},
        route=sheet_route(session, route, stops) if route else None,
        stops=tuple(sheet_stops(session, stops)),
        reasons=tuple({"code": code, "label": label} for code, label in REASONS.items()),
    )


def sheet_route(session: Session, route: RouteRow, stops: Sequence[StopRow]) -> SheetRoute:
    """Return the route's head."""
    depots = all_depots(session)
    depot = depots[route.depot]
    driver = session.get_one(DriverRow, route.driver)
    start, end = (place_of(driver, at, depots) for at in (driver.start_place, driver.end_place))
    return SheetRoute(
        id=route.id,
        state=route.state,
        service_date=route.service_date,
        depot=SheetDepot(name=depot.name, lat=depot.lat, lon=depot.lon, timezone=depot.timezone),
        start=SheetPlace(lat=start[0], lon=start[1]),
        end=SheetPlace(lat=end[0], lon=end[1]),
        pauses=pause_lines(route, depot.timezone, depots, {stop.id for stop in stops}),
        loading=tuple(tuple(trip) for trip in loading(route, stops)),
    )


def stops_of(session: Session, route: RouteRow) -> list[StopRow]:
    """Return the stops of a route in driving order; those taken off it are left out."""
    query = select(StopRow).where(
        StopRow.route == route.id, col(StopRow.state).not_in(["cancelled", "on_hold"])
    )
    return list(session.exec(query.order_by(col(StopRow.position))))


def sheet_stops(session: Session, stops: Sequence[StopRow]) -> list[SheetStop]:
    """Return stops as the driver sees them."""
    orders = session.exec(
        select(OrderRow).where(col(OrderRow.id).in_([stop.order for stop in stops]))
    )
    by_id = {order.id: order for order in orders}
    lines = attempts.lines_by_order(session, list(by_id))
    return [sheet_stop(stop, by_id[stop.order], lines.get(stop.order, [])) for stop in stops]


def sheet_stop(stop: StopRow, order: OrderRow, lines: list[OrderLineRow]) -> SheetStop:
    """Return one stop as the driver sees it."""
    return SheetStop(
        id=stop.id,
        position=stop.position or 0,
        state=stop.state,
        kind=stop.kind,
        ref=order.ref,
        name=order.name,
        phone=order.phone,
        address=Address.model_validate(order.address).text(),
        lat=stop.lat,
        lon=stop.lon,
        window_start=stop.promised_start or stop.window_start,
        window_end=stop.promised_end or stop.window_end,
        notes=order.notes,
        cash_due=None if order.cash_due is None else f"{order.cash_due:.2f}",
        currency=order.currency,
        lines=tuple(
            SheetLine(id=line.id, name=line.name, sku=line.sku, quantity=line.quantity)
            for line in lines
        ),
        eta_at=stop.eta_at,
        planned_at=stop.planned_at,
        arrived_at=stop.arrived_at,
        departed_at=stop.departed_at,
        ended_at=stop.ended_at,
        reason=stop.reason,
    )
