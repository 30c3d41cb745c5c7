"""One more stop for routes that are already published: what it costs, and putting it in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

from sqlmodel import col, select

from hub.access import get
from hub.dispatch.changes import Overtaken, apply, check_stamp
from hub.dispatch.flags import have_route
from hub.dispatch.glance import nearest
from hub.dispatch.offers import Offer, named, priced
from hub.dispatch.promises import open_pages, promise
from hub.dispatch.road import (
    Ask,
    Road,
    Ways,
    check_published,
    lenient,
    number,
    problem_of,
    read_roads,
    ways,
    with_stops,
)
from hub.errors import Refused
from hub.events.catalogue import StopDispatched
from hub.hub import Hub
from hub.nouns import Legs, Location, Matrix, ProblemStop
from hub.nouns.ways import Profile
from hub.orders.happenings import tell_stops
from hub.planning.day import Point, asked, midnight
from hub.planning.fleet import read_terms
from hub.planning.insertion import places
from hub.planning.providers import TIMES
from hub.planning.quotes import Fleet
from hub.planning.reasons import explained
from hub.planning.schedule import Timetable, run
from hub.planning.travel import matrix
from hub.store import DepotRow, Principal, RouteRow, Session, StopRow
from hub.store.states import move_stop

TRIES = 3
OTHERS = 3
"""Other drivers whose best place is told beside the best of all."""
Tried = tuple[list[Road], Ways, ProblemStop]


class NoPlace(Refused):
    """Say that a stop fits into no published route, and why."""


def price(
    hub: Hub,
    principal: Principal,
    stop_id: str,
    route_id: str | None = None,
    *,
    waiting: bool = False,
    even_late: bool = False,
) -> Offer:
    """Return the cheapest feasible place in the published routes of the stop's day, or in one.

    With `waiting` only in routes that have not left the depot. With `even_late` and where it fits
    nowhere, the place at which the promises together are broken least; the offer says whose.
    Raises `NoPlace` with the reason when there is none, `Refused` for a stop that cannot be asked
    for. Writes nothing.
    """
    with hub.store.read(principal) as session:

        def ask(points: Sequence[Point], profile: Profile, departs: datetime | None) -> Matrix:
            session.commit()  # no connection to the database waits for another machine's answer
            return matrix(hub, points, profile, departs)

        return offer(session, stop_id, route_id, ask, waiting=waiting, even_late=even_late)


def least(
    hub: Hub, principal: Principal, stop_id: str, route_id: str | None = None
) -> Offer | None:
    """Return the place at which promises are broken least for a stop that fits nowhere, if any."""
    try:
        return price(hub, principal, stop_id, route_id, even_late=True)
    except Refused:
        return None


def insert(
    hub: Hub,
    session: Session,
    stop_id: str,
    route_id: str | None = None,
    offered: Offer | None = None,
) -> Offer:
    """Put an unassigned stop into a published route, in the caller's transaction.

    With `offered` (from `price`) exactly there, or `Overtaken` when the route has changed since;
    without, at the cheapest place by straight-line times, because a transaction calls nobody.
    Promises the window, issues the ETA, tells `stop.dispatched` and `route.changed`.
    """
    made = offered or offer(session, stop_id, route_id, partial(straight, hub))
    route, stops = check_stamp(session, made.change)
    stop = get(session, StopRow, made.stop)
    session.refresh(stop, with_for_update={"key_share": True})  # another may have put it in
    check_open(stop)
    move_stop(stop, "dispatched")
    stop.route, stop.ad_hoc, stop.planned_at = route.id, True, made.planned_at
    promise(stop)
    have_route(session, [stop])
    open_pages(hub, session, [stop])
    apply(session, route, [*stops, stop], made.change)
    tell_stops(session, StopDispatched, [stop])
    return made


def place(
    hub: Hub,
    principal: Principal,
    stop_id: str,
    route_id: str | None = None,
    *,
    waiting: bool = False,
    even_late: bool = False,
) -> Offer:
    """Price a stop and put it in at once; worked out again when the route moved meanwhile."""
    for last in (*[False] * (TRIES - 1), True):
        offered = price(hub, principal, stop_id, route_id, waiting=waiting, even_late=even_late)
        try:
            with hub.store.write(principal) as session:
                return insert(hub, session, stop_id, route_id, offered)
        except Overtaken:
            if last:
                raise
    raise AssertionError("the last try returns or raises")


def straight(
    hub: Hub,
    points: Sequence[Point],
    profile: Profile = "van",
    departs: datetime | None = None,
) -> Matrix:
    """Return the built-in travel times, which call nobody and are the same at every hour."""
    kind = hub.plugins.connector(TIMES)
    legs = Legs(points=tuple(Location(lat=lat, lon=lon) for lat, lon in points), profile=profile)
    found: Matrix = kind(kind.Config()).matrix(legs)  # type: ignore[attr-defined]
    return found


def offer(
    session: Session,
    stop_id: str,
    route_id: str | None,
    ask: Ask,
    *,
    waiting: bool = False,
    even_late: bool = False,
) -> Offer:
    """Return the cheapest offer with those of other drivers, with travel times from `ask`.

    The routes that pass nearest are tried first, and the next ones where it fits into none.
    """
    stop = get(session, StopRow, stop_id)
    check_open(stop)
    depot = session.get_one(DepotRow, stop.depot)
    terms = read_terms(session)
    tried: list[Tried] = []
    for group in groups(session, stop, depot, route_id, waiting=waiting):
        numbers: dict[Point, int] = {}
        wanted = asked(stop, numbers, midnight(stop.service_date, depot.timezone), terms.names)
        number(numbers, (depot.lat, depot.lon))
        roads = read_roads(session, group, numbers, terms)
        times = ways(roads, list(numbers), ask)
        found = offers(roads, times, wanted)
        if found:
            return named(session, found)
        tried.append((roads, times, wanted))
    if even_late:
        late = [one for one in map(least_late, tried) if one is not None]
        if late:
            return named(session, [min(late, key=lambda one: one[:2])[2]])
    raise NoPlace(f"it fits into no published route: {why(*tried[0])}", "stop")


def groups(
    session: Session, stop: StopRow, depot: DepotRow, route_id: str | None, *, waiting: bool
) -> Iterator[list[RouteRow]]:
    """Yield the routes that may take a stop: those of its depot's day, or the one that is named."""
    if route_id is not None:
        route = get(session, RouteRow, route_id)
        check_published(route)
        if (route.depot, route.service_date) != (stop.depot, stop.service_date):
            raise Refused(f"route {route.id} serves another depot or day than the stop", "route")
        yield [route]
        return
    found = False
    at = (stop.lat, stop.lon)
    for ids in nearest(session, depot, stop.service_date, at, waiting=waiting):
        found = True
        rows = {
            row.id: row for row in session.exec(select(RouteRow).where(col(RouteRow.id).in_(ids)))
        }
        yield [rows[id] for id in ids]
    if not found:
        whose = "whose driver has not left yet" if waiting else "for a driver who is switched on"
        raise Refused(
            f"no route of {stop.service_date} is published {whose}; plan the day with this stop"
        )


def check_open(stop: StopRow) -> None:
    """Raise `Refused` for a stop that is on a route already, or over."""
    if stop.state != "unassigned":
        raise Refused(f"stop {stop.id} is {stop.state}; only an unassigned one can be added")
    if stop.pair:
        raise Refused(
            f"stop {stop.id} is one half of a pair; plan the day with both halves", "stop"
        )


def offers(roads: Sequence[Road], times: Ways, stop: ProblemStop) -> list[Offer]:
    """Return the best offers of the routes that cost least, one of each, the cheapest first."""
    for road in roads:
        stop = for_route(road, stop)
    free = {road.route: eased(road, times) for road in roads}
    found = places(
        problem_of(free.values(), times, stop),
        {route: road.items for route, road in free.items()},
        stop,
        OTHERS + 1,
        {route: road.frozen for route, road in free.items()},
    )
    strict = {road.route: road for road in roads}
    return [priced(strict[place.vehicle], times, stop, place.timetable) for place in found]


def eased(road: Road, times: Ways) -> Road:
    """Return a road whose stops are there by somebody's decision, whoever should have come."""
    found = lenient(road, times)
    free: dict[str, frozenset[str]] = {"skills": frozenset(), "vehicles": frozenset()}
    return with_stops(
        found,
        [
            stop.model_copy(update=free) if stop.skills or stop.vehicles else stop
            for stop in found.stops
        ],
    )


def for_route(road: Road, stop: ProblemStop) -> ProblemStop:
    """Return a stop that says by route, and not by driver, who may come."""
    if road.driver not in stop.vehicles:
        return stop
    return stop.model_copy(update={"vehicles": stop.vehicles | {road.route}})


def least_late(tried: Tried) -> tuple[int, int, Offer] | None:
    """Return the place that breaks nothing but promises, and them by the fewest seconds.

    It comes with these seconds and those by which the driver is back later.
    """
    roads, times, stop = tried
    best: tuple[int, int, Road, Timetable] | None = None
    for strict in roads:
        road, wanted = eased(strict, times), for_route(strict, stop)
        problem = problem_of([road], times, wanted)
        back = run(problem, road.vehicle, road.items, road.vehicle.shift[0]).ends
        for index in range(road.frozen, len(road.items) + 1):
            longer = [*road.items[:index], wanted, *road.items[index:]]
            made = run(problem, road.vehicle, longer, road.vehicle.shift[0])
            if any(breach.rule != "window" for breach in made.breaches):
                continue
            if best is None or (made.amount[1], made.ends - back) < best[:2]:
                best = made.amount[1], made.ends - back, strict, made
    return None if best is None else (*best[:2], priced(best[2], times, stop, best[3]))


def why(roads: Sequence[Road], times: Ways, stop: ProblemStop) -> str:
    """Return why a stop fits into none of `roads`."""
    free = [eased(road, times) for road in roads]
    for road in roads:
        stop = for_route(road, stop)
    problem = problem_of(free, times, stop)
    sequences = {road.route: road.items for road in free}
    return explained(problem, Fleet(problem, sequences), [stop])[0].reason
