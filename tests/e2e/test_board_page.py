"""The board in a real browser: what needs the dispatcher, done with a mouse."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from sqlmodel import select

from hub.dispatch.flags import raise_flag
from hub.dispatch.insertion import place
from hub.hub import Hub
from hub.nouns import Way, WayLeg
from hub.queue.entry import work
from hub.queue.work import claim
from hub.store import (
    FlagRow,
    Operator,
    OrderRow,
    PlanRow,
    RouteWayRow,
    StopRow,
    System,
)
from hub.testing.days import DAY, NOW, BusyDay, fill_day
from hub.testing.fixtures import World, set_time
from hub.testing.patience import until
from hub.testing.town import Town, at, town

__all__ = ["town"]

pytestmark = pytest.mark.e2e


@pytest.fixture
def filled(hub: Hub, world: World) -> BusyDay:
    set_time(hub, NOW)
    made = fill_day(hub, world)
    with hub.store.write() as session:
        stop = session.get_one(StopRow, made.unassigned)
        stop.window_start = stop.window_end = None
    return made


def row_of(hub: Hub, table: Any, id: str) -> Any:
    with hub.store.read() as session:
        return session.get_one(table, id)


def come_back(page: Any) -> None:
    """Let the page think that the network is back, upon which it asks for news at once."""
    page.evaluate("window.dispatchEvent(new Event('online'))")


def test_an_order_without_a_place_gets_its_pin_by_a_click_on_the_map(
    desk: Callable[..., Any], hub: Hub, filled: BusyDay
) -> None:
    from playwright.sync_api import expect

    page = desk("dispatcher")
    page.get_by_role("button", name="Set the pin").click()
    expect(page.get_by_text("Click on the map where")).to_be_visible()
    page.locator(".map").click(position={"x": 420, "y": 350})
    expect(page.get_by_role("button", name="Set the pin")).to_have_count(0)
    until(lambda: row_of(hub, OrderRow, filled.waiting).state == "ready")
    order = row_of(hub, OrderRow, filled.waiting)
    assert 46.9 < order.lat < 47.4
    assert 9.2 < order.lon < 9.8


def test_a_flag_is_cleared_and_the_undo_brings_it_back(
    desk: Callable[..., Any], hub: Hub, filled: BusyDay
) -> None:
    from playwright.sync_api import expect

    page = desk("dispatcher")
    page.get_by_role("button", name="Clear: ").click()
    expect(page.locator(".flag")).to_have_count(0)
    until(lambda: row_of(hub, FlagRow, filled.flag).cleared_at)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".flag")).to_have_count(1)
    until(lambda: row_of(hub, FlagRow, filled.flag).cleared_at is None)


def test_a_loose_stop_is_put_into_a_route_at_a_price(
    desk: Callable[..., Any], hub: Hub, filled: BusyDay
) -> None:
    from playwright.sync_api import expect

    page = desk("dispatcher")
    page.get_by_role("button", name="Put into a route").click()
    expect(page.get_by_text("As stop")).to_be_visible()
    assert row_of(hub, StopRow, filled.unassigned).route is None, "asking the price changes nothing"
    page.get_by_role("button", name="Put it in").click()
    expect(page.get_by_role("button", name="Put into a route")).to_have_count(0)
    until(lambda: row_of(hub, StopRow, filled.unassigned).route)
    stop = row_of(hub, StopRow, filled.unassigned)
    assert stop.route in filled.routes
    assert stop.state == "dispatched"


@pytest.mark.parametrize(
    ("minutes", "told"),
    [(30, "itself: 10 minutes after its window"), (5, "#1001: 6 minutes after what was promised")],
)
def test_a_stop_that_fits_nowhere_is_put_in_late_by_somebody_who_knows_who_waits(
    desk: Callable[..., Any], hub: Hub, town: Town, minutes: int, told: str
) -> None:
    from playwright.sync_api import expect

    new = crowded(town, minutes)
    page = desk("dispatcher")
    page.get_by_role("button", name="Put into a route").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Late by the least: as stop")).to_be_visible()
    expect(dialog.get_by_text("It fits into no published route")).to_be_visible()
    expect(dialog.get_by_text("even_late")).to_have_count(0)
    expect(dialog.get_by_text(re.compile(r"minutes? more\.$"))).to_have_count(
        1
    )  # it lies on the way
    expect(dialog.get_by_text(re.compile(r"Arrives \d\d:\d\d\. "))).to_have_count(1)
    expect(dialog.get_by_role("listitem").filter(has_text=told)).to_have_count(1)
    assert town.read(new).route is None, "asking the price changes nothing"
    dialog.get_by_role("button", name="Put it in, late").click()
    expect(dialog).to_have_count(0)
    until(lambda: town.read(new).state == "dispatched")


def test_a_price_that_has_changed_meanwhile_is_asked_for_again(
    desk: Callable[..., Any], hub: Hub, town: Town
) -> None:
    from playwright.sync_api import expect

    town.stops(3)
    town.published()
    new = town.stop(0.004)
    page = desk("dispatcher")
    page.get_by_role("button", name="Put into a route").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("As stop")).to_be_visible()
    place(hub, Operator("dispatcher"), town.stop(0.005))
    dialog.get_by_role("button", name="Put it in").click()
    expect(page.get_by_text("The routes have changed since")).to_be_visible()
    expect(dialog.get_by_text("As stop")).to_be_visible()
    dialog.get_by_role("button", name="Put it in").click()
    expect(dialog).to_have_count(0)
    until(lambda: town.read(new).state == "dispatched")


def crowded(town: Town, minutes: int) -> str:
    """Return a stop of some minutes that fits into no route without breaking a promise."""
    tight = town.stop(0.03)
    town.published()
    reached = town.read(tight).planned_at or at(8)
    town.change(tight, promised_end=reached + timedelta(seconds=30))
    return town.stop(0.01, service_time=60 * minutes, window_start=at(8), window_end=at(8, 10))


def test_a_day_is_planned_into_drafts_and_published_with_two_clicks(
    desk: Callable[..., Any], hub: Hub, town: Town
) -> None:
    from playwright.sync_api import expect

    stops = town.stops(6)
    page = desk("dispatcher")
    with page.expect_response("**/api/v1/plans"):
        page.get_by_role("button", name="Plan 6 stops").click()
    expect(page.get_by_role("button", name="Planning …")).to_be_disabled()
    for claimed in claim(hub.store, "heavy", "test"):
        work(hub, claimed)
    come_back(page)
    page.get_by_role("button", name="Publish 1 route").wait_for()
    assert {town.read(id).state for id in stops} == {"planned"}, "a draft reaches no driver"
    page.get_by_role("button", name="Publish 1 route").click()
    expect(page.get_by_role("button", name="Publish 1 route")).to_have_count(0)
    until(lambda: {town.read(id).state for id in stops} == {"dispatched"})
    assert all(town.read(id).promised_start for id in stops)
    expect(page.get_by_role("button", name="Plan 6 stops")).to_have_count(0)


def test_many_flags_do_not_push_all_else_out_of_sight(
    hub: Hub, filled: BusyDay, desk: Callable[..., Any]
) -> None:
    from playwright.sync_api import expect

    with hub.store.write(System()) as session:
        for number in range(20):
            raise_flag(session, f"k{number}", "not_redistributed", f"Order #{number} has no route")
    page = desk("dispatcher")
    flags = page.get_by_role("button", name="Clear: ")
    expect(flags).to_have_count(6)
    expect(page.get_by_text("Lost its route").first).to_be_visible()
    page.get_by_role("button", name="Show all 21 flags").click()
    expect(flags).to_have_count(21)


def test_a_search_shows_how_far_it_is_and_can_be_ended(
    hub: Hub, world: World, filled: BusyDay, desk: Callable[..., Any]
) -> None:
    from playwright.sync_api import expect

    with hub.store.write() as session:
        plan = PlanRow(
            depot=world.depot, service_date=DAY, state="running", created_at=session.now,
            progress={"cost": 100.0, "left_out": 2, "seconds": 1.0, "of": 10.0},
        )  # fmt: skip
        session.add(plan)
        session.flush()
        id = plan.id
    page = desk("dispatcher")
    expect(page.get_by_text("1 of 10 s.")).to_be_visible()
    with hub.store.write() as session:
        row = session.get_one(PlanRow, id)
        row.progress = {"cost": 90.0, "left_out": 0, "seconds": 2.0, "of": 10.0}
    expect(page.get_by_text("10.0 % cheaper than the first find.")).to_be_visible()
    with page.expect_response("**/stop"):
        page.get_by_role("button", name="Stop here").click()
    expect(page.get_by_role("button", name="Stopping")).to_be_disabled()
    assert row_of(hub, PlanRow, id).stop_asked


def test_what_happens_to_a_stop_shows_without_reloading(
    desk: Callable[..., Any], hub: Hub, filled: BusyDay
) -> None:
    from playwright.sync_api import expect

    page = desk("dispatcher")
    page.get_by_role("button", name="Lea Frick").first.click()
    sixth = page.locator(".stops > li").nth(5)
    expect(sixth).to_contain_text("On the way")
    with hub.store.write() as session:
        row = session.get_one(StopRow, filled.stops[5])
        row.state, row.arrived_at = "arrived", NOW
    come_back(page)
    expect(sixth).to_contain_text("At the door")


def test_a_drivers_link_comes_with_a_code_that_can_be_seen(
    desk: Callable[..., Any], filled: BusyDay
) -> None:
    from playwright.sync_api import expect

    page = desk("dispatcher")
    page.get_by_label("Link for Lea Frick's phone").click()
    code = page.get_by_alt_text("QR code of the link")
    expect(code).to_be_visible()
    assert code.evaluate("async i => { await i.decode(); return i.naturalWidth }") > 0
    assert "/driver/start/" in page.get_by_label("Link", exact=True).input_value()


def test_without_the_network_the_board_says_so_and_goes_on_when_it_is_back(
    desk: Callable[..., Any], filled: BusyDay
) -> None:
    from playwright.sync_api import expect

    page = desk("dispatcher")
    expect(page.locator(".route")).to_have_count(2)
    page.context.set_offline(True)
    come_back(page)
    expect(page.get_by_text("The hub cannot be reached")).to_be_visible()
    expect(page.locator(".route")).to_have_count(2)
    page.context.set_offline(False)
    expect(page.get_by_text("The hub cannot be reached")).to_have_count(0)


TILES = "http://127.0.0.1:9/{z}/{x}/{y}.png"


def tile() -> bytes:
    file = BytesIO()
    Image.new("RGB", (256, 256), (220, 226, 214)).save(file, "PNG")
    return file.getvalue()


def with_tiles(hub: Hub) -> None:
    hub.settings = hub.settings.model_copy(
        update={"map_tiles": TILES, "map_attribution": "© the mappers"}
    )


def test_tiles_come_with_their_attribution(
    desk: Callable[..., Any], hub: Hub, filled: BusyDay
) -> None:
    from playwright.sync_api import expect

    with_tiles(hub)
    page = desk("dispatcher", "/admin/imports")
    page.route("http://127.0.0.1:9/**", lambda r: r.fulfill(body=tile(), status=200))
    page.goto(page.url.replace("/admin/imports", "/"))
    expect(page.locator(".leaflet-tile-loaded").first).to_be_attached()
    expect(page.get_by_text("© the mappers")).to_be_visible()
    expect(page.locator(".map.no-tiles")).to_have_count(0)


def test_the_map_names_once_who_made_the_ways(
    desk: Callable[..., Any], hub: Hub, filled: BusyDay
) -> None:
    from playwright.sync_api import expect

    with_tiles(hub)
    leg = WayLeg(seconds=60, metres=500, line=((47.14, 9.52), (47.15, 9.53)))
    for route, credit in zip(filled.routes, ("© TomTom", "© the mappers"), strict=True):
        with hub.store.write() as session:
            query = select(StopRow.id).where(StopRow.route == route).order_by(StopRow.position)
            stops = list(session.exec(query))
            way = Way(legs=(leg,) * (len(stops) + 1), credit=credit)
            said = way.model_dump(mode="json")
            session.add(RouteWayRow(route=route, stops=stops, way=said, made_at=session.now))
    page = desk("dispatcher", "/admin/imports")
    page.route("http://127.0.0.1:9/**", lambda r: r.fulfill(body=tile(), status=200))
    page.goto(page.url.replace("/admin/imports", "/"))
    expect(page.get_by_text("© TomTom")).to_be_visible()
    expect(page.get_by_text("© the mappers")).to_have_count(1)


def test_tiles_that_fail_leave_a_plain_ground_and_no_broken_picture(
    desk: Callable[..., Any], hub: Hub, filled: BusyDay
) -> None:
    from playwright.sync_api import expect

    with_tiles(hub)
    page = desk("dispatcher", "/admin/imports")
    page.route("http://127.0.0.1:9/**", lambda r: r.abort())
    page.goto(page.url.replace("/admin/imports", "/"))
    expect(page.locator(".map.no-tiles")).to_be_visible()
    expect(page.locator(".map img")).to_have_count(0)
    expect(page.locator(".map .leaflet-overlay-pane canvas")).to_be_visible()
