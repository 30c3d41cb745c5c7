"""The geocoder over loaded maps, as a connector of its own and as what is used without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from hub import orders
from hub.builtin.osmplaces import OsmPlaces
from hub.errors import Rejected
from hub.hub import Hub
from hub.maps import LoadedMap
from hub.maps.load import load
from hub.nouns import Address, Order
from hub.orders import intake
from hub.queue.work import claim
from hub.store import OrderRow, PlaceRow, System
from hub.testing.conformance import ConnectorTests
from hub.testing.fixtures import World
from tests.maps.conftest import NOW
from tests.maps.town import write_town

DOOR = Address(line1="Bahnhofstr. 5", postcode="9999", city="Neustadt", country="LI")


class TestOsmPlaces(ConnectorTests):
    connector = OsmPlaces
    config = {"folder": "{tmp}"}  # noqa: RUF012
    address = DOOR

    @pytest.fixture(autouse=True)
    def a_map(self, grounded: Any) -> None:
        """Load the little town where the connector looks."""
        if not (self.tmp / "neustadt").exists():
            extract = write_town(self.tmp / "neustadt.osm.pbf")
            load(self.tmp, extract, now=NOW, profiles=())


def test_without_a_map_it_says_how_to_load_one(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="load one with: hub map load"):
        OsmPlaces(OsmPlaces.Config(folder=tmp_path)).check()


def look_up(hub: Hub, world: World, address: Address) -> OrderRow:
    """Hand an order without a place in, do what is due, and return the order."""
    orders.register(hub)
    with hub.store.write(System()) as session:
        id = intake.take(hub, session, world.merchant, "api", Order(ref="A1", address=address)).id
    for one in claim(hub.store, "outward", "worker", limit=50):
        hub.handlers[one.kind](hub, one)
    with hub.store.read(System()) as session:
        return session.get_one(OrderRow, id)


@pytest.fixture
def one(hub: Hub, tmp_path: Path) -> LoadedMap:
    """The map of the little town, loaded into the hub."""
    extract = write_town(tmp_path / "neustadt.osm.pbf")
    return load(hub.settings.maps, extract, now=NOW, profiles=()).map


def test_a_loaded_map_finds_addresses_where_no_geocoder_is_connected(
    hub: Hub, world: World, one: LoadedMap
) -> None:
    order = look_up(hub, world, DOOR)
    assert (order.state, order.confidence) == ("ready", pytest.approx(0.95))
    with hub.store.read(System()) as session:
        assert session.exec(select(PlaceRow.source)).one() == "osmplaces"


def test_what_the_map_is_not_sure_of_waits_for_a_person(
    hub: Hub, world: World, one: LoadedMap
) -> None:
    order = look_up(hub, world, DOOR.model_copy(update={"line1": "Nirgendwo 3"}))
    assert order.state == "needs_address"
    assert order.reason == "The loaded map is not sure about its address; set the pin on the map"


def test_without_a_map_and_a_geocoder_a_person_is_asked_at_once(hub: Hub, world: World) -> None:
    order = look_up(hub, world, DOOR)
    assert order.reason == "the place of its address is not known; set the pin on the map"


def test_a_connected_geocoder_goes_before_the_map(
    hub: Hub, world: World, one: LoadedMap, tmp_path: Path
) -> None:
    empty = tmp_path / "no maps"
    empty.mkdir()
    with hub.store.write(System()) as session:
        hub.connections.save(session, "osmplaces", {"folder": str(empty)}, title="Elsewhere")
    order = look_up(hub, world, DOOR)
    assert order.reason == "Elsewhere does not know its address; set the pin on the map"
