"""OSRM on a server: blocks of a table, places without a road, refusals, ways."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest
from pydantic import ValidationError

from hub.builtin.osrm import Osrm, OsrmConfig
from hub.builtin.osrm.remote import together
from hub.errors import Rejected, Retry
from hub.nouns import Legs, Location, Profile, Trip
from hub.testing.patience import PATIENCE
from hub.testing.peers.osrm import OsrmPeer

VADUZ, SCHAAN = Location(lat=47.1410, lon=9.5209), Location(lat=47.1660, lon=9.5100)
PARIS = Location(lat=48.8566, lon=2.3522)
ISLAND = Location(lat=47.28, lon=9.68)


def connector(peer: OsrmPeer, **settings: Any) -> Osrm:
    return Osrm(OsrmConfig(url=peer.url, **settings))


def line(count: int) -> tuple[Location, ...]:
    return tuple(Location(lat=47.1 + at / 2000, lon=9.5 + at / 2000) for at in range(count))


def test_a_small_table_is_one_request(osrm: OsrmPeer) -> None:
    found = connector(osrm).matrix(Legs(points=line(20)))
    assert osrm.tables == [("driving", 20, 20)]
    assert not found.approximate
    here, there = (47.1, 9.5), (47.1005, 9.5005)
    assert found.metres[0][1] == round(osrm.country.metres(here, there) or 0)
    assert found.seconds[1][0] == round(osrm.country.seconds(there, here) or 0)


def test_a_large_table_is_asked_for_in_blocks_that_the_server_takes(osrm: OsrmPeer) -> None:
    osrm.most = 10
    whole = connector(osrm, most=10).matrix(Legs(points=line(25)))
    assert len(osrm.tables) == 9
    assert max(rows * columns for _, rows, columns in osrm.tables) == 100
    osrm.most = 100
    assert connector(osrm).matrix(Legs(points=line(25))) == whole


def test_only_the_legs_of_new_points_are_asked_for(osrm: OsrmPeer) -> None:
    legs = Legs(points=line(12), touching=(3,))
    found = connector(osrm).matrix(legs)
    assert sorted(osrm.tables) == [("driving", 1, 12), ("driving", 11, 1)]
    whole = connector(osrm).matrix(Legs(points=line(12)))
    assert list(found.seconds[3]) == list(whole.seconds[3])
    assert [row[3] for row in found.metres] == [row[3] for row in whole.metres]


def test_places_without_a_road_near_cost_their_own_cells_only(osrm: OsrmPeer) -> None:
    osrm.most = 3
    points = (PARIS, VADUZ, SCHAAN, PARIS, Location(lat=47.2, lon=9.6))
    found = connector(osrm, most=3).matrix(Legs(points=points))
    for table in (found.seconds, found.metres):
        assert [table[0][at] for at in range(5)] == [0, -1, -1, -1, -1]
        assert [table[at][3] for at in range(5)] == [-1, -1, -1, 0, -1]
        assert table[1][2] > 0
        assert table[4][1] > 0


def test_a_place_that_no_way_leads_to_has_negative_cells(osrm: OsrmPeer) -> None:
    found = connector(osrm).matrix(Legs(points=(VADUZ, ISLAND, SCHAAN)))
    assert found.seconds[0][1] == -1
    assert found.metres[1][2] == -1
    assert found.seconds[0][2] > 0


def test_a_road_that_is_farther_than_the_setting_is_none(
    osrm: OsrmPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "hub.testing.peers.osrm.waypoint",
        lambda point: {"distance": 700.0 if point[0] == SCHAAN.lat else 3.0},
    )
    legs = Legs(points=(VADUZ, SCHAAN))
    assert connector(osrm, snap=500).matrix(legs).seconds[0][1] == -1
    assert connector(osrm, snap=1000).matrix(legs).seconds[0][1] > 0


def test_a_table_that_is_too_big_says_which_setting_to_lower(osrm: OsrmPeer) -> None:
    osrm.most = 5
    with pytest.raises(Rejected, match="Too many table coordinates; lower `most`"):
        connector(osrm).matrix(Legs(points=line(8)))


@pytest.mark.parametrize(
    ("profile", "name"), [("van", "driving"), ("bike", "cycling"), ("truck", "hgv")]
)
def test_each_vehicle_has_its_name_on_the_server(
    osrm: OsrmPeer, profile: Profile, name: str
) -> None:
    connector(osrm, truck="hgv").matrix(Legs(points=line(2), profile=profile))
    assert osrm.tables == [(name, 2, 2)]


def test_a_busy_server_is_asked_again_later(osrm: OsrmPeer) -> None:
    wanted = json.dumps({"fail": 429, "after": 7}).encode()
    urllib.request.urlopen(f"{osrm.url}/control", data=wanted, timeout=PATIENCE)
    with pytest.raises(Retry) as caught:
        connector(osrm).matrix(Legs(points=line(3)))
    assert caught.value.after == 7
    assert connector(osrm).matrix(Legs(points=line(3))).seconds[0][2] > 0


def test_a_way_has_lines_and_maneuvers(osrm: OsrmPeer) -> None:
    way = connector(osrm).directions(Trip(points=(VADUZ, SCHAAN, VADUZ)))
    assert len(way.legs) == 2
    first = way.legs[0]
    assert first.line == ((VADUZ.lat, VADUZ.lon), (SCHAAN.lat, SCHAAN.lon))
    assert [one.kind for one in first.maneuvers] == ["depart", "arrive"]
    assert (first.maneuvers[0].street, first.maneuvers[0].toward) == ("Long Road", "A1: North")
    assert first.maneuvers[0].heading == ""
    assert first.maneuvers[1].heading == "right"
    assert "OpenStreetMap" in way.credit


def test_a_long_trip_is_asked_for_in_pieces(osrm: OsrmPeer) -> None:
    points = line(230)
    assert len(connector(osrm).directions(Trip(points=points)).legs) == 229
    with pytest.raises(Rejected, match="place 231 of the trip has no road"):
        connector(osrm).directions(Trip(points=(*points, PARIS)))


@pytest.mark.parametrize(
    ("there", "said"),
    [(PARIS, "place 2 of the trip has no road near it"), (ISLAND, "no way between the places")],
)
def test_a_trip_without_a_way_is_rejected_in_words(
    osrm: OsrmPeer, there: Location, said: str
) -> None:
    with pytest.raises(Rejected, match=said):
        connector(osrm).directions(Trip(points=(VADUZ, there)))


def test_check_takes_any_answer_of_an_osrm(osrm: OsrmPeer) -> None:
    connector(osrm).check()
    with pytest.raises(Rejected, match="does not answer like OSRM"):
        Osrm(OsrmConfig(url=f"{osrm.url}/elsewhere")).check()


def test_a_point_that_is_row_and_column_is_named_once() -> None:
    asked, indexes = together([4, 7], [7, 9])
    assert asked == [4, 7, 9]
    assert indexes == {"sources": "0;1", "destinations": "1;2"}


@pytest.mark.parametrize("settings", [{"car": "../x"}, {"url": "http://osrm.example"}, {"most": 1}])
def test_settings_that_lead_elsewhere_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        OsrmConfig(**settings)
