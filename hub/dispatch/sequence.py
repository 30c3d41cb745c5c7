"""The order of the stops ahead, set by hand, and stops taken off a route."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from hub.access import get
from hub.dispatch.changes import Change, apply, change, check_stamp
from hub.dispatch.ordering import best_order, in_order
from hub.dispatch.road import Road, Ways, check_published, read_road, ways
from hub.dispatch.rows import tell_route
from hub.errors import Refused
from hub.events.catalogue import RouteChanged, RouteClosed, StopEnRoute
from hub.hub import Hub
from hub.nouns import Noun, ProblemStop
from hub.orders.happenings import tell_stop
from hub.planning.day import Point, seconds_since
from hub.planning.drafts import take_out
from hub.planning.travel import matrix
from hub.store import Principal, RouteRow, Session, StopRow
from hub.store.states import ENDED, move_route, move_stop


class Resequenced(Noun):
    """The stops ahead in their new order, and those that now come after their promise."""

    route: str
    stops: tuple[str, ...]
    late: tuple[str, ...]
    extra_seconds: int = 0
    """By how much later the driver is back; negative when sooner."""
    extra_metres: int = 0


def resequence(
    hub: Hub, principal: Principal, route_id: str, stop_ids: Sequence[str], *, dry: bool = False
) -> Resequenced:
    """Put the stops that are not yet visited into the order of `stop_ids` (all of them, once).

    The dispatcher knows best: an order that breaks a promise is taken, and the answer says so.
    With `dry` nothing is written. Raises `Refused` for another set of stops, `Overtaken` when the
    route moved meanwhile.
    """
    road, times = look(hub, principal, route_id)
    check_order(road, stop_ids)
    return put_in_order(hub, principal, road, times, stop_ids, dry=dry)


def optimise(
    hub: Hub,
    principal: Principal,
    route_id: str,
    locks: Sequence[str] = (),
    *,
    seconds: float = 1.0,
    dry: bool = False,
) -> Resequenced:
    """Put the stops ahead into the best order that begins with `locks`, in this order.

    The stop under way stays first. Promises that are kept stay kept, late stops get no later; where
    the locks themselves do not allow that, the best is made of what is left. Raises as
    `resequence` does.
    """
    road, times = look(hub, principal, route_id)
    check_locks(road, locks)
    return put_in_order(
        hub, principal, road, times, best_order(road, times, locks, seconds), dry=dry
    )


def look(hub: Hub, principal: Principal, route_id: str) -> tuple[Road, Ways]:
    """Return a published route as it stands, with its travel times."""
    with hub.store.read(principal) as session:
        route = get(session, RouteRow, route_id)
        check_published(route)
        places: dict[Point, int] = {}
        road = read_road(session, route, places)
    return road, ways([road], list(places), partial(matrix, hub))


def put_in_order(
    hub: Hub,
    principal: Principal,
    road: Road,
    times: Ways,
    stop_ids: Sequence[str],
    *,
    dry: bool,
) -> Resequenced:
    """Write an order of the stops ahead, unless it is only asked what it would bring."""
    made = change(road, times, in_order(road, stop_ids))
    before = change(road, times, road.items)
    if not dry:
        with hub.store.write(principal) as session:
            row, stops = check_stamp(session, made)
            apply(session, row, stops, made)
    closes = {stop.id: stop.windows[-1][1] for stop in road.stops if stop.windows}
    late = [
        id
        for id, at in zip(made.stops, made.times, strict=True)
        if id in closes and seconds_since(road.zero, at) > closes[id]
    ]
    return Resequenced(
        route=road.route,
        stops=made.stops,
        late=tuple(late),
        extra_seconds=round((made.ends_at - before.ends_at).total_seconds()),
        extra_metres=made.metres,
    )


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


def check_locks(road: Road, locks: Sequence[str]) -> None:
    """Raise `Refused` for a lock that is not ahead, or is named twice."""
    ahead = {stop.id for stop in road.stops}
    for id in locks:
        if id not in ahead:
            raise Refused(f"stop {id[:60]} is not ahead on this route; reload the route", "locks")
    if len(set(locks)) < len(locks):
        raise Refused("name each stop that comes first once", "locks")
    if road.frozen and locks and locks[0] != road.stops[0].id:
        raise Refused(
            f"the driver is on the way to stop {road.stops[0].id}; it stays first", "locks"
        )


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
    rest = [one for one in road.items if not (isinstance(one, ProblemStop) and one.id == stop_id)]
    made = change(road, ways([road], list(places), partial(matrix, hub)), rest)
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
