"""Drivers from the terminal: their hours, and access that ends when they are switched off."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import Result

from hub import address
from hub.errors import Forbidden, Refused
from hub.hub import Hub
from hub.store import DriverRow
from hub.testing.fixtures import World
from hub.testing.road import Road, road

__all__ = ["road"]
Command = Callable[..., Result]


def listed(command: Command) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(command("driver", "list", "--json").stdout)
    return found


def test_a_driver_without_hours_works_from_monday_to_friday(command: Command, world: World) -> None:
    said = command("driver", "add", "Mia", "--depot", "Vaduz", "--vehicle", world.vehicle).stdout
    assert "works mon-fri 08:00-17:00" in said


def test_hours_are_changed_for_the_days_that_are_named(command: Command, world: World) -> None:
    said = command("driver", "hours", "Lea Frick", "sat,sun off", "mon 10:00-14:00").stdout
    assert said == "Lea Frick works mon 10:00-14:00, tue-fri 08:00-17:00\n"


def test_hours_that_have_no_room_for_a_break_are_refused_and_stay(
    command: Command, world: World
) -> None:
    command("driver", "breaks", "Lea Frick", "mon 12:00-13:30 30")
    with pytest.raises(Refused, match="12:00-13:30 30 does not fit into the hours 08:00-11:00"):
        command("driver", "hours", "Lea Frick", "mon 08:00-11:00")
    assert "mon 12:00-13:30" in command("driver", "list").stdout
    command("driver", "hours", "Lea Frick", "mon 09:00-16:00")


def test_a_driver_is_not_added_with_hours_that_cannot_be_read(
    hub: Hub, command: Command, world: World
) -> None:
    words = ("driver", "add", "Mia", "--depot", "Vaduz", "--vehicle", "Van 1")
    with pytest.raises(Refused, match="mon-fri 08:00-17:00"):
        command(*words, "--hours", "always")
    assert [row["name"] for row in listed(command)] == ["Lea Frick"]


def test_a_driver_is_switched_off_by_name_and_on_by_id(
    hub: Hub, command: Command, world: World
) -> None:
    said = command("driver", "off", "Lea Frick").stdout
    assert f"hub driver on {world.driver}" in said
    assert [row["state"] for row in listed(command)] == ["off"]
    with pytest.raises(Forbidden, match="switch the driver on first"):
        command("driver", "link", "Lea Frick")
    command("driver", "on", world.driver)
    assert [row["state"] for row in listed(command)] == ["on"]


def test_switching_a_driver_off_names_the_routes_that_are_left(
    command: Command, road: Road
) -> None:
    assert road.route in command("driver", "off", road.driver).stderr


def test_one_of_two_drivers_with_a_name_is_switched_off_by_id(
    hub: Hub, command: Command, world: World
) -> None:
    with hub.store.write() as session:
        session.add(DriverRow(name="Lea Frick", depot=world.depot, vehicle=world.vehicle))
    with pytest.raises(Refused, match=f"2 drivers are named Lea Frick.*{world.driver}"):
        command("driver", "off", "Lea Frick")
    command("driver", "off", world.driver)
    states = {row["id"]: row["state"] for row in listed(command)}
    assert states.pop(world.driver) == "off"
    assert list(states.values()) == ["on"]


def test_a_driver_has_a_tracker_until_it_is_taken_away(command: Command, world: World) -> None:
    said = command("driver", "tracker", "Lea Frick", "8602").stdout
    assert said == "the device 8602 tells where Lea Frick is during working hours\n"
    assert [row["tracker"] for row in listed(command)] == ["8602"]
    assert "8602" in command("driver", "list").stdout
    said = command("driver", "tracker", world.driver, "off").stdout
    assert said == "no device tells any more where Lea Frick is\n"
    assert [row["tracker"] for row in listed(command)] == [""]


def test_a_tracker_is_of_one_driver(hub: Hub, command: Command, world: World) -> None:
    command("driver", "add", "Mia", "--depot", "Vaduz", "--vehicle", world.vehicle)
    command("driver", "tracker", "Mia", "8602")
    command("driver", "tracker", "Mia", "8602")
    with pytest.raises(Refused, match="the device 8602 is Mia's; take it away with: hub driver"):
        command("driver", "tracker", "Lea Frick", "8602")
    with pytest.raises(Refused, match="1 to 100 printable"):
        command("driver", "tracker", "Lea Frick", "x" * 101)


def test_a_link_begins_with_the_address_of_the_hub_that_runs(
    hub: Hub, command: Command, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HUB_PUBLIC_URL")
    with address.noted(hub.settings.directory, "http://127.0.0.1:8123"):
        said = command("driver", "link", "Lea Frick")
    assert said.stdout.startswith("http://127.0.0.1:8123/driver/start/")
    assert said.stderr == ""


def test_a_link_of_a_hub_that_does_not_run_says_that_its_address_is_a_guess(
    hub: Hub, command: Command, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HUB_PUBLIC_URL")
    said = command("driver", "link", "Lea Frick")
    assert said.stdout.startswith("http://127.0.0.1:8000/driver/start/")
    assert "no hub runs in" in said.stderr
    assert "HUB_PUBLIC_URL" in said.stderr
