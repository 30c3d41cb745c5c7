"""Routes and their stops, locked for a change; and telling of it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func
from sqlmodel import col, select

from hub.access import scoped
from hub.errors import Missing
from hub.events import append
from hub.events.catalogue import RouteEvent
from hub.events.facts import DriverFacts, RouteFacts
from hub.events.log import append_all
from hub.orders.happenings import by_id, route_facts
from hub.planning.day import TAKEN
from hub.planning.ways import ask, ask_all
from hub.store import DriverRow, EventRow, RouteRow, Session, StopRow

HELD = "held routes"


def lock_route(session: Session, id: str) -> RouteRow:
    """Return a route that the principal may see, locked; raise `Missing` otherwise."""
    return lock_routes(session, [id])[0]


def lock_routes(session: Session, ids: Sequence[str]) -> list[RouteRow]:
    """Return routes that the principal may see, locked by their ids; raise as `lock_route` does."""
    query = scoped(session, RouteRow).where(col(RouteRow.id).in_(ids)).order_by(RouteRow.id)
    query = query.with_for_update(key_share=True)
    found = {
        route.id: route for route in session.exec(query.execution_options(populate_existing=True))
    }
    for id in ids:
        if id not in found:
            raise Missing(f"there is no route {id}")
    return [found[id] for id in ids]


def lock_stops(session: Session, route: str) -> list[StopRow]:
    """Return the stops of a route in their order, locked; the route itself is locked before."""
    return lock_all_stops(session, [route])[route]


def lock_all_stops(session: Session, routes: Sequence[str]) -> dict[str, list[StopRow]]:
    """Return the stops of routes in their order, locked; the routes themselves are locked before.

    Whoever locks several stops does it by their ids, so that two who do it wait for each other in
    one direction only. The whole order is in docs/architecture.md.
    """
    held: set[str] = session.info.setdefault(HELD, set())
    stops: list[StopRow] = []
    new = [route for route in routes if route not in held]
    if new:
        held.update(new)
        query = select(StopRow).where(col(StopRow.route).in_(new)).order_by(StopRow.id)
        query = query.with_for_update(key_share=True)
        stops += session.exec(query.execution_options(populate_existing=True))
    known = [route for route in routes if route not in new]
    if known:  # nobody else has changed them since: no need to read their columns again
        ids = session.exec(select(StopRow.id).where(col(StopRow.route).in_(known)))
        stops += [session.get_one(StopRow, id) for id in ids]
    found: dict[str, list[StopRow]] = {route: [] for route in routes}
    for stop in sorted(stops, key=lambda one: one.position or 0):
        found[stop.route or ""].append(stop)
    return found


def tell_route(session: Session, kind: type[RouteEvent], route: RouteRow) -> EventRow:
    """Append an event about `route`."""
    driver = session.get_one(DriverRow, route.driver)
    if route.state in TAKEN:
        ask(session, route.id)
    return append(
        session,
        kind(
            subject=route.id,
            route=route_facts(session, route),
            driver=DriverFacts(id=driver.id),
            driver_name=driver.name,
        ),
    )


def tell_routes(session: Session, kind: type[RouteEvent], routes: Sequence[RouteRow]) -> None:
    """Append the same event about many routes, with a handful of statements."""
    ask_all(session, [route.id for route in routes if route.state in TAKEN])
    drivers = by_id(session, DriverRow, {route.driver for route in routes})
    ids = [route.id for route in routes]
    query = select(StopRow.route, func.count()).where(col(StopRow.route).in_(ids))
    counts = dict(session.exec(query.group_by(col(StopRow.route))).all())
    append_all(
        session,
        [
            kind(
                subject=route.id,
                route=RouteFacts(
                    id=route.id,
                    depot=route.depot,
                    service_date=route.service_date.isoformat(),
                    state=route.state,
                    stops=counts.get(route.id, 0),
                ),
                driver=DriverFacts(id=route.driver),
                driver_name=drivers[route.driver].name,
            )
            for route in routes
        ],
    )
