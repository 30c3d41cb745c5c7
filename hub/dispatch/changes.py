"""A change of what is ahead on a route: worked out beforehand, applied in a short transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm.attributes import flag_modified

from hub.dispatch.held import Held, hold, hold_all
from hub.dispatch.promises import issue
from hub.dispatch.road import Road, Ways, check_published, problem_of, stamp
from hub.dispatch.rows import tell_routes
from hub.errors import Retry
from hub.events.catalogue import RouteChanged, StopEtaChanged
from hub.nouns import Noun
from hub.orders.happenings import tell_stops
from hub.planning.drafts import pause_rows
from hub.planning.rules import Item
from hub.planning.schedule import Timetable, run
from hub.store import RouteRow, Session, StopRow

WRITTEN = ("route", "position", "planned_at", "eta_at", "eta_low", "eta_high")
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
    over: tuple[dict[str, str], ...] = ()
    """Those that have begun."""


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
        pauses=tuple(pauses_of(road, made)),
        over=road.over,
    )


def pauses_of(road: Road, made: Timetable) -> list[dict[str, str]]:
    """Return the pauses ahead as a route keeps them, the first behind what was visited last."""
    last = road.behind[-1] if road.behind else ""
    rows = pause_rows(made.visits, made.pauses, road.zero, road.depots)
    return [{**row, "after": row["after"] or last} for row in rows]


def at(road: Road, second: int) -> datetime:
    """Return a second of the road's day as an instant."""
    return road.zero + timedelta(seconds=second)


def check_stamp(session: Session, made: Change) -> tuple[RouteRow, list[StopRow]]:
    """Return the route and its stops, locked; raise `Overtaken` when they are not as before."""
    held = hold(session, made.route)
    check_published(held.route)
    if not as_it_was(held, made):
        raise Overtaken(f"route {made.route} changed meanwhile; try again", after=1)
    return held.route, held.stops


def as_it_was(held: Held, made: Change) -> bool:
    """Say whether a route is still as it was when a change was worked out."""
    return stamp(held.route, held.stops) == made.stamp


def apply(session: Session, route: RouteRow, stops: Sequence[StopRow], made: Change) -> None:
    """Write positions, planned times and ETAs; tell `route.changed` and what moved.

    `stops` are all of the route's, those just added with it and those just taken off without.
    """
    fresh, moved = rewrite(route, stops, made)
    issue(session, [*fresh, *moved])
    tell_changed(session, [route], moved)


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
    route.pauses = [*made.over, *made.pauses]
    route.ends_at, route.metres = made.ends_at, max(0, route.metres + made.metres)
    return fresh, moved


def tell_changed(session: Session, routes: Sequence[RouteRow], moved: Sequence[StopRow]) -> None:
    """Tell of routes and of the stops that have another ETA, with a few statements for all."""
    session.flush()
    tell_routes(session, RouteChanged, routes)
    tell_stops(session, StopEtaChanged, moved)


def apply_together(session: Session, changes: Sequence[Change]) -> dict[str, str]:
    """Write changes of routes that exchange stops, all or none; return the new stamps by route.

    Raises `Overtaken` when one of them is not as it was when the changes were worked out.
    """
    stamps = apply_groups(session, [changes])
    if not stamps:
        raise Overtaken("one of the routes changed meanwhile; try again", after=1)
    return stamps


def apply_groups(session: Session, groups: Sequence[Sequence[Change]]) -> dict[str, str]:
    """Write those groups of changes whose routes are all as they were when it was worked out.

    Return the new stamps of the routes that were written; of a group all are there, or none.
    """
    changes = {made.route: made for group in groups for made in group}
    ids = sorted(changes)
    held = {one.route.id: one for one in hold_all(session, ids)}
    sound = [group for group in groups if all(as_it_was(held[made.route], made) for made in group)]
    rows = {stop.id: stop for group in sound for made in group for stop in held[made.route].stops}
    stamps: dict[str, str] = {}
    fresh: list[StopRow] = []
    moved: list[StopRow] = []
    for made in (made for group in sound for made in group):
        for id in made.stops:
            rows[id].route = made.route
        mine = [rows[id] for id in (*made.behind, *made.stops)]
        new, other = rewrite(held[made.route].route, mine, made)
        fresh, moved = [*fresh, *new], [*moved, *other]
        stamps[made.route] = stamp(held[made.route].route, mine)
    if stamps:
        issue(session, [*fresh, *moved])
        alike(rows.values(), WRITTEN)
        tell_changed(session, [held[id].route for id in stamps], moved)
    return stamps


def alike(rows: Iterable[object], columns: Sequence[str]) -> None:
    """Let the same columns of all rows be written, so that one statement writes them all.

    A session writes what has changed, and rows of which other columns have changed one by one.
    """
    for row in rows:
        for column in columns:
            flag_modified(row, column)
