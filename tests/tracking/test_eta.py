"""ETAs of a route on the road."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import event
from sqlmodel import select

from hub import tracking
from hub.driving import reports
from hub.driving.words import Report
from hub.hub import Hub
from hub.nouns import Location
from hub.planning.times import seconds_between
from hub.queue.work import claim
from hub.store import DriverRow, EtaRow, EventRow, RouteRow, StopRow, System, VehicleRow
from hub.testing.fixtures import MORNING, set_time
from hub.testing.road import DOORS, Road
from hub.tracking import eta
from hub.tracking.positions import Position


def minutes(number: float) -> datetime:
    return MORNING + timedelta(minutes=number)


def say(hub: Hub, road: Road, kind: str, stop: int | None = None) -> None:
    """Report as the phone does, without a proof, and let the ETAs follow."""
    said = Report(id=uuid4(), kind=kind, stop=None if stop is None else road.stops[stop])
    with hub.store.write(System()) as session:
        reports.report(hub, session, road.driver, said)
        eta.after_report(session, eta.hold_route(session, road.route))


def events(hub: Hub, kind: str) -> list[EventRow]:
    with hub.store.read(System()) as session:
        return list(session.exec(select(EventRow).where(EventRow.type == kind)))


def stop(hub: Hub, road: Road, number: int) -> StopRow:
    with hub.store.read(System()) as session:
        return session.get_one(StopRow, road.stops[number])


def first_door() -> Location:
    return Location(lat=DOORS[0][0], lon=DOORS[0][1])


def here(lat: float, lon: float, at: datetime) -> Position:
    return Position(lat=lat, lon=lon, at=at)


def test_starting_brings_every_remaining_eta_up_to_date_and_keeps_each_in_history(
    hub: Hub, road: Road
) -> None:
    say(hub, road, "start")
    way = seconds_between(
        Location(lat=47.1410, lon=9.5209), Location(lat=DOORS[0][0], lon=DOORS[0][1])
    )
    assert stop(hub, road, 0).eta_at == MORNING + timedelta(seconds=way)
    with hub.store.read(System()) as session:
        rows = session.exec(select(EtaRow).where(EtaRow.stop == road.stops[0])).all()
    assert [(row.source, row.eta_at) for row in rows] == [
        ("report", MORNING + timedelta(seconds=way))
    ]
    changed = events(hub, "stop.eta_changed")
    assert {event.subject for event in changed} == set(road.stops)


def test_what_is_too_much_for_a_reports_own_transaction_is_issued_by_a_worker(
    hub: Hub, road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eta, "TOGETHER", 1)
    tracking.register(hub)
    say(hub, road, "start")
    assert [event.subject for event in events(hub, "stop.eta_changed")] == [road.stops[0]]
    while claims := claim(hub.store, "fast", "worker"):
        hub.handlers[claims[0].kind](hub, claims[0])
    told = sorted(event.subject for event in events(hub, "stop.eta_changed"))
    assert told == sorted(road.stops)


def test_an_eta_that_moves_by_less_than_a_minute_is_no_news(hub: Hub, road: Road) -> None:
    say(hub, road, "start")
    known = len(events(hub, "stop.eta_changed"))
    set_time(hub, MORNING + timedelta(seconds=50))
    with hub.store.write(System()) as session:
        eta.refresh(session, eta.hold_route(session, road.route), session.now)
    assert len(events(hub, "stop.eta_changed")) == known


def test_the_live_position_moves_the_etas(hub: Hub, road: Road) -> None:
    say(hub, road, "start")
    far = here(47.30, 9.52, MORNING)
    with hub.store.write(System()) as session:
        eta.refresh(session, eta.hold_route(session, road.route), session.now, far)
    expected = seconds_between(
        Location(lat=47.30, lon=9.52), Location(lat=DOORS[0][0], lon=DOORS[0][1])
    )
    assert stop(hub, road, 0).eta_at == MORNING + timedelta(seconds=expected)


def test_only_the_next_stop_is_refreshed_when_asked(hub: Hub, road: Road) -> None:
    say(hub, road, "start")
    before = stop(hub, road, 1).eta_at
    with hub.store.write(System()) as session:
        eta.refresh(
            session,
            eta.hold_route(session, road.route),
            session.now,
            here(47.30, 9.52, MORNING),
            only_next=True,
        )
    assert stop(hub, road, 1).eta_at == before


def test_an_eta_waits_for_the_stops_own_window(hub: Hub, road: Road) -> None:
    with hub.store.write(System()) as session:
        session.get_one(StopRow, road.stops[1]).window_start = minutes(90)
    say(hub, road, "start")
    assert stop(hub, road, 1).eta_at == minutes(90)
    later = stop(hub, road, 2).eta_at
    assert later is not None
    assert later > minutes(93)


def test_approaching_is_told_once_when_the_next_stop_is_ten_minutes_away(
    hub: Hub, road: Road
) -> None:
    far = here(47.35, 9.52, MORNING)
    with hub.store.write(System()) as session:
        route = session.get_one(RouteRow, road.route)
        route.state, route.started_at = "in_progress", MORNING
        session.get_one(StopRow, road.stops[0]).state = "en_route"
        session.flush()
        eta.refresh(session, eta.hold_route(session, road.route), session.now, far)
    assert events(hub, "stop.approaching") == []
    for seconds in (60, 70, 80):
        set_time(hub, MORNING + timedelta(seconds=seconds))
        with hub.store.write(System()) as session:
            eta.refresh(
                session,
                eta.hold_route(session, road.route),
                session.now,
                here(47.15, 9.52, session.now),
            )
    assert [event.subject for event in events(hub, "stop.approaching")] == [road.stops[0]]


def test_a_stop_that_is_not_next_is_not_approached_however_near(hub: Hub, road: Road) -> None:
    say(hub, road, "start")
    assert stop(hub, road, 1).eta_at is not None
    assert [event.subject for event in events(hub, "stop.approaching")] == [road.stops[0]]


def test_arrival_tells_approaching_at_the_latest_and_still_once(hub: Hub, road: Road) -> None:
    say(hub, road, "start")
    say(hub, road, "arrive", 2)
    say(hub, road, "depart", 2)
    say(hub, road, "arrive", 2)
    told = [event.subject for event in events(hub, "stop.approaching")]
    assert told.count(road.stops[2]) == 1


def test_an_arrival_that_ends_the_route_still_tells_approaching(hub: Hub, road: Road) -> None:
    with hub.store.write(System()) as session:
        route = session.get_one(RouteRow, road.route)
        route.state = "closed"
        last = session.get_one(StopRow, road.stops[2])
        last.state, last.arrived_at = "completed", minutes(40)
        session.flush()
        eta.after_report(session, eta.hold_route(session, road.route))
    told = events(hub, "stop.approaching")
    assert [(event.subject, event.occurred_at) for event in told] == [(road.stops[2], minutes(40))]


def test_a_driver_who_stays_long_at_a_door_pushes_the_rest_back(hub: Hub, road: Road) -> None:
    say(hub, road, "start")
    set_time(hub, minutes(2))
    say(hub, road, "arrive", 0)
    before = stop(hub, road, 1).eta_at
    set_time(hub, minutes(20))
    with hub.store.write(System()) as session:
        eta.refresh(session, eta.hold_route(session, road.route), session.now)
    after = stop(hub, road, 1).eta_at
    assert before is not None
    assert after is not None
    assert after - before == timedelta(minutes=15)


def test_many_new_etas_take_as_few_statements_as_one(hub: Hub, road: Road) -> None:
    say(hub, road, "start")
    counts = []
    for late in (road.stops[2:], road.stops):
        with hub.store.write(System()) as session:
            for id in late:
                session.get_one(StopRow, id).eta_at = minutes(200)
        statements: list[str] = []

        def note(_connection: object, _cursor: object, text: str, *_more: object) -> None:
            statements.append(text)  # noqa: B023 - called within this turn only

        event.listen(hub.store.engine, "before_cursor_execute", note)
        with hub.store.write(System()) as session:
            eta.refresh(session, eta.hold_route(session, road.route), session.now)
        event.remove(hub.store.engine, "before_cursor_execute", note)
        # The clock is read by the time that passes.
        counts.append(sum("FROM clock" not in one for one in statements))
    assert stop(hub, road, 0).eta_at != minutes(200)
    assert counts[1] <= counts[0] + 3, "an event on its own takes seven"


def expected(hub: Hub, road: Road) -> list[datetime]:
    with hub.store.read(System()) as session:
        route = session.get_one(RouteRow, road.route)
        stops = eta.stops_of(session, road.route)
        return [at for _, at in eta.expected(session, route, stops, session.now, None)]


def pause(kind: str, after: str, begins: float, ends: float, depot: str = "") -> dict[str, str]:
    return {
        "kind": kind, "after": after, "depot": depot,
        "begins": minutes(begins).isoformat(), "ends": minutes(ends).isoformat(),
    }  # fmt: skip


def test_etas_know_the_breaks_and_reloads_that_are_to_come(hub: Hub, road: Road) -> None:
    say(hub, road, "start")
    before = expected(hub, road)
    with hub.store.write(System()) as session:
        session.get_one(RouteRow, road.route).pauses = [
            pause("break", road.stops[0], 25, 55),
            pause("reload", road.stops[1], 70, 80, road.world.depot),
        ]
    first, second, third = expected(hub, road)
    assert first == before[0]
    assert second == before[1] + timedelta(minutes=30)
    assert third > before[2] + timedelta(minutes=40)


def test_who_is_on_the_way_rests_behind_the_stop_at_the_soonest(hub: Hub, road: Road) -> None:
    say(hub, road, "start")
    with hub.store.write(System()) as session:
        first, second = (session.get_one(StopRow, id) for id in road.stops[:2])
        first.state, second.state = "completed", "en_route"
        first.arrived_at = first.departed_at = first.ended_at = MORNING
    before = expected(hub, road)
    with hub.store.write(System()) as session:
        route = session.get_one(RouteRow, road.route)
        route.pauses = [pause("break", road.stops[0], 25, 55)]
    assert expected(hub, road) == [before[0], before[1] + timedelta(minutes=30)]


@pytest.mark.parametrize("profile", ["bike", "truck"])
def test_a_bike_and_a_truck_take_longer(hub: Hub, road: Road, profile: str) -> None:
    say(hub, road, "start")
    before = expected(hub, road)
    with hub.store.write(System()) as session:
        session.get_one(VehicleRow, road.world.vehicle).profile = profile
    assert expected(hub, road)[-1] > before[-1]


def test_a_day_that_begins_at_home_is_expected_from_there(hub: Hub, road: Road) -> None:
    say(hub, road, "start")
    before = expected(hub, road)
    with hub.store.write(System()) as session:
        driver = session.get_one(DriverRow, road.driver)
        driver.start_place, driver.home_lat, driver.home_lon = "home", 47.25, 9.5
    assert expected(hub, road)[0] > before[0] + timedelta(minutes=10)
