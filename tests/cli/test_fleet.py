"""A fresh hub's fleet is set up from the terminal alone."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub.cli import cli
from hub.driving import links
from hub.errors import Missing
from hub.hub import Hub
from hub.testing.fixtures import World

Command = Callable[..., Result]


def listed(command: Command, name: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(command(name, "list", "--json").stdout)
    return found


def test_a_fresh_hub_gets_all_that_a_delivery_needs(hub: Hub, command: Command) -> None:
    said = command("merchant", "add", "Käserei Süd", "--currency", "EUR").stdout
    assert "slug kaserei-sud" in said
    command("depot", "add", "Sydney", "--lat", "-33.9", "--lon", "151.2",
            "--timezone", "Australia/Sydney")  # fmt: skip
    command("vehicle", "add", "Van 1", "--capacity", "160")
    command("driver", "add", "Mia Hasler", "--depot", "Sydney", "--vehicle", "Van 1",
            "--hours", "mon-fri 8:00-17:00", "--hours", "sat 09:00-12:00")  # fmt: skip
    assert [row["currency"] for row in listed(command, "merchant")] == ["EUR"]
    assert [(row["lat"], row["timezone"]) for row in listed(command, "depot")] == [
        (-33.9, "Australia/Sydney")
    ]
    assert [row["capacity"] for row in listed(command, "vehicle")] == [160]
    (driver,) = listed(command, "driver")
    assert (driver["depot"], driver["vehicle"], driver["state"]) == ("Sydney", "Van 1", "on")
    assert driver["works"] == "mon-fri 08:00-17:00, sat 09:00-12:00"
    url = command("driver", "link", "Mia Hasler").stdout.strip()
    with hub.store.write() as session:
        assert links.enrol(session, url.rsplit("/", 1)[1])[1].id == driver["id"]


def test_the_commands_that_the_documents_name_set_a_hub_up(hub: Hub, command: Command) -> None:
    page = (Path(__file__).parents[2] / "docs" / "access.md").read_text()
    block = page.split("## Set a hub up")[1].split("`hub up`")[0]
    lines = [shlex.split(line)[1:] for line in block.splitlines() if line.startswith("    hub ")]
    assert len(lines) == 7
    for words in lines:
        password = ["--password", "correct horse"] if words[:2] == ["user", "add"] else []
        command(*words, *password)
    (driver,) = listed(command, "driver")
    assert (driver["name"], driver["depot"], driver["state"]) == ("Lea Frick", "Vaduz", "on")


def test_a_list_for_people_has_its_columns_below_each_other(command: Command, world: World) -> None:
    command("vehicle", "add", "A van with a long name")
    head, first, second = command("vehicle", "list").stdout.splitlines()
    assert first.startswith("A van with a long name  veh_")
    assert second.startswith("Van 1                   veh_")
    assert head.index("id") == first.index("veh_") == second.index("veh_")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("driver", "add", "X", "--depot", "No", "--vehicle", "Van 1"), "hub depot list"),
        (("driver", "add", "X", "--depot", "Vaduz", "--vehicle", "No"), "hub vehicle list"),
        (("driver", "hours", "Nobody", "sun off"), "hub driver list"),
        (("driver", "off", "Nobody"), "hub driver list"),
        (("key", "add", "x", "--scope", "orders:read", "--merchant", "no"), "hub merchant list"),
    ],
)
def test_what_there_is_not_is_named_with_where_to_look(
    command: Command, world: World, words: tuple[str, ...], said: str
) -> None:
    with pytest.raises(Missing, match=said):
        command(*words)


@pytest.mark.parametrize("degrees", ["nan", "inf", "91", "north"])
def test_degrees_that_lie_nowhere_are_wrong_usage(hub: Hub, degrees: str) -> None:
    done = CliRunner().invoke(cli, ["depot", "add", "X", "--lat", degrees, "--lon", "9"])
    assert done.exit_code == 2
    assert "--lat" in done.output


def test_a_fleet_says_what_it_can_from_the_terminal(command: Command, world: World) -> None:
    said = command("measure", "set", "units", "kg", "litres=l", "--balance", "0").stdout
    assert said == "load in units, kg, litres (l); costs in CHF; work not shared evenly\n"
    assert json.loads(command("measure", "list", "--json").stdout)["balance"] == 0
    command("vehicle", "set", "Van 1", "capacity.kg=900", "skills=fridge", "cost_km=0,35")
    (van,) = listed(command, "vehicle")
    assert (van["capacities"], van["skills"], van["cost_km"]) == ({"kg": 900}, ["fridge"], "0.35")
    assert "100, 900 kg" in command("vehicle", "list").stdout
    command("driver", "set", "Lea Frick", "home=47.2,9.5", "end=home", "overtime_minutes=30")
    said = command("driver", "breaks", "Lea Frick", "mon-fri 12:00-13:30 30", "sat off").stdout
    assert said == "Lea Frick rests mon-fri 12:00-13:30 30 min\n"
    (driver,) = listed(command, "driver")
    assert (driver["end_place"], driver["rests"]) == ("home", "mon-fri 12:00-13:30 30 min")
    command("vehicle", "add", "Bike", "--capacity", "9", "profile=bike")
    command("vehicle", "set", "Bike", "active=no")
    assert {row["name"]: row["state"] for row in listed(command, "vehicle")} == {
        "Van 1": "on", "Bike": "off",
    }  # fmt: skip


def test_a_word_that_is_no_field_is_wrong_usage(hub: Hub, world: World, command: Command) -> None:
    done = CliRunner().invoke(cli, ["vehicle", "set", "Van 1", "fridge"])
    assert done.exit_code == 2
    assert "'fridge' is not written field=value" in done.output
