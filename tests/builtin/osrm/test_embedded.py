"""OSRM inside the process, on a real map; and a server of OSRM's own beside it."""

from __future__ import annotations

import math
import random
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.builtin.osrm import Osrm, OsrmConfig
from hub.builtin.osrm.embedded import opened
from hub.errors import PluginError, Rejected
from hub.hub import Hub
from hub.nouns import Legs, Location, Trip
from hub.planning import travel
from hub.planning.sentences import sentences
from hub.testing.patience import PATIENCE
from hub.testing.road_graph import tools
from tests import needs

real = [needs.shared("maps"), needs.osrm()]
VADUZ, BALZERS = Location(lat=47.1410, lon=9.5209), Location(lat=47.0656, lon=9.5025)
PARIS = Location(lat=48.8566, lon=2.3522)
PEAK = Location(lat=47.0610, lon=9.6290)
"""High in the mountains, inside the bounds."""


def places(count: int) -> tuple[Location, ...]:
    dice = random.Random(7)
    return tuple(
        Location(lat=dice.uniform(47.07, 47.22), lon=dice.uniform(9.50, 9.53)) for _ in range(count)
    )


@pytest.fixture
def embedded(maps: Path) -> Osrm:
    return Osrm(OsrmConfig(maps=maps))


@pytest.fixture
def server(maps: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run OSRM's own server on the same map, for tables of ten by ten; return its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["-i", "127.0.0.1", "-p", str(port), "-a", "CH", "--max-table-size", "10"]
    graph = maps / "test" / "osrm" / "car" / "map.osrm"
    process = subprocess.Popen(
        [tools() / "bin" / "osrm-routed", *words, graph], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert any("running and waiting" in said for said in process.stdout)
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{port}")
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(PATIENCE)
    process.stdout.close()


@pytest.mark.parametrize("nothing", [0, 1])
def test_few_points_need_no_map(tmp_path: Path, nothing: int) -> None:
    found = Osrm(OsrmConfig(maps=tmp_path)).matrix(Legs(points=(VADUZ,) * nothing))
    assert found.seconds.lists() == [[0]] * nothing


def test_without_a_map_it_is_told_what_to_load(tmp_path: Path) -> None:
    osrm = Osrm(OsrmConfig(maps=tmp_path))
    with pytest.raises(Rejected, match="no loaded map covers all places for a van"):
        osrm.matrix(Legs(points=(VADUZ, BALZERS)))
    with pytest.raises((Rejected, PluginError), match=r"hub map load|pip install"):
        osrm.check()


def test_without_the_bindings_it_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("hub.builtin.osrm.embedded.import_module", missing)
    with pytest.raises(PluginError, match=r"lastmile-hub\[maps\].*Python 3.12"):
        Osrm(OsrmConfig(maps=tmp_path)).check()


class TestOnAMap:
    """What holds where a map and the engine are there."""

    pytestmark = real

    def test_it_is_ready(self, embedded: Osrm) -> None:
        embedded.check()

    def test_ways_differ_there_and_back_and_are_longer_than_the_crow_flies(
        self, embedded: Osrm
    ) -> None:
        found = embedded.matrix(Legs(points=places(40)))
        assert not found.approximate
        assert [found.seconds[at][at] for at in range(40)] == [0] * 40
        there = [found.seconds[a][b] for a in range(40) for b in range(a)]
        back = [found.seconds[b][a] for a in range(40) for b in range(a)]
        assert there != back
        leg = embedded.matrix(Legs(points=(VADUZ, BALZERS)))
        assert 8_600 < leg.metres[0][1] < 12_000
        assert 9 * 60 < leg.seconds[0][1] < 20 * 60

    def test_a_place_without_a_road_costs_its_own_cells_only(self, embedded: Osrm) -> None:
        found = embedded.matrix(Legs(points=(VADUZ, PEAK, BALZERS)))
        assert found.seconds.lists()[1] == [-1, 0, -1]
        assert found.metres[0][1] == found.metres[2][1] == -1
        assert found.seconds[0][2] > 0

    def test_a_place_off_the_map_is_not_taken_to_its_border(self, embedded: Osrm) -> None:
        with pytest.raises(Rejected, match="no loaded map covers all places"):
            embedded.matrix(Legs(points=(VADUZ, PARIS)))

    def test_a_map_without_the_vehicle_is_none(self, embedded: Osrm) -> None:
        with pytest.raises(Rejected, match="for a bike"):
            embedded.matrix(Legs(points=(VADUZ, BALZERS), profile="bike"))

    def test_a_table_is_the_same_in_blocks(
        self, embedded: Osrm, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        legs = Legs(points=places(30))
        whole = embedded.matrix(legs)
        monkeypatch.setattr("hub.builtin.osrm.embedded.CELLS", 64)
        assert embedded.matrix(legs) == whole

    def test_the_graph_is_opened_once(self, embedded: Osrm) -> None:
        embedded.matrix(Legs(points=(VADUZ, BALZERS)))
        before = opened.cache_info().misses
        embedded.matrix(Legs(points=(BALZERS, VADUZ)))
        assert opened.cache_info().misses == before

    def test_a_way_goes_along_the_road_and_names_streets(self, embedded: Osrm) -> None:
        way = embedded.directions(Trip(points=(VADUZ, BALZERS, VADUZ)))
        table = embedded.matrix(Legs(points=(VADUZ, BALZERS)))
        first = way.legs[0]
        assert abs(first.seconds - table.seconds[0][1]) <= 1
        assert len(first.line) > 100
        assert math.dist(first.line[0], (VADUZ.lat, VADUZ.lon)) < 0.01
        kinds = [one.kind for one in first.maneuvers]
        assert kinds[0] == "depart"
        assert kinds[-1] == "arrive"
        assert "roundabout" in kinds
        assert "Landstrasse" in {one.street for one in first.maneuvers}
        assert abs(sum(one.metres for one in first.maneuvers) - first.metres) < 20
        assert way.credit == "© OpenStreetMap contributors"

    def test_a_trip_without_a_way_says_which_place_it_is(self, embedded: Osrm) -> None:
        with pytest.raises(Rejected, match="place 2 of the trip has no road"):
            embedded.directions(Trip(points=(VADUZ, PEAK)))

    def test_planning_uses_it_without_any_setting_up(self, hub: Hub, maps: Path) -> None:
        (hub.settings.directory / "maps").symlink_to(maps)
        points = [(VADUZ.lat, VADUZ.lon), (BALZERS.lat, BALZERS.lon)]
        found = travel.matrix(hub, points)
        assert (found.approximate, found.margin) == (False, 0)
        assert travel.matrix(hub, points, "bike").approximate
        way = travel.directions(hub, points)
        assert not way.approximate
        texts = [step.text for step in sentences(way, "de")]
        assert texts[0].startswith("Losfahren")
        assert "Im Kreisel die zweite Ausfahrt nehmen auf Landstrasse" in texts
        assert not (hub.settings.directory / "cache").exists()

    def test_a_server_of_osrms_own_says_the_same(self, embedded: Osrm, server: str) -> None:
        remote = Osrm(OsrmConfig(url=server, most=10))
        remote.check()
        legs = Legs(points=(*places(24), PEAK))
        assert remote.matrix(legs) == embedded.matrix(legs)
        trip = Trip(points=places(4))
        assert remote.directions(trip).legs == embedded.directions(trip).legs
        with pytest.raises(Rejected, match="lower `most`"):
            Osrm(OsrmConfig(url=server, most=50)).matrix(legs)
        with pytest.raises(Rejected, match="place 2 of the trip has no road"):
            remote.directions(Trip(points=(VADUZ, PEAK)))
