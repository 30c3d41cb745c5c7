"""One more stop for routes that are already published: what it costs, and putting it in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from hub.access import get
from hub.dispatch.changes import Change, Overtaken, apply, check_stamp, timed
from hub.dispatch.promises import open_pages, promise
from hub.dispatch.road import Road, check_published, lenient, problem_of, published, read_road
from hub.errors import Refused
from hub.events.catalogue import StopDispatched
from hub.hub import Hub
from hub.nouns import Legs, Location, Matrix, Noun, ProblemStop
from hub.orders.happenings import tell_stops
from hub.planning.day import Point, asked, midnight
from hub.planning.insertion import cheapest
from hub.planning.providers import TIMES
from hub.planning.reasons import beside, impossible
from hub.planning.schedule import run
from hub.planning.travel import matrix
from hub.store import DepotRow, Principal, RouteRow, Session, StopRow
from hub.store.states import move_stop

TRIES = 3
Measure = Callable[[Sequence[Point]], Matrix]


class Offer(Noun):
    """Where one more stop fits, and its price."""

    stop: str
    route: str
    driver: str
    position: int
    """Along the whole route, from 1."""
    planned_at: datetime
    extra_seconds: int
    """By how much later the driver is back."""
    extra_metres: int
    delayed: int
    """How many other stops are reached a minute or more later; none breaks its promise."""
    approximate: bool
    change: Change


def price(hub: Hub, principal: Principal, stop_id: str, route_id: str | None = None) -> Offer:
    """Return the cheapest feasible place in the published routes of the stop's day, or in one.

    Raises `Refused` with the reason when it fits nowhere. Writes nothing.
    """
    with hub.store.read(principal) as session:
        return offer(session, stop_id, route_id, lambda points: matrix(hub, points))


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
    made = offered or offer(session, stop_id, route_id, lambda points: straight(hub, points))
    route, stops = check_stamp(session, made.change)
    stop = get(session, StopRow, made.stop)
    check_open(stop)
    move_stop(stop, "dispatched")
    stop.route, stop.ad_hoc, stop.planned_at = route.id, True, made.planned_at
    promise(stop)
    open_pages(hub, session, [stop])
    apply(session, route, [*stops, stop], made.change)
    tell_stops(session, StopDispatched, [stop])
    return made


def place(hub: Hub, principal: Principal, stop_id: str, route_id: str | None = None) -> Offer:
    """Price a stop and put it in at once; worked out again when the route moved meanwhile."""
    for _ in range(TRIES - 1):
        offered = price(hub, principal, stop_id, route_id)
        try:
            with hub.store.write(principal) as session:
                return insert(hub, session, stop_id, route_id, offered)
        except Overtaken:
            continue
    offered = price(hub, principal, stop_id, route_id)
    with hub.store.write(principal) as session:
        return insert(hub, session, stop_id, route_id, offered)


def straight(hub: Hub, points: Sequence[Point]) -> Matrix:
    """Return the built-in travel times, which call nobody."""
    kind = hub.plugins.connector(TIMES)
    legs = Legs(points=tuple(Location(lat=lat, lon=lon) for lat, lon in points))
    found: Matrix = kind(kind.Config()).matrix(legs)  # type: ignore[attr-defined]
    return found


def offer(session: Session, stop_id: str, route_id: str | None, measure: Measure) -> Offer:
    """Return the cheapest offer, with travel times from `measure`."""
    stop = get(session, StopRow, stop_id)
    check_open(stop)
    routes = candidates(session, stop, route_id)
    depot = session.get_one(DepotRow, stop.depot)
    places: dict[Point, int] = {}
    wanted = asked(stop, places, midnight(stop.service_date, depot.timezone))
    strict = [read_road(session, route, places) for route in routes]
    times = measure(list(places))
    roads = {road.route: lenient(road, times) for road in strict}
    found = cheapest(
        problem_of(roads.values(), times, wanted),
        {id: road.stops for id, road in roads.items()},
        wanted,
        {id: road.frozen for id, road in roads.items()},
    )
    if found is None:
        raise Refused(f"it fits into no published route: {why(times, roads, wanted)}", "stop")
    return priced(
        roads[found.vehicle], times, wanted, timed(roads[found.vehicle], times, found.timetable)
    )


def candidates(session: Session, stop: StopRow, route_id: str | None) -> list[RouteRow]:
    """Return the routes that may take a stop: all of its depot's day, or the one that is named."""
    if route_id is not None:
        route = get(session, RouteRow, route_id)
        check_published(route)
        if (route.depot, route.service_date) != (stop.depot, stop.service_date):
            raise Refused(f"route {route.id} serves another depot or day than the stop", "route")
        return [route]
    found = published(session, stop)
    if not found:
        raise Refused(
            f"no route of {stop.service_date} is published for a driver who is switched on; "
            "plan the day with this stop"
        )
    return found


def check_open(stop: StopRow) -> None:
    """Raise `Refused` for a stop that is on a route already, or over."""
    if stop.state != "unassigned":
        raise Refused(f"stop {stop.id} is {stop.state}; only an unassigned one can be added")


def why(times: Matrix, roads: dict[str, Road], stop: ProblemStop) -> str:
    """Return why a stop fits into none of `roads`."""
    problem = problem_of(roads.values(), times, stop)
    sequences = {id: road.stops for id, road in roads.items()}
    return impossible(problem, stop) or beside(problem, sequences, stop)


def priced(road: Road, times: Matrix, stop: ProblemStop, change: Change) -> Offer:
    """Return a change as an offer."""
    before = run(problem_of([road], times), road.vehicle, road.stops, road.vehicle.shift[0])
    known = {visit.stop: visit.arrive for visit in before.visits}
    index = change.stops.index(stop.id)
    later = [
        id
        for id, at in zip(change.stops, change.times, strict=True)
        if id in known and (at - road.zero).total_seconds() - known[id] >= 60
    ]
    return Offer(
        stop=stop.id,
        route=road.route,
        driver=road.driver,
        position=len(road.behind) + index + 1,
        planned_at=change.times[index],
        extra_seconds=round((change.ends_at - road.zero).total_seconds()) - before.ends,
        extra_metres=change.metres,
        delayed=len(later),
        approximate=times.approximate,
        change=change,
    )
