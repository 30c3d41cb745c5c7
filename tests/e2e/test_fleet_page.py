"""A merchant's first fleet, set up in a browser, and switching off with a way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlmodel import select

from hub.hub import Hub
from hub.store import DriverRow, ShiftRow, System, VehicleRow
from hub.testing.fixtures import World
from tests.orders.test_geocoding import Service, run
from tests.orders.test_geocoding import connection as connection  # fixtures, shared
from tests.orders.test_geocoding import service as service

Desk = Callable[..., Any]


def test_an_empty_hub_gets_a_depot_a_vehicle_and_a_driver(desk: Desk, hub: Hub) -> None:
    page = desk("owner", "/admin/fleet")
    page.get_by_role("link", name="Add a depot").click()
    page.get_by_label("Name").fill("Vaduz")
    page.get_by_label("On the map").fill("47.1410, 9.5209")
    page.get_by_role("button", name="Add").click()
    page.get_by_role("link", name="Add a vehicle").click()
    page.get_by_label("Name").fill("Van 1")
    page.get_by_text("Costs and limits").click()
    page.get_by_label("A kilometre").fill("0,35")
    page.get_by_role("button", name="Add").click()
    page.get_by_role("link", name="Add a driver").click()
    page.get_by_label("Name").fill("Lea Frick")
    page.get_by_label("Breaks on Monday").fill("12:00-13:30 30")
    page.get_by_role("button", name="Add").click()
    line = page.get_by_role("listitem").filter(has_text="Lea Frick")
    assert "Mon–Fri 08:00–17:00 · break Mon 12:00–13:30 30 min" in line.inner_text()
    with hub.store.read(System()) as session:
        assert str(session.exec(select(VehicleRow.cost_km)).one()) == "0.35"
        shifts = session.exec(select(ShiftRow)).all()
    assert sorted(shift.weekday for shift in shifts) == [0, 1, 2, 3, 4]


def test_the_place_of_a_depots_address_comes_by_itself(
    desk: Desk, hub: Hub, service: Service, connection: str
) -> None:
    page = desk("owner", "/admin/fleet/depots/new")
    page.get_by_label("Name").fill("Centre")
    page.get_by_label("Address").fill("Städtle 6, 9490 Vaduz")
    page.get_by_role("button", name="Add").click()
    page.get_by_text("The address is being looked up.").wait_for()
    run(hub)
    page.get_by_text("That is where Städtle 6, 9490 Vaduz is.").wait_for()
    assert page.get_by_label("On the map").input_value() == "47.141, 9.5209"
    page.get_by_role("button", name="Add").click()
    page.get_by_text("Centre is there.").wait_for()


def test_a_merchant_gets_a_short_name_while_its_name_is_typed(desk: Desk, hub: Hub) -> None:
    page = desk("owner", "/admin/imports")
    page.get_by_role("link", name="Add a merchant").click()
    page.get_by_label("Name", exact=True).press_sequentially("Käserei Süd")
    page.locator('#slug[value="kaserei-sud"]').wait_for()
    page.get_by_role("button", name="Add").click()
    page.get_by_text("Käserei Süd is there. Commands and files call it kaserei-sud.").wait_for()


def test_a_driver_who_is_switched_off_is_back_with_undo(desk: Desk, hub: Hub, world: World) -> None:
    page = desk("dispatcher", "/admin/fleet")
    page.get_by_role("button", name="Switch Lea Frick off").click()
    page.get_by_text("Lea Frick is switched off").wait_for()
    with hub.store.read(System()) as session:
        assert not session.get_one(DriverRow, world.driver).active
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Switch Lea Frick off").wait_for()
    with hub.store.read(System()) as session:
        assert session.get_one(DriverRow, world.driver).active
