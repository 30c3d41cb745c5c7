"""Ad-hoc stops: priced, put into a published route, no promise broken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from sqlmodel import select

from hub.dispatch import insertion
from hub.dispatch.changes import Overtaken
from hub.driving.links import switch_off
from hub.errors import Refused
from hub.hub import Hub
from hub.nouns import Matrix
from hub.store import EtaRow, Session, StopRow, System, TokenRow
from hub.testing.fixtures import World, set_time
from hub.testing.patience import PATIENCE
from hub.testing.town import Town, at
from tests.dispatch.test_dropout import another

STAFF = System()


def drive_to_second(hub: Hub, town: Town, route: str) -> None:
    """Let the driver end the first stop and be on the way to the second."""
    first, second = town.on(route)[:2]
    left = first.planned_at or at(8)
    set_time(hub, left)
    with hub.store.write(System()) as session:
        row = session.get_one(type(town.routes()[0]), route)
        row.state, row.started_at = "in_progress", row.starts_at
    town.change(first.id, state="completed", arrived_at=left, departed_at=left, ended_at=left)
    town.change(second.id, state="en_route")


def test_a_price_writes_nothing(hub: Hub, town: Town) -> None:
    town.stops(4)
    (route,) = town.published()
    new = town.stop(0.004, 0.002)
    offer = insertion.price(hub, STAFF, new)
    assert (offer.route, offer.stop, offer.approximate) == (route, new, True)
    assert offer.extra_seconds >= 180
    assert offer.extra_metres >= 0
    assert town.read(new).state == "unassigned"
    assert len(town.on(route)) == 4


def test_an_ad_hoc_stop_goes_into_the_route_at_the_price_that_was_named(
    hub: Hub, town: Town
) -> None:
    town.stops(4)
    (route,) = town.published()
    before = town.routes()[0]
    new = town.stop(0.004, 0.002)
    offer = insertion.place(hub, STAFF, new)
    after = town.routes()[0]
    assert after.metres - before.metres == offer.extra_metres
    stops = town.on(route)
    assert [stop.position for stop in stops] == [1, 2, 3, 4, 5]
    assert stops[offer.position - 1].id == new
    times = [stop.planned_at or at(0) for stop in stops]
    assert times == sorted(times)
    row = town.read(new)
    assert (row.state, row.ad_hoc, row.planned_at) == ("dispatched", True, offer.planned_at)


def test_an_ad_hoc_stop_gets_a_promise_an_eta_a_page_and_is_told(hub: Hub, town: Town) -> None:
    town.stop()
    (route,) = town.published()
    new = town.stop(0.02, window_start=at(13), window_end=at(15))
    insertion.place(hub, STAFF, new)
    row = town.read(new)
    assert (row.promised_start, row.promised_end) == (at(13), at(15))
    with hub.store.read(System()) as session:
        assert len(session.exec(select(EtaRow).where(EtaRow.stop == new)).all()) == 1
        assert len(session.exec(select(TokenRow).where(TokenRow.subject == new)).all()) == 1
    assert town.events("stop.dispatched")[-1].subject == new
    assert town.events("stop.dispatched")[-1].data["stop"]["ad_hoc"] is True
    assert [event.subject for event in town.events("route.changed")] == [route]


def test_promises_to_others_are_kept(hub: Hub, town: Town) -> None:
    tight = town.stop(0.03)
    town.published()
    reached = town.read(tight).planned_at or at(8)
    town.change(tight, promised_start=at(8), promised_end=reached + timedelta(seconds=30))
    new = town.stop(0.01, service_time=1800)
    insertion.place(hub, STAFF, new)
    assert (town.read(tight).planned_at or at(17)) <= reached + timedelta(seconds=30)
    assert (town.read(tight).position, town.read(new).position) == (1, 2)


def test_a_stop_that_would_break_every_promise_is_refused_with_the_reason(
    hub: Hub, town: Town
) -> None:
    busy = town.stop(0.03, service_time=8 * 3600 + 1500)
    town.published()
    reached = town.read(busy).planned_at or at(8)
    town.change(busy, promised_end=reached)
    new = town.stop(0.01, service_time=1800)
    with pytest.raises(Refused, match="fits into no published route: it does not fit beside"):
        insertion.price(hub, STAFF, new)


def test_a_late_stop_is_not_made_later_but_does_not_block_what_follows(
    hub: Hub, town: Town
) -> None:
    late = town.stop(0.02)
    (route,) = town.published()
    reached = town.read(late).planned_at or at(8)
    town.change(late, promised_end=reached - timedelta(hours=1))
    new = town.stop(0.02, 0.001, service_time=900)
    insertion.place(hub, STAFF, new, route)
    assert town.read(late).planned_at == reached
    assert town.read(new).position == 2


def test_what_is_visited_or_under_way_stays_before_the_new_stop(hub: Hub, town: Town) -> None:
    town.stops(5)
    (route,) = town.published()
    drive_to_second(hub, town, route)
    first, second = [stop.id for stop in town.on(route)[:2]]
    new = town.stop(town.read(first).lat - 47.1410, town.read(first).lon - 9.5209)
    offer = insertion.place(hub, STAFF, new)
    assert offer.position >= 3
    assert [stop.id for stop in town.on(route)[:2]] == [first, second]
    assert (town.read(new).planned_at or at(0)) > hub.store.clock.now()


def test_a_window_that_has_passed_is_refused(hub: Hub, town: Town) -> None:
    town.stop()
    town.published()
    new = town.stop(0.02, window_start=at(6), window_end=at(7))
    with pytest.raises(Refused, match="06:00-07:00 lies outside every shift"):
        insertion.price(hub, STAFF, new)


def test_a_full_vehicle_takes_no_more(hub: Hub, town: Town) -> None:
    town.stop(load=95)
    town.published()
    with pytest.raises(Refused, match="no vehicle has room for its load of 6"):
        insertion.price(hub, STAFF, town.stop(0.02, load=6))


def test_the_cheaper_of_two_routes_takes_it(hub: Hub, town: Town) -> None:
    town.stop(0.03, window_start=at(9), window_end=at(9, 15))
    other = town.driver()
    town.stop(-0.03, window_start=at(9), window_end=at(9, 15), service_time=2400)
    town.published()
    north, south = (
        next(r for r in town.routes() if any(keep(s.lat) for s in town.on(r.id)))
        for keep in (lambda lat: lat > 47.15, lambda lat: lat < 47.13)
    )
    assert other in (north.driver, south.driver)
    assert insertion.price(hub, STAFF, town.stop(0.031)).route == north.id
    assert insertion.price(hub, STAFF, town.stop(-0.031)).route == south.id
    dear = insertion.price(hub, STAFF, town.stop(0.0312), south.id)
    assert dear.route == south.id


def test_an_offer_is_void_once_the_route_has_changed(hub: Hub, town: Town) -> None:
    town.stops(3)
    town.published()
    one, other = town.stop(0.011), town.stop(0.012)
    offer = insertion.price(hub, STAFF, one)
    insertion.place(hub, STAFF, other)
    with pytest.raises(Overtaken, match="changed meanwhile"), hub.store.write(System()) as session:
        insertion.insert(hub, session, one, offered=offer)
    assert town.read(one).state == "unassigned"


def test_a_stop_that_a_plan_has_taken_meanwhile_is_left_to_the_plan(hub: Hub, town: Town) -> None:
    town.stops(3)
    town.published()
    one = town.stop(0.011)
    offer = insertion.price(hub, STAFF, one)
    town.driver()
    assert town.plan().state == "done"
    with pytest.raises(Refused, match="is planned"), hub.store.write(System()) as session:
        insertion.insert(hub, session, one, offered=offer)
    assert town.read(one).state == "planned"


def test_the_place_that_is_late_by_the_least_is_looked_for_in_all_routes(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.dispatch.glance.MOST", 2)
    near = town.stop(0.03, window_start=at(9), window_end=at(9, 15))
    town.driver()
    far = town.stop(-0.03, window_start=at(9), window_end=at(9, 15), service_time=2400)
    town.published()
    town.change(near, service_time=4 * 3600, promised_end=town.read(near).planned_at)
    new = town.stop(0.031, window_start=at(9), window_end=at(9, 5), service_time=600)
    with pytest.raises(insertion.NoPlace):
        insertion.price(hub, STAFF, new)
    found = insertion.least(hub, STAFF, new)
    assert found is not None
    here = insertion.price(hub, STAFF, new, town.read(near).route, even_late=True)
    there = insertion.price(hub, STAFF, new, town.read(far).route, even_late=True)
    assert found.lateness == min(here.lateness, there.lateness) > 0


def test_inside_a_transaction_it_is_put_in_by_straight_lines(hub: Hub, town: Town) -> None:
    town.stop()
    (route,) = town.published()
    new = town.stop(0.02)
    with hub.store.write(System()) as session:
        offer = insertion.insert(hub, session, new)
    assert (offer.route, town.read(new).route) == (route, route)


def test_a_stop_that_is_on_a_route_is_not_put_in_twice(hub: Hub, town: Town) -> None:
    stop = town.stop()
    town.published()
    with pytest.raises(Refused, match="is dispatched; only an unassigned one"):
        insertion.price(hub, STAFF, stop)


def test_without_a_published_route_there_is_nowhere_to_go(hub: Hub, town: Town) -> None:
    with pytest.raises(Refused, match="no route of 2026-11-23 is published"):
        insertion.price(hub, STAFF, town.stop())


def test_the_route_of_a_driver_who_is_switched_off_is_offered_to_nobody(
    hub: Hub, town: Town, world: World
) -> None:
    town.stop()
    town.published()
    stop = town.stop()
    assert insertion.price(hub, STAFF, stop).driver == world.driver
    with hub.store.write(System()) as session:
        switch_off(session, world.driver)
    with pytest.raises(Refused, match="for a driver who is switched on"):
        insertion.price(hub, STAFF, stop)


def test_others_that_come_later_are_told_so(hub: Hub, town: Town) -> None:
    last = town.stop(0.04)
    town.published()
    was = town.read(last).eta_at or at(8)
    insertion.place(hub, STAFF, town.stop(0.02, 0.01, service_time=600))
    row = town.read(last)
    if row.position == 2:
        assert row.eta_at is not None
        assert row.eta_at > was
        assert last in [event.subject for event in town.events("stop.eta_changed")]
    else:
        assert row.eta_at == was


def test_who_comes_later_is_named_with_the_minutes(hub: Hub, town: Town) -> None:
    last = town.stop(0.04)
    (route,) = town.published()
    before = town.read(last).planned_at or at(8)
    new = town.stop(0.02, 0.0, service_time=600, window_end=at(8, 30))
    offer = insertion.price(hub, STAFF, new, route)
    assert offer.delayed == len(offer.later) == 1
    (later,) = offer.later
    assert (later.stop, later.ref, later.name) == (last, "#1001", "Test Customer")
    insertion.place(hub, STAFF, new, route)
    after = town.read(last).planned_at or at(8)
    assert (after - before).total_seconds() == later.seconds >= 600
    assert later.late == 0


def test_where_it_fits_nowhere_the_price_says_who_becomes_late(hub: Hub, town: Town) -> None:
    tight = town.stop(0.03)
    town.published()
    reached = town.read(tight).planned_at or at(8)
    town.change(tight, promised_end=reached + timedelta(seconds=30))
    new = town.stop(0.01, service_time=1800, window_end=at(8, 10), window_start=at(8))
    with pytest.raises(Refused):
        insertion.price(hub, STAFF, new)
    offer = insertion.price(hub, STAFF, new, even_late=True)
    assert offer.own_late or offer.later[0].late
    assert town.read(new).state == "unassigned"
    insertion.place(hub, STAFF, new, even_late=True)
    assert town.read(new).state == "dispatched"


def test_other_drivers_are_told_beside_the_best(hub: Hub, town: Town) -> None:
    town.stop(0.03, window_start=at(9), window_end=at(9, 15))
    town.driver()
    town.stop(-0.03, window_start=at(9), window_end=at(9, 15), service_time=2400)
    town.published()
    offer = insertion.price(hub, STAFF, town.stop(0.031))
    (other,) = offer.others
    assert other.route != offer.route
    assert other.driver_name
    assert other.extra_metres > offer.extra_metres


def test_every_route_is_tried_before_a_stop_is_refused(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.dispatch.glance.MOST", 2)
    near = town.stop(0.03, load=95, window_start=at(9), window_end=at(9, 15))
    town.driver()
    far = town.stop(-0.03, window_start=at(9), window_end=at(9, 15))
    town.published()
    offer = insertion.price(hub, STAFF, town.stop(0.031, load=10))
    assert offer.route == town.read(far).route != town.read(near).route


def test_only_a_driver_who_has_left_has_to_fetch_the_goods(hub: Hub, town: Town) -> None:
    town.stops(3)
    (route,) = town.published()
    assert insertion.price(hub, STAFF, town.stop(0.004)).fetch is False
    drive_to_second(hub, town, route)
    assert insertion.price(hub, STAFF, town.stop(0.006)).fetch is True


def test_of_two_who_put_in_the_same_stop_at_once_only_one_does(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.stops(2)
    (route,) = town.published()
    new, read = town.stop(0.02), Event()
    mine, theirs = (insertion.price(hub, STAFF, new, id) for id in (route, another(hub, town)))
    said: list[str] = []
    real = insertion.check_open

    def check_open(stop: StopRow) -> None:
        real(stop)
        read.set()

    def other() -> None:
        try:
            with hub.store.write(System()) as session:
                insertion.insert(hub, session, new, offered=theirs)
        except Refused as error:
            said.append(str(error))

    thread = Thread(target=other)
    with hub.store.write(System()) as session:
        insertion.insert(hub, session, new, offered=mine)
        session.flush()
        monkeypatch.setattr(insertion, "check_open", check_open)
        thread.start()
        read.wait(1)  # who does not hold the stop has read it by now
    thread.join(PATIENCE)
    assert said == [f"stop {new} is dispatched; only an unassigned one can be added"]
    assert town.read(new).route == route


def test_travel_times_are_asked_as_of_now_with_nothing_open(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.stops(3)
    (route,) = town.published()
    drive_to_second(hub, town, route)
    real_read, real, sessions, asked = hub.store.read, insertion.matrix, [], []

    @contextmanager
    def read(principal: Any = None) -> Iterator[Session]:
        with real_read(principal) as session:
            sessions.append(session)
            yield session

    def matrix(hub: Hub, points: Any, profile: Any, departs: Any) -> Matrix:
        asked.append((departs, [session.in_transaction() for session in sessions]))
        return real(hub, points, profile, departs)

    monkeypatch.setattr(hub.store, "read", read)
    monkeypatch.setattr(insertion, "matrix", matrix)
    new = town.stop(0.02)
    assert insertion.price(hub, STAFF, new).route == route
    ((departs, open_then),) = asked
    assert departs == town.on(route)[1].eta_at
    assert not any(open_then)
