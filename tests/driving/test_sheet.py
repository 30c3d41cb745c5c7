"""The driver's sheet shows the right route and what the door needs."""

from __future__ import annotations

from datetime import timedelta

from hub.driving.sheet import sheet
from hub.hub import Hub
from hub.store import RouteRow, StopRow, System
from hub.testing.fixtures import MORNING, World, set_time
from hub.testing.road import Road, lay_route


def test_the_sheet_lists_stops_in_order_with_lines_and_cash(hub: Hub, road: Road) -> None:
    with hub.store.read(System()) as session:
        found = sheet(session, road.driver)
    assert [stop.id for stop in found.stops] == list(road.stops)
    first = found.stops[0]
    assert (first.ref, first.address) == ("#1001", "Städtle 1, 9490 Vaduz")
    assert (first.cash_due, first.currency) == ("12.50", "CHF")
    assert [(line.name, line.quantity) for line in first.lines] == [
        ("Pine oil", 2),
        ("Herb salt", 1),
    ]
    assert found.route is not None
    assert found.route.depot.timezone == "Europe/Zurich"


def test_a_driver_without_a_route_gets_an_empty_sheet(hub: Hub, world: World) -> None:
    with hub.store.read(System()) as session:
        found = sheet(session, world.driver)
    assert found.route is None
    assert found.stops == ()


def test_a_draft_is_not_shown(hub: Hub, road: Road) -> None:
    with hub.store.write(System()) as session:
        session.get_one(RouteRow, road.route).state = "draft"
    with hub.store.read(System()) as session:
        assert sheet(session, road.driver).route is None


def test_a_cancelled_stop_is_left_out(hub: Hub, road: Road) -> None:
    with hub.store.write(System()) as session:
        session.get_one(StopRow, road.stops[1]).state = "cancelled"
    with hub.store.read(System()) as session:
        assert [stop.id for stop in sheet(session, road.driver).stops] == [
            road.stops[0], road.stops[2],
        ]  # fmt: skip


def test_a_route_in_progress_goes_on_after_midnight(hub: Hub, road: Road) -> None:
    with hub.store.write(System()) as session:
        session.get_one(RouteRow, road.route).state = "in_progress"
    set_time(hub, MORNING + timedelta(hours=18))
    with hub.store.read(System()) as session:
        found = sheet(session, road.driver)
    assert found.route is not None
    assert found.route.id == road.route


def test_the_second_route_of_a_day_follows_the_closed_first(hub: Hub, road: Road) -> None:
    with hub.store.write(System()) as session:
        session.get_one(RouteRow, road.route).state = "closed"
        later = lay_route(session, road.world)
        later.starts_at = MORNING + timedelta(hours=5)
        second = later.id
    with hub.store.read(System()) as session:
        found = sheet(session, road.driver)
    assert found.route is not None
    assert found.route.id == second
