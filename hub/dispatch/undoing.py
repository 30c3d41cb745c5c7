"""A re-optimisation taken back: the former order of stops, as long as nobody has driven on."""

from __future__ import annotations

from functools import partial

from sqlmodel import col, select

from hub.access import get
from hub.dispatch.changes import Change, Overtaken, apply_together, as_change
from hub.dispatch.reoptimisations import conclude
from hub.dispatch.road import Road, Ways, problem_of, read_roads, ways
from hub.errors import Refused
from hub.hub import Hub
from hub.planning.day import Point
from hub.planning.schedule import run
from hub.planning.travel import matrix
from hub.store import Principal, ReoptimisationRow, RouteRow

GONE = "drivers have gone on, or somebody has changed the routes; re-optimise again instead"


def undo(hub: Hub, principal: Principal, id: str) -> ReoptimisationRow:
    """Put the stops back into the order and to the drivers that they had before.

    All routes or none. Stops that it put into a route stay there. Raises `Refused` when one of the
    routes is not as the re-optimisation has left it.
    """
    places: dict[Point, int] = {}
    with hub.store.read(principal) as session:
        row = get(session, ReoptimisationRow, id)
        check_undoable(row)
        query = select(RouteRow).where(col(RouteRow.id).in_(list(row.before)))
        routes = list(session.exec(query.order_by(RouteRow.id)))
        roads = read_roads(session, routes, places)
    ahead = sorted(stop.id for road in roads for stop in road.stops)
    then = sorted(id for stops in row.before.values() for id in stops)
    if ahead != then or any(road.stamp != row.stamps[road.route] for road in roads):
        raise Refused(GONE, "state")
    changes = former(row, roads, ways(roads, list(places), partial(matrix, hub)))
    with hub.store.write(principal) as session:
        kept = get(session, ReoptimisationRow, id)
        check_undoable(kept)
        try:
            apply_together(session, changes)
        except Overtaken as error:
            raise Refused(GONE, "state") from error
        kept.reason = ""
        conclude(session, kept, "undone")
        return kept


def check_undoable(row: ReoptimisationRow) -> None:
    """Raise `Refused` where there is nothing to take back."""
    if row.state == "undone":
        raise Refused(f"re-optimisation {row.id} was taken back already", "state")
    if row.state not in ("done", "failed", "cancelled"):
        raise Refused(f"re-optimisation {row.id} is {row.state}; cancel it first", "state")
    if not row.before:
        raise Refused(f"re-optimisation {row.id} changed no route", "state")


def former(row: ReoptimisationRow, roads: list[Road], times: Ways) -> list[Change]:
    """Return the changes that put the stops back."""
    stops = {stop.id: stop for road in roads for stop in road.stops}
    problem = problem_of(roads, times)
    changes = []
    for road in roads:
        start = road.vehicle.shift[0]
        made = run(problem, road.vehicle, [stops[id] for id in row.before[road.route]], start)
        changes.append(as_change(road, run(problem, road.vehicle, road.items, start), made))
    return changes
