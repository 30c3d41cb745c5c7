"""Read an OpenStreetMap extract once: the lines, areas, labels and addresses of interest."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.errors import Refused
from hub.maps import kinds
from hub.maps.plane import area_of, project, unproject

BYTES_EACH = 42
"""Of a packed extract per tagged object, roughly: how far the reading is."""
EVERY = 2000
"""Objects between two words about how far it is."""
Progress = Callable[[float], None]


@dataclass
class Line:
    """A road, a railway, a river or a border; `points` alternate x and y (see hub.maps.plane)."""

    kind: int
    hidden: bool
    name: str
    ref: str
    points: array[int]


@dataclass
class Area:
    """Something that is filled; rings around it run one way, holes the other."""

    kind: int
    name: str
    rings: list[array[int]]
    size: float


@dataclass
class Label:
    """A name at a point."""

    rank: int
    level: int
    name: str
    x: int
    y: int


@dataclass
class House:
    """An address that stands on a building, an entrance or a plot."""

    number: str
    street: str
    city: str
    postcode: str
    country: str
    x: int
    y: int


@dataclass
class Extract:
    """All of an extract that is drawn or looked up."""

    lines: list[Line] = field(default_factory=list)
    areas: list[Area] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    houses: list[House] = field(default_factory=list)
    coast: list[array[int]] = field(default_factory=list)
    bounds: tuple[float, float, float, float] = (0, 0, 0, 0)
    """(south, west, north, east) in degrees."""


def read(path: Path, progress: Progress) -> Extract:
    """Return what is of interest in an extract; raise `Refused` for what is none."""
    import osmium

    found = Extract()
    expected = max(1.0, path.stat().st_size / BYTES_EACH)
    try:
        reader = (
            osmium.FileProcessor(str(path))
            .with_locations()
            .with_areas()
            .with_filter(osmium.filter.EmptyTagFilter())
        )
        for count, thing in enumerate(reader):
            if count % EVERY == 0:
                progress(min(0.99, count / expected))
            take(found, thing)
        found.bounds = bounds(reader.header.box(), found)
    except RuntimeError as error:
        raise Refused(
            f"{path.name} cannot be read: it is cut off, damaged, or no OpenStreetMap extract "
            f"(.osm.pbf); fetch it again ({error})"
        ) from error
    if not any(line.kind <= kinds.PATH for line in found.lines):
        raise Refused(f"{path.name} holds no road; is it a whole extract (.osm.pbf)?")
    progress(1.0)
    return found


def bounds(box: Any, found: Extract) -> tuple[float, float, float, float]:
    """Return what the extract says it covers, else what its roads do."""
    if box.valid():
        low, high = box.bottom_left, box.top_right
        return low.lat, low.lon, high.lat, high.lon
    roads = [line.points for line in found.lines if line.kind <= kinds.PATH]
    if not roads:
        return 0, 0, 0, 0
    left, right = min(min(p[::2]) for p in roads), max(max(p[::2]) for p in roads)
    top, bottom = min(min(p[1::2]) for p in roads), max(max(p[1::2]) for p in roads)
    (north, west), (south, east) = unproject(left, top), unproject(right, bottom)
    return round(south, 5), round(west, 5), round(north, 5), round(east, 5)


def take(found: Extract, thing: Any) -> None:
    """Keep of one node, way or area what is drawn or looked up."""
    if thing.is_node():
        take_node(found, dict(thing.tags), thing.location)
    elif thing.is_way():
        take_way(found, dict(thing.tags), thing)
    elif thing.is_area():
        take_area(found, dict(thing.tags), thing)


def take_node(found: Extract, tags: dict[str, str], location: Any) -> None:
    """Keep a place's name or an address."""
    if not location.valid():
        return
    x, y = project(location.lat, location.lon)
    name = tags.get("name", "")
    capital = "place" in tags and tags.get("capital") in ("yes", "2")
    rank = kinds.PLACES.get("city" if capital else tags.get("place", ""))
    if rank is not None and name:
        found.labels.append(Label(*rank, name, x, y))
    elif tags.get("natural") == "peak" and name:
        found.labels.append(Label(kinds.PEAK, 12, name, x, y))
    take_house(found, tags, x, y)


def take_house(found: Extract, tags: dict[str, str], x: int, y: int) -> None:
    """Keep an address."""
    street = tags.get("addr:street") or tags.get("addr:place", "")
    number = tags.get("addr:housenumber", "")
    if not street or not number:
        return
    city = tags.get("addr:city") or tags.get("addr:suburb", "")
    postcode, country = tags.get("addr:postcode", ""), tags.get("addr:country", "")
    found.houses.append(House(number, street, city, postcode, country, x, y))


def take_way(found: Extract, tags: dict[str, str], way: Any) -> None:
    """Keep a line, and a piece of the coast."""
    coast = tags.get("natural") == "coastline"
    road = kinds.line_of(tags)
    if not coast and road is None:
        return
    points = flat(way.nodes)
    if len(points) < 4:
        return
    if coast:
        found.coast.append(points)
    if road is not None:
        ref = tags.get("ref", "") if road.kind <= kinds.SECONDARY else ""
        found.lines.append(Line(road.kind, road.hidden, tags.get("name", ""), ref, points))


def take_area(found: Extract, tags: dict[str, str], area: Any) -> None:
    """Keep something that is filled, the name of a water and the address of a building."""
    kind = kinds.area_of(tags)
    numbered = "addr:housenumber" in tags
    if kind is None and not numbered:
        return
    rings: list[array[int]] = []
    for outer in area.outer_rings():
        rings.append(turned(flat(outer), 1))
        rings += [turned(flat(inner), -1) for inner in area.inner_rings(outer)]
    rings = [ring for ring in rings if len(ring) >= 8]
    if not rings:
        return
    x, y = middle(rings[0])
    if numbered:
        take_house(found, tags, x, y)
    if kind is None:
        return
    size = abs(area_of(max(rings, key=len)))
    name = tags.get("name", "")
    found.areas.append(Area(kind, name, rings, size))
    if name and kind == kinds.WATER:
        level = 10 if size > 1e9 else 12 if size > 1e8 else 14
        found.labels.append(Label(kinds.LAKE, level, name, x, y))


def flat(nodes: Any) -> array[int]:
    """Return the points of a way, without those that are not in the extract or repeat."""
    out = array("i")
    last = (-1, -1)
    for node in nodes:
        location = node.location
        if not location.valid():
            continue
        point = project(location.lat, location.lon)
        if point != last:
            out.extend(point)
            last = point
    return out


def turned(ring: array[int], sense: int) -> array[int]:
    """Return a ring that runs in the given sense, so that overlapping areas fill as one."""
    if area_of(ring) * sense >= 0:
        return ring
    out = array("i")
    for at in range(len(ring) - 2, -1, -2):
        out.extend(ring[at : at + 2])
    return out


def middle(ring: array[int]) -> tuple[int, int]:
    """Return the centre of mass of a ring; of one without an area, its first point."""
    total, x, y = 0, 0, 0
    left, top = ring[0], ring[1]
    for at in range(0, len(ring) - 2, 2):
        ax, ay, bx, by = (
            ring[at] - left,
            ring[at + 1] - top,
            ring[at + 2] - left,
            ring[at + 3] - top,
        )
        part = ax * by - bx * ay
        total += part
        x += (ax + bx) * part
        y += (ay + by) * part
    if total == 0:
        return left, top
    return left + x // (3 * total), top + y // (3 * total)
