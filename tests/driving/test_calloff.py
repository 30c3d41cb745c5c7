"""An order that is called off leaves a route that goes on, or ends."""

from __future__ import annotations

from hub.driving.calloff import call_off
from hub.hub import Hub
from hub.store import RouteRow, StopRow, System
from hub.testing.road import Road


def under_way(hub: Hub, road: Road, last: int) -> None:
    """Let the route be under way with the first `last` stops delivered."""
    with hub.store.write(System()) as session:
        session.get_one(RouteRow, road.route).state = "in_progress"
        for number, id in enumerate(road.stops):
            stop = session.get_one(StopRow, id)
            done = number < last
            stop.state = "completed" if done else "en_route" if number == last else "dispatched"


def order_of(hub: Hub, stop: str) -> str:
    """Return the order of a stop."""
    with hub.store.read(System()) as session:
        return session.get_one(StopRow, stop).order


def test_the_driver_is_sent_on_when_the_next_stop_is_called_off(hub: Hub, road: Road) -> None:
    under_way(hub, road, 0)
    with hub.store.write(System()) as session:
        call_off(session, order_of(hub, road.stops[0]))
    with hub.store.read(System()) as session:
        states = [session.get_one(StopRow, id).state for id in road.stops]
        assert states == ["cancelled", "en_route", "dispatched"]


def test_calling_off_the_last_open_stop_closes_the_route(hub: Hub, road: Road) -> None:
    under_way(hub, road, 2)
    with hub.store.write(System()) as session:
        call_off(session, order_of(hub, road.stops[2]))
    with hub.store.read(System()) as session:
        assert session.get_one(RouteRow, road.route).state == "closed"
