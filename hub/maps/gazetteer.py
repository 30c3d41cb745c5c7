"""Write the places of an extract where they are looked up: towns, streets, house numbers."""

from __future__ import annotations

import math
import re
import sqlite3
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from hub.maps import kinds
from hub.maps.extract import Extract, House, Progress
from hub.maps.plane import unproject
from hub.maps.spelling import key, long_key, number_key

SCHEMA = """
CREATE TABLE towns (id INTEGER PRIMARY KEY, key TEXT, name TEXT, rank INT, lat REAL, lon REAL);
CREATE TABLE streets (id INTEGER PRIMARY KEY, key TEXT, name TEXT, town INT, postcode TEXT,
                      lat REAL, lon REAL, metres INT, long TEXT);
CREATE TABLE houses (street INT, number TEXT, postcode TEXT, lat REAL, lon REAL);
CREATE TABLE grams (gram TEXT, street INT, PRIMARY KEY (gram, street)) WITHOUT ROWID;
CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT);
"""
INDEXES = """
CREATE INDEX streets_key ON streets (key);
CREATE INDEX houses_street ON houses (street, number);
CREATE INDEX towns_key ON towns (key);
"""
SETTLEMENTS = 3
"""Up to this rank (see hub.maps.kinds) a place is a town that an address may name."""
REACH = 1500
"""Metres from a street within which a piece of the same name belongs to it."""


@dataclass
class Street:
    """All that is known of one street in one town."""

    name: str
    town: int
    points: list[tuple[int, int]] = field(default_factory=list)
    houses: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    postcodes: Counter[str] = field(default_factory=Counter)


@dataclass
class Town:
    """A town, its number in the database and where it is on the plane."""

    id: int
    key: str
    name: str
    rank: int
    x: int
    y: int


class Gazetteer:
    """Gathers streets by town from what an extract holds."""

    def __init__(self, found: Extract) -> None:
        self.streets: dict[tuple[str, int], Street] = {}
        labels = [label for label in found.labels if label.rank <= SETTLEMENTS]
        self.towns = [
            Town(n, key(label.name), label.name, label.rank, label.x, label.y)
            for n, label in enumerate(labels, 1)
        ]
        self.by_key: dict[str, list[Town]] = defaultdict(list)
        for town in self.towns:
            self.by_key[town.key].append(town)
        self.reach = units(REACH, found)
        self._near: dict[tuple[str, int, int], list[tuple[int, int, Street]]] = defaultdict(list)
        """A street's name and a square of the plane -> its points there."""

    def named(self, name: str, x: int, y: int) -> int:
        """Return the number of the town of this name that is nearest, a new one without any."""
        wanted = key(name)
        if wanted not in self.by_key:
            town = Town(len(self.towns) + 1, wanted, name, SETTLEMENTS, x, y)
            self.towns.append(town)
            self.by_key[wanted].append(town)
        candidates = self.by_key[wanted]
        return min(candidates, key=lambda t: weight(t.rank) * ((t.x - x) ** 2 + (t.y - y) ** 2)).id

    def street(self, name: str, town: int) -> Street:
        """Return one street, a new one where it is not known yet."""
        return self.streets.setdefault((key(name), town), Street(name, town))

    def add_house(self, house: House, town: int) -> None:
        """File a house number, `12-14` and `3;5` under each of them too."""
        street = self.street(house.street, town)
        self.add_points(street, [(house.x, house.y)])
        if house.postcode:
            street.postcodes[house.postcode.strip()] += 1
        for number in numbers(house.number):
            street.houses.setdefault((number, house.postcode.strip()), (house.x, house.y))

    def add_street(self, name: str, points: array[int], around: Towns) -> None:
        """File a piece of a street under the nearest one of its name, else in the nearest town."""
        at = len(points) // 4 * 2
        x, y = points[at], points[at + 1]
        street = self.nearest(key(name), x, y) or self.street(name, around.nearest(x, y))
        self.add_points(street, [(points[n], points[n + 1]) for n in range(0, len(points), 2)])

    def add_points(self, street: Street, points: list[tuple[int, int]]) -> None:
        """Add points to a street, and to what is known of the squares they are in."""
        street.points += points
        name = key(street.name)
        for x, y in points:
            self._near[name, int(x // self.reach), int(y // self.reach)].append((x, y, street))

    def nearest(self, name: str, x: int, y: int) -> Street | None:
        """Return the street of a name that has the nearest point within reach."""
        best, least = None, self.reach**2
        column, row = int(x // self.reach), int(y // self.reach)
        for square in product((name,), range(column - 1, column + 2), range(row - 1, row + 2)):
            for px, py, street in self._near.get(square, ()):
                away = (px - x) ** 2 + (py - y) ** 2
                if away <= least:
                    best, least = street, away
        return best

    def gather(self, found: Extract) -> None:
        """File the houses that name their town, then those that do not, then the streets."""
        placed = [house for house in found.houses if key(house.street)]
        for house in placed:
            if key(house.city):
                self.add_house(house, self.named(house.city, house.x, house.y))
        around = Towns(self.towns)
        for house in placed:
            if not key(house.city):
                self.add_house(house, around.nearest(house.x, house.y))
        for line in found.lines:
            if line.kind <= kinds.PATH and key(line.name):
                self.add_street(line.name, line.points, around)


class Towns:
    """Finds the nearest town among many thousands."""

    def __init__(self, towns: list[Town]) -> None:
        import numpy as np

        self._x = np.array([town.x for town in towns], dtype=np.float64)
        self._y = np.array([town.y for town in towns], dtype=np.float64)
        self._weights = np.array([weight(town.rank) for town in towns])
        self._ids = [town.id for town in towns]

    def nearest(self, x: int, y: int) -> int:
        """Return the number of the nearest town, a city's name reaching further; 0 without any."""
        if not self._ids:
            return 0
        away = self._weights * ((self._x - x) ** 2 + (self._y - y) ** 2)
        return self._ids[int(away.argmin())]


def weight(rank: int) -> float:
    """Return by how much a place's distance counts: a city's name reaches further."""
    return (0.15, 0.4, 1.0, 0.8)[rank]


def units(metres: float, found: Extract) -> float:
    """Return metres as units of the plane in the middle of an extract."""
    south, _, north, _ = found.bounds
    return metres / (0.0373 * math.cos(math.radians((south + north) / 2)))


def numbers(text: str) -> Iterable[str]:
    """Return the house numbers that one sign may stand for."""
    yield number_key(text)
    parts = [part for part in re.split(r"[;,\-–/+]", text) if part.strip()]
    if len(parts) > 1:
        yield from (number_key(part) for part in parts if part.strip()[0].isdigit())


def write(path: Path, found: Extract, progress: Progress) -> int:
    """Write `places.db`; return how many house numbers it holds."""
    gathered = Gazetteer(found)
    gathered.gather(found)
    progress(0.5)
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode=OFF")
    database.executescript(SCHEMA)
    for town in gathered.towns:
        lat, lon = unproject(town.x, town.y)
        database.execute(
            "INSERT INTO towns VALUES (?, ?, ?, ?, ?, ?)",
            (town.id, town.key, town.name, town.rank, lat, lon),
        )
    count = 0
    for number, ((name, _), street) in enumerate(sorted(gathered.streets.items()), 1):
        count += write_street(database, number, name, street)
        if number % 500 == 0:
            progress(0.5 + 0.45 * number / len(gathered.streets))
    countries = Counter(house.country.strip().upper() for house in found.houses if house.country)
    database.execute("INSERT INTO notes VALUES ('countries', ?)", (" ".join(countries),))
    database.executescript(INDEXES)
    database.commit()
    database.close()
    progress(1.0)
    return count


def write_street(database: sqlite3.Connection, id: int, name: str, street: Street) -> int:
    """Write one street with its houses; return how many."""
    xs, ys = sorted(p[0] for p in street.points), sorted(p[1] for p in street.points)
    centre = xs[len(xs) // 2], ys[len(ys) // 2]
    x, y = min(street.points, key=lambda p: (p[0] - centre[0]) ** 2 + (p[1] - centre[1]) ** 2)
    lat, lon = unproject(x, y)
    metre = 0.0373 * math.cos(math.radians(lat))
    extent = math.hypot(xs[-1] - xs[0], ys[-1] - ys[0]) * metre
    usual = street.postcodes.most_common(1)
    database.execute(
        "INSERT INTO streets VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (id, name, street.name, street.town, usual[0][0] if usual else "", lat, lon, round(extent),
         long_key(street.name)),
    )  # fmt: skip
    database.executemany(
        "INSERT INTO houses VALUES (?, ?, ?, ?, ?)",
        [
            (id, number, postcode, *unproject(*at))
            for (number, postcode), at in street.houses.items()
        ],
    )
    database.executemany(
        "INSERT INTO grams VALUES (?, ?)", [(gram, id) for gram in grams(long_key(street.name))]
    )
    return len(street.houses)


def grams(word: str) -> set[str]:
    """Return the groups of three letters in a word, its ends marked."""
    marked = f"^{word}$"
    return {marked[at : at + 3] for at in range(len(marked) - 2)}
