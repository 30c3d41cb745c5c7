"""An address in one line, looked up for somebody who waits for it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from hub.errors import Refused
from hub.hub import Hub
from hub.maps.load import load
from hub.nouns import Address, Location
from hub.orders.lookups import address_of, find
from hub.queue.work import claim
from hub.store import SettingRow, System, WorkRow
from tests.maps.conftest import NOW
from tests.maps.town import write_town
from tests.orders.test_geocoding import HOUSE, Service, run
from tests.orders.test_geocoding import connection as connection  # fixtures, shared
from tests.orders.test_geocoding import service as service

TEXT = "Städtle 6, 9490 Vaduz"
THERE = Location(lat=47.1410, lon=9.5209, confidence=1.0)


@pytest.mark.parametrize(
    ("text", "street", "postcode", "city", "country"),
    [
        (TEXT, "Städtle 6", "9490", "Vaduz", ""),
        ("Städtle 6, LI-9490 Vaduz, LI", "Städtle 6", "9490", "Vaduz", "LI"),
        ("Städtle 6 9490 Vaduz", "Städtle 6", "9490", "Vaduz", ""),
        ("Halle 3, Gewerbeweg 5, 9490 Vaduz", "Gewerbeweg 5", "9490", "Vaduz", ""),
        ("Bahnhofstr. 1, Zürich, Schweiz", "Bahnhofstr. 1", "", "Zürich", "Schweiz"),
        ("12 Main St, Springfield, IL 62704, US", "12 Main St", "62704", "Springfield", "US"),
        ("10 Downing St, London SW1A 2AA", "10 Downing St", "SW1A 2AA", "London", ""),
    ],
)
def test_a_line_is_read_as_people_write_addresses(
    text: str, street: str, postcode: str, city: str, country: str
) -> None:
    assert address_of(text) == Address(line1=street, postcode=postcode, city=city, country=country)


@pytest.mark.parametrize("text", ["", "Vaduz", "Städtle 6,", ", 9490 Vaduz", "!"])
def test_a_line_without_street_or_town_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Refused, match="names no street and town like Städtle 6, 9490") as refusal:
        address_of(text)
    assert refusal.value.field == "address"


def test_a_geocoder_is_asked_in_a_worker_and_its_answer_is_kept(
    hub: Hub, service: Service, connection: str
) -> None:
    assert find(hub, TEXT) is None
    assert find(hub, TEXT, asked=True) is None, "nobody has looked yet"
    assert service.asked == []
    run(hub)
    assert find(hub, TEXT, asked=True, ask=False) == THERE
    assert (service.asked[0]["street"], service.asked[0]["city"]) == (["Städtle 6"], ["Vaduz"])
    assert find(hub, "städtle 6, 9490 VADUZ") == THERE
    assert run(hub) == 0, "the door is known now"


@pytest.mark.parametrize(
    ("reply", "status", "said"),
    [
        ([], 200, "Nominatim geocoder does not know it; correct it, or write degrees"),
        ([{**HOUSE, "category": "highway", "addresstype": "road"}], 200, "is not sure where it is"),
        ([HOUSE], 500, r"could not be asked \(.*\); try again, or write degrees"),
        ({}, 200, "something else than a list"),
    ],
)
def test_what_a_geocoder_does_not_find_is_told_once_and_may_be_asked_again(
    hub: Hub, service: Service, connection: str, reply: object, status: int, said: str
) -> None:
    service.reply, service.status = reply, status
    find(hub, TEXT)
    run(hub)
    with pytest.raises(Refused, match=said):
        find(hub, TEXT, asked=True)
    service.reply, service.status = [HOUSE], 200
    assert find(hub, TEXT) is None
    with hub.store.write(System()) as session:  # its pace allows the next request
        session.delete(session.get_one(SettingRow, f"pace:{connection}"))
    run(hub)
    assert find(hub, TEXT, asked=True) == THERE


def test_where_no_worker_runs_it_says_so_after_a_while(
    hub: Hub, service: Service, connection: str
) -> None:
    find(hub, TEXT)
    with hub.store.write(System()) as session:
        session.exec(select(WorkRow)).one().not_before -= timedelta(minutes=1)
    with pytest.raises(Refused, match="no worker has looked it up yet; start them with hub up"):
        find(hub, TEXT, asked=True)


def test_a_geocoder_that_is_gone_meanwhile_leaves_nobody_waiting(
    hub: Hub, service: Service, connection: str
) -> None:
    find(hub, TEXT)
    (one,) = claim(hub.store, "outward", "worker")
    with hub.store.write(System()) as session:
        hub.connections.set_enabled(session, connection, False)
    hub.handlers[one.kind](hub, one)
    with pytest.raises(Refused, match="nothing can look it up: connect a geocoder"):
        find(hub, TEXT, asked=True)


def test_without_a_geocoder_the_loaded_maps_answer_at_once(hub: Hub, tmp_path: Path) -> None:
    load(hub.settings.maps, write_town(tmp_path / "neustadt.osm.pbf"), now=NOW, profiles=())
    found = find(hub, "Bahnhofstr. 5, 9999 Neustadt")
    assert found is not None
    assert found.confidence > 0.9
    with pytest.raises(Refused, match=r"The loaded map (does not know it|is not sure)"):
        find(hub, "Nirgendsweg 5, 9999 Neustadt")
    with hub.store.read(System()) as session:
        assert session.exec(select(WorkRow)).all() == []


def test_only_looking_asks_nobody(hub: Hub, service: Service, connection: str) -> None:
    with pytest.raises(Refused, match="nobody looks it up any more"):
        find(hub, TEXT, asked=True, ask=False)
    assert run(hub) == 0
