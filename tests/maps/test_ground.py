"""The demo's day moves to the addresses of a map that was given."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from hub.errors import Refused
from hub.maps import LoadedMap
from hub.maps.load import load
from hub.simulate.ground import Door, Ground, choose, ground_of, own_doors
from hub.simulate.script import AD_HOC
from tests.maps.conftest import NOW
from tests.needs import shared, shared_folder


def test_a_map_with_too_few_addresses_says_so(one: LoadedMap) -> None:
    with pytest.raises(Refused, match=r"the map neustadt has only .* a demo needs 93"):
        choose(one)


def test_without_a_map_the_demo_plays_at_its_own_addresses(tmp_path: Path) -> None:
    ground = ground_of(tmp_path)
    text = files("hub.simulate").joinpath("data/rheinwein-orders.csv").read_text("utf-8")
    assert (ground.moved, ground.rewritten(text), ground.order(AD_HOC)) == ({}, text, AD_HOC)


def test_orders_move_with_all_their_columns_and_keep_the_rest(tmp_path: Path) -> None:
    text = files("hub.simulate").joinpath("data/rheinwein-orders.csv").read_text("utf-8")
    new = Door("Am Hafen 1", "98000", "Monaco", "MC", 43.73, 7.42)
    moved = {door.line1: new for door in own_doors()}
    ground = Ground((new,), ground_of(tmp_path).depots, moved)
    ground.write(tmp_path)
    there = ground_of(tmp_path).rewritten(text)
    assert there.count("Am Hafen 1,Am Hafen 1,,,Monaco,98000,,MC") > 20
    assert "Vaduz,'9490" not in there
    assert "Delivery-Time: 08:30 - 10:30\nInvoice: INV-2001" in there
    order = ground.order(AD_HOC)
    assert order["location"] == {"lat": 43.73, "lon": 7.42}
    assert order["lines"] == AD_HOC["lines"]


@shared("maps")
@pytest.mark.parametrize(("name", "own"), [("liechtenstein", True), ("monaco", False)])
def test_a_demo_finds_its_ground_on_real_extracts(tmp_path: Path, name: str, own: bool) -> None:
    extract = (shared_folder("maps") or tmp_path) / f"{name}.osm.pbf"
    one = load(tmp_path, extract, now=NOW, profiles=()).map
    ground = choose(one)
    assert one.covers(door.place for door in ground.doors)
    assert (ground.moved == {}) == own
    assert choose(replace(one)) == ground
