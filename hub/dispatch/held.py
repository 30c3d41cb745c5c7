"""A route that a transaction holds with its stops: read and locked once, then handed on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement
from sqlmodel import col, select

from hub.access import scoped
from hub.errors import Missing
from hub.events.facts import RouteFacts
from hub.orders.happenings import route_facts
from hub.store import RouteRow, Session, StopRow


@dataclass(frozen=True)
class Held:
    """A route and its stops in their order; nobody else changes them until the transaction ends."""

    route: RouteRow
    stops: list[StopRow]

    def find(self, id: str) -> StopRow | None:
        """Return the stop with `id` unless it is on another route, or on none."""
        return next((stop for stop in self.stops if stop.id == id and self.has(stop)), None)

    def has(self, stop: StopRow) -> bool:
        """Say whether a stop has not been taken off since the route is held."""
        return stop.route == self.route.id

    def facts(self) -> RouteFacts:
        """Return what an event may say about the route as it is now."""
        return route_facts(self.route, sum(map(self.has, self.stops)))


def hold(session: Session, id: str) -> Held:
    """Return a route that the principal may see, held; raise `Missing` otherwise."""
    return hold_all(session, [id])[0]


def hold_all(session: Session, ids: Sequence[str]) -> list[Held]:
    """Return routes that the principal may see, held; raise `Missing` where there is one not.

    Whoever locks several rows of a kind does it by their ids, so that two who do it wait for each
    other in one direction only. The whole order is in docs/architecture.md.
    """
    query = scoped(session, RouteRow).where(col(RouteRow.id).in_(ids)).order_by(RouteRow.id)
    query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    routes = {route.id: route for route in session.exec(query)}
    for id in ids:
        if id not in routes:
            raise Missing(f"there is no route {id}")
    stops = lock_stops(session, ids)
    return [Held(routes[id], stops[id]) for id in ids]


def hold_if(session: Session, *conditions: ColumnElement[bool] | bool) -> Held | None:
    """Return the one route that fulfils `conditions`, held, or nothing; whoever asks."""
    query = select(RouteRow).where(*conditions).with_for_update(key_share=True)
    route = session.exec(query.execution_options(populate_existing=True)).one_or_none()
    return None if route is None else Held(route, lock_stops(session, [route.id])[route.id])


def lock_stops(session: Session, routes: Sequence[str]) -> dict[str, list[StopRow]]:
    """Return the stops of routes in their order, locked; the routes are locked before."""
    query = select(StopRow).where(col(StopRow.route).in_(routes)).order_by(StopRow.id)
    query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    found: dict[str, list[StopRow]] = {route: [] for route in routes}
    for stop in sorted(session.exec(query), key=lambda one: one.position or 0):
        found[stop.route or ""].append(stop)
    return found
