"""Valhalla: blocks, hours, vehicles, places without a road, ways."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hub.builtin.valhalla import MANEUVERS, Valhalla, ValhallaConfig
from hub.errors import Rejected
from hub.nouns import Legs, Location, Trip
from hub.testing.conformance import ConnectorTests
from hub.testing.peers import Reply, Request
from hub.testing.peers.valhalla import ValhallaPeer

VADUZ, SCHAAN = Location(lat=47.1410, lon=9.5209), Location(lat=47.1660, lon=9.5100)
PARIS, ISLAND = Location(lat=48.8566, lon=2.3522), Location(lat=47.28, lon=9.68)
MONDAY = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


@pytest.fixture
def valhalla(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ValhallaPeer]:
    made = ValhallaPeer(tmp_path / "valhalla")
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


def connector(peer: ValhallaPeer, **settings: Any) -> Valhalla:
    return Valhalla(ValhallaConfig(url=peer.url, **settings))


def line(count: int) -> tuple[Location, ...]:
    return tuple(Location(lat=47.1 + at / 2000, lon=9.5 + at / 2000) for at in range(count))


def asked(peer: ValhallaPeer, path: str = "/sources_to_targets") -> list[dict[str, Any]]:
    return [question for where, question in peer.questions if where == path]


def test_kilometres_become_metres(valhalla: ValhallaPeer) -> None:
    found = connector(valhalla).matrix(Legs(points=(VADUZ, SCHAAN)))
    ends = (VADUZ.lat, VADUZ.lon), (SCHAAN.lat, SCHAAN.lon)
    assert found.metres[0][1] == pytest.approx(valhalla.country.metres(*ends), abs=1)
    assert found.seconds[1][0] == round(valhalla.country.seconds(*ends) or 0)


def test_a_large_matrix_is_asked_for_in_blocks_that_the_server_takes(
    valhalla: ValhallaPeer,
) -> None:
    valhalla.pairs = 100
    whole = connector(valhalla, pairs=100).matrix(Legs(points=line(25)))
    assert len(asked(valhalla)) == 9
    assert min(cell for row in whole.seconds for cell in row) == 0


def test_with_an_hour_there_are_never_more_sources_than_targets(valhalla: ValhallaPeer) -> None:
    zurich = connector(valhalla, timezone="Europe/Zurich", side=5)
    found = zurich.matrix(Legs(points=line(12), touching=(3,), departs=MONDAY))
    assert all(len(one["sources"]) <= len(one["targets"]) for one in asked(valhalla))
    assert {one["date_time"]["value"] for one in asked(valhalla)} == {"2026-11-23T08:30"}
    whole = connector(valhalla).matrix(Legs(points=line(12)))
    assert [row[3] for row in found.seconds] == [row[3] for row in whole.seconds]
    assert list(found.metres[3]) == list(whole.metres[3])


@pytest.mark.parametrize(("size", "pairs"), [(51, 2500), (53, 2500), (80, 2500), (30, 100)])
def test_with_an_hour_no_question_is_larger_than_the_server_takes(
    valhalla: ValhallaPeer, size: int, pairs: int
) -> None:
    valhalla.pairs = pairs
    found = connector(valhalla, pairs=pairs).matrix(Legs(points=line(size), departs=MONDAY))
    whole = connector(valhalla, pairs=pairs).matrix(Legs(points=line(size)))
    assert found.seconds.lists() == whole.seconds.lists()


def test_a_truck_is_asked_for_with_its_size(valhalla: ValhallaPeer) -> None:
    legs = Legs(points=(VADUZ, SCHAAN), profile="truck")
    connector(valhalla, truck_height=3.4).matrix(legs)
    connector(valhalla, truck_height=3.4).matrix(legs.model_copy(update={"profile": "bike"}))
    truck, bike = asked(valhalla)
    assert truck["costing"] == "truck"
    assert truck["costing_options"] == {"truck": {"height": 3.4}}
    assert bike["costing"] == "bicycle"
    assert "costing_options" not in bike


def test_places_without_a_road_cost_their_own_cells_only(valhalla: ValhallaPeer) -> None:
    points = (PARIS, VADUZ, ISLAND, SCHAAN)
    found = connector(valhalla).matrix(Legs(points=points))
    assert found.seconds.lists()[0] == [0, -1, -1, -1]
    assert found.metres[1][2] == found.metres[3][0] == -1
    assert found.seconds[1][3] > 0
    assert len(asked(valhalla, "/locate")) == 1


def test_where_a_server_does_not_tell_which_place_it_is_halves_do(
    valhalla: ValhallaPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valhalla, "locate", lambda _: Reply(400, {"error": "not allowed"}))
    points = (*line(4), PARIS, *line(9)[5:])
    found = connector(valhalla).matrix(Legs(points=points))
    bad = [(a, b) for a, row in enumerate(found.seconds) for b, cell in enumerate(row) if cell < 0]
    assert bad == [(a, b) for a in range(9) for b in range(9) if a != b and 4 in (a, b)]


def test_a_way_has_its_line_and_one_maneuver_for_a_roundabout(valhalla: ValhallaPeer) -> None:
    way = connector(valhalla, places=3).directions(Trip(points=line(7)))
    assert len(way.legs) == 6
    assert len(asked(valhalla, "/route")) == 3
    first = way.legs[0]
    assert first.line[0] == (47.1, 9.5)
    assert first.line[-1] == (47.1005, 9.5005)
    assert [one.kind for one in first.maneuvers] == ["depart", "roundabout", "arrive"]
    ring = first.maneuvers[1]
    assert (ring.exit, ring.street, ring.toward) == (2, "Long Road", "North")
    assert first.maneuvers[2].heading == "left"


def test_a_trip_without_a_way_is_rejected_in_words(valhalla: ValhallaPeer) -> None:
    with pytest.raises(Rejected, match="No path could be found"):
        connector(valhalla).directions(Trip(points=(VADUZ, ISLAND)))


def test_a_limit_says_what_to_lower(valhalla: ValhallaPeer) -> None:
    valhalla.places = 3
    with pytest.raises(Rejected, match="lower the sizes in its settings"):
        connector(valhalla).directions(Trip(points=line(5)))


def test_its_maneuvers_have_distinct_sides() -> None:
    sides = {word for _, word in MANEUVERS.values()}
    assert sides >= {"left", "right", "sharp_left", "slight_right", "back", "straight"}
    assert all(("left" in MANEUVERS[at][1]) for at in (6, 14, 15, 16, 19, 21, 24, 38))


def test_a_zone_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="write a time zone"):
        ValhallaConfig(timezone="Vaduz")


class TestValhalla(ConnectorTests):
    connector = Valhalla
    config = {"url": "https://valhalla.example", "api_key": "kit-secret-1"}  # noqa: RUF012

    @pytest.fixture(autouse=True)
    def country(self, tmp_path: Path) -> Iterator[None]:
        self.behind = ValhallaPeer(tmp_path / "behind")
        yield
        self.behind.server.server_close()
        self.behind.log.close()

    def serve(self, request: Request) -> Reply | None:
        """Answer as a server of the made-up country."""
        return self.behind.answer(request)

    def reads(self, request: Request) -> bool:
        """Say that every request only asks."""
        return True
