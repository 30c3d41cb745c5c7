"""The roster: what is added once, by a name of its own."""

from collections.abc import Callable
from typing import Any

import pytest

from hub.errors import Missing, Refused
from hub.fleet import roster
from hub.hub import Hub
from hub.nouns import Location
from hub.store import Session, System
from hub.testing.fixtures import World

HERE = Location(lat=47.1, lon=9.5)


def test_a_roster_is_built_and_found_again(hub: Hub) -> None:
    with hub.store.write(System()) as session:
        depot = roster.add_depot(session, " Eschen ", HERE, timezone="Europe/Vaduz")
        vehicle = roster.add_vehicle(session, "Van 9", 40)
        driver = roster.add_driver(session, "Mia Hasler", depot.id, vehicle.id)
        merchant = roster.add_merchant(session, "Käserei Süd AG")
    with hub.store.read(System()) as session:
        assert roster.find_depot(session, "Eschen").id == depot.id
        assert roster.find_merchant(session, "kaserei-sud-ag").id == merchant.id
        assert roster.find_merchant(session, merchant.id).slug == "kaserei-sud-ag"
        with pytest.raises(Missing, match="no merchant 'nobody'"):
            roster.find_merchant(session, "nobody")
    assert driver.colour in roster.COLOURS


Add = Callable[[Session, World], Any]
REFUSED: list[tuple[Add, str]] = [
    (lambda s, w: roster.add_depot(s, "Vaduz", HERE), "already"),
    (lambda s, w: roster.add_depot(s, "X", HERE, timezone="Mars/Base"), "time zone"),
    (lambda s, w: roster.add_depot(s, "X", HERE, timezone="Europe"), "time zone"),
    (lambda s, w: roster.add_vehicle(s, "Van 1"), "already"),
    (lambda s, w: roster.add_vehicle(s, "X", 0), "capacity"),
    (lambda s, w: roster.add_driver(s, "X", "dep_no", w.vehicle), "no depot"),
    (lambda s, w: roster.add_driver(s, "X", w.depot, "veh_no"), "no vehicle"),
    (lambda s, w: roster.add_driver(s, "X", w.depot, w.vehicle, colour="red"), "colour"),
    (lambda s, w: roster.add_driver(s, "X", w.depot, w.vehicle, phone="abc"), "no phone number"),
    (lambda s, w: roster.add_merchant(s, "Alpenkraut"), "already"),
    (lambda s, w: roster.add_merchant(s, "株式会社"), "slug"),
    (lambda s, w: roster.add_merchant(s, "X\x00"), "printable"),
]


def test_what_is_taken_or_wrong_is_refused_with_the_reason(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        for add, said in REFUSED:
            with pytest.raises(Refused, match=said):
                add(session, world)


def test_a_vehicle_and_a_driver_are_found_by_id_or_name(hub: Hub, world: World) -> None:
    with hub.store.read(System()) as session:
        for name in (world.vehicle, "Van 1"):
            assert roster.find_vehicle(session, name).id == world.vehicle
        for name in (world.driver, "Lea Frick"):
            assert roster.find_driver(session, name).id == world.driver
        with pytest.raises(Missing, match="hub vehicle list"):
            roster.find_vehicle(session, "Van 2")
        with pytest.raises(Missing, match="hub driver list"):
            roster.find_driver(session, "Lea")


def test_a_name_that_two_drivers_have_is_refused_with_their_ids(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        other = roster.add_driver(session, "Lea Frick", world.depot, world.vehicle)
    with hub.store.read(System()) as session:
        with pytest.raises(Refused, match=other.id) as caught:
            roster.find_driver(session, "Lea Frick")
        assert world.driver in str(caught.value)
        assert roster.find_driver(session, other.id).id == other.id


def test_a_driver_is_added_with_the_hours_of_the_week(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        row = roster.add_driver(
            session, "Mia", world.depot, world.vehicle, hours=[(0, "8:00", "17:00"), (1, "", "")]
        )
        session.flush()
        shifts = roster.driver_sheet(session, row)["shifts"]
    assert shifts == [{"weekday": 0, "starts": "08:00", "ends": "17:00", "breaks": []}]


def test_control_signs_are_left_out_of_what_is_only_shown(hub: Hub) -> None:
    with hub.store.write(System()) as session:
        depot = roster.add_depot(session, "Eschen", HERE, address=" Dorf\x00 1\n ")
        merchant = roster.add_merchant(session, "X", phone="+423\t1")
    assert (depot.address, merchant.phone) == ("Dorf 1", "+4231")


def test_a_name_is_found_however_it_is_written_unless_two_are_alike(hub: Hub) -> None:
    with hub.store.write(System()) as session:
        small = roster.add_vehicle(session, "Van 9", 40)
        assert roster.find_vehicle(session, "VAN 9").id == small.id
        large = roster.add_vehicle(session, "VAN 9", 90)
        assert roster.find_vehicle(session, "VAN 9").id == large.id
        with pytest.raises(Missing, match="no vehicle 'van 9'; there are: VAN 9, Van 9"):
            roster.find_vehicle(session, "van 9")


def test_where_there_is_none_yet_it_says_how_to_add_one(hub: Hub) -> None:
    with hub.store.read(System()) as session, pytest.raises(Missing, match="with: hub depot add"):
        roster.find_depot(session, "Vaduz")
