"""The order of stops set by hand, and stops taken off a route."""

from __future__ import annotations

import pytest

from hub.dispatch.sequence import optimise, resequence, unassign
from hub.errors import Refused
from hub.hub import Hub
from hub.store import RouteRow, System
from hub.testing.town import Town, at

STAFF = System()


def start(hub: Hub, town: Town, route: str) -> str:
    """Let the driver be on the way to the first stop, and return it."""
    first = town.on(route)[0].id
    with hub.store.write(System()) as session:
        row = session.get_one(RouteRow, route)
        row.state, row.started_at = "in_progress", row.starts_at
    town.change(first, state="en_route")
    return first


def test_the_order_is_the_dispatchers_and_the_times_follow(hub: Hub, town: Town) -> None:
    town.stops(4)
    (route,) = town.published()
    wanted = [stop.id for stop in town.on(route)][::-1]
    resequence(hub, STAFF, route, wanted)
    stops = town.on(route)
    assert [stop.id for stop in stops] == wanted
    times = [stop.planned_at or at(0) for stop in stops]
    assert times == sorted(times)
    assert [event.subject for event in town.events("route.changed")] == [route]


def test_the_answer_names_who_becomes_late(hub: Hub, town: Town) -> None:
    soon = town.stop(0.01, window_start=at(8), window_end=at(8, 30))
    slow = town.stop(0.02, service_time=3600)
    (route,) = town.published()
    assert resequence(hub, STAFF, route, [soon, slow]).late == ()
    assert resequence(hub, STAFF, route, [slow, soon]).late == (soon,)


def test_a_list_that_is_not_the_stops_ahead_is_refused(hub: Hub, town: Town) -> None:
    ids = town.stops(3)
    (route,) = town.published()
    for wrong in (ids[:2], [*ids, ids[0]], [*ids[:2], "stp_x"]):
        with pytest.raises(Refused, match="each of the 3 stops"):
            resequence(hub, STAFF, route, wrong)


def test_the_stop_under_way_stays_first(hub: Hub, town: Town) -> None:
    town.stops(3)
    (route,) = town.published()
    first = start(hub, town, route)
    rest = [stop.id for stop in town.on(route)[1:]]
    with pytest.raises(Refused, match="on the way to stop"):
        resequence(hub, STAFF, route, [*rest, first])
    resequence(hub, STAFF, route, [first, *rest[::-1]])
    assert [stop.id for stop in town.on(route)] == [first, *rest[::-1]]


def test_visited_stops_are_not_moved(hub: Hub, town: Town) -> None:
    town.stops(3)
    (route,) = town.published()
    first = start(hub, town, route)
    town.change(first, state="completed", ended_at=at(9), departed_at=at(9))
    rest = [stop.id for stop in town.on(route)[1:]]
    resequence(hub, STAFF, route, rest[::-1])
    assert [stop.id for stop in town.on(route)] == [first, *rest[::-1]]


def test_a_draft_is_planned_not_changed(hub: Hub, town: Town) -> None:
    stop = town.stop()
    town.plan()
    with pytest.raises(Refused, match="only a published one"):
        resequence(hub, STAFF, town.routes()[0].id, [stop])


def test_a_stop_taken_off_can_be_planned_again(hub: Hub, town: Town) -> None:
    town.stops(3)
    (route,) = town.published()
    off = town.on(route)[1].id
    unassign(hub, STAFF, off)
    row = town.read(off)
    assert (row.state, row.route, row.position, row.planned_at) == ("unassigned", None, None, None)
    assert [stop.position for stop in town.on(route)] == [1, 2]
    assert town.events("route.changed")


def test_a_failed_stop_gets_another_attempt_with_a_new_promise(hub: Hub, town: Town) -> None:
    town.stops(2)
    (route,) = town.published()
    first = start(hub, town, route)
    town.change(first, state="failed", ended_at=at(9), attempts=1, reason="nobody_home")
    unassign(hub, STAFF, first)
    row = town.read(first)
    assert (row.state, row.promised_end, row.reason, row.attempts) == ("unassigned", None, "", 1)


def test_when_the_stop_under_way_is_taken_off_the_driver_heads_for_the_next(
    hub: Hub, town: Town
) -> None:
    town.stops(3)
    (route,) = town.published()
    first = start(hub, town, route)
    second = town.on(route)[1].id
    unassign(hub, STAFF, first)
    assert town.read(second).state == "en_route"
    assert town.events("stop.en_route")[-1].subject == second


def test_a_route_without_stops_ends(hub: Hub, town: Town) -> None:
    town.stop()
    (route,) = town.published()
    unassign(hub, STAFF, town.on(route)[0].id)
    assert town.routes()[0].state == "cancelled"


def test_a_running_route_without_open_stops_is_closed(hub: Hub, town: Town) -> None:
    town.stops(2)
    (route,) = town.published()
    first = start(hub, town, route)
    town.change(first, state="completed", ended_at=at(9), departed_at=at(9))
    unassign(hub, STAFF, town.on(route)[1].id)
    assert town.routes()[0].state == "closed"
    assert [event.subject for event in town.events("route.closed")] == [route]


def test_the_best_order_is_found_with_the_locks_in_front(hub: Hub, town: Town) -> None:
    far, near, middle = town.stop(0.06), town.stop(0.01), town.stop(0.03)
    side = town.stop(0.03, 0.04)
    (route,) = town.published()
    resequence(hub, STAFF, route, [middle, far, near, side])
    told = optimise(hub, STAFF, route, dry=True)
    assert told.extra_seconds < 0
    assert [stop.id for stop in town.on(route)] == [middle, far, near, side]
    done = optimise(hub, STAFF, route, [far, near])
    assert done.stops[:2] == (far, near)
    assert sorted(done.stops) == sorted([far, near, middle, side])
    assert [stop.id for stop in town.on(route)] == list(done.stops)


def test_the_best_order_keeps_promises_and_the_stop_under_way(hub: Hub, town: Town) -> None:
    soon = town.stop(0.05, window_start=at(8), window_end=at(9))
    town.stops(4)
    (route,) = town.published()
    first = start(hub, town, route)
    late_before = resequence(hub, STAFF, route, [stop.id for stop in town.on(route)]).late
    done = optimise(hub, STAFF, route)
    assert done.stops[0] == first
    assert set(done.late) <= set(late_before)
    assert soon in done.stops


def test_a_lock_that_is_not_ahead_is_refused(hub: Hub, town: Town) -> None:
    ids = town.stops(3)
    (route,) = town.published()
    with pytest.raises(Refused, match="is not ahead"):
        optimise(hub, STAFF, route, ["stp_x"])
    with pytest.raises(Refused, match="once"):
        optimise(hub, STAFF, route, [ids[0], ids[0]])
