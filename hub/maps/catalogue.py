"""Which maps are loaded: what lies whole in the folder of maps, and what each is good for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hub.nouns import Location
from hub.nouns.ways import Profile

FORMAT = 1
"""Number of the layout on disk; a map with another one has to be loaded again."""
CREDIT = "© OpenStreetMap contributors"
"""What the licence of the data (ODbL 1.0) wants to be read wherever it is drawn."""
STREETS, PLACES, NOTES = "streets.db", "places.db", "map.json"
DRIVEN_AS: dict[str, str] = {"van": "car"}
"""Profiles that share the road graph of another."""


@dataclass(frozen=True)
class LoadedMap:
    """One map, whole and ready; `bounds` are (south, west, north, east) in degrees."""

    name: str
    title: str
    folder: Path
    bounds: tuple[float, float, float, float]
    profiles: tuple[str, ...]
    """For which a road graph was made; none where it was built without osrm-bindings."""
    credit: str
    built_at: datetime
    source: str = ""
    """`<name of the file>:<sha256 of it>`."""
    addresses: int = 0
    """How many house numbers can be found."""

    @property
    def version(self) -> str:
        """A word that differs after every loading, for addresses that are kept for long."""
        return f"{int(self.built_at.timestamp() * 1000):x}"

    @property
    def streets(self) -> Path:
        """The database of the street layer's tiles."""
        return self.folder / STREETS

    @property
    def places(self) -> Path:
        """The database in which addresses are looked up."""
        return self.folder / PLACES

    def covers(self, points: Iterable[Location]) -> bool:
        """Say whether all points lie within the bounds; a map covers no empty set of points."""
        south, west, north, east = self.bounds
        inside = [south <= p.lat <= north and west <= p.lon <= east for p in points]
        return bool(inside) and all(inside)

    def osrm(self, profile: Profile) -> Path | None:
        """Return the road graph's path, as OSRM wants it, or None where there is none."""
        driven = DRIVEN_AS.get(profile, profile)
        path = self.folder / "osrm" / driven / "map.osrm"
        return path if driven in self.profiles else None


def loaded(directory: Path) -> tuple[LoadedMap, ...]:
    """Return the whole maps of a folder (`<hub directory>/maps`), the smallest area first.

    What is half-built, broken or of another format is left out.
    """
    try:
        folders = sorted(path for path in directory.iterdir() if not path.name.startswith("."))
    except OSError:
        return ()
    found = [one for one in map(read, folders) if one is not None]
    return tuple(sorted(found, key=area))


def area(one: LoadedMap) -> float:
    """Return how large a map is, in square degrees."""
    south, west, north, east = one.bounds
    return (north - south) * (east - west)


def covering(directory: Path, points: Iterable[Location]) -> LoadedMap | None:
    """Return the smallest loaded map that covers all points, if there is one."""
    points = tuple(points)
    return next((one for one in loaded(directory) if one.covers(points)), None)


def read(folder: Path) -> LoadedMap | None:
    """Return the map in a folder, or None where none is whole."""
    try:
        notes = json.loads((folder / NOTES).read_text("utf-8"))
        one = from_notes(folder, notes)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    parts = [one.streets, one.places]
    parts += [folder / "osrm" / profile / "map.osrm.hsgr" for profile in one.profiles]
    return one if all(part.is_file() for part in parts) else None


def from_notes(folder: Path, notes: dict[str, Any]) -> LoadedMap:
    """Return what `map.json` says; raise `ValueError`, `KeyError` or `TypeError` for nonsense."""
    if notes["format"] != FORMAT:
        raise ValueError("of another format")
    south, west, north, east = (float(degrees) for degrees in notes["bounds"])
    return LoadedMap(
        name=folder.name,
        title=str(notes["title"]),
        folder=folder,
        bounds=(south, west, north, east),
        profiles=tuple(map(str, notes["profiles"])),
        credit=str(notes["credit"]),
        built_at=datetime.fromisoformat(notes["built_at"]),
        source=str(notes.get("source", "")),
        addresses=int(notes.get("addresses", 0)),
    )


def write(folder: Path, one: LoadedMap) -> None:
    """Write `map.json`, the last file of a map that is being built."""
    notes = {
        "format": FORMAT,
        "title": one.title,
        "bounds": one.bounds,
        "profiles": one.profiles,
        "credit": one.credit,
        "built_at": one.built_at.isoformat(),
        "source": one.source,
        "addresses": one.addresses,
    }
    (folder / NOTES).write_text(json.dumps(notes, indent=1), "utf-8")
