"""A change of what is ahead on a route: worked out beforehand, applied in a short transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from hub.dispatch.promises import issue
from hub.dispatch.road import Road, Ways, check_published, problem_of, stamp
from hub.dispatch.rows import lock_route, lock_stops, tell_routes
from hub.errors import Retry
from hub.events.catalogue import RouteChanged, StopEtaChanged
from hub.nouns import Noun
from hub.orders.happenings import tell_stops
from hub.planning.rules import Item
from hub.planning.schedule import Timetable, run
from hub.store import RouteRow, Session, StopRow

NEWS = timedelta(minutes=1)
"""A planned time that moves by less is no new ETA."""


class Overtaken(Retry):
    """Say that the route was changed or driven on meanwhile; work the change out again."""


class Change(Noun):
    """A new order of the stops ahead, with its times."""

    route: str
    stamp: str
    """Of the route for which it was worked out."""
    behind: tuple[str, ...]
    stops: tuple[str, ...]
    times: tuple[datetime, ...]
    """When each of `stops` is reached."""
    ends_at: datetime
    metres: int
    """By how many the rest of the way grows; negative when it shrinks."""
    seconds: int = 0
    """By how much later the driver is back; negative when sooner."""
    pauses: tuple[dict[str, str], ...] = ()
    """Breaks and reloads ahead, as the route keeps them."""


def change(road: Road, ways: Ways, items: Sequence[Item]) -> Change:
    """Return the change to `items` ahead, whether or not it keeps the promises."""
    made = run(problem_of([road], ways), road.vehicle, items, road.vehicle.shift[0])
    return timed(road, ways, made)


def timed(road: Road, ways: Ways, made: Timetable) -> Change:
    """Return a timetable of the stops ahead as a change."""
    before = run(problem_of([road], ways), road.vehicle, road.items, road.vehicle.shift[0])
    return as_change(road, before, made)


def as_change(road: Road, before: Timetable, made: Timetable) -> Change:
    """Return a timetable of the stops ahead as a change from how it was before."""
    return Change(
        route=road.route,
        stamp=road.stamp,
        behind=road.behind,
        stops=tuple(visit.stop for visit in made.visits),
        times=tuple(at(road, visit.arrive) for visit in made.visits),
        ends_at=at(road, made.ends),
        metres=made.metres - before.metres,
        seconds=made.ends - before.ends,
        pauses=tuple(
            {
                "kind": pause.kind,
                "after": made.visits[pause.after - 1].stop if pause.after else "",
                "begins": at(road, pause.begins).isoformat(),
                "ends": at(road, pause.ends).isoformat(),
                "depot": "" if pause.point is None else road.depots.get(pause.point, ""),
            }
            for pause in made.pauses
        ),
    )


def at(road: Road, second: int) -> datetime:
    """Return a second of the road's day as an instant."""
    return road.zero + timedelta(seconds=second)


def check_stamp(session: Session, made: Change) -> tuple[RouteRow, list[StopRow]]:
    """Return the route and its stops, locked; raise `Overtaken` when they are not as before."""
    route = lock_route(session, made.route)
    check_published(route)
    stops = lock_stops(session, route.id)
    if stamp(route, stops) != made.stamp:
        raise Overtaken(f"route {route.id} changed meanwhile; try again", after=1)
    return route, stops


def apply(session: Session, route: RouteRow, stops: Sequence[StopRow], made: Change) -> None:
    """Write positions, planned times and ETAs; tell `route.changed` and what moved.

    `stops` are all of the route's, those just added with it and those just taken off without.
    """
    tell_changed(session, [route], *rewrite(route, stops, made))


def rewrite(
    route: RouteRow, stops: Sequence[StopRow], made: Change
) -> tuple[list[StopRow], list[StopRow]]:
    """Set positions and times; return the stops without an ETA, and those with another one."""
    rows = {stop.id: stop for stop in stops}
    for position, id in enumerate((*made.behind, *made.stops), 1):
        if id in rows:
            rows[id].position = position
    fresh, moved = [], []
    for id, at in zip(made.stops, made.times, strict=True):
        stop = rows[id]
        stop.planned_at = at
        if stop.eta_at is None:
            fresh.append(stop)
        elif abs(stop.eta_at - at) >= NEWS:
            moved.append(stop)
    over = [pause for pause in route.pauses if pause["after"] in made.behind]
    route.pauses = [*over, *made.pauses]
    route.ends_at, route.metres = made.ends_at, max(0, route.metres + made.metres)
    return fresh, moved


def tell_changed(
    session: Session,
    routes: Sequence[RouteRow],
    fresh: Sequence[StopRow],
    moved: Sequence[StopRow],
) -> None:
    """Issue the new ETAs and tell of them and of the routes, with a few statements for all."""
    issue(session, [*fresh, *moved])
    session.flush()
    tell_routes(session, RouteChanged, routes)
    tell_stops(session, StopEtaChanged, moved)


def apply_together(session: Session, changes: Sequence[Change]) -> dict[str, str]:
    """Write changes of routes that exchange stops, all or none; return the new stamps by route.

    Raises `Overtaken` when one of them is not as it was when the changes were worked out.
    """
    ordered = sorted(changes, key=lambda one: one.route)
    for made in ordered:
        lock_route(session, made.route)  # all routes before any stop, as everybody does
    held = [check_stamp(session, made) for made in ordered]
    rows = {stop.id: stop for _, stops in held for stop in stops}
    stamps: dict[str, str] = {}
    fresh: list[StopRow] = []
    moved: list[StopRow] = []
    for (route, _), made in zip(held, ordered, strict=True):
        for id in made.stops:
            rows[id].route = route.id
        mine = [rows[id] for id in (*made.behind, *made.stops)]
        new, other = rewrite(route, mine, made)
        fresh, moved = [*fresh, *new], [*moved, *other]
        stamps[route.id] = stamp(route, mine)
    tell_changed(session, [route for route, _ in held], fresh, moved)
    return stamps
