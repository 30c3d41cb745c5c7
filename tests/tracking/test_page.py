"""What a recipient may see."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from hub.access import tokens
from hub.errors import Missing
from hub.hub import Hub
from hub.nouns import Fix
from hub.store import (
    AttemptRow,
    MerchantRow,
    OrderRow,
    ProofFileRow,
    RouteRow,
    SettingRow,
    StopRow,
    System,
    TokenRow,
)
from hub.testing.fixtures import MORNING, set_time
from hub.testing.road import DOORS, Road
from hub.tracking import page, positions
from hub.tracking.geometry import metres
from hub.tracking.page import PageState


def minutes(number: float) -> datetime:
    return MORNING + timedelta(minutes=number)


def look(hub: Hub, road: Road, number: int) -> PageState:
    with hub.store.read(System()) as session:
        return page.state(hub, session, road.stops[number])


def change(hub: Hub, road: Road, number: int, **values: object) -> None:
    with hub.store.write(System()) as session:
        stop = session.get_one(StopRow, road.stops[number])
        for name, value in values.items():
            setattr(stop, name, value)


def set_off(hub: Hub, road: Road) -> None:
    """Put the route on the road, on the way to its first stop."""
    with hub.store.write(System()) as session:
        route = session.get_one(RouteRow, road.route)
        route.state, route.started_at = "in_progress", MORNING
    change(hub, road, 0, state="en_route")


def seen_at(hub: Hub, road: Road, minute: float, lat: float = 47.1433, lon: float = 9.5199) -> None:
    set_time(hub, minutes(minute))
    positions.accept(hub, road.driver, [Fix(lat=lat, lon=lon, at=minutes(minute), accuracy=5)])


def test_before_the_route_sets_off_it_says_the_promised_window(hub: Hub, road: Road) -> None:
    told = look(hub, road, 1).told
    assert (told.eyebrow, told.headline) == ("Arrives today between", "08:10–09:10")
    assert told.step == 1


def test_on_the_road_it_says_a_narrowing_window_and_how_many_come_first(
    hub: Hub, road: Road
) -> None:
    set_off(hub, road)
    change(hub, road, 2, eta_at=minutes(90))
    told = look(hub, road, 2).told
    assert told.headline == "09:15–09:45"
    assert told.status == "Lea is on the road. 2 stops before you."
    change(hub, road, 2, eta_at=minutes(20))
    assert look(hub, road, 2).told.headline == "08:15–08:25"


def test_nobody_sees_the_driver_before_the_driver_is_on_the_way_to_them(
    hub: Hub, road: Road
) -> None:
    set_off(hub, road)
    seen_at(hub, road, 5)
    change(hub, road, 1, eta_at=minutes(9))
    assert look(hub, road, 0).driver is not None
    for number in (1, 2):
        found = look(hub, road, number)
        assert (found.driver, found.home) == (None, None)


def test_the_driver_is_shown_coarsely(hub: Hub, road: Road) -> None:
    set_off(hub, road)
    seen_at(hub, road, 5, lat=47.143333, lon=9.519999)
    dot = look(hub, road, 0).driver
    assert dot is not None
    assert (dot.lat, dot.lon) != (47.143333, 9.519999)
    assert metres(dot.lat, dot.lon, 47.143333, 9.519999) < 50


def test_nothing_in_the_state_is_about_anybody_else(hub: Hub, road: Road) -> None:
    set_off(hub, road)
    seen_at(hub, road, 5)
    text = look(hub, road, 0).model_dump_json()
    assert f'"lat":{DOORS[0][0]},"lon":{DOORS[0][1]}}}' in text
    for number in (1, 2):
        assert road.stops[number] not in text
        lat, lon = DOORS[number]
        assert f'"lat":{lat},"lon":{lon}}}' not in text
    for private in ("Rosa", "Beck", "#100", "INV-", "+4232300000", "Städtle", "Frick"):
        assert private not in text


def test_a_position_that_grows_old_is_said_to_be_old_and_then_hidden(hub: Hub, road: Road) -> None:
    set_off(hub, road)
    seen_at(hub, road, 5)
    assert look(hub, road, 0).seen == ""
    set_time(hub, minutes(11))
    assert look(hub, road, 0).seen == "Position last seen 6 min ago."
    set_time(hub, minutes(40))
    found = look(hub, road, 0)
    assert found.driver is None
    assert "not known" in found.seen


def test_an_eta_that_has_passed_moves_on_instead_of_lying(hub: Hub, road: Road) -> None:
    set_off(hub, road)
    change(hub, road, 0, eta_at=minutes(10))
    set_time(hub, minutes(25))
    assert look(hub, road, 0).told.headline == "08:25–08:30"


def test_a_delay_is_stated_with_what_was_promised(hub: Hub, road: Road) -> None:
    set_off(hub, road)
    change(hub, road, 0, eta_at=minutes(80))
    told = look(hub, road, 0).told
    assert told.note == "Later than planned: it was due 07:50–08:50. We are sorry."


def test_at_the_door_and_after_the_handover(hub: Hub, road: Road) -> None:
    set_off(hub, road)
    seen_at(hub, road, 5)
    change(hub, road, 0, state="arrived", arrived_at=minutes(6))
    at_door = look(hub, road, 0)
    assert at_door.told.status == "Lea is at your door."
    assert at_door.driver is None
    change(hub, road, 0, state="completed", ended_at=minutes(8))
    done = look(hub, road, 0)
    assert (done.told.eyebrow, done.told.headline) == ("Delivered today at", "08:08")
    assert (done.driver, done.home, done.told.over) == (None, None, True)


def test_the_pictures_of_the_last_attempt_are_shown_after_the_handover_only(
    hub: Hub, road: Road
) -> None:
    add_pictures(hub, road)
    change(hub, road, 0, state="failed", ended_at=minutes(8))
    assert look(hub, road, 0).photos == ()
    change(hub, road, 0, state="completed")
    found = look(hub, road, 0)
    assert (found.photos, found.signature) == (("b" * 64,), "c" * 64)
    with hub.store.read(System()) as session:
        assert page.picture(session, road.stops[0], "b" * 64).kind == "photo"
        for other in ("a" * 64, "d" * 64):
            with pytest.raises(Missing):
                page.picture(session, road.stops[0], other)
        with pytest.raises(Missing):
            page.picture(session, road.stops[1], "b" * 64)


def test_after_a_failure_it_says_why_and_whom_to_call(hub: Hub, road: Road) -> None:
    with hub.store.write(System()) as session:
        session.exec(select(MerchantRow)).one().phone = "+423 111 22 33"
    set_off(hub, road)
    change(hub, road, 0, state="failed", ended_at=minutes(8), reason="not_home")
    found = look(hub, road, 0)
    assert found.told.headline == "Nobody was at home"
    assert found.told.call
    assert found.brand.phone == "+423 111 22 33"


def test_an_order_that_was_called_off_says_so(hub: Hub, road: Road) -> None:
    with hub.store.write(System()) as session:
        stop = session.get_one(StopRow, road.stops[0])
        session.get_one(OrderRow, stop.order).state = "cancelled"
    assert look(hub, road, 0).told.headline == "Cancelled"


def test_the_driver_stays_nameless_where_the_operator_wants_that(hub: Hub, road: Road) -> None:
    set_off(hub, road)
    with hub.store.write(System()) as session:
        session.add(SettingRow(name="tracking", value={"driver_name": False}))
    assert (
        look(hub, road, 0).told.status == "The driver is on the way to you. You are the next stop."
    )


def test_a_link_lives_thirty_days_and_every_dead_one_says_the_same(hub: Hub, road: Road) -> None:
    with hub.store.write(System()) as session:
        token = tokens.open_tracking(session, hub.keys, road.stops[0])
    change(hub, road, 0, state="completed", ended_at=MORNING)
    said = set()
    with hub.store.read(System()) as session:
        assert page.opened(session, token) == road.stops[0]
        for wrong in ("", "x" * 22, road.stops[0], tokens.tracking_token(hub.keys, road.stops[1])):
            with pytest.raises(Missing) as refused:
                page.opened(session, wrong)
            said.add(str(refused.value))
    set_time(hub, MORNING + timedelta(days=30, seconds=1))
    with hub.store.read(System()) as session, pytest.raises(Missing) as refused:
        page.opened(session, token)
    assert said == {str(refused.value)}


def test_only_the_hash_of_a_link_is_stored(hub: Hub, road: Road) -> None:
    with hub.store.write(System()) as session:
        token = tokens.open_tracking(session, hub.keys, road.stops[0])
    with hub.store.read(System()) as session:
        assert token not in session.exec(select(TokenRow)).one().model_dump_json()


def add_pictures(hub: Hub, road: Road) -> None:
    """Add two attempts: the first with one photo, the second with a photo and a signature."""
    with hub.store.write(System()) as session:
        stop = session.get_one(StopRow, road.stops[0])
        for number, files in ((1, [("photo", "a")]), (2, [("photo", "b"), ("signature", "c")])):
            attempt = AttemptRow(
                merchant=stop.merchant,
                stop=stop.id,
                number=number,
                route=road.route,
                driver=road.driver,
                outcome="completed",
                occurred_at=MORNING,
                recorded_at=MORNING,
            )
            session.add(attempt)
            session.flush()
            for kind, letter in files:
                session.add(
                    ProofFileRow(
                        attempt=attempt.id,
                        kind=kind,
                        sha256=letter * 64,
                        media_type="image/jpeg",
                        size=1,
                    )
                )
