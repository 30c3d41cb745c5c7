"""The lines and turns of routes lead to people's doors, and go as those do."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import select

from hub.hub import Hub
from hub.privacy.erasure import erase_order
from hub.queue.dispatcher import tidy
from hub.store import RouteWayRow, StopRow, System
from hub.testing.fixtures import MORNING, set_time
from hub.testing.road import Road, road

__all__ = ["road"]


def test_no_line_leads_to_the_door_of_a_person_who_was_erased(hub: Hub, road: Road) -> None:
    with hub.store.write(System()) as session:
        stop = session.get_one(StopRow, road.stops[0])
        stop.lat, stop.lon, stop.state = 47.1533456, 9.5274432, "completed"
        lines = {"legs": [{"line": [[47.14, 9.52], [stop.lat, stop.lon]]}]}
        for route, stops in (("rte_old", [stop.id]), (road.route, [*road.stops]), ("rte_x", [])):
            session.add(RouteWayRow(route=route, stops=stops, way=lines, made_at=MORNING))
    erase_order(hub, stop.order)
    with hub.store.read() as session:
        assert session.exec(select(RouteWayRow.route)).all() == ["rte_x"]


def test_ways_go_a_month_after_their_day(hub: Hub, road: Road) -> None:
    with hub.store.write(System()) as session:
        session.add(RouteWayRow(route=road.route, stops=[], way={}, made_at=MORNING))
    for days, left in ((30, 1), (32, 0)):
        set_time(hub, MORNING + timedelta(days=days))
        tidy(hub)
        with hub.store.read() as session:
            assert len(session.exec(select(RouteWayRow)).all()) == left
