"""Keep every remaining stop's ETA true, and say once when the driver is near."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from sqlmodel import col, select

from hub.dispatch.held import Held, hold_if
from hub.dispatch.pauses import lasts, parted, resting
from hub.errors import Missing
from hub.events.catalogue import StopApproaching, StopEtaChanged
from hub.fleet.abilities import HOME
from hub.nouns import Location
from hub.nouns.ways import Profile
from hub.orders.happenings import by_id, tell_stop, tell_stops
from hub.planning.fleet import place_of
from hub.planning.times import seconds_between
from hub.queue import Claim, defer, enqueue, finish
from hub.store import DepotRow, DriverRow, EtaRow, RouteRow, Session, StopRow, VehicleRow
from hub.tracking import forecast
from hub.tracking.positions import Position

if TYPE_CHECKING:
    from hub.hub import Hub

KIND = "etas"
NEAR = timedelta(minutes=10)
TOGETHER = 5
"""ETAs that one transaction issues, so that it stays short however long the route is."""
RUNNING = ("ready", "loaded", "in_progress")


def refresh(
    session: Session,
    held: Held,
    now: datetime,
    position: Position | None = None,
    *,
    only_next: bool = False,
) -> bool:
    """Issue new ETAs for the remaining stops of a route, from its driver's position if known.

    Without a position it goes on from the last door (or the depot). Each new ETA is a row of its
    own and an event; `stop.approaching` is told once per stop. Does nothing for a route that is
    not published or already closed, except to tell what was not told yet. The next stops come
    first; return whether there are more than one transaction takes, for which to call this again.
    """
    route, stops = held.route, held.stops
    etas: list[tuple[StopRow, datetime]] = []
    news: list[tuple[StopRow, datetime]] = []
    if route.state in RUNNING:
        etas = expected(session, route, stops, now, position)
        looked_at = etas[:1] if only_next else etas
        news = [(stop, eta) for stop, eta in looked_at if forecast.moved(stop.eta_at, eta, now)]
        issue(session, held, news[:TOGETHER], "report" if position is None else "live", now)
    tell_near(session, held, etas, now)
    return len(news) > TOGETHER


def after_report(session: Session, held: Held) -> None:
    """Bring the ETAs up to date after a driver's report, in the report's own transaction.

    What is too much for it becomes work of its own.
    """
    if refresh(session, held, session.now):
        enqueue(session, KIND, held.route.id)


def work(hub: Hub, claim: Claim) -> None:
    """Issue what a report has left to do, one short transaction after another."""
    with hub.store.write() as session:
        if refresh(session, hold_route(session, claim.subject), session.now):
            defer(session, claim, session.wall)
        else:
            finish(session, claim)


def is_due(
    session: Session, route: RouteRow, stops: Sequence[StopRow], now: datetime, position: Position
) -> bool:
    """Say whether the next stop's ETA is news, or the driver has just come near."""
    etas = expected(session, route, stops, now, position)
    if not etas:
        return False
    stop, eta = etas[0]
    return forecast.moved(stop.eta_at, eta, now) or is_near(stop, eta, now)


def expected(
    session: Session,
    route: RouteRow,
    stops: Sequence[StopRow],
    now: datetime,
    position: Position | None,
) -> list[tuple[StopRow, datetime]]:
    """Return the remaining stops of a route with their ETAs as of `now`.

    By straight lines, for what drives; with the breaks and reloads that are to come.
    """
    driver = session.get_one(DriverRow, route.driver)
    vehicle = session.get_one(VehicleRow, route.vehicle)
    ids = {route.depot, driver.depot, driver.start_place, *(one["depot"] for one in route.pauses)}
    depots = by_id(session, DepotRow, {id for id in ids if id not in ("", HOME)})
    lat, lon = place_of(driver, driver.start_place, depots)
    begin = forecast.start(route, Location(lat=lat, lon=lon), stops, now, position)
    ahead = forecast.remaining(stops)
    over, due = parted(route, stops, now)
    if all(stop.state not in ("arrived", "en_route") for stop in stops):
        begin = replace(begin, at=max(begin.at, resting(over, begin.at)))
    travel = partial(seconds_between, profile=cast(Profile, vehicle.profile))
    return list(forecast.forecast(begin, ahead, now, travel, halts(due, ahead, depots)))


def halts(
    due: Sequence[Mapping[str, Any]], ahead: Sequence[StopRow], depots: Mapping[str, DepotRow]
) -> dict[str, list[forecast.Halt]]:
    """Return the pauses to come by the stop behind which they are, "" for where the driver is.

    Who is on the way to a stop rests behind it at the soonest.
    """
    known = {stop.id for stop in ahead}
    under_way = ahead[0].id if ahead and ahead[0].state == "en_route" else ""
    found: dict[str, list[forecast.Halt]] = {}
    for pause in due:
        depot = depots.get(pause["depot"])
        place = None if depot is None else Location(lat=depot.lat, lon=depot.lon)
        after = pause["after"] if pause["after"] in known else under_way
        found.setdefault(after, []).append(forecast.Halt(lasts(pause), place))
    return found


def issue(
    session: Session,
    held: Held,
    news: Sequence[tuple[StopRow, datetime]],
    source: str,
    now: datetime,
) -> None:
    """Store new ETAs and tell them, in a few statements however long the route is."""
    if not news:
        return
    for stop, eta in news:
        low, high = forecast.interval(eta, now)
        stop.eta_at, stop.eta_low, stop.eta_high = eta, low, high
        session.add(
            EtaRow(stop=stop.id, issued_at=now, eta_at=eta, low=low, high=high, source=source)
        )
    tell_stops(session, StopEtaChanged, [stop for stop, _eta in news], on=[held.facts()])


def tell_near(
    session: Session, held: Held, etas: Sequence[tuple[StopRow, datetime]], now: datetime
) -> None:
    """Tell `stop.approaching` for the next stop when it is near, and at the latest on arrival."""
    for stop in held.stops:
        if stop.arrived_at is not None and stop.approached_at is None:
            approach(session, held, stop, stop.arrived_at)
    if etas and is_near(*etas[0], now):
        approach(session, held, etas[0][0], now)


def is_near(stop: StopRow, eta: datetime, now: datetime) -> bool:
    """Say whether the driver is on the way to `stop`, ten minutes away, and that was not told."""
    return stop.state == "en_route" and stop.approached_at is None and eta - now <= NEAR


def approach(session: Session, held: Held, stop: StopRow, at: datetime) -> None:
    """Tell that the driver is near; at most once in a stop's life."""
    stop.approached_at = at
    tell_stop(session, StopApproaching, stop, on=held.facts(), occurred_at=at)


def hold_route(session: Session, id: str) -> Held:
    """Return a route as it is now, and keep others from changing its ETAs meanwhile.

    A phone's report and the position worker may come at the same moment.
    """
    held = hold_if(session, RouteRow.id == id)
    if held is None:
        raise Missing(f"there is no route {id}")
    return held


def stops_of(session: Session, route_id: str) -> list[StopRow]:
    """Return the stops of a route in their order, freshly read."""
    found = session.exec(
        select(StopRow)
        .where(StopRow.route == route_id)
        .order_by(col(StopRow.position))
        .execution_options(populate_existing=True)
    )
    return list(found)
