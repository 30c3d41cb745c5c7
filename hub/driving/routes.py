"""A driver's route on the road: which one it is, its start, its next stop, its end."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import col, select

from hub.dispatch.held import Held, hold_if
from hub.errors import Missing, Refused
from hub.events import append
from hub.events.catalogue import RouteClosed, RouteEvent, RouteStarted, StopEnRoute
from hub.events.facts import DriverFacts
from hub.fleet import roster
from hub.orders.happenings import tell_stop
from hub.store import DriverRow, RouteRow, Session, StopRow
from hub.store.states import ENDED, LEFT_OUT, OPEN, move_route, move_stop

DRIVABLE = ("ready", "loaded", "in_progress", "closed")
_CHOICE = {"in_progress": 0, "loaded": 1, "ready": 1, "closed": 2}


def current(session: Session, driver: str, day: date | None = None) -> RouteRow | None:
    """Return the route that `driver` drives or would start on `day` (default: today), if any.

    A route that is being driven comes first, also when it began yesterday; then the earliest that
    waits; then the one that was closed last.
    """
    day = day or today(session, driver)
    found = session.exec(
        select(RouteRow).where(
            RouteRow.driver == driver,
            col(RouteRow.state).in_(DRIVABLE),
            (RouteRow.service_date == day) | (RouteRow.state == "in_progress"),
        )
    ).all()
    mine = [route for route in found if route.service_date <= day]
    return min(mine, key=urgency, default=None)


def urgency(route: RouteRow) -> tuple[int, float]:
    """Return a key that sorts a driver's routes of one day by which comes first."""
    starts = route.starts_at.timestamp()
    return _CHOICE[route.state], -starts if route.state == "closed" else starts


def today(session: Session, driver: str) -> date:
    """Return the date at the driver's depot."""
    row = session.get(DriverRow, driver)
    if row is None:
        raise Missing(f"there is no driver {driver}")
    return roster.today(session, row.depot)


def lock(session: Session, driver: str, id: str | None) -> Held:
    """Return a route of `driver`, held with its stops until the transaction ends.

    Raise `Missing` for a route that is not the driver's.
    """
    drivable = col(RouteRow.state).in_(DRIVABLE)
    held = hold_if(session, RouteRow.id == id, RouteRow.driver == driver, drivable)
    if held is None:
        raise not_yours()
    return held


def not_yours() -> Missing:
    """Return what to say about a stop or route that the driver has not got."""
    return Missing("that is not on a route of yours; reload the list of stops")


def next_stop(stops: list[StopRow], left: StopRow | None = None) -> StopRow | None:
    """Return where to go now: the stop under way, else the first that is open.

    `left` was just left without being ended, so it comes last.
    """
    waiting = [stop for stop in stops if stop.state in OPEN]
    order = {"en_route": 0, "arrived": 1, "dispatched": 2}
    return min(
        waiting,
        key=lambda stop: (stop is left, order[stop.state], stop.position or 0),
        default=None,
    )


def start(session: Session, held: Held, at: datetime) -> None:
    """Let the driver leave the depot; a route that is on its way already stays as it is."""
    route = held.route
    if route.state == "in_progress":
        return
    if route.state == "closed":
        raise Refused("this route is closed; ask the dispatcher for a new one", "kind")
    move_route(route, "in_progress")
    route.started_at = at
    tell_route(session, RouteStarted, held, at)


def head_on(
    session: Session, held: Held, at: datetime, left: StopRow | None = None
) -> StopRow | None:
    """Put the driver on the way to the next stop, unless already on the way to one."""
    following = next_stop(held.stops, left)
    if following is not None and following.state == "dispatched":
        move_stop(following, "en_route")
        tell_stop(session, StopEnRoute, following, on=held.facts(), occurred_at=at)
    return following


def turn_back(stops: list[StopRow], stop: StopRow) -> None:
    """Take back that the driver is on the way to another stop than `stop`."""
    for other in stops:
        if other.state == "en_route" and other.id != stop.id:
            move_stop(other, "dispatched")


def close_if_done(session: Session, held: Held, at: datetime) -> bool:
    """Close the route when every stop of it has ended or was taken off."""
    route = held.route
    if route.state != "in_progress" or any(s.state not in ENDED | LEFT_OUT for s in held.stops):
        return False
    move_route(route, "closed")
    route.closed_at = at
    tell_route(session, RouteClosed, held, at)
    return True


def tell_route(session: Session, kind: type[RouteEvent], held: Held, at: datetime) -> None:
    """Append an event about a route that is being driven."""
    driver = session.get_one(DriverRow, held.route.driver)
    append(
        session,
        kind(
            subject=held.route.id,
            occurred_at=at,
            route=held.facts(),
            driver=DriverFacts(id=driver.id),
            driver_name=driver.name,
        ),
    )
