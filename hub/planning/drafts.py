"""Draft routes: stored route by route, each in a short transaction, and thrown away again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, update
from sqlmodel import col, select

from hub.errors import Missing, Retry
from hub.events.catalogue import StopPlanned
from hub.nouns import Pause, PlannedRoute, ProblemStop, ProblemVehicle, Visit
from hub.orders.happenings import tell_stops
from hub.planning.costs import route_cost
from hub.planning.day import TAKEN, Day, Point, asked
from hub.store import DriverRow, PlanRow, ReoptimisationRow, RouteRow, RouteWayRow, Session, StopRow
from hub.store.states import move_stop


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


def discard(session: Session, route_id: str) -> None:
    """Delete a draft route; its stops are unassigned again. Others are left as they are."""
    route = session.exec(
        select(RouteRow).where(RouteRow.id == route_id).with_for_update()
    ).one_or_none()
    if route is None or route.state != "draft":
        return
    held = select(StopRow).where(StopRow.route == route.id).order_by(StopRow.id)
    for stop in session.exec(held.with_for_update(key_share=True)):
        if stop.state == "planned":
            move_stop(stop, "unassigned")
        take_out(stop)
    session.flush()
    session.exec(delete(RouteWayRow).where(col(RouteWayRow.route) == route.id))
    named = update(ReoptimisationRow).where(col(ReoptimisationRow.route) == route.id)
    session.exec(named.values(route=None))
    session.delete(route)


def take_out(stop: StopRow) -> None:
    """Forget where on which route a stop was; what was promised stays."""
    stop.route = stop.position = stop.planned_at = None
    stop.eta_at = stop.eta_low = stop.eta_high = None


def keep(session: Session, plan: PlanRow, day: Day, route: PlannedRoute) -> str:
    """Add one route as a draft without stops and return its id.

    Raises `Moved` for a driver who has got a published route, or is gone, by now.
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
    for position, (stop, visit) in enumerate(zip(stops, visits, strict=True), first):
        unchanged(stop, planned[stop.id], places, day)
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


def unchanged(stop: StopRow, planned: ProblemStop, places: dict[Point, int], day: Day) -> None:
    """Raise `Moved` unless a stop is still free and as it was when the plan was made."""
    if stop.state != "unassigned" or asked(stop, places, day.zero, day.terms.names) != planned:
        raise Moved(f"stop {stop.id} was changed meanwhile; plan again")
