"""Look addresses up in a loaded map, forgiving of spelling, and say how sure the answer is."""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hub.maps.catalogue import loaded
from hub.maps.gazetteer import grams
from hub.maps.spelling import distance, key, long_key, split
from hub.nouns import Address, Location

EXACT, NEAR, STREET, LONG_STREET, TOWN = 0.95, 0.7, 0.6, 0.4, 0.3
LONG = 600
"""Metres: in a longer street its name alone does not lead to a door."""
FAR = 1500
"""Metres between two doors of the same address, from which it is not clear which is meant."""
NEIGHBOURS = 12
"""How far a known house number may be from one that is not known."""
SOFT = 3500
"""Metres from a town within which a street counts as its own, where nobody says otherwise."""
LETTERS = 0.08
"""What every wrong letter takes from the certainty."""
CANDIDATES = 40


@dataclass(frozen=True)
class Found:
    """An answer: where it is, and what of the address was recognised."""

    location: Location
    street: str = ""
    number: str = ""
    town: str = ""
    postcode: str = ""

    @property
    def text(self) -> str:
        """The address as the map writes it."""
        line = " ".join(part for part in (self.street, self.number) if part)
        town = " ".join(part for part in (self.postcode, self.town) if part)
        return ", ".join(part for part in (line, town) if part)


@dataclass(frozen=True)
class Hit:
    """A street that may be meant; the lower `doubt`, the likelier."""

    id: int
    name: str
    town: int
    postcode: str
    lat: float
    lon: float
    metres: int
    doubt: float


class Places:
    """One map's addresses."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def find(self, address: Address) -> Found | None:
        """Return where an address is, or None where this map does not know it."""
        with closing(
            sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        ) as database:
            return Search(database, address).answer()


class Search:
    """One look-up."""

    def __init__(self, database: sqlite3.Connection, address: Address) -> None:
        self.database = database
        self.postcode = address.postcode.strip()
        self.city = re.sub(r"\b\d[\d\s]*\b", " ", address.city).strip()
        self.country = address.country.strip().upper()
        self.lines = [line for line in (address.line1, address.line2) if line.strip()]
        self.towns = self.towns_named(self.city)

    def answer(self) -> Found | None:
        """Return the best of all readings; a town alone is better than nothing."""
        if self.is_abroad():
            return None
        best: Found | None = None
        for line in self.lines:
            for street, number in split(line):
                for found in self.read(street, number):
                    if best is None or found.location.confidence > best.location.confidence:
                        best = found
                if best is not None and best.location.confidence >= NEAR:
                    return best
        return best or self.town_alone()

    def is_abroad(self) -> bool:
        """Say whether the address names a country of which this map has no address."""
        row = self.database.execute("SELECT value FROM notes WHERE name = 'countries'").fetchone()
        known = row[0].split() if row else []
        return len(self.country) == 2 and bool(known) and self.country not in known

    def towns_named(self, city: str) -> dict[int, tuple[str, float, float]]:
        """Return the towns that a name means: (name, lat, lon) by number."""
        if not city:
            return {}
        wanted = key(city)
        rows = self.database.execute("SELECT id, key, name, lat, lon FROM towns").fetchall()
        exact = [row for row in rows if row[1] == wanted]
        begun = [row for row in rows if len(row[1]) > 3 and wanted.startswith(row[1])]
        most = min(2, len(wanted) // 4)
        alike = [row for row in rows if distance(row[1], wanted, most) <= most]
        return {row[0]: (row[2], row[3], row[4]) for row in exact or alike or begun}

    def read(self, street: str, number: str) -> Iterator[Found]:
        """Yield what a reading of a line may mean."""
        hits = [hit for hit in self.streets(street) if hit is not None]
        answers = [self.door(hit, number) for hit in hits]
        sure = [found for found in answers if found.location.confidence >= NEAR]
        if self.is_vague() and apart(sure or answers) > FAR:
            # Streets of this name lie in several towns, and nothing says which is meant.
            answers = [doubted(found, TOWN) for found in answers]
        yield from answers

    def is_vague(self) -> bool:
        """Say whether the address names neither town nor postcode."""
        return not self.city and not self.postcode

    def streets(self, name: str) -> list[Hit]:
        """Return the streets that a name may mean and that lie where the address says."""
        wanted = key(name)
        if not wanted:
            return []
        columns = "id, name, town, postcode, lat, lon, metres, long"
        rows = self.database.execute(f"SELECT {columns} FROM streets WHERE key = ?", (wanted,))  # noqa: S608 - our own words
        hits = list(self.placed(rows.fetchall(), ""))
        if hits:
            return hits
        wanted = long_key(name)
        marks = sorted(grams(wanted))
        query = (
            f"SELECT {columns} FROM streets WHERE id IN (SELECT street FROM grams WHERE gram IN "  # noqa: S608
            f"({','.join('?' * len(marks))}) GROUP BY street HAVING COUNT(*) >= ? "
            f"ORDER BY COUNT(*) DESC LIMIT {CANDIDATES})"
        )
        rows = self.database.execute(query, (*marks, max(1, len(marks) // 3)))
        return list(self.placed(rows.fetchall(), wanted))

    def placed(self, rows: Iterable[tuple[Any, ...]], wanted: str) -> Iterator[Hit]:
        """Yield the streets whose town and spelling fit, each with its doubt; "" fits any."""
        most = min(3, max(1, len(wanted) // 5))
        for id, name, town, postcode, lat, lon, metres, filed in rows:
            wrong = distance(str(filed), wanted, most) if wanted else 0
            hit = Hit(id, name, town, postcode, lat, lon, metres, 0)
            elsewhere = self.elsewhere(hit)
            if wrong <= most and elsewhere is not None:
                yield replace(hit, doubt=wrong * LETTERS + elsewhere)

    def elsewhere(self, hit: Hit) -> float | None:
        """Return the doubt that a street is in the town that is meant; None: it is not."""
        same_code = bool(self.postcode) and hit.postcode == self.postcode
        if self.city:
            if hit.town in self.towns:
                return 0.0 if same_code or not self.postcode or not hit.postcode else 0.03
            if same_code:
                return 0.05
            near = any(
                metres_between(hit.lat, hit.lon, lat, lon) < SOFT
                for _, lat, lon in self.towns.values()
            )
            return 0.1 if near and not hit.postcode else None
        if self.postcode and hit.postcode and not same_code:
            return None
        return 0.0

    def door(self, hit: Hit, number: str) -> Found:
        """Return the house in a street, else one beside it, else the street."""
        town = self.database.execute("SELECT name FROM towns WHERE id = ?", (hit.town,)).fetchone()
        found = Found(
            Location(lat=hit.lat, lon=hit.lon), hit.name, "", town[0] if town else "", hit.postcode
        )
        if number:
            house = self.house(hit, number)
            if house is not None:
                said, lat, lon, sure, postcode = house
                place = Location(lat=lat, lon=lon, confidence=max(0.05, sure - hit.doubt))
                return replace(
                    found, location=place, number=said, postcode=postcode or hit.postcode
                )
        sure = (STREET if hit.metres <= LONG else LONG_STREET) - hit.doubt
        return replace(
            found, location=Location(lat=hit.lat, lon=hit.lon, confidence=max(0.05, sure))
        )

    def house(self, hit: Hit, number: str) -> tuple[str, float, float, float, str] | None:
        """Return (number, lat, lon, certainty, postcode) of a house, or of a place beside it."""
        rows = self.database.execute(
            "SELECT number, lat, lon, postcode FROM houses WHERE street = ?", (hit.id,)
        ).fetchall()
        rows.sort(key=lambda row: row[3] != self.postcode)
        plain = re.match(r"\d+", number)
        bare = plain[0] if plain else number
        for wanted, sure in ((number, EXACT), (bare, EXACT - 0.1)):
            for said, lat, lon, postcode in rows:
                if said == wanted:
                    return said, lat, lon, sure, postcode
        for said, lat, lon, postcode in rows:
            if re.match(rf"{re.escape(bare)}\D", said):
                return said, lat, lon, EXACT - 0.15, postcode
        between = self.between(rows, int(bare)) if bare.isdigit() and len(bare) < 6 else None
        return (number, *between, NEAR - 0.05, "") if between else None

    def between(
        self, rows: list[tuple[str, float, float, str]], number: int
    ) -> tuple[float, float] | None:
        """Return where a number that is not known would be, from its neighbours on its side."""
        known = sorted(
            (int(match[0]), lat, lon)
            for said, lat, lon, _ in rows
            if (match := re.match(r"\d+", said)) and (int(match[0]) - number) % 2 == 0
        )
        below = [row for row in known if number - NEIGHBOURS <= row[0] < number][-1:]
        above = [row for row in known if number < row[0] <= number + NEIGHBOURS][:1]
        if not below and not above:
            return None
        if not below or not above:
            _, lat, lon = (below or above)[0]
            return lat, lon
        (low, lat0, lon0), (high, lat1, lon1) = below[0], above[0]
        share = (number - low) / (high - low)
        return lat0 + share * (lat1 - lat0), lon0 + share * (lon1 - lon0)

    def town_alone(self) -> Found | None:
        """Return the town, where at least that is known."""
        named = [town for line in self.lines for town in self.towns_named(line).values()]
        for name, lat, lon in self.towns.values() or (() if self.city else named):
            return Found(Location(lat=lat, lon=lon, confidence=TOWN), town=name)
        return None


def doubted(found: Found, most: float) -> Found:
    """Return an answer that is no surer than `most`."""
    sure = min(most, found.location.confidence)
    return replace(found, location=found.location.model_copy(update={"confidence": sure}))


def apart(answers: list[Found]) -> float:
    """Return the metres between the two answers that are farthest from each other, or 0."""
    points = [(found.location.lat, found.location.lon) for found in answers]
    return max((metres_between(*a, *b) for a in points for b in points), default=0.0)


def metres_between(lat0: float, lon0: float, lat1: float, lon1: float) -> float:
    """Return metres between two points that are near to each other."""
    east = (lon1 - lon0) * math.cos(math.radians((lat0 + lat1) / 2))
    return 111_195 * math.hypot(lat1 - lat0, east)


def read_text(text: str) -> Address:
    """Return an address of one line in its parts: `Städtle 15, 9490 Vaduz`."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        return Address()
    town = parts[-1] if len(parts) > 1 else ""
    line = ", ".join(parts[:-1]) if town else parts[0]
    if (
        town
        and re.fullmatch(r"[\d\s]*\w?", town)
        and len(parts) == 2
        and not re.search(r"\d", line)
    ):
        return Address(line1=f"{line} {town}")
    match = re.match(r"^(?:[A-Z]{1,2}-)?(\d{3,}[\d\-]*)\s+(.*)$", town)
    if match:
        return Address(line1=line, postcode=match[1], city=match[2])
    return Address(line1=line, city=town)


def find(directory: Path, address: Address) -> Found | None:
    """Return where an address is by the map that is surest of it, or None where none knows it.

    `directory` is the folder of the loaded maps.
    """
    best: Found | None = None
    for one in loaded(directory):
        found = Places(one.places).find(address)
        if found and (best is None or found.location.confidence > best.location.confidence):
            best = found
    return best
