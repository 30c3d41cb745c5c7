"""Tell what happened to routes, and have their ways along the streets asked for."""

from __future__ import annotations

from collections.abc import Sequence

from hub.events import append
from hub.events.catalogue import RouteEvent
from hub.events.facts import DriverFacts, RouteFacts
from hub.events.log import append_all
from hub.orders.happenings import by_id, routes_facts
from hub.planning.day import TAKEN
from hub.planning.ways import ask, ask_all
from hub.store import DriverRow, RouteRow, Session


def tell_route(
    session: Session, kind: type[RouteEvent], route: RouteRow, *, on: RouteFacts | None = None
) -> str:
    """Append an event about `route`; `on` is what it says, where that is known already."""
    return append(session, route_event(session, kind, route, on=on))


def route_event(
    session: Session, kind: type[RouteEvent], route: RouteRow, *, on: RouteFacts | None = None
) -> RouteEvent:
    """Return an event about `route`, to be appended; have its way asked for, if it has a driver."""
    driver = session.get_one(DriverRow, route.driver)
    if route.state in TAKEN:
        ask(session, route.id)
    return kind(
        subject=route.id,
        route=on or routes_facts(session, [route])[0],
        driver=DriverFacts(id=driver.id),
        driver_name=driver.name,
    )


def tell_routes(session: Session, kind: type[RouteEvent], routes: Sequence[RouteRow]) -> None:
    """Append the same event about many routes, with a handful of statements."""
    ask_all(session, [route.id for route in routes if route.state in TAKEN])
    drivers = by_id(session, DriverRow, {route.driver for route in routes})
    about = routes_facts(session, routes)
    append_all(
        session,
        [
            kind(
                subject=route.id,
                route=facts,
                driver=DriverFacts(id=route.driver),
                driver_name=drivers[route.driver].name,
            )
            for route, facts in zip(routes, about, strict=True)
        ],
    )
