"""A merchant's first fleet, set up in a browser, and switching off with a way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlmodel import select

from hub.hub import Hub
from hub.store import DriverRow, ShiftRow, System, VehicleRow
from hub.testing.fixtures import World

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
