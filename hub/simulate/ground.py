"""Where the demo plays: at its own addresses, or at those of a map that was given."""

from __future__ import annotations

import csv
import io
import json
import random
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from hub.errors import Refused
from hub.maps import LoadedMap
from hub.maps.places import Places, metres_between
from hub.nouns import Address, Location

NOTES = "ground.json"
AROUND = 5000
"""Metres around the busiest town in which the addresses of a demo lie, if there are enough."""
SURE = 0.5
COLUMNS = (
    ("Address1", "line1"), ("Street", "line1"), ("City", "city"), ("Zip", "postcode"),
    ("Country", "country"),
)  # fmt: skip
"""(column of an order file without "Shipping", the part of an address that it holds)."""


@dataclass(frozen=True)
class Door:
    """An address where the demo delivers."""

    line1: str
    postcode: str
    city: str
    country: str
    lat: float
    lon: float

    @property
    def place(self) -> Location:
        """Its coordinates."""
        return Location(lat=self.lat, lon=self.lon)


@dataclass(frozen=True)
class Depot:
    """Where the demo's drivers start."""

    name: str
    address: str
    lat: float
    lon: float


OWN_DEPOTS = (
    Depot("Vaduz", "Austrasse 52, 9490 Vaduz", 47.12836, 9.52173),
    Depot("Eschen", "Essanestrasse 150, 9492 Eschen", 47.21243, 9.52612),
)


@dataclass(frozen=True)
class Ground:
    """The doors and the depots of a demo; `moved` has a door for each line of its own address."""

    doors: tuple[Door, ...]
    depots: tuple[Depot, ...]
    moved: dict[str, Door]

    def rewritten(self, text: str) -> str:
        """Return an order file with its addresses moved here."""
        if not self.moved:
            return text
        reader = csv.DictReader(io.StringIO(text))
        out = io.StringIO()
        writer = csv.DictWriter(out, list(reader.fieldnames or []), lineterminator="\n")
        writer.writeheader()
        for row in reader:
            for kind in ("Shipping", "Billing"):
                door = self.moved.get(row[f"{kind} Address1"])
                if door is not None:
                    row |= {f"{kind} {column}": getattr(door, part) for column, part in COLUMNS}
            writer.writerow(row)
        return out.getvalue()

    def order(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return an order for the API, moved here."""
        if not self.moved:
            return body
        door = self.doors[-1]
        address = {part: getattr(door, part) for part in ("line1", "postcode", "city", "country")}
        return {**body, "address": address, "location": {"lat": door.lat, "lon": door.lon}}

    def write(self, directory: Path) -> None:
        """Keep it with the demo's notes."""
        kept = {
            "doors": [asdict(door) for door in self.doors],
            "depots": [asdict(depot) for depot in self.depots],
            "moved": {line: asdict(door) for line, door in self.moved.items()},
        }
        (directory / NOTES).write_text(json.dumps(kept), "utf-8")


def ground_of(directory: Path) -> Ground:
    """Return where the demo in a directory plays."""
    path = directory / NOTES
    if not path.exists():
        return Ground(own_doors(), OWN_DEPOTS, {})
    kept = json.loads(path.read_text("utf-8"))
    return Ground(
        tuple(Door(**door) for door in kept["doors"]),
        tuple(Depot(**depot) for depot in kept["depots"]),
        {line: Door(**door) for line, door in kept["moved"].items()},
    )


def own_doors() -> tuple[Door, ...]:
    """Return the demo's own addresses, which are real ones of Liechtenstein."""
    text = files("hub.simulate").joinpath("data/addresses.csv").read_text("utf-8")
    return tuple(
        Door(
            row["line1"], row["postcode"], row["city"], row["country"],
            float(row["lat"]), float(row["lon"]),
        )
        for row in csv.DictReader(text.splitlines())
    )  # fmt: skip


def choose(one: LoadedMap) -> Ground:
    """Return where a demo on a map plays: at its own addresses where it has them, else at others.

    Raise `Refused` for a map that has too few addresses and streets with names.
    """
    own = own_doors()
    places = Places(one.places)
    if one.covers(door.place for door in own) and all(is_found(places, door) for door in own):
        return Ground(own, OWN_DEPOTS, {})
    doors = list(pick(one, places, len(own) + 1))
    if len(doors) <= len(own):
        raise Refused(
            f"the map {one.name} has only {len(doors)} addresses and streets that can be found; "
            f"a demo needs {len(own) + 1}. Give a larger extract, or one with addresses"
        )
    doors.sort(key=lambda door: door.lat)
    south, north = doors[: len(doors) * 2 // 3], doors[len(doors) * 2 // 3 :]
    depots = (depot_of("South", south), depot_of("North", north))
    dice = random.Random(2)
    dice.shuffle(doors)
    return Ground(
        tuple(doors), depots, {old.line1: new for old, new in zip(own, doors, strict=False)}
    )


def is_found(places: Places, door: Door) -> bool:
    """Say whether a door is found by its address, and lies where it says."""
    found = places.find(
        Address(line1=door.line1, postcode=door.postcode, city=door.city, country=door.country)
    )
    if found is None or found.location.confidence < SURE:
        return False
    return metres_between(found.location.lat, found.location.lon, door.lat, door.lon) < 200


def pick(one: LoadedMap, places: Places, count: int) -> Iterable[Door]:
    """Yield up to `count` doors of a map: house numbers first, then streets by their name."""
    houses = (
        "SELECT s.name || ' ' || h.number, h.postcode, t.name, h.lat, h.lon FROM houses h "
        "JOIN streets s ON s.id = h.street JOIN towns t ON t.id = s.town"
    )
    streets = (
        "SELECT s.name, s.postcode, coalesce(t.name, ''), s.lat, s.lon FROM streets s "
        "LEFT JOIN towns t ON t.id = s.town WHERE s.metres <= 600"
    )
    with closing(sqlite3.connect(f"file:{one.places}?mode=ro", uri=True)) as database:
        known = [sorted(database.execute(query).fetchall()) for query in (houses, streets)]
    lat, lon = busiest(known[0] if len(known[0]) >= count else known[1])
    seen: set[tuple[str, str]] = set()
    for rows in known:
        random.Random(1).shuffle(rows)
        rows.sort(key=lambda row: metres_between(lat, lon, row[3], row[4]) > AROUND)
        for line1, postcode, city, at_lat, at_lon in rows:
            door = Door(line1, postcode, city, "", round(at_lat, 6), round(at_lon, 6))
            if len(seen) < count and (line1, city) not in seen and is_found(places, door):
                seen.add((line1, city))
                yield door


def busiest(rows: list[tuple[str, str, str, float, float]]) -> tuple[float, float]:
    """Return the middle of the town with the most rows; of no rows, the origin."""
    towns: dict[str, list[tuple[float, float]]] = {}
    for _, _, town, lat, lon in rows:
        towns.setdefault(town, []).append((lat, lon))
    most = max(towns.values(), key=len, default=[(0.0, 0.0)])
    return sum(p[0] for p in most) / len(most), sum(p[1] for p in most) / len(most)


def depot_of(name: str, doors: list[Door]) -> Depot:
    """Return a depot at the door that lies nearest to the middle of all."""
    lat = sum(door.lat for door in doors) / len(doors)
    lon = sum(door.lon for door in doors) / len(doors)
    best = min(doors, key=lambda door: metres_between(lat, lon, door.lat, door.lon))
    address = Address(line1=best.line1, postcode=best.postcode, city=best.city).text()
    return Depot(name, address, best.lat, best.lon)
