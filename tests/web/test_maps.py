"""The street layer over HTTP: public, kept for long, and never mixed up after a reload."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from pathlib import Path

import pytest
from werkzeug.test import Client

from hub.hub import Hub
from hub.maps import LoadedMap
from hub.maps.load import load
from hub.maps.plane import BITS, project
from hub.web import create_app
from tests.maps.conftest import NOW
from tests.maps.town import write_town


@pytest.fixture
def one(hub: Hub, tmp_path: Path) -> LoadedMap:
    """The map of the little town, loaded into the hub."""
    extract = write_town(tmp_path / "neustadt.osm.pbf")
    return load(hub.settings.maps, extract, now=NOW, profiles=()).map


@pytest.fixture
def client(hub: Hub) -> Client:
    """Nobody in particular."""
    return create_app(hub).test_client()


def address(one: LoadedMap, zoom: int = 14) -> str:
    """Return the address of the tile in the middle of the town."""
    x, y = (part >> (BITS - zoom) for part in project(47.1410, 9.5209))
    return f"/map/{one.name}/{one.version}/{zoom}/{x}/{y}"


def test_anybody_gets_a_tile_packed_and_may_keep_it(client: Client, one: LoadedMap) -> None:
    reply = client.get(address(one), headers={"Accept-Encoding": "gzip"})
    assert reply.status_code == 200
    assert "Bahnhofstrasse" in json.loads(gzip.decompress(reply.data))["n"]
    assert reply.headers["Content-Encoding"] == "gzip"
    assert "immutable" in reply.headers["Cache-Control"]
    plain = client.get(address(one))
    assert json.loads(plain.data) == json.loads(gzip.decompress(reply.data))


def test_a_tile_that_is_held_is_not_sent_again(client: Client, one: LoadedMap) -> None:
    tag = client.get(address(one)).headers["ETag"]
    again = client.get(address(one), headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")


def test_where_nothing_is_drawn_the_tile_is_empty(client: Client, one: LoadedMap) -> None:
    for place in ("14/0/0", "14/99999999999999999999/1", "3/1/1"):
        reply = client.get(f"/map/{one.name}/{one.version}/{place}")
        assert (reply.status_code, reply.data) == (200, b"{}")


@pytest.mark.parametrize("name", ["none", "..", "neustadt%2F..", ".neustadt.1.part"])
def test_what_is_no_map_is_not_found(client: Client, one: LoadedMap, name: str) -> None:
    assert client.get(f"/map/{name}/{one.version}/14/1/1").status_code == 404


def test_a_map_that_was_loaded_anew_is_under_another_address(
    hub: Hub, client: Client, one: LoadedMap, tmp_path: Path
) -> None:
    again = load(hub.settings.maps, tmp_path / "neustadt.osm.pbf", now=NOW + timedelta(hours=1),
                 profiles=()).map  # fmt: skip
    assert client.get(address(one)).status_code == 404
    assert client.get(address(again)).status_code == 200
