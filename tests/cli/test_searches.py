"""`hub plan list` and `hub plan stop`."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

import pytest

from hub.cli.searches import old
from hub.errors import Missing, Refused
from hub.hub import Hub
from hub.planning.plans import request
from hub.store import PlanRow, System, VehicleRow
from hub.testing.fixtures import World
from hub.testing.town import DAY, Town
from hub.testing.town import town as town
from tests.cli.conftest import Command


def asked_for(hub: Hub, town: Town) -> str:
    """Ask for a plan that no worker has begun; return its id."""
    with hub.store.write(System()) as session:
        return request(session, town.world.depot, DAY).id


def begin(hub: Hub, id: str) -> None:
    """Let a plan be searched for."""
    with hub.store.write(System()) as session:
        row = session.get_one(PlanRow, id)
        row.state = "running"
        row.progress = {"cost": 1, "left_out": 2, "seconds": 3.0, "of": 10}


def test_where_no_plan_is_yet_it_says_how_one_is_made(command: Command, town: Town) -> None:
    assert (
        "make one with: hub plan --depot NAME --date YYYY-MM-DD" in command("plan", "list").stderr
    )
    said = command("plan", "list", "--depot", "vaduz", "--date", str(DAY))
    assert f"no plan of vaduz on {DAY} yet; make one with: hub plan --depot 'vaduz'" in said.stderr
    assert said.stdout == ""
    assert command("plan", "list", "--json").stdout == "[]\n"


def test_plans_are_listed_with_what_they_came_to_the_newest_first(
    hub: Hub, command: Command, town: Town
) -> None:
    town.stops(3)
    town.stop(load=900)
    first = town.plan().id
    second = asked_for(hub, town)
    begin(hub, second)
    newer, older = json.loads(command("plan", "list", "--json").stdout)
    assert (newer["id"], newer["state"], newer["left_out"]) == (second, "running", 2)
    assert (older["id"], older["stops"], older["left_out"]) == (first, 3, 1)
    assert (older["day"], older["depot"], older["engine"]) == (str(DAY), "Vaduz", "pyvrp")
    assert older["km"] > 1
    assert (older["cost"], older["currency"]) == (None, "")
    heads, running, done = command("plan", "list").stdout.splitlines()
    assert heads.split()[:5] == ["id", "day", "depot", "state", "stops"]
    assert running.endswith("3 of 10 s")
    assert done.startswith(f"{first}  {DAY}  Vaduz  done     3      1 ")


def test_a_plan_tells_its_cost_where_prices_are_known(
    hub: Hub, command: Command, town: Town
) -> None:
    with hub.store.write(System()) as session:
        session.get_one(VehicleRow, town.world.vehicle).cost_fixed = Decimal(80)
    town.stop()
    town.plan()
    (told,) = json.loads(command("plan", "list", "--json").stdout)
    assert Decimal(told["cost"]) > 80
    assert f"{told['cost']} CHF" in command("plan", "list").stdout


def test_only_plans_of_the_day_and_depot_are_listed(hub: Hub, command: Command, town: Town) -> None:
    asked_for(hub, town)
    later = str(DAY + timedelta(days=1))
    assert "no plan on" in command("plan", "list", "--date", later).stderr
    assert "no worker has begun it yet" in command("plan", "list", "--depot", "VADUZ").stdout


def test_a_running_search_is_asked_to_end(hub: Hub, command: Command, town: Town) -> None:
    id = asked_for(hub, town)
    begin(hub, id)
    said = command("plan", "stop", id)
    assert said.stdout == (
        f"the search for Vaduz on {DAY} ends with the best so far, within a second or two\n"
    )
    with hub.store.read(System()) as session:
        assert session.get_one(PlanRow, id).stop_asked
    assert "is asked to end" in command("plan", "list").stdout
    assert json.loads(command("plan", "stop", id, "--json").stdout) == {"id": id, "stopping": True}


def test_a_search_that_nobody_has_begun_ends_once_it_has(
    hub: Hub, command: Command, town: Town
) -> None:
    assert (
        "as soon as a worker has begun it" in command("plan", "stop", asked_for(hub, town)).stdout
    )


def test_what_is_over_cannot_be_stopped_and_says_what_can_be_done(
    hub: Hub, command: Command, town: Town
) -> None:
    town.stop()
    done = town.plan()
    with pytest.raises(Refused, match=f"is done already; .* hub plan explain {done.id}"):
        command("plan", "stop", done.id)
    with hub.store.write(System()) as session:
        row = session.get_one(PlanRow, done.id)
        row.state, row.reason = "failed", "nobody came"
    with pytest.raises(Refused, match=f"nobody came.*hub plan --depot 'Vaduz' --date {DAY}"):
        command("plan", "stop", done.id)


def test_a_plan_that_is_none_leads_to_the_list(command: Command, world: World) -> None:
    with pytest.raises(Missing, match=r"there is no plan pln_x; .* with: hub plan list"):
        command("plan", "stop", "pln_x")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-3, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7200, "2 h"),
        (172_800, "2 d"),
        (999_999, "11 d"),
    ],
)
def test_an_age_is_told_in_its_largest_unit(seconds: int, told: str) -> None:
    assert old(timedelta(seconds=seconds)) == told
