"""`hub routes`: what is on the road, changed from the terminal."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from sqlmodel import select

from hub.cli.routes import change
from hub.errors import HubError, Missing, Refused
from hub.hub import Hub
from hub.store import DepotRow, OrderRow, RouteRow, System, WorkRow
from hub.testing.town import DAY, Town, at, town
from tests.cli.conftest import Command, Connect
from tests.dispatch.crossed import orders, two_routes

__all__ = ["town"]
TODAY = ("--depot", "Vaduz", "--date", str(DAY))


def nowhere_in_time(town: Town) -> str:
    """Publish a route whose one promise leaves no time, and return a stop that wants some."""
    tight = town.stop(0.03)
    town.published()
    reached = town.read(tight).planned_at or at(8)
    town.change(tight, promised_end=reached + timedelta(seconds=30))
    return town.stop(0.01, service_time=1800, window_start=at(8), window_end=at(8, 10))


def test_routes_are_listed_with_the_stops_that_have_none(command: Command, town: Town) -> None:
    town.stops(2)
    (route,) = town.published()
    new = town.stop()
    said = command("routes", "list", *TODAY).stdout.splitlines()
    assert said[0].startswith(f"{route}  Lea Frick")
    assert "08:00-" in said[0], "times are those of the depot"
    assert "0 of  2 stops done" in said[0]
    assert said[1] == f"without a route: #1003 Test Customer  {new}"


def test_a_list_for_programs_has_routes_and_open_stops(command: Command, town: Town) -> None:
    town.stops(2)
    (route,) = town.published()
    new = town.stop()
    told = json.loads(command("routes", "list", *TODAY, "--json").stdout)
    assert [one["id"] for one in told["routes"]] == [route]
    assert [one["id"] for one in told["open"]] == [new]


def test_a_day_without_routes_says_how_to_plan_them(command: Command, town: Town) -> None:
    result = command("routes", "list", *TODAY)
    assert result.stdout == ""
    assert f"Vaduz has no routes on {DAY}; plan them with: hub plan" in result.stderr


def test_a_price_is_told_and_nothing_is_written(command: Command, town: Town) -> None:
    town.stops(3)
    town.published()
    new = town.stop(0.004)
    said = command("routes", "insert", new, "--dry").stdout
    assert said.startswith("Lea Frick would take it as stop ")
    assert " min and " in said
    assert "km more (travel times are approximate)" in said
    assert town.read(new).state == "unassigned"


def test_a_stop_is_put_in_by_the_number_of_its_order(command: Command, town: Town) -> None:
    town.stops(3)
    (route,) = town.published()
    new = town.stop(0.004)
    assert command("routes", "insert", "#1004").stdout.startswith("Lea Frick takes it as stop ")
    assert town.read(new).route == route


def test_the_only_route_that_may_take_it_is_named_by_its_driver(
    hub: Hub, command: Command, town: Town
) -> None:
    first, second = two_routes(hub, town, southern=4)
    new = town.stop(0.03)
    told = json.loads(command("routes", "insert", new, "--route", "Jon Marxer", "--json").stdout)
    assert (told["route"], told["stop"]) == (second, new)
    assert town.read(new).route == second != first


def test_who_is_reached_later_and_who_else_could_come_are_told(
    hub: Hub, command: Command, town: Town
) -> None:
    two_routes(hub, town, southern=4)
    new = town.stop(0.0301, service_time=900, window_end=at(8, 40))
    lines = command("routes", "insert", new, "--dry").stdout.splitlines()
    assert any("Test Customer: " in line and "min later" in line for line in lines[1:])
    assert any(line.startswith("  or ") for line in lines[1:])


def test_where_it_fits_nowhere_the_price_of_being_late_is_told_first(
    command: Command, town: Town
) -> None:
    new = nowhere_in_time(town)
    with pytest.raises(HubError) as caught:
        command("routes", "insert", new)
    said = str(caught.value)
    assert "it fits into no published route: " in said
    assert "late by the least with Lea Frick as stop " in said
    assert "; too late: " in said
    assert "add --even-late" in said
    assert town.read(new).state == "unassigned"
    done = command("routes", "insert", new, "--even-late").stdout
    assert "after its window" in done or "after the promise" in done
    assert town.read(new).state == "dispatched"


def test_a_load_for_which_there_is_no_room_has_no_late_place_either(
    command: Command, town: Town
) -> None:
    town.stops(2)
    town.published()
    new = town.stop(load=900)
    with pytest.raises(HubError, match="load of 900") as caught:
        command("routes", "insert", new)
    assert "even-late" not in str(caught.value)


def test_names_that_nobody_has_say_where_to_look(command: Command, town: Town) -> None:
    new = town.stop()
    with pytest.raises(Missing, match=r"no stop or order #9.*hub routes list"):
        command("routes", "insert", "#9")
    with pytest.raises(Missing, match=r"no route or driver Nobody.*hub routes list"):
        command("routes", "insert", new, "--route", "Nobody")
    with pytest.raises(Missing, match="Lea Frick has no published route"):
        command("routes", "lost", "Lea Frick")
    with pytest.raises(Refused, match="no route of 2026-11-23 is published"):
        command("routes", "insert", new)


def test_one_of_two_orders_with_a_number_is_named_by_its_stop(
    hub: Hub, command: Command, town: Town
) -> None:
    first, second = town.stop(), town.stop()
    with hub.store.write(System()) as session:
        order = session.get_one(OrderRow, town.read(second).order)
        order.source, order.ref = "another shop", "#1001"
    with pytest.raises(Refused, match=f"2 orders are called #1001.*{first}, {second}"):
        command("routes", "insert", "#1001")


def test_the_only_depot_needs_no_name_and_names_are_read_as_people_write_them(
    hub: Hub, command: Command, town: Town
) -> None:
    town.stop()
    (route,) = town.published()
    assert command("routes", "list", "--date", str(DAY)).stdout.startswith(route)
    written = ("--depot", "vaduz", "--date", str(DAY))
    assert command("routes", "list", *written).stdout.startswith(route)
    new = town.stop()
    assert command("routes", "insert", new, "--route", "LEA FRICK").stdout.startswith("Lea Frick")
    with hub.store.write(System()) as session:
        session.add(DepotRow(name="Eschen", lat=47.2, lon=9.5))
    with pytest.raises(Missing, match="say which depot with --depot: Eschen, Vaduz"):
        command("routes", "list")


@pytest.mark.parametrize(
    ("amount", "said"), [(-4.6, "5 min less"), (13.6, "14 min more"), (0.3, "as many min")]
)
def test_a_change_is_told_as_more_or_less(amount: float, said: str) -> None:
    assert change(amount, "min", 0) == said


def test_better_routes_are_told_and_taken_back(hub: Hub, command: Command, town: Town) -> None:
    routes = two_routes(hub, town, southern=4)
    before = orders(town, *routes)
    said = command("routes", "reoptimise", *TODAY, "--most-moved", "4").stdout.splitlines()
    assert "stops moved on 2 routes" in said[0]
    assert re.search(r"routes, \d+ min less, \d+\.\d km less, late 0 -> 0$", said[0])
    assert said[1].startswith("take it back with: hub routes undo rop_")
    assert orders(town, *routes) != before
    undone = command("routes", "undo", said[1].split()[-1]).stdout
    assert "is taken back: 2 routes are as they were before" in undone
    assert orders(town, *routes) == before


def test_programs_get_what_became_of_it(hub: Hub, command: Command, town: Town) -> None:
    routes = two_routes(hub, town, southern=4)
    words = ("routes", "reoptimise", *TODAY, "--most-moved", "4", "--json")
    told = json.loads(command(*words).stdout)
    assert (told["state"], told["routes"], told["late_after"]) == ("done", 2, 0)
    undone = json.loads(command("routes", "undo", told["id"], "--json").stdout)
    assert undone == {"id": told["id"], "state": "undone", "routes": sorted(routes)}


def test_no_worker_is_asked_to_do_it_again(hub: Hub, command: Command, town: Town) -> None:
    two_routes(hub, town, southern=4)
    command("routes", "reoptimise", *TODAY)
    with hub.store.read(System()) as session:
        kinds = session.exec(select(WorkRow.kind)).all()
    assert "reoptimise" not in kinds


def test_routes_that_are_best_already_say_so(command: Command, town: Town) -> None:
    town.stop()
    town.published()
    said = command("routes", "reoptimise", *TODAY, "--seconds", "0.5").stdout
    assert said == "nothing better was found\n"


def test_a_day_with_nothing_on_the_road_says_so(command: Command, town: Town) -> None:
    with pytest.raises(HubError, match="no route of Vaduz on 2026-11-23 is on the road"):
        command("routes", "reoptimise", *TODAY)


def test_numbers_and_names_that_make_no_sense_are_refused(run: Connect, town: Town) -> None:
    with pytest.raises(Refused, match="seconds must lie between"):
        run("routes", "reoptimise", *TODAY, "--seconds", "9999")
    with pytest.raises(Missing, match="Nowhere"):
        run("routes", "reoptimise", "--depot", "Nowhere")
    with pytest.raises(Missing, match="rop_nothing"):
        run("routes", "undo", "rop_nothing")
    assert run("routes", "lost", "x", "--goods", "gone").exit_code == 2


def test_the_stops_of_a_lost_driver_are_given_away_by_name(
    hub: Hub, command: Command, town: Town
) -> None:
    first, second = two_routes(hub, town, southern=4)
    ids = {stop.id for stop in town.on(first)}
    lines = command("routes", "lost", "Lea Frick", "--reason", "ill").stdout.splitlines()
    assert lines[0] == "4 stops were given to others, 0 to nobody"
    assert sorted(lines[1:])[0] == "  #1001: Jon Marxer"
    assert ids < {stop.id for stop in town.on(second)}


def test_what_nobody_takes_is_told_with_the_reason(command: Command, town: Town) -> None:
    town.stops(2)
    town.published()
    lines = command("routes", "lost", "Lea Frick").stdout.splitlines()
    assert lines[0] == "0 stops were given to others, 2 to nobody"
    assert "no route of 2026-11-23 is published" in lines[1]


def test_a_driver_who_has_left_is_asked_where_the_goods_are(
    hub: Hub, command: Command, town: Town
) -> None:
    first, _ = two_routes(hub, town, southern=4)
    with hub.store.write(System()) as session:
        row = session.get_one(RouteRow, first)
        row.state, row.started_at = "in_progress", row.starts_at
    with pytest.raises(Refused, match=r"at_depot, handed_over .* or lost"):
        command("routes", "lost", first)
    words = ("routes", "lost", first, "--goods", "lost", "--json")
    told = json.loads(command(*words).stdout)
    assert (len(told["left"]), told["goods"]) == (4, "lost")


def test_a_workflow_may_do_the_rest(hub: Hub, command: Command, town: Town) -> None:
    first, _ = two_routes(hub, town, southern=4)
    said = command("routes", "lost", first, "--only-tell").stdout
    assert said == "4 stops have no route now\n"
    assert town.on(first) == []
