"""The order of the stops ahead, set by hand, and stops taken off a route."""

from __future__ import annotations

from collections.abc import Sequence

from hub.access import get
from hub.dispatch.changes import Change, apply, change, check_stamp
from hub.dispatch.road import Road, check_published, read_road
from hub.dispatch.rows import tell_route
from hub.errors import Refused
from hub.events.catalogue import RouteChanged, RouteClosed, StopEnRoute
from hub.hub import Hub
from hub.nouns import Noun
from hub.orders.happenings import tell_stop
from hub.planning.day import Point
from hub.planning.drafts import take_out
from hub.planning.travel import matrix
from hub.store import Principal, RouteRow, Session, StopRow
from hub.store.states import ENDED, move_route, move_stop


class Resequenced(Noun):
    """The stops ahead in their new order, and those that now come after their promise."""

    route: str
    stops: tuple[str, ...]
    late: tuple[str, ...]


def resequence(
    hub: Hub, principal: Principal, route_id: str, stop_ids: Sequence[str]
) -> Resequenced:
    """Put the stops that are not yet visited into the order of `stop_ids` (all of them, once).

    The dispatcher knows best: an order that breaks a promise is taken, and the answer says so.
    Raises `Refused` for another set of stops, `Overtaken` when the route moved meanwhile.
    """
    with hub.store.read(principal) as session:
        route = get(session, RouteRow, route_id)
        check_published(route)
        places: dict[Point, int] = {}
        road = read_road(session, route, places)
    check_order(road, stop_ids)
    by_id = {stop.id: stop for stop in road.stops}
    made = change(road, matrix(hub, list(places)), [by_id[id] for id in stop_ids])
    with hub.store.write(principal) as session:
        row, stops = check_stamp(session, made)
        apply(session, row, stops, made)
        late = [
            stop.id
            for stop in stops
            if stop.id in made.stops
            and stop.promised_end is not None
            and stop.planned_at is not None
            and stop.planned_at > stop.promised_end
        ]
    return Resequenced(route=route_id, stops=made.stops, late=tuple(late))


def check_order(road: Road, stop_ids: Sequence[str]) -> None:
    """Raise `Refused` unless `stop_ids` are the stops ahead, with the one under way first."""
    ahead = [stop.id for stop in road.stops]
    if sorted(stop_ids) != sorted(ahead):
        raise Refused(
            f"name each of the {len(ahead)} stops that are not visited yet once; reload the route",
            "stops",
        )
    if road.frozen and stop_ids[0] != ahead[0]:
        raise Refused(f"the driver is on the way to stop {ahead[0]}; it stays first", "stops")


def unassign(hub: Hub, principal: Principal, stop_id: str) -> None:
    """Take a stop off its published route, so that it can be planned or inserted again.

    A failed stop may be taken up for another attempt: its old promise is void then. A route that
    has nothing left ends: cancelled before its start, closed after it.
    """
    with hub.store.read(principal) as session:
        stop = get(session, StopRow, stop_id)
        if stop.route is None:
            raise Refused(f"stop {stop.id} is on no route", "stop")
        route = get(session, RouteRow, stop.route)
        places: dict[Point, int] = {}
        road = read_road(session, route, places)
    rest = [ahead for ahead in road.stops if ahead.id != stop_id]
    made = change(road, matrix(hub, list(places)), rest)
    with hub.store.write(principal) as session:
        if route.state == "closed":
            take_off(get(session, StopRow, stop_id))
            return
        row, stops = check_stamp(session, made)
        take_off(next(stop for stop in stops if stop.id == stop_id))
        left = [stop for stop in stops if stop.id != stop_id]
        session.flush()
        go_on(session, row, left, made)


def take_off(stop: StopRow) -> None:
    """Make a stop unassigned again."""
    failed = stop.state == "failed"
    move_stop(stop, "unassigned")
    take_out(stop)
    stop.approached_at = stop.arrived_at = stop.departed_at = stop.ended_at = None
    stop.reason = ""
    if failed:
        stop.promised_start = stop.promised_end = None


def go_on(session: Session, route: RouteRow, left: list[StopRow], made: Change) -> None:
    """Write the rest of a route after a stop was taken off, or end it when nothing is left."""
    over = all(stop.state in ENDED | {"skipped", "cancelled"} for stop in left)
    if not over:
        apply(session, route, left, made)
        ahead = [stop for stop in left if stop.id in made.stops]
        busy = any(stop.state in ("en_route", "arrived") for stop in left)
        if route.state == "in_progress" and ahead and not busy:
            following = min(ahead, key=lambda stop: stop.position or 0)
            move_stop(following, "en_route")
            tell_stop(session, StopEnRoute, following)
    elif route.state == "in_progress":
        move_route(route, "closed")
        route.closed_at = session.now
        tell_route(session, RouteClosed, route)
    else:
        move_route(route, "cancelled")
        tell_route(session, RouteChanged, route)
