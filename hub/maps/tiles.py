"""The street layer: an extract cut into small tiles of packed JSON, kept in one database.

A tile is `{"n": names, "a": areas, "l": lines, "p": labels, "h": house numbers}`; what is empty is
left out. Coordinates run from 0 to 4096 over the tile, the first pair of a line as it is, every
further one as the step from the one before:

- `a`: `[class, ring, ring, ...]`
- `l`: `[class, hidden, name, ref, coordinates]`; name and ref index `n`, -1 for none
- `p`: `[rank, x, y, text]`
- `h`: `[x, y, text]`
"""

from __future__ import annotations

import gzip
import json
import sqlite3
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.errors import Refused
from hub.maps import kinds
from hub.maps.coast import sea
from hub.maps.extract import Area, Extract, House, Label, Line, Progress
from hub.maps.merging import merged
from hub.maps.plane import BITS, EXTENT_BITS, WORLD, Box, box_of, cut_line, cut_ring, project, thin

TOLERANCE = {8: 4096, 10: 1024, 12: 256, 14: 8}
"""Level -> what a line may be off by: half a pixel at the last zoom that draws the level."""
SMALLEST = 12
"""Square pixels that an area has to have at the last zoom but one of a level."""
MARGIN = 96
"""Tile units beyond the edge that are kept, so that thick lines meet."""
EVERY = 500
BEYOND = 2 * WORLD
"""Where no line goes."""
MOST = 250_000
"""Tiles of the last level that a map may cover: a large country."""


@dataclass
class Tile:
    """What one tile holds while it is put together."""

    names: dict[str, int] = field(default_factory=dict)
    areas: list[list[Any]] = field(default_factory=list)
    lines: list[list[Any]] = field(default_factory=list)
    labels: list[list[Any]] = field(default_factory=list)
    houses: list[list[Any]] = field(default_factory=list)

    def name(self, text: str) -> int:
        """Return the number of a name in this tile; -1 for none."""
        return self.names.setdefault(text, len(self.names)) if text else -1

    def packed(self) -> bytes:
        """Return the tile as it is sent."""
        parts = {
            "n": list(self.names), "a": self.areas, "l": self.lines, "p": self.labels,
            "h": self.houses,
        }  # fmt: skip
        kept = {name: part for name, part in parts.items() if part}
        text = json.dumps(kept, separators=(",", ":"), ensure_ascii=False)
        return gzip.compress(text.encode(), 6, mtime=0)


class Level:
    """All tiles of one zoom."""

    def __init__(self, zoom: int) -> None:
        self.zoom = zoom
        self.size = 1 << (BITS - zoom)
        self.shift = BITS - zoom - EXTENT_BITS
        self.tiles: dict[tuple[int, int], Tile] = {}

    def tile(self, x: int, y: int) -> Tile:
        """Return one tile, a new one where there is none."""
        return self.tiles.setdefault((x, y), Tile())

    def box(self, x: int, y: int) -> Box:
        """Return a tile with its margin on the plane."""
        margin = MARGIN << self.shift
        left, top = x * self.size, y * self.size
        return left - margin, top - margin, left + self.size + margin, top + self.size + margin

    def span(self, box: Box) -> tuple[range, range]:
        """Return the columns and rows of tiles that a box touches."""
        margin = MARGIN << self.shift
        left, top, right, bottom = box
        columns = range((left - margin) // self.size, (right + margin) // self.size + 1)
        return columns, range((top - margin) // self.size, (bottom + margin) // self.size + 1)

    def steps(self, line: Sequence[int], x: int, y: int) -> list[int]:
        """Return a line in steps of the tile's own units, without repeats."""
        left, top = x * self.size, y * self.size
        out: list[int] = []
        px = py = 0
        for at in range(0, len(line), 2):
            tx, ty = (line[at] - left) >> self.shift, (line[at + 1] - top) >> self.shift
            if out and tx == px and ty == py:
                continue
            out += (tx - px, ty - py)
            px, py = tx, ty
        return out

    def add_line(self, line: Line) -> None:
        """Put a line into every tile that it runs through."""
        points = thin(line.points, TOLERANCE[self.zoom])
        named = self.zoom >= 12
        for x, y, part in self.parts(points):
            steps = self.steps(part, x, y)
            if len(steps) >= 4:
                tile = self.tile(x, y)
                name = tile.name(line.name) if named else -1
                tile.lines.append([line.kind, int(line.hidden), name, tile.name(line.ref), steps])

    def parts(self, line: Sequence[int]) -> Iterator[tuple[int, int, Sequence[int]]]:
        """Yield (x, y, part) for every tile that a line runs through: columns first, then rows."""
        columns, rows = self.span(box_of(line))
        if len(columns) == 1 and len(rows) == 1:
            yield columns[0], rows[0], line
            return
        for x in columns:
            left, _, right, _ = self.box(x, 0)
            for strip in cut_line(line, (left, -BEYOND, right, BEYOND)):
                for y in self.span(box_of(strip))[1] if len(strip) >= 4 else ():
                    for part in cut_line(strip, self.box(x, y)):
                        yield x, y, part

    def add_area(self, area: Area) -> None:
        """Put an area into every tile that it lies in, if it is large enough to be seen."""
        last = {8: 9, 10: 11, 12: 13, 14: 17}[self.zoom]
        pixel = 1 << (BITS - 8 - last)
        if area.size < SMALLEST * pixel * pixel and area.kind != kinds.BUILDING:
            return
        pieces: dict[tuple[int, int], list[list[int]]] = {}
        for ring in area.rings:
            for x, y, part in self.cut(thin(ring, TOLERANCE[self.zoom])):
                steps = self.steps(part, x, y)
                if len(steps) >= 8:
                    pieces.setdefault((x, y), []).append(steps)
        for (x, y), rings in pieces.items():
            self.tile(x, y).areas.append([area.kind, *rings])

    def cut(self, ring: array[int]) -> Iterator[tuple[int, int, Sequence[int]]]:
        """Yield (x, y, part) for every tile that a ring reaches: columns first, then rows."""
        columns, rows = self.span(box_of(ring))
        if len(columns) == 1 and len(rows) == 1:
            yield columns[0], rows[0], ring
            return
        for x in columns:
            left, _, right, _ = self.box(x, 0)
            strip = cut_ring(ring, left, right, 0)
            for y in rows if strip else ():
                _, top, _, bottom = self.box(x, y)
                part = cut_ring(strip, top, bottom, 1)
                if part:
                    yield x, y, part

    def add_label(self, label: Label) -> None:
        """Put a name into the tile of its point."""
        x, y = label.x // self.size, label.y // self.size
        self.tile(x, y).labels.append(
            [label.rank, *self.steps((label.x, label.y), x, y), label.name]
        )

    def add_house(self, house: House) -> None:
        """Put a house number into the tile of its point."""
        x, y = house.x // self.size, house.y // self.size
        self.tile(x, y).houses.append([*self.steps((house.x, house.y), x, y), house.number[:8]])


def write(path: Path, found: Extract, progress: Progress) -> int:
    """Write the street layer of an extract; return how many tiles it has.

    Raises `Refused` for one that covers more than a large country.
    """
    refuse_huge(found)
    lines = merged(found.lines)
    water = sea(found)
    areas = [*([water] if water else []), *sorted(found.areas, key=lambda area: -area.size)]
    total = (len(lines) + len(areas)) * 2
    done = count = 0
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode=OFF")
    database.execute(
        "CREATE TABLE tiles (z INT, x INT, y INT, data BLOB, PRIMARY KEY (z, x, y)) WITHOUT ROWID"
    )
    for zoom in kinds.LEVELS:
        level = Level(zoom)
        for thing in drawn(lines, areas, zoom):
            level.add_line(thing) if isinstance(thing, Line) else level.add_area(thing)
            done += 1
            if done % EVERY == 0:
                progress(min(0.95, done / total))
        name_all(level, found)
        rows = ((zoom, x, y, tile.packed()) for (x, y), tile in sorted(level.tiles.items()))
        database.executemany("INSERT INTO tiles VALUES (?, ?, ?, ?)", rows)
        count += len(level.tiles)
    database.commit()
    database.close()
    progress(1.0)
    return count


def refuse_huge(found: Extract) -> None:
    """Raise `Refused` where the bounds of an extract hold too many tiles to be kept in memory."""
    south, west, north, east = found.bounds
    (left, bottom), (right, top) = project(south, west), project(north, east)
    size = 1 << (BITS - kinds.LEVELS[-1])
    count = (right // size - left // size + 1) * (bottom // size - top // size + 1)
    if count > MOST:
        raise Refused(
            f"the extract covers {north - south:.0f} x {east - west:.0f} degrees, too much for one "
            "map; cut out the region that you deliver in (osmium extract)"
        )


def drawn(lines: list[Line], areas: list[Area], zoom: int) -> Iterator[Line | Area]:
    """Yield what a level shows, the large areas before the small ones."""
    yield from (area for area in areas if kinds.AREA_FROM[area.kind] <= zoom)
    yield from (line for line in lines if kinds.FROM[line.kind] <= zoom)


def name_all(level: Level, found: Extract) -> None:
    """Put the names of a level into its tiles, and house numbers into the last level's."""
    for label in found.labels:
        if label.level <= level.zoom:
            level.add_label(label)
    if level.zoom == kinds.LEVELS[-1]:
        for house in found.houses:
            level.add_house(house)
