"""What of an extract is drawn: the classes of lines, areas and labels, by their tags.

The numbers are those of frontend/src/shared/streets.ts, which draws them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LEVELS: Final = (8, 10, 12, 14)
"""Zooms at which tiles are kept; each is drawn until the next one, the last one for ever."""
MOTORWAY, PRIMARY, SECONDARY, TERTIARY, STREET, SERVICE, WALK, TRACK, PATH = range(9)
RAIL, TRAM, RIVER, STREAM, BORDER = range(20, 25)
WATER, FOREST, GREEN, FARM, BUILT, WORKS, ROCK, PAVED, SEA, BUILDING, SAND = range(11)
ROADS: Final[Mapping[str, int]] = {
    "motorway": MOTORWAY, "motorway_link": MOTORWAY, "trunk": MOTORWAY, "trunk_link": MOTORWAY,
    "primary": PRIMARY, "primary_link": PRIMARY, "secondary": SECONDARY,
    "secondary_link": SECONDARY, "tertiary": TERTIARY, "tertiary_link": TERTIARY,
    "residential": STREET, "unclassified": STREET, "living_street": STREET, "road": STREET,
    "service": SERVICE, "pedestrian": WALK, "track": TRACK, "path": PATH, "footway": PATH,
    "cycleway": PATH, "steps": PATH, "bridleway": PATH,
}  # fmt: skip
FROM: Final[Mapping[int, int]] = {
    MOTORWAY: 8, PRIMARY: 8, SECONDARY: 8, TERTIARY: 10, STREET: 12, SERVICE: 14, WALK: 14,
    TRACK: 14, PATH: 14, RAIL: 8, TRAM: 12, RIVER: 8, STREAM: 12, BORDER: 8,
}  # fmt: skip
"""Class of line -> the first level that shows it."""
RAILWAYS: Final[Mapping[str, int]] = {
    "rail": RAIL, "narrow_gauge": RAIL, "light_rail": TRAM, "tram": TRAM, "funicular": TRAM,
}  # fmt: skip
WATERWAYS: Final[Mapping[str, int]] = {
    "river": RIVER, "canal": RIVER, "stream": STREAM, "drain": STREAM, "ditch": STREAM,
}  # fmt: skip
AREAS: Final[Mapping[tuple[str, str], int]] = {
    **{("natural", v): WATER for v in ("water",)},
    **{("waterway", v): WATER for v in ("riverbank", "dock")},
    **{("landuse", v): WATER for v in ("reservoir", "basin")},
    **{("leisure", v): WATER for v in ("swimming_pool",)},
    **{("natural", v): FOREST for v in ("wood", "scrub")},
    **{("landuse", v): FOREST for v in ("forest",)},
    **{("leisure", v): GREEN for v in (
        "park", "garden", "pitch", "golf_course", "playground", "recreation_ground", "common",
        "dog_park", "track", "stadium", "sports_centre")},
    **{("landuse", v): GREEN for v in (
        "grass", "recreation_ground", "cemetery", "village_green", "allotments", "flowerbed")},
    **{("amenity", v): GREEN for v in ("grave_yard",)},
    **{("natural", v): GREEN for v in ("grassland", "heath", "fell", "wetland")},
    **{("landuse", v): FARM for v in ("farmland", "meadow", "orchard", "vineyard", "farmyard")},
    **{("landuse", v): BUILT for v in ("residential",)},
    **{("landuse", v): WORKS for v in (
        "industrial", "commercial", "retail", "railway", "construction", "quarry")},
    **{("natural", v): ROCK for v in ("bare_rock", "scree", "glacier", "shingle")},
    **{("natural", v): SAND for v in ("beach", "sand")},
    **{("amenity", v): PAVED for v in ("parking",)},
    **{("highway", v): PAVED for v in ("pedestrian", "footway", "service", "platform")},
    **{("place", v): PAVED for v in ("square",)},
}  # fmt: skip
AREA_KEYS: Final = ("natural", "landuse", "leisure", "waterway", "amenity", "highway", "place")
AREA_FROM: Final[Mapping[int, int]] = {
    WATER: 8, FOREST: 8, SEA: 8, ROCK: 8, BUILT: 10, GREEN: 12, FARM: 12, WORKS: 12, SAND: 12,
    PAVED: 14, BUILDING: 14,
}  # fmt: skip
PLACES: Final[Mapping[str, tuple[int, int]]] = {
    "city": (0, 8), "town": (1, 8), "village": (2, 10), "suburb": (3, 12), "quarter": (3, 12),
    "borough": (3, 12), "hamlet": (4, 12), "neighbourhood": (4, 14), "isolated_dwelling": (5, 14),
    "locality": (5, 14), "farm": (5, 14),
}  # fmt: skip
"""Kind of place -> (rank, first level that names it)."""
LAKE, PEAK = 8, 9
"""Ranks of labels that are no settlements: names of waters, and of summits."""


@dataclass(frozen=True)
class Road:
    """How a line is drawn: its class, and whether it runs underground."""

    kind: int
    hidden: bool = False


def line_of(tags: Mapping[str, str]) -> Road | None:
    """Return how an open way is drawn, or None where it is not."""
    underground = tags.get("tunnel", "no") not in ("no", "building_passage")
    kind = ROADS.get(tags.get("highway", ""))
    if kind is not None:
        if tags.get("footway") in ("sidewalk", "crossing") or tags.get("area") == "yes":
            return None
        if kind == SERVICE and tags.get("service") in ("parking_aisle", "drive-through"):
            return None
        return Road(kind, underground)
    kind = RAILWAYS.get(tags.get("railway", ""))
    if kind is not None:
        if tags.get("service") in ("yard", "spur", "siding"):
            kind = TRAM
        return Road(kind, underground)
    kind = WATERWAYS.get(tags.get("waterway", ""))
    if kind is not None:
        return None if underground else Road(kind)
    if tags.get("boundary") == "administrative" and tags.get("admin_level") == "2":
        return None if tags.get("maritime") == "yes" else Road(BORDER)
    return None


def area_of(tags: Mapping[str, str]) -> int | None:
    """Return how a closed area is filled, or None where it is not."""
    if tags.get("building", "no") != "no":
        return None if tags.get("location") == "underground" else BUILDING
    for key in AREA_KEYS:
        value = tags.get(key)
        if value is None:
            continue
        kind = AREAS.get((key, value))
        if kind == PAVED and key == "highway" and tags.get("area") != "yes":
            continue
        if kind is not None and tags.get("parking") not in ("underground", "multi-storey"):
            return kind
    return None
