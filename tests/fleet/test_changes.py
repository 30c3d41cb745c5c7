"""Changing vehicles, drivers and depots field by field, as words and as nouns."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from hub.errors import Missing, Refused
from hub.fleet import roster
from hub.fleet.abilities import (
    DepotChange,
    DriverAbilities,
    DriverChange,
    Rest,
    VehicleAbilities,
    given,
)
from hub.fleet.breaks import breaks_on, read_breaks, read_rests, set_breaks, write_breaks
from hub.fleet.changes import change_depot, change_driver, change_vehicle
from hub.fleet.measures import Measure, Measures, measures, set_measures
from hub.fleet.words import driver_words, vehicle_words
from hub.hub import Hub
from hub.nouns import Location
from hub.store import DepotRow, DriverRow, SettingRow, ShiftRow, System, VehicleRow
from hub.testing.fixtures import World
from hub.testing.town import DAY, at


def vehicle(hub: Hub, world: World, **said: str) -> VehicleRow:
    with hub.store.write(System()) as session:
        row = session.get_one(VehicleRow, world.vehicle)
        return change_vehicle(session, row, vehicle_words(said, row))


def driver(hub: Hub, world: World, **said: str) -> DriverRow:
    with hub.store.write(System()) as session:
        row = session.get_one(DriverRow, world.driver)
        return change_driver(session, row, driver_words(said, row))


def test_words_change_what_they_name_and_nothing_else(hub: Hub, world: World) -> None:
    vehicle(hub, world, skills="Fridge, lift", cost_hour="32,50", most_km="180")
    row = vehicle(hub, world, reload_depots="Vaduz", reload_minutes="15", stacked="yes")
    assert (row.skills, row.cost_hour, row.most_metres) == (
        ["fridge", "lift"], Decimal("32.50"), 180_000,
    )  # fmt: skip
    assert (row.reload_depots, row.reload_seconds, row.stacked) == ([world.depot], 900, True)
    row = vehicle(hub, world, cost_hour="", most_km="")
    assert (row.cost_hour, row.most_metres, row.skills) == (None, None, ["fridge", "lift"])


def test_capacities_are_of_measures_that_there_are(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        set_measures(session, Measures(loads=(Measure(name="units"), Measure(name="kg"))))
    row = vehicle(hub, world, **{"capacity": "80", "capacity.kg": "900"})
    assert (row.capacity, row.capacities) == (80, {"kg": 900})
    assert vehicle(hub, world, **{"capacity.kg": ""}).capacities == {}
    with pytest.raises(Refused, match="there is no measure 'm3'; there are units, kg"):
        vehicle(hub, world, **{"capacity.m3": "9"})


def test_the_first_measure_may_stand_among_the_capacities(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        row = session.get_one(VehicleRow, world.vehicle)
        change_vehicle(session, row, VehicleAbilities(capacities={"units": 7}))
        assert (row.capacity, row.capacities) == (7, {})


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ({"cost_km": "much"}, "cost km: 'much' is no number"),
        ({"most_stops": "1.5"}, "is no whole number"),
        ({"most_stops": "-5"}, "most stops: it is at least 1"),
        ({"cost_km": "-0.5"}, "cost km: it is at least 0"),
        ({"cost_hour": "\u22125"}, "cost hour: it is at least 0"),
        ({"reload_minutes": "-5"}, "reload minutes: it is at least 0"),
        ({"capacity.kg": "-5"}, "capacity in kg: it is at least 1"),
        ({"cost_km": "5-"}, "is no number"),
        ({"profile": "ship"}, "profile: "),
        ({"skills": "-"}, "skills: "),
        ({"reload_depots": "Chur"}, "there is no depot 'Chur'"),
        ({"wheels": "4"}, "a vehicle has no field 'wheels'; there are name, capacity"),
        ({"active": "no"}, "Lea Frick drives Van 1; choose another vehicle there first"),
    ],
)
def test_a_vehicle_that_cannot_be_is_refused(
    hub: Hub, world: World, said: dict[str, str], match: str
) -> None:
    with pytest.raises((Missing, Refused), match=match):
        vehicle(hub, world, **said)


def test_a_driver_begins_at_home_and_ends_at_another_depot(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        chur = roster.add_depot(session, "Chur", Location(lat=46.85, lon=9.53)).id
    row = driver(
        hub, world, start="home", end="Chur", home="47.2, 9.5", overtime_minutes="45",
        overtime_hour="48", skills="adr",
    )  # fmt: skip
    assert (row.start_place, row.end_place) == ("home", chur)
    assert (row.home_lat, row.home_lon, row.overtime_minutes) == (47.2, 9.5, 45)
    assert driver(hub, world, start="depot", end="Vaduz").end_place == ""


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ({"start": "home"}, "Lea Frick has no home yet"),
        ({"home": "north of here"}, "write degrees like 47.1410, 9.5209"),
        ({"home": "nan, 9"}, "lies nowhere on the map"),
        ({"overtime_minutes": "900"}, "overtime minutes: "),
        ({"overtime_minutes": "-5"}, "overtime minutes: it is at least 0"),
        ({"overtime_hour": "-5"}, "overtime hour: it is at least 0"),
        ({"phone": "abc"}, r"phone: 'abc' is no phone number; .* like \+41 79 123 45 67"),
        ({"phone": "+423 1"}, "is no phone number"),
        ({"colour": "red"}, "is no colour"),
        ({"vehicle": "Van 9"}, "there is no vehicle 'Van 9'"),
    ],
)
def test_a_driver_that_cannot_be_is_refused(
    hub: Hub, world: World, said: dict[str, str], match: str
) -> None:
    with pytest.raises((Missing, Refused), match=match):
        driver(hub, world, **said)


def test_a_phone_is_kept_with_its_country_code_and_may_be_empty(hub: Hub, world: World) -> None:
    assert driver(hub, world, phone="+423 230 00 00").phone == "+4232300000"
    assert driver(hub, world, phone=" 0041 79 123 45 67").phone == "+41791234567"
    assert driver(hub, world, phone=" ").phone == ""


def test_a_phone_of_before_stays_while_other_fields_change(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        session.get_one(DriverRow, world.driver).phone = "ext. 12"
    assert driver(hub, world, phone="ext. 12", overtime_minutes="5").phone == "ext. 12"


def test_half_a_home_is_none(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        row = session.get_one(DriverRow, world.driver)
        with pytest.raises(Refused, match="both a latitude and a longitude"):
            change_driver(session, row, DriverAbilities(home_lat=47.1))
        session.rollback()


def test_the_last_depot_and_one_with_drivers_stay_on(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        row, off = session.get_one(DepotRow, world.depot), DepotChange(active=False)
        with pytest.raises(Refused, match="Vaduz is the only depot"):
            change_depot(session, row, off)
        other = roster.add_depot(session, "Chur", Location(lat=46.85, lon=9.53))
        with pytest.raises(Refused, match="Lea Frick belongs to Vaduz"):
            change_depot(session, row, off)
        assert not change_depot(session, other, off).active


def test_two_vehicles_have_two_names(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        roster.add_vehicle(session, "Van 2")
    with pytest.raises(Refused, match="there is a vehicle Van 2 already"):
        vehicle(hub, world, name="Van 2")


def test_measures_keep_the_operators_name(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        session.add(SettingRow(name="operator", value={"name": "Rhine Valley"}))
    with hub.store.write(System()) as session:
        assert measures(session) == Measures()
        set_measures(session, Measures(currency="EUR", balance=0))
    with hub.store.read(System()) as session:
        assert measures(session).currency == "EUR"
        assert session.get_one(SettingRow, "operator").value["name"] == "Rhine Valley"


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"loads": [{"name": "kg"}, {"name": "kg"}]}, "each measure has a name of its own"),
        ({"balance": 0.5}, "nobody can do less than an equal share"),
        ({"loads": [{"name": "Kilo gram"}]}, "loads"),
        ({"currency": "Franken"}, "currency"),
    ],
)
def test_measures_that_cannot_be_are_refused(values: dict[str, object], match: str) -> None:
    with pytest.raises(Refused, match=match):
        given(Measures, values)


def test_breaks_are_read_and_written_in_the_same_words(hub: Hub, world: World) -> None:
    days, rests = read_breaks("mon-fri 9:30-10:30 15, 12:00-13:30 30 min")
    assert (days, [rest.minutes for rest in rests]) == ([0, 1, 2, 3, 4], [15, 30])
    assert read_breaks("sat off") == ([5], [])
    with hub.store.write(System()) as session:
        shifts = [set_breaks(session, world.driver, day, rests) for day in days]
        told = write_breaks(shifts)
    assert told == "mon-fri 9:30-10:30 15 min, 12:00-13:30 30 min"
    assert read_breaks(told)[1] == rests


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("12:00", "is no break; write it like"),
        ("12:00-12:20 30", "30 minutes do not fit between 12:00 and 12:20"),
        ("25:00-26:00 30", "start: "),
        ("8:00-9:00 10, 9:00-10:00 10, 10:00-11:00 10, 11:00-12:00 10, 13:00-14:00 10", "at most"),
    ],
)
def test_breaks_that_cannot_be_are_refused(text: str, match: str) -> None:
    with pytest.raises(Refused, match=match):
        read_rests(text)


def test_a_break_needs_a_shift(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        roster.set_shift(session, world.driver, 6)
        session.flush()
        with pytest.raises(Refused, match="Lea Frick does not work on sun; set the hours first"):
            set_breaks(session, world.driver, 6, [])


def test_a_night_shift_rests_after_midnight(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        roster.set_shift(session, world.driver, DAY.weekday(), "22:00", "06:00")
        session.flush()
        rests = [Rest(start="02:00", end="03:00", minutes=30)]
        set_breaks(session, world.driver, DAY.weekday(), rests)
        session.flush()
        (due,) = breaks_on(session, session.get_one(DriverRow, world.driver), DAY)
    opens = at(2) + timedelta(days=1)
    assert due == (opens, opens + timedelta(minutes=30), 1800)


def test_hours_that_change_keep_their_breaks(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        set_breaks(session, world.driver, 0, [Rest(start="12:00", end="13:00", minutes=30)])
        row = roster.set_shift(session, world.driver, 0, "07:00", "15:00")
        assert isinstance(row, ShiftRow)
        assert row.breaks[0]["minutes"] == 30


def test_a_driver_gets_no_van_or_depot_that_is_switched_off(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        depot = roster.add_depot(session, "Eschen", Location(lat=47.2, lon=9.5))
        van = roster.add_vehicle(session, "Van 9")
        depot.active = van.active = False
        session.flush()
        with pytest.raises(Refused, match="Eschen is switched off"):
            roster.add_driver(session, "Mia Hasler", depot.id, world.vehicle)
        with pytest.raises(Refused, match="Van 9 is switched off"):
            roster.add_driver(session, "Mia Hasler", world.depot, van.id)
        row = session.get_one(DriverRow, world.driver)
        with pytest.raises(Refused, match="Eschen is switched off"):
            change_driver(session, row, DriverChange(depot="Eschen"))
