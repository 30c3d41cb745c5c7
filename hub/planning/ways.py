"""The way of a route along the streets: asked for with every change, found by a worker."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import cast

from sqlmodel import col, select

from hub.access import get, scoped
from hub.errors import Rejected, Retry, Unauthorized
from hub.hub import Hub
from hub.nouns import Noun, Way
from hub.nouns.ways import Profile
from hub.planning.fleet import all_depots, place_of
from hub.planning.sentences import Step, sentences
from hub.planning.travel import Point, directions
from hub.queue import Claim, defer, enqueue, enqueue_all, finish
from hub.store import (
    DriverRow,
    RouteRow,
    RouteWayRow,
    Session,
    StopRow,
    System,
    VehicleRow,
    WorkRow,
)

KIND = "way"
TRIES = 5
PATIENCE = timedelta(seconds=30)
"""Between two tries, where the map does not answer."""


class Trail(Noun):
    """One leg of a route: to which stop, along which line; None is the end of the route."""

    stop: str | None
    metres: int
    seconds: int
    line: tuple[tuple[float, float], ...]
    """(lat, lon) along the road."""
    steps: tuple[Step, ...] = ()


class RouteWay(Noun):
    """A route's way as people see it; `approximate` ones are straight lines without turns."""

    route: str
    legs: tuple[Trail, ...]
    approximate: bool
    credit: str


def ask(session: Session, route: str) -> None:
    """Ask for a route's way in the caller's transaction; nothing is done where it is known."""
    enqueue(session, KIND, route, queue="outward")


def ask_again(hub: Hub) -> int:
    """Ask for the ways of routes on the road that are straight lines; return how many."""
    query = (
        select(RouteWayRow)
        .join(RouteRow, col(RouteRow.id) == RouteWayRow.route)
        .where(col(RouteRow.state).in_(["ready", "loaded", "in_progress"]))
    )
    with hub.store.read(System()) as session:
        straight = [row.route for row in session.exec(query) if row.way["approximate"]]
    with hub.store.write(System()) as session:
        ask_all(session, straight)
    return len(straight)


def ask_all(session: Session, routes: Sequence[str]) -> None:
    """Do the same for many routes, with a few statements."""
    enqueue_all(session, KIND, routes, queue="outward")


def work(hub: Hub, claim: Claim) -> None:
    """Find the way of the route that a worker has claimed, and keep it."""
    with hub.store.read(System()) as session:
        found = points_of(session, claim.subject)
        route = session.get(RouteRow, claim.subject)
        departs = max(session.now, route.starts_at) if route is not None else None
        known = session.get(RouteWayRow, claim.subject)
        fresh = known is not None and found is not None and known.stamp == stamp(*found[1:])
        # Straight lines may have become streets: a new map, a server that answers again.
        fresh = fresh and known is not None and not known.way["approximate"]
    if found is None or fresh:
        with hub.store.write(System()) as session:
            finish(session, claim)
        return
    stops, points, profile = found
    try:
        way = directions(hub, points, profile, departs)
    except (Retry, Unauthorized) as error:
        with hub.store.write(System()) as session:
            if claim.tries >= TRIES:  # the pages draw straight lines, as without a map
                finish(session, claim)
            else:
                defer(session, claim, session.wall + PATIENCE, str(error))
        return
    except Rejected:
        way = None
    with hub.store.write(System()) as session:
        if way is not None:
            keep(session, claim.subject, stops, stamp(points, profile), way)
        finish(session, claim)


def points_of(session: Session, route_id: str) -> tuple[list[str], list[Point], Profile] | None:
    """Return a route's stops in order, the points from start to end, and what drives.

    None for a route that is gone, cancelled or without stops.
    """
    route = session.get(RouteRow, route_id)
    if route is None or route.state == "cancelled":
        return None
    driver = session.get_one(DriverRow, route.driver)
    vehicle = session.get_one(VehicleRow, route.vehicle)
    depots = all_depots(session)
    query = select(StopRow).where(
        StopRow.route == route_id, col(StopRow.state).not_in(["skipped", "cancelled"])
    )
    stops = list(session.exec(query.order_by(col(StopRow.position), StopRow.id)))
    if not stops:
        return None
    first = place_of(driver, driver.start_place, depots)
    last = place_of(driver, driver.end_place, depots)
    points = [first, *((stop.lat, stop.lon) for stop in stops), last]
    return [stop.id for stop in stops], points, cast(Profile, vehicle.profile)


def stamp(points: Sequence[Point], profile: Profile) -> str:
    """Return a fingerprint of the points of a way and of what drives it."""
    exact = repr([profile, *((float(lat), float(lon)) for lat, lon in points)])
    return hashlib.sha256(exact.encode()).hexdigest()


def keep(session: Session, route: str, stops: Sequence[str], stamp: str, way: Way) -> None:
    """Store a way in place of the one before."""
    row = session.get(RouteWayRow, route) or RouteWayRow(route=route)
    row.stamp, row.stops, row.made_at = stamp, list(stops), session.now
    row.way = way.model_dump(mode="json")
    session.add(row)


def way_of(session: Session, route_id: str, language: str = "en") -> RouteWay | None:
    """Return a route's way with its turns in words, None until it is found.

    Raises `Missing` for a route that the principal does not see.
    """
    get(session, RouteRow, route_id)
    row = session.get(RouteWayRow, route_id)
    return None if row is None else told(row, language)


def search_for(session: Session, route_id: str) -> tuple[bool, str]:
    """Return whether a route's way, which is not known, is looked for; else why there is none.

    It is not, and there is no reason, where nobody has asked for it. Raises as `way_of` does.
    """
    route = get(session, RouteRow, route_id)
    if points_of(session, route_id) is None:
        return False, f"route {route.id} is {route.state} and leads nowhere"
    query = select(WorkRow.state).where(WorkRow.kind == KIND, WorkRow.subject == route_id)
    state = session.exec(query).one_or_none()
    if state in ("done", "dead"):
        lines = "it is tried again when the route changes; until then draw straight lines"
        return False, f"the way of route {route.id} could not be found; {lines}"
    return state is not None, ""


def ways_of(session: Session, routes: Iterable[str]) -> list[RouteWay]:
    """Return those ways of some routes that are known, without turns."""
    visible = scoped(session, RouteRow).where(col(RouteRow.id).in_(list(routes)))
    ids = [route.id for route in session.exec(visible)]
    rows = session.exec(select(RouteWayRow).where(col(RouteWayRow.route).in_(ids)))
    return [told(row, "") for row in rows]


def told(row: RouteWayRow, language: str) -> RouteWay:
    """Return a stored way as people see it; without a language there are no turns."""
    way = Way.model_validate(row.way)
    steps = sentences(way, language) if language else []
    return RouteWay(
        route=row.route,
        legs=tuple(
            Trail(
                stop=row.stops[number] if number < len(row.stops) else None,
                metres=leg.metres,
                seconds=leg.seconds,
                line=leg.line,
                steps=tuple(step for step in steps if step.leg == number),
            )
            for number, leg in enumerate(way.legs)
        ),
        approximate=way.approximate,
        credit=way.credit,
    )
