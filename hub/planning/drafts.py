"""Draft routes: stored route by route, each in a short transaction, and thrown away again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, update
from sqlmodel import col, select

from hub.errors import Missing, Retry
from hub.events.catalogue import StopPlanned
from hub.nouns import Loads, Pause, Plan, PlannedRoute, ProblemStop, ProblemVehicle, Visit
from hub.orders.happenings import tell_stops
from hub.planning.costs import route_cost
from hub.planning.day import TAKEN, Day, Point, asked, at_work, seconds_since
from hub.planning.fleet import all_depots, read_terms
from hub.planning.visits import taken as carried
from hub.store import (
    DriverRow,
    PlanRow,
    ReoptimisationRow,
    RouteRow,
    RouteWayRow,
    Session,
    StopRow,
    VehicleRow,
)
from hub.store.states import move_stop

PLACE = ("position", "planned_at", "eta_at", "eta_low", "eta_high")
"""What a stop has of its route."""


class Moved(Retry):
    """Say that the day changed while it was being planned; plan it again."""


def drafts(session: Session, plan: PlanRow) -> list[RouteRow]:
    """Return the draft routes of a plan's depot and date, whichever plan made them."""
    return list(
        session.exec(
            select(RouteRow)
            .where(
                RouteRow.depot == plan.depot,
                RouteRow.service_date == plan.service_date,
                RouteRow.state == "draft",
            )
            .order_by(RouteRow.id)
        )
    )


@dataclass(frozen=True)
class Copy:
    """A draft as it was before it was thrown away, and where its stops were."""

    route: dict[str, Any]
    stops: dict[str, dict[str, Any]]


def discard(session: Session, route_id: str) -> Copy | None:
    """Delete a draft route and return a copy; its stops are unassigned again.

    Other routes are left as they are.
    """
    route = session.exec(
        select(RouteRow).where(RouteRow.id == route_id).with_for_update()
    ).one_or_none()
    if route is None or route.state != "draft":
        return None
    copy = Copy(route.model_dump(), {})
    held = select(StopRow).where(StopRow.route == route.id).order_by(StopRow.id)
    for stop in session.exec(held.with_for_update(key_share=True)):
        if stop.state == "planned":
            move_stop(stop, "unassigned")
            copy.stops[stop.id] = stop.model_dump(include={"route", *PLACE})
        take_out(stop)
    session.flush()
    session.exec(delete(RouteWayRow).where(col(RouteWayRow.route) == route.id))
    named = update(ReoptimisationRow).where(col(ReoptimisationRow.route) == route.id)
    session.exec(named.values(route=None))
    session.delete(route)
    return copy


def bring_back(session: Session, copy: Copy) -> None:
    """Make a draft anew that was thrown away, with those of its stops that are free."""
    query = select(StopRow).where(
        col(StopRow.id).in_(list(copy.stops)),
        StopRow.state == "unassigned",
        StopRow.depot == copy.route["depot"],
        StopRow.service_date == copy.route["service_date"],
    )
    stops = session.exec(query.order_by(StopRow.id).with_for_update(key_share=True)).all()
    if not stops:
        return
    session.add(RouteRow(**copy.route))
    session.flush()
    for stop in stops:
        move_stop(stop, "planned")
        for name, value in copy.stops[stop.id].items():
            setattr(stop, name, value)


def take_out(stop: StopRow) -> None:
    """Forget where on which route a stop was; what was promised stays."""
    stop.route = None
    for name in PLACE:
        setattr(stop, name, None)


def keep(session: Session, plan: PlanRow, day: Day, route: PlannedRoute) -> str:
    """Add one route as a draft without stops and return its id.

    Raises `Moved` for a driver who has got a published route, or is gone, by now, or whose vehicle
    or hours are others than was planned with.
    """
    driver = session.get(DriverRow, route.vehicle)
    if driver is None or not driver.active:
        raise Moved(f"driver {route.vehicle} is not there any more; plan again")
    taken = select(RouteRow.id).where(
        RouteRow.driver == driver.id,
        RouteRow.service_date == day.date,
        col(RouteRow.state).in_(TAKEN),
    )
    if session.exec(taken).first() is not None:
        raise Moved(f"{driver.name} has got a route meanwhile; plan again")
    check_vehicle(session, driver, day, vehicle_of(day, route))
    row = RouteRow(
        plan=plan.id,
        depot=day.depot,
        driver=driver.id,
        vehicle=driver.vehicle,
        service_date=day.date,
        starts_at=day.at(route.starts),
        ends_at=day.at(route.ends),
        metres=route.metres,
        pauses=pause_rows(route.visits, route.pauses, day.zero, day.depots),
        cost=day.terms.money(route_cost(vehicle_of(day, route), route)),
    )
    session.add(row)
    return row.id


def vehicle_of(day: Day, route: PlannedRoute) -> ProblemVehicle:
    """Return who drives a route of the day's plan."""
    return next(one for one in day.vehicles if one.id == route.vehicle)


def check_unmoved(day: Day, now: Day, plan: Plan, begun: int) -> None:
    """Raise `Moved` when what was planned is not so any more `now`, at second `begun` of the day.

    New stops may have come.
    """
    drivers = {one.id: placed(one, now.points, begun) for one in now.vehicles}
    goods, goods_now = day.shipment_of, now.shipment_of
    before = {stop.id: (stop, day.points[stop.point]) for stop in day.stops}
    after = {stop.id: (stop, now.points[stop.point]) for stop in now.stops}
    for route in plan.routes:
        if not route.visits:
            continue
        if drivers.get(route.vehicle) != placed(vehicle_of(day, route), day.points, begun):
            raise Moved(f"driver {route.vehicle} was changed while the day was planned")
        for visit in route.visits:
            one, other = before[visit.stop], after.get(visit.stop)
            if (
                other is None
                or one[1] != other[1]
                or one[0] != other[0].model_copy(update={"point": one[0].point})
                or goods.get(visit.stop) != goods_now.get(visit.stop)
            ):
                raise Moved(f"stop {visit.stop} was changed while it was planned")


def check_vehicle(session: Session, driver: DriverRow, day: Day, planned: ProblemVehicle) -> None:
    """Raise `Moved` unless a driver works with the vehicle, and as long, as was planned with."""
    vehicle = session.get_one(VehicleRow, driver.vehicle)
    places = {place: number for number, place in enumerate(day.points)}
    depots, terms = all_depots(session), read_terms(session)
    now = at_work(session, driver, vehicle, day.date, day.zero, places, depots, terms)
    if now is None or not vehicle.active:
        raise Moved(f"{driver.name} does not work on {day.date} any more; plan again")
    begun = seconds_since(day.zero, session.now)
    if placed(now, tuple(places), begun) != placed(planned, day.points, begun):
        raise Moved(f"the vehicle or the hours of {driver.name} changed meanwhile; plan again")


def placed(
    vehicle: ProblemVehicle, points: Sequence[Point], now: int
) -> tuple[ProblemVehicle, tuple[Point, ...]]:
    """Return what a vehicle can do from `now` on, and its places, whatever their numbers are."""
    shift, reloads = (max(vehicle.shift[0], now), vehicle.shift[1]), vehicle.reloads
    numbers = (vehicle.start, vehicle.end, *(reloads.points if reloads else ()))
    if reloads is not None:
        reloads = reloads.model_copy(update={"points": (0,)})
    update = {"start": 0, "end": 0, "shift": shift, "reloads": reloads}
    return vehicle.model_copy(update=update), tuple(points[number] for number in numbers)


def pause_rows(
    visits: Sequence[Visit],
    pauses: Sequence[Pause],
    zero: datetime,
    depots: Mapping[int, str],
) -> list[dict[str, Any]]:
    """Return breaks and reloads as a route keeps them: behind which stop, when, at which depot."""
    return [
        {
            "kind": pause.kind,
            "after": visits[pause.after - 1].stop if pause.after else "",
            "begins": (zero + timedelta(seconds=pause.begins)).isoformat(),
            "ends": (zero + timedelta(seconds=pause.ends)).isoformat(),
            "depot": depots.get(pause.point, "") if pause.point is not None else "",
        }
        for pause in pauses
    ]


def put(session: Session, day: Day, route: str, visits: Sequence[Visit], first: int) -> None:
    """Put stops into a draft, the first of them at position `first`, and tell `stop.planned`.

    Raises `Moved` when the route is no draft any more, or when one of the stops is not free, or
    not as it was when the plan was made.
    """
    state = select(RouteRow.state).where(RouteRow.id == route).with_for_update(key_share=True)
    if session.exec(state).one_or_none() != "draft":
        raise Moved(f"route {route} is no draft any more; plan again")
    stops = fetch(session, [visit.stop for visit in visits])
    planned = {stop.id: stop for stop in day.stops}
    places = {place: number for number, place in enumerate(day.points)}
    goods = {one.delivery: one.load for one in day.shipments}
    for position, (stop, visit) in enumerate(zip(stops, visits, strict=True), first):
        unchanged(stop, planned[stop.id], places, day, goods.get(stop.id))
        move_stop(stop, "planned")
        stop.route, stop.position, stop.planned_at = route, position, day.at(visit.arrive)
    session.flush()
    tell_stops(session, StopPlanned, stops)


def fetch(session: Session, ids: Sequence[str]) -> list[StopRow]:
    """Return stops in the given order, locked; raise `Missing` for one that is gone."""
    query = select(StopRow).where(col(StopRow.id).in_(ids)).order_by(StopRow.id)
    found = {stop.id: stop for stop in session.exec(query.with_for_update(key_share=True))}
    gone = [id for id in ids if id not in found]
    if gone:
        raise Missing(f"there is no stop {gone[0]}")
    return [found[id] for id in ids]


def unchanged(
    stop: StopRow,
    planned: ProblemStop,
    places: dict[Point, int],
    day: Day,
    brought: Loads | None = None,
) -> None:
    """Raise `Moved` unless a stop is still free and as it was when the plan was made.

    `brought` are the goods of a pair that were to be handed over there.
    """
    names = day.terms.names
    other = brought is not None and carried(stop, names) != brought
    if stop.state != "unassigned" or other or asked(stop, places, day.zero, names) != planned:
        raise Moved(f"stop {stop.id} was changed meanwhile; plan again")
