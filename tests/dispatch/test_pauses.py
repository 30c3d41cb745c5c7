"""Breaks and reloads on the road: none is forgotten, and none is counted twice."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import select

from hub.dispatch.publish import publish
from hub.dispatch.sequence import look, resequence
from hub.hub import Hub
from hub.store import Operator, RouteRow, ShiftRow, StopRow, System, VehicleRow
from hub.testing.fixtures import set_time
from hub.testing.town import Town, at

STAFF = Operator("dispatcher", user="test")


def on_the_road(hub: Hub, town: Town) -> str:
    """Plan the day, publish its one route and let the driver leave."""
    assert town.plan(0.3).state == "done"
    (draft,) = town.routes()
    with hub.store.write(STAFF) as session:
        route = publish(hub, session, draft.id)
        route.state, route.started_at = "in_progress", route.starts_at
    return draft.id


def pauses(hub: Hub, route: str, kind: str) -> list[dict[str, Any]]:
    with hub.store.read(System()) as session:
        return [one for one in session.get_one(RouteRow, route).pauses if one["kind"] == kind]


def begins(pause: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(pause["begins"])


def done(town: Town, stop: StopRow) -> None:
    assert stop.planned_at is not None
    left = stop.planned_at + timedelta(seconds=stop.service_time)
    town.change(
        stop.id, state="completed", arrived_at=stop.planned_at, departed_at=left, ended_at=left
    )


def arrive(hub: Hub, town: Town, route: str, last: str) -> list[StopRow]:
    """Let the driver stand at `last` since it was planned; return the stops ahead."""
    stops = town.on(route)
    index = [stop.id for stop in stops].index(last)
    for stop in stops[:index]:
        done(town, stop)
    town.change(last, state="arrived", arrived_at=stops[index].planned_at)
    return stops[index + 1 :]


def with_break(hub: Hub) -> None:
    with hub.store.write(System()) as session:
        for shift in session.exec(select(ShiftRow)):
            shift.breaks = [{"start": "12:00", "end": "13:30", "minutes": 30}]


def with_reloads(hub: Hub, town: Town) -> None:
    with hub.store.write(System()) as session:
        van = session.get_one(VehicleRow, town.world.vehicle)
        van.capacity, van.reload_depots = 2, [town.world.depot]
        van.reload_seconds, van.most_reloads = 1800, 3


def test_a_reload_stays_while_the_driver_is_at_the_door_before_it(hub: Hub, town: Town) -> None:
    with_reloads(hub, town)
    for number in range(4):
        town.stop(0.05 + 0.01 * number, load=1)
    route = on_the_road(hub, town)
    (reload,) = pauses(hub, route, "reload")
    ahead = arrive(hub, town, route, reload["after"])
    since = town.read(reload["after"]).arrived_at
    assert since is not None
    set_time(hub, since + timedelta(seconds=30))
    for _ in range(2):
        resequence(hub, STAFF, route, [stop.id for stop in ahead])
        (kept,) = pauses(hub, route, "reload")
        assert kept["after"] == reload["after"]
        assert abs(begins(kept) - begins(reload)) < timedelta(minutes=1)
        for stop in ahead:
            assert stop.planned_at is not None
            moved = town.read(stop.id).planned_at
            assert moved is not None
            assert abs(moved - stop.planned_at) < timedelta(minutes=1)


def test_a_reload_is_over_for_who_is_on_the_way_to_the_next_stop(hub: Hub, town: Town) -> None:
    with_reloads(hub, town)
    for number in range(4):
        town.stop(0.05 + 0.01 * number, load=1)
    route = on_the_road(hub, town)
    (reload,) = pauses(hub, route, "reload")
    ahead = arrive(hub, town, route, reload["after"])
    done(town, town.read(reload["after"]))
    town.change(ahead[0].id, state="en_route")
    set_time(hub, begins(reload) + timedelta(minutes=40))
    resequence(hub, STAFF, route, [stop.id for stop in ahead])
    assert pauses(hub, route, "reload") == [reload]


def test_a_break_that_was_not_taken_stays(hub: Hub, town: Town) -> None:
    with_break(hub)
    town.stops(5, service_time=5500)
    route = on_the_road(hub, town)
    (rest,) = pauses(hub, route, "break")
    ahead = arrive(hub, town, route, rest["after"])
    set_time(hub, begins(rest) - timedelta(minutes=2))
    for _ in range(2):
        resequence(hub, STAFF, route, [stop.id for stop in ahead])
        (kept,) = pauses(hub, route, "break")
        assert abs(begins(kept) - begins(rest)) < timedelta(minutes=1)
        first, moved = ahead[0].planned_at, town.read(ahead[0].id).planned_at
        assert first is not None
        assert moved is not None
        assert abs(moved - first) < timedelta(minutes=1)


def test_who_rests_goes_on_when_the_break_is_over_and_takes_no_second_one(
    hub: Hub, town: Town
) -> None:
    with_break(hub)
    town.stops(5, service_time=5500)
    route = on_the_road(hub, town)
    (rest,) = pauses(hub, route, "break")
    ahead = arrive(hub, town, route, rest["after"])
    done(town, town.read(rest["after"]))
    set_time(hub, begins(rest) + timedelta(minutes=10))
    resequence(hub, STAFF, route, [stop.id for stop in ahead])
    assert pauses(hub, route, "break") == [rest]
    first, moved = ahead[0].planned_at, town.read(ahead[0].id).planned_at
    assert first is not None
    assert moved is not None
    assert abs(moved - first) < timedelta(minutes=1)


def test_service_at_a_door_is_counted_once(hub: Hub, town: Town) -> None:
    first = town.stops(3, service_time=600)[0]
    (route,) = town.published()
    with hub.store.write(System()) as session:
        row = session.get_one(RouteRow, route)
        row.state, row.started_at = "in_progress", row.starts_at
    town.change(first, state="arrived", arrived_at=at(8, 10))
    for minute in (11, 15, 19):
        set_time(hub, at(8, minute))
        road, _ = look(hub, STAFF, route)
        assert road.zero + timedelta(seconds=road.vehicle.shift[0]) == at(8, 20)
