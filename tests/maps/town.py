"""A little town of our own making, written as an OpenStreetMap extract when a test needs one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SOUTH, WEST, NORTH, EAST = 47.12, 9.50, 47.16, 9.54


class Writer:
    """Writes nodes before ways before relations, as extracts have them."""

    def __init__(self) -> None:
        self.nodes: list[tuple[int, float, float, dict[str, str]]] = []
        self.ways: list[tuple[int, list[int], dict[str, str]]] = []
        self.relations: list[tuple[int, list[tuple[str, int, str]], dict[str, str]]] = []
        self.last = 0

    def node(self, lat: float, lon: float, **tags: str) -> int:
        """Add a node; `addr__street` stands for `addr:street`."""
        self.last += 1
        self.nodes.append((self.last, lat, lon, colons(tags)))
        return self.last

    def way(self, *points: tuple[float, float], nodes: list[int] | None = None, **tags: str) -> int:
        """Add a way along points, or along nodes that are there."""
        nodes = nodes or [self.node(*point) for point in points]
        self.last += 1
        self.ways.append((self.last, nodes, colons(tags)))
        return self.last

    def ring(self, lat: float, lon: float, size: float, **tags: str) -> int:
        """Add a closed square whose lower left corner is at a point."""
        corners = [(lat, lon), (lat, lon + size), (lat + size, lon + size), (lat + size, lon)]
        nodes = [self.node(*corner) for corner in corners]
        return self.way(nodes=[*nodes, nodes[0]], **tags)

    def write(self, path: Path) -> Path:
        """Write the extract and return its path."""
        import osmium
        from osmium.osm import mutable

        header = osmium.io.Header()
        header.add_box(
            osmium.osm.Box(osmium.osm.Location(WEST, SOUTH), osmium.osm.Location(EAST, NORTH))
        )
        with osmium.SimpleWriter(str(path), header=header, overwrite=True) as out:
            for id, lat, lon, tags in self.nodes:
                out.add_node(mutable.Node(id=id, location=(lon, lat), tags=tags, version=1))
            for id, nodes, tags in self.ways:
                out.add_way(mutable.Way(id=id, nodes=nodes, tags=tags, version=1))
            for id, members, tags in self.relations:
                made: Any = mutable.Relation(id=id, members=members, tags=tags, version=1)
                out.add_relation(made)
        return path


def colons(tags: dict[str, str]) -> dict[str, str]:
    """Return tags with a colon for each double underscore."""
    return {name.replace("__", ":"): value for name, value in tags.items()}


def house(town: Writer, lat: float, lon: float, street: str, number: str, **more: str) -> None:
    """Add a building with an address in Neustadt."""
    tags = {"addr__city": "Neustadt", "addr__postcode": "9999", "addr__country": "LI", **more}
    town.ring(
        lat, lon, 0.0001, building="house", addr__street=street, addr__housenumber=number, **tags
    )


def write_town(path: Path) -> Path:
    """Write a town with streets in two pieces, houses, a lake with an island, a wood, a border."""
    town = Writer()
    town.node(47.1410, 9.5209, place="town", name="Neustadt", capital="yes")
    town.node(47.1550, 9.5350, place="village", name="Oberdorf")
    middle = town.node(47.1410, 9.5200)
    west, east = town.node(47.1410, 9.5150), town.node(47.1412, 9.5260)
    main = {"highway": "primary", "name": "Bahnhofstrasse", "ref": "28"}
    town.way(nodes=[west, middle], **main)
    town.way(nodes=[middle, east], **main)
    town.way((47.1430, 9.5200), (47.1370, 9.5201), highway="residential", name="Sankt-Anna-Gasse")
    town.way((47.1430, 9.5230), (47.1370, 9.5231), highway="residential", name="Im Grüt")
    town.way((47.1540, 9.5340), (47.1560, 9.5360), highway="residential", name="Dorfweg")
    town.way((47.1380, 9.5100), (47.1380, 9.5300), highway="motorway", name="Umfahrung", ref="A1")
    town.way((47.1400, 9.5150), (47.1390, 9.5300), waterway="river", name="Bach")
    town.way((47.1300, 9.5000), (47.1300, 9.5399), boundary="administrative", admin_level="2")
    for number in range(1, 20):
        if number != 9:
            lon = 9.5150 + number * 0.0005
            house(town, 47.1412 + (number % 2) * 0.0003, lon, "Bahnhofstrasse", str(number))
    house(town, 47.1385, 9.5203, "Sankt-Anna-Gasse", "7a")
    house(town, 47.1395, 9.5203, "Sankt-Anna-Gasse", "12-14")
    house(town, 47.1420, 9.5232, "Im Grüt", "3")
    house(town, 47.1550, 9.5351, "Dorfweg", "1", addr__city="Oberdorf", addr__postcode="9998")
    outer, inner = town.ring(47.1320, 9.5200, 0.004), town.ring(47.1330, 9.5210, 0.001)
    town.last += 1
    members = [("w", outer, "outer"), ("w", inner, "inner")]
    lake = {"type": "multipolygon", "natural": "water", "name": "Stadtsee"}
    town.relations.append((town.last, members, lake))
    town.ring(47.1450, 9.5100, 0.006, landuse="forest")
    return town.write(path)


def write_coast(path: Path) -> Path:
    """Write a coast that runs from west to east through the map: the sea lies to the south."""
    town = Writer()
    town.way((47.1400, 9.5200), (47.1420, 9.5200), highway="residential", name="Am Meer")
    # A coastline has the land on its left: this one, from west to east, has it to the north.
    town.way((47.1350, 9.4900), (47.1360, 9.5200), (47.1350, 9.5500), natural="coastline")
    return town.write(path)
