"""Doors by address, and what lies nearest."""

from sqlmodel import select

from hub.fleet import places
from hub.hub import Hub
from hub.nouns import Address, Location
from hub.store import DepotRow, PlaceRow

DOOR = Address(line1="Städtle 6", postcode="9490", city="Vaduz", country="LI")


def test_case_signs_and_the_second_line_do_not_make_another_door() -> None:
    same = Address(line1=" STÄDTLE, 6 ", line2="3rd floor", postcode="9490", city="vaduz",
                   country="li")  # fmt: skip
    assert places.address_key(DOOR) == places.address_key(same) == "städtle 6 9490 vaduz li"


def test_another_number_is_another_door() -> None:
    other = DOOR.model_copy(update={"line1": "Städtle 16"})
    assert places.address_key(DOOR) != places.address_key(other)


def test_without_street_or_town_there_is_no_door() -> None:
    assert places.address_key(Address(line1="Städtle 6")) == ""
    assert places.address_key(Address(city="Vaduz")) == ""


def test_a_persons_pin_is_not_overruled_by_a_geocoder(hub: Hub) -> None:
    with hub.store.write() as session:
        for lat, source in ((47.1, "nominatim"), (47.2, places.PIN), (47.3, "nominatim")):
            places.remember(session, DOOR, Location(lat=lat, lon=9.5), source)
        places.remember(session, Address(city="Vaduz"), Location(lat=1, lon=1), places.PIN)
    with hub.store.read() as session:
        (row,) = session.exec(select(PlaceRow)).all()
        assert places.known(session, [DOOR, Address()]) == {row.address_key: row}
    assert (row.lat, row.source) == (47.2, "pin")


def test_distances_are_those_of_the_globe() -> None:
    degree = places.metres(0, 0, 0, 1)
    assert abs(degree - 111_195) < 1
    assert abs(places.metres(10, 179.5, 10, -179.5) - places.metres(10, 0, 10, 1)) < 0.01


def test_the_nearest_depot_is_found() -> None:
    south = DepotRow(name="S", lat=47.05, lon=9.5)
    north = DepotRow(name="N", lat=47.25, lon=9.5)
    assert places.nearest([south, north], Location(lat=47.2, lon=9.5)) is north
