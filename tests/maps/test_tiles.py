"""The street layer: what is in a tile, cut at its edge, joined where streets go on."""

from __future__ import annotations

import gzip
import json
import sqlite3
from array import array
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from hub.errors import Refused
from hub.maps import LoadedMap, kinds
from hub.maps import extract as extracts
from hub.maps.coast import sea
from hub.maps.extract import Extract, Line
from hub.maps.merging import merged
from hub.maps.plane import WORLD, area_of, box_of, cut_line, cut_ring, project, thin, unproject
from hub.maps.tiles import Level, write
from tests.maps.town import write_coast


def tiles_of(one: LoadedMap, zoom: int) -> list[dict[str, Any]]:
    """Return all tiles of a zoom, unpacked."""
    with sqlite3.connect(one.streets) as database:
        rows = database.execute("SELECT data FROM tiles WHERE z = ?", (zoom,)).fetchall()
    return [json.loads(gzip.decompress(row[0])) for row in rows]


def names_in(tiles: list[dict[str, Any]]) -> set[str]:
    """Return the names of lines that tiles hold."""
    return {name for tile in tiles for name in tile.get("n", ())}


def classes_in(tiles: list[dict[str, Any]]) -> set[int]:
    """Return the classes of lines that tiles hold."""
    return {line[0] for tile in tiles for line in tile.get("l", ())}


def test_a_place_is_the_same_after_it_was_on_the_plane() -> None:
    for lat, lon in [(47.14, 9.52), (-30.03, -51.2), (0.0, 0.0), (71.2, 179.9)]:
        assert unproject(*project(lat, lon)) == pytest.approx((lat, lon), abs=1e-6)


def test_the_further_away_the_less_is_drawn(one: LoadedMap) -> None:
    assert classes_in(tiles_of(one, 8)) == {
        kinds.MOTORWAY, kinds.PRIMARY, kinds.RIVER, kinds.BORDER,
    }  # fmt: skip
    assert kinds.STREET in classes_in(tiles_of(one, 12))
    assert "Im Grüt" in names_in(tiles_of(one, 14))
    assert names_in(tiles_of(one, 10)) == {"28", "A1"}


def test_house_numbers_stand_in_the_nearest_tiles_only(one: LoadedMap) -> None:
    numbers = {text for tile in tiles_of(one, 14) for _, _, text in tile.get("h", ())}
    assert {"1", "7a", "12-14"} <= numbers
    assert not any("h" in tile for zoom in (8, 10, 12) for tile in tiles_of(one, zoom))


def test_coordinates_stay_near_their_tile(one: LoadedMap) -> None:
    for zoom in kinds.LEVELS:
        for tile in tiles_of(one, zoom):
            for line in tile.get("l", ()):
                steps = line[-1]
                for axis in (0, 1):
                    assert all(-200 < at < 4300 for at in accumulate(steps[axis::2]))


def test_a_capital_is_named_from_afar_and_a_village_from_near(one: LoadedMap) -> None:
    def labels(zoom: int) -> set[str]:
        return {text for tile in tiles_of(one, zoom) for *_, text in tile.get("p", ())}

    assert labels(8) == {"Neustadt"}
    assert labels(10) >= {"Neustadt", "Oberdorf"}
    assert "Stadtsee" in labels(14)


def test_an_island_runs_the_other_way_than_the_lake_around_it(found: Extract) -> None:
    lake = next(area for area in found.areas if area.name == "Stadtsee")
    assert [area_of(ring) > 0 for ring in lake.rings] == [True, False]


def test_two_pieces_of_a_street_become_one_line(found: Extract) -> None:
    pieces = [line for line in found.lines if line.name == "Bahnhofstrasse"]
    joined = [line for line in merged(found.lines) if line.name == "Bahnhofstrasse"]
    assert (len(pieces), len(joined)) == (2, 1)
    assert len(joined[0].points) == 6


def test_pieces_in_any_direction_and_a_ring_are_joined_and_nothing_is_lost() -> None:
    def line(*points: int) -> Line:
        return Line(kinds.STREET, False, "Ring", "", array("i", points))

    ring = merged([line(0, 0, 5, 0), line(5, 5, 5, 0), line(5, 5, 0, 5), line(0, 0, 0, 5)])
    assert len(ring) == 1
    assert len(ring[0].points) == 10
    cross = merged([line(0, 0, 5, 5), line(5, 5, 9, 9), line(5, 5, 9, 0)])
    assert len(cross) == 3


def test_a_line_is_cut_where_it_leaves_and_goes_on_where_it_comes_back() -> None:
    line = [-10, 5, 5, 5, 5, 50, 8, 50, 8, 5]
    parts = list(cut_line(line, (0, 0, 10, 10)))
    assert parts == [[0, 5, 5, 5, 5, 10], [8, 10, 8, 5]]


def test_a_ring_is_cut_to_the_part_between_two_lines() -> None:
    square = [0, 0, 10, 0, 10, 10, 0, 10, 0, 0]
    part = cut_ring(square, 2, 6, 0)
    assert abs(area_of(part)) == 40
    assert cut_ring(square, 20, 30, 0) == []


def test_thinning_keeps_ends_and_corners_and_drops_what_lies_on_the_way() -> None:
    line = array("i", [0, 0, 50, 1, 100, 0, 100, 100])
    assert list(thin(line, 5)) == [0, 0, 100, 0, 100, 100]
    assert thin(line, 0) == line


def test_the_sea_lies_to_the_right_of_the_coast(tmp_path: Path) -> None:
    found = extracts.read(write_coast(tmp_path / "coast.osm.pbf"), lambda share: None)
    water = sea(found)
    assert water is not None
    ring = water.rings[0]
    south, _, north, _ = found.bounds
    bottom, top = project(south, 9.5)[1], project(north, 9.5)[1]
    assert max(ring[1::2]) == bottom
    assert min(ring[1::2]) > top + (bottom - top) // 3
    assert 0.3 < water.size / whole(found) < 0.5


def whole(found: Extract) -> float:
    """Return the area of the bounds on the plane."""
    south, west, north, east = found.bounds
    (left, bottom), (right, top) = project(south, west), project(north, east)
    assert 0 < right < WORLD
    return float((right - left) * (bottom - top))


SQUARE = ((0.01, 0.01), (0.01, 0.02), (0.02, 0.02), (0.01, 0.01))


def test_no_coast_no_sea(found: Extract) -> None:
    assert sea(found) is None


def test_a_coast_that_lies_elsewhere_makes_no_sea(found: Extract) -> None:
    island = array("i", [n for lat, lon in SQUARE for n in project(40 + lat, 5 + lon)])
    assert sea(replace(found, coast=[island])) is None
    south, west, _, _ = found.bounds
    inside = array("i", [n for lat, lon in SQUARE for n in project(south + lat, west + lon)])
    assert sea(replace(found, coast=[inside])) is not None


def test_a_long_line_is_in_every_tile_on_its_way_and_in_no_other() -> None:
    points = array("i", [n for at in range(50) for n in project(47 + at / 500, 9 + at / 300)])
    level = Level(14)
    level.add_line(Line(4, False, "", "", points))
    tiles = {(points[at] // level.size, points[at + 1] // level.size) for at in range(0, 100, 2)}
    assert tiles <= set(level.tiles)
    columns, rows = level.span(box_of(points))
    assert len(level.tiles) < len(columns) * len(rows) / 3
    for x, y in level.tiles:
        assert any(True for _ in cut_line(points, level.box(x, y)))


def test_an_extract_of_half_the_world_is_refused_before_anything_is_drawn(
    found: Extract, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match=r"covers 60 x 170 degrees.* cut out the region"):
        write(tmp_path / "streets.db", replace(found, bounds=(0, -10, 60, 160)), lambda share: None)
    assert not list(tmp_path.iterdir())
