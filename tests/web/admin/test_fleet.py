"""The pages of the fleet: what they show, what they take, what they refuse and how they say it."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import select

from hub.fleet import places, roster
from hub.fleet.measures import Measure, Measures, measures, set_measures
from hub.hub import Hub
from hub.nouns import Address, Location
from hub.store import DepotRow, DriverRow, ShiftRow, System, VehicleRow
from hub.testing.fixtures import World
from hub.web.admin.fleet_forms import depot_texts, vehicle_texts

PATH = "/admin/fleet"


@pytest.fixture
def owner(sign_in: Callable[..., Any]) -> Any:
    return sign_in("owner")


def test_an_empty_fleet_says_what_comes_first(owner: Any) -> None:
    page = owner.get(PATH).text
    assert page.index("No depot yet") < page.index("No vehicle yet") < page.index("Nobody drives")
    assert "Add a depot first" in owner.get(f"{PATH}/drivers/new").text


def test_a_vehicle_is_added_with_its_costs(owner: Any, hub: Hub, world: World) -> None:
    form = {"name": "Truck 7", "capacity": "400", "profile": "truck", "skills": "lift, ADR",
            "cost_km": "0.85", "most_km": "250", "reload_depots": world.depot,
            "reload_minutes": "20", "most_reloads": "2", "stacked": "yes"}  # fmt: skip
    assert owner.post(f"{PATH}/vehicles/new", form).status_code == 302
    with hub.store.read(System()) as session:
        row = session.exec(select(VehicleRow).where(VehicleRow.name == "Truck 7")).one()
    assert (row.capacity, row.skills, row.cost_km) == (400, ["lift", "adr"], Decimal("0.85"))
    assert (row.reload_depots, row.reload_seconds, row.stacked) == ([world.depot], 1200, True)
    page = owner.get(PATH).text
    assert "Truck 7 is there" in page
    assert "may reload up to 2 times" in page
    owner.post(f"{PATH}/vehicles/{row.id}", {**form, "stacked": "", "reload_depots": ""})
    with hub.store.read(System()) as session:
        row = session.get_one(VehicleRow, row.id)
    assert (row.stacked, row.reload_depots) == (False, [])


def test_a_form_that_is_saved_as_it_is_changes_nothing(owner: Any, hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        vehicle = session.get_one(VehicleRow, world.vehicle)
        vehicle.most_metres, vehicle.reload_seconds = 1_234_567, 90
        depot = session.get_one(DepotRow, world.depot)
        depot.lat, depot.lon = 47.12345678, 9.50000049
        forms = {f"vehicles/{vehicle.id}": vehicle_texts(vehicle),
                 f"depots/{depot.id}": depot_texts(depot)}  # fmt: skip
    for path, fields in forms.items():
        assert owner.post(f"{PATH}/{path}", fields).status_code == 302
    with hub.store.read(System()) as session:
        vehicle = session.get_one(VehicleRow, world.vehicle)
        assert (vehicle.most_metres, vehicle.reload_seconds) == (1_234_567, 90)
        depot = session.get_one(DepotRow, world.depot)
        assert (depot.lat, depot.lon) == (47.12345678, 9.50000049)


def test_a_driver_is_changed_with_the_week(owner: Any, hub: Hub, world: World) -> None:
    form = {"name": "Lea Frick", "depot": world.depot, "vehicle": world.vehicle, "start": "home",
            "end": "depot", "home": "47.2, 9.5", "overtime_minutes": "30", "starts-0": "07:00",
            "ends-0": "15:00", "breaks-0": "11:00-12:00 30"}  # fmt: skip
    assert owner.post(f"{PATH}/drivers/{world.driver}", form).status_code == 302
    with hub.store.read(System()) as session:
        row = session.get_one(DriverRow, world.driver)
        (shift,) = session.exec(select(ShiftRow)).all()
    assert (row.start_place, row.home_lat, row.overtime_minutes) == ("home", 47.2, 30)
    assert (shift.weekday, shift.starts, shift.breaks[0]["minutes"]) == (0, "07:00", 30)
    assert "11:00-12:00 30 min" in owner.get(f"{PATH}/drivers/{world.driver}").text


def test_the_list_reads_like_people_write_and_counts_like_them(
    owner: Any, hub: Hub, world: World
) -> None:
    with hub.store.write(System()) as session:
        session.add_all(VehicleRow(name=name, capacity=1) for name in ("Van 10", "Van 2"))
        rest = [{"start": "11:00", "end": "12:00", "minutes": 30}]
        for day in (0, 1):
            row = session.exec(select(ShiftRow).where(ShiftRow.weekday == day)).one_or_none()
            row = row or ShiftRow(driver=world.driver, weekday=day)
            row.starts, row.ends, row.breaks = "07:00", "15:00", rest
            session.add(row)
    page = owner.get(PATH).text
    assert page.index(">Van 2<") < page.index(">Van 10<")
    assert "Mon\u2013Tue 07:00\u201315:00" in page
    assert "break Mon\u2013Tue 11:00\u201312:00 30 min" in page


def test_hours_that_end_on_the_next_day_say_so(owner: Any, hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        roster.set_shift(session, world.driver, 0, "17:00", "08:00")
        roster.set_shift(session, world.driver, 1, "08:00", "17:00")
    page = owner.get(PATH).text
    assert "Mon 17:00\u201308:00 the next day, Tue" in page
    assert page.count("the next day") == 1


@pytest.mark.parametrize(
    ("path", "form", "said"),
    [
        ("vehicles/new", {"name": "Van 1", "capacity": "9"}, "There is a vehicle Van 1 already."),
        ("vehicles/new", {"name": "X", "capacity": "many"}, "&#39;many&#39; is no number"),
        ("depots/new", {"name": "X", "place": "", "timezone": "Europe/Zurich"}, "Say where it is"),
        ("depots/new", {"name": "X", "place": "47, 9", "timezone": "Mars"}, "is no time zone"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_written_stays(
    owner: Any, world: World, path: str, form: dict[str, str], said: str
) -> None:
    reply = owner.post(f"{PATH}/{path}", form)
    assert reply.status_code == 422
    assert said in reply.text
    assert f'value="{form["name"]}"' in reply.text


def depot_named(hub: Hub, name: str) -> DepotRow | None:
    with hub.store.read(System()) as session:
        return session.exec(select(DepotRow).where(DepotRow.name == name)).one_or_none()


def door(hub: Hub) -> None:
    """Let an earlier order have taught where Städtle 6 is."""
    address = Address(line1="Städtle 6", postcode="9490", city="Vaduz")
    with hub.store.write(System()) as session:
        places.remember(session, address, Location(lat=47.1391, lon=9.5227), "pin")


def test_a_depot_is_added_by_an_address_whose_door_is_known(owner: Any, hub: Hub) -> None:
    door(hub)
    form = {"name": "Centre", "address": "Städtle 6, 9490 Vaduz", "place": "",
            "timezone": "Europe/Vaduz"}  # fmt: skip
    page = owner.post(f"{PATH}/depots/new", form, follow_redirects=True).text
    assert "Städtle 6, 9490 Vaduz lies at 47.13910, 9.52270." in page
    row = depot_named(hub, "Centre")
    assert row is not None
    assert (row.lat, row.lon, row.address) == (47.1391, 9.5227, "Städtle 6, 9490 Vaduz")


def test_a_depot_that_has_moved_is_found_by_its_new_address(
    owner: Any, hub: Hub, world: World
) -> None:
    door(hub)
    form = {"name": "Vaduz", "address": "Städtle 6, 9490 Vaduz", "place": "",
            "timezone": "Europe/Vaduz"}  # fmt: skip
    assert owner.post(f"{PATH}/depots/{world.depot}", form).status_code == 302
    row = depot_named(hub, "Vaduz")
    assert row is not None
    assert (row.lat, row.lon) == (47.1391, 9.5227)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("Städtle 6, 9490 Vaduz", "Address: nothing can look it up: connect a geocoder"),
        ("Vaduz", "Address: &#39;Vaduz&#39; names no street and town like Städtle 6, 9490 Vaduz."),
    ],
)
def test_an_address_that_is_not_found_says_so_and_everything_typed_stays(
    owner: Any, hub: Hub, address: str, said: str
) -> None:
    form = {"name": "Centre", "address": address, "place": "", "timezone": "Europe/Vaduz"}
    reply = owner.post(f"{PATH}/depots/new", form)
    assert reply.status_code == 422
    assert reply.text.count(said) == 2  # above the form, and under the field
    assert re.search(r'name="address"[^>]*aria-invalid="true"', reply.text)
    for text in (address, "Centre", "Europe/Vaduz"):
        assert f'value="{text}"' in reply.text
    assert depot_named(hub, "Centre") is None


@pytest.mark.parametrize(
    ("path", "field", "text", "said"),
    [
        ("vehicles", "cost_hour", "x", "An hour with its driver (CHF): &#39;x&#39; is no number"),
        ("vehicles", "cost_km", "-5", "A kilometre (CHF): it is at least 0."),
        ("vehicles", "capacity", "0", "Carries (units): it is at least 1."),
        ("vehicles", "capacity.kg", "0", "Carries (kg): it is at least 1."),
        ("vehicles", "capacity.kg", "1.5", "Carries (kg): &#39;1.5&#39; is no whole number."),
        ("vehicles", "most_km", "9000", "At most a day (km): it is at most 5,000."),
        ("vehicles", "most_stops", "x", "At most a day (stops): &#39;x&#39; is no number"),
        ("vehicles", "reload_minutes", "300", "It takes (minutes): it is at most 240."),
        ("drivers", "overtime_hour", "x", "An hour of it costs more by (CHF): &#39;x&#39; is no"),
        ("drivers", "overtime_minutes", "999", "Overtime at most (minutes a day): it is at most"),
        (
            "drivers",
            "overtime_minutes",
            "-5",
            "Overtime at most (minutes a day): it is at least 0.",
        ),
        ("drivers", "phone", "abc", "Phone: &#39;abc&#39; is no phone number; write it with"),
        ("drivers", "home", "x", "Home on the map: &#39;x&#39; is no place"),
        ("drivers", "start", "home", "Lea Frick has no home yet; set where it is first."),
        ("depots", "place", "x", "On the map: &#39;x&#39; is no place"),
    ],
)
def test_an_error_names_the_label_that_a_person_sees_and_stands_at_its_field(
    owner: Any, hub: Hub, world: World, path: str, field: str, text: str, said: str
) -> None:
    with hub.store.write(System()) as session:
        set_measures(session, Measures(loads=(Measure(name="units"), Measure(name="kg"))))
    form = {"name": "Lea Frick", "depot": world.depot, "vehicle": world.vehicle, field: text}
    ids = {"vehicles": world.vehicle, "drivers": world.driver, "depots": world.depot}
    page = owner.post(f"{PATH}/{path}/{ids[path]}", form).text
    assert page.count(said) == 2  # above the form, and under the field
    assert re.search(rf'name="{field}"[^>]*aria-invalid="true"', page)
    words = re.search(rf'<label for="{field}">([^<]*)(?:<span[^>]*>([^<]*)</span>)?</label>', page)
    assert words is not None
    label = f"{words[1].strip()} ({words[2]}): " if words[2] else f"{words[1]}: "
    assert said.startswith(label) or field == "start"


def test_a_wrong_measure_is_named_as_on_the_page(owner: Any, world: World) -> None:
    form = {"name": ["units"], "unit": [""], "currency": "EUR", "balance": "11"}
    page = owner.post(f"{PATH}/measures", form).text
    assert "Most work of one driver: it is at most 10." in page


def test_a_wrong_break_names_its_day_and_changes_nothing(
    owner: Any, hub: Hub, world: World
) -> None:
    form = {"name": "Lea F.", "depot": world.depot, "vehicle": world.vehicle, "starts-1": "08:00",
            "ends-1": "12:00", "breaks-1": "noon"}  # fmt: skip
    reply = owner.post(f"{PATH}/drivers/{world.driver}", form)
    assert reply.status_code == 422
    wrong = "Tuesday: &#39;noon&#39; is no break; write it like 12:00-13:30 30."
    assert reply.text.count(wrong) == 2  # above the form, and under the day
    assert re.search(r'name="breaks-1"[^>]*aria-invalid="true"', reply.text)
    with hub.store.read(System()) as session:
        assert session.get_one(DriverRow, world.driver).name == "Lea Frick"


def test_a_break_on_a_day_off_is_not_lost_in_silence(owner: Any, hub: Hub, world: World) -> None:
    form = {"name": "Lea Frick", "depot": world.depot, "vehicle": world.vehicle,
            "starts-1": "08:00", "ends-1": "12:00", "breaks-6": "10:00-11:00 15"}  # fmt: skip
    reply = owner.post(f"{PATH}/drivers/{world.driver}", form)
    assert reply.status_code == 422
    assert "Sunday: a break needs hours around it; give both, or neither." in reply.text
    assert 'value="10:00-11:00 15"' in reply.text


def test_a_driver_without_a_vehicle_is_told_what_to_choose(owner: Any, world: World) -> None:
    form = {"name": "Jon Marxer", "depot": world.depot, "vehicle": ""}
    reply = owner.post(f"{PATH}/drivers/new", form)
    assert reply.status_code == 422
    assert "Choose a vehicle; where there is none yet, add it first." in reply.text


def test_what_may_stay_empty_may(owner: Any, hub: Hub, world: World) -> None:
    form = {"name": "Van 1", "capacity": "9", "profile": "van", "skills": "", "cost_hour": "",
            "most_km": "", "most_stops": "", "most_reloads": "", "reload_minutes": ""}  # fmt: skip
    assert owner.post(f"{PATH}/vehicles/{world.vehicle}", form).status_code == 302
    with hub.store.read(System()) as session:
        row = session.get_one(VehicleRow, world.vehicle)
        assert (row.most_reloads, row.reload_seconds) == (1, 600)


def test_a_skill_that_can_be_none_is_refused_in_words(owner: Any, world: World) -> None:
    reply = owner.post(f"{PATH}/vehicles/new", {"name": "X", "capacity": "9", "skills": "<b>"})
    assert reply.status_code == 422
    assert "write up to 30 letters, digits, dots and hyphens, such as fridge" in reply.text
    assert "pattern" not in reply.text.partition("<form")[0]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": "Full pallets"}, "is no name of a measure; write one word of small letters"),
        ({"name": ""}, "name at least one, such as units"),
        ({"name": "kg", "currency": "Franken"}, "is no currency; write three letters such as CHF"),
    ],
)
def test_what_is_counted_by_is_refused_in_words(
    owner: Any, form: dict[str, str], said: str
) -> None:
    reply = owner.post(f"{PATH}/measures", {"unit": "kg", "currency": "CHF", **form})
    assert (reply.status_code, said in reply.text) == (422, True)


def test_a_depot_is_added_and_switched_off_again(owner: Any, hub: Hub, world: World) -> None:
    form = {"name": "Chur", "place": "46.85, 9.53", "timezone": "Europe/Zurich", "address": "A 1"}
    assert owner.post(f"{PATH}/depots/new", form).status_code == 302
    with hub.store.read(System()) as session:
        row = session.exec(select(DepotRow).where(DepotRow.name == "Chur")).one()
    reply = owner.post(f"{PATH}/depots/{row.id}/switch", {"on": ""})
    page = owner.get(reply.location).text
    assert "Chur is switched off: no new order comes here" in page
    owner.post(f"{PATH}/depots/{row.id}/switch", {"on": "yes"})
    reply = owner.post(f"{PATH}/depots/{world.depot}/switch", {"on": ""})
    assert (reply.status_code, "Lea Frick belongs to Vaduz" in reply.text) == (422, True)


def test_measures_are_the_owners_to_set(
    owner: Any, sign_in: Callable[..., Any], hub: Hub, world: World
) -> None:
    form = {"name": ["units", "kg", ""], "unit": ["", "", ""], "currency": "eur", "balance": "1,5"}
    assert owner.post(f"{PATH}/measures", form).status_code == 302
    with hub.store.read(System()) as session:
        found = measures(session)
    assert (found.names, found.currency, found.balance) == (("units", "kg"), "EUR", 1.5)
    assert 'name="capacity.kg"' in owner.get(f"{PATH}/vehicles/{world.vehicle}").text
    assert sign_in("dispatcher").post(f"{PATH}/measures", form).status_code == 403
    reply = owner.post(f"{PATH}/measures", {**form, "balance": "0.2"})
    assert (reply.status_code, "equal share" in reply.text) == (422, True)
