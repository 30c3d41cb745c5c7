"""OSRM inside this process, on the road graphs of the loaded maps."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from hub.builtin.osrm.steps import read_route
from hub.builtin.tables import Block, Table, blocks, pieces
from hub.errors import PluginError, Rejected
from hub.maps import LoadedMap, loaded
from hub.nouns import Legs, Location, Matrix, Profile, Trip, Way, WayLeg
from hub.settings import Settings

CELLS = 1_000_000
"""Cells that are asked for at a time: the answer takes some 100 bytes for each."""
POINTS = 100
"""Points of a trip that are asked for at a time."""


class Embedded:
    """The engine on the smallest loaded map that covers what is asked; `folder` holds the maps."""

    def __init__(self, folder: Path | None, snap: float) -> None:
        self.folder = folder
        self.snap = snap

    def check(self) -> None:
        """Raise `PluginError` where the engine is missing, `Rejected` where no map has roads."""
        bindings()
        if not any(one.profiles for one in self.maps()):
            raise Rejected(f"no map with roads is loaded in {self.place()}; run: hub map load")

    def matrix(self, legs: Legs) -> Matrix:
        """Return the table; places without a road near get negative cells."""
        size = len(legs.points)
        table = Table(size)
        if size < 2:
            return table.matrix()
        engine = self.engine(self.map_of(legs.points, legs.profile), legs.profile)
        for block in blocks(size, CELLS, size):
            self.fill(engine, legs.points, block, table)
        return table.matrix()

    def fill(self, engine: Any, points: Sequence[Location], block: Block, table: Table) -> None:
        """Ask for one block and fill it in."""
        rows, columns = block
        whole = len(rows) == len(columns) == len(points)
        asked = rows if whole else [*rows, *columns]
        parameters = bindings().TableParameters(
            coordinates=[(points[index].lon, points[index].lat) for index in asked],
            sources=[] if whole else list(range(len(rows))),
            destinations=[] if whole else list(range(len(rows), len(asked))),
            annotations=["duration", "distance"],
            generate_hints=False,
        )
        found = engine.Table(parameters)
        table.put(
            block,
            [list(row) for row in found["durations"]],
            [list(row) for row in found["distances"]],
        )
        far = [at for at, place in zip(rows, found["sources"], strict=True) if self.is_far(place)]
        far += [
            at
            for at, place in zip(columns, found["destinations"], strict=True)
            if self.is_far(place)
        ]
        table.cut(far)

    def is_far(self, waypoint: Any) -> bool:
        """Say whether the road that was found for a place is not near it."""
        return float(waypoint["distance"]) > self.snap

    def directions(self, trip: Trip) -> Way:
        """Return the way, leg by leg; raise `Rejected` where there is none."""
        chosen = self.map_of(trip.points, trip.profile)
        engine = self.engine(chosen, trip.profile)
        legs: list[WayLeg] = []
        for points in pieces(trip.points, POINTS):
            parameters = bindings().RouteParameters(
                coordinates=[(point.lon, point.lat) for point in points],
                radiuses=[float(self.snap)] * len(points),
                steps=True,
                geometries="geojson",
                overview="false",
                generate_hints=False,
            )
            try:
                found = engine.Route(parameters)
            except RuntimeError as error:
                raise Rejected(no_way(str(error), len(legs))) from error
            legs += read_route(found)
        return Way(legs=tuple(legs), credit=chosen.credit)

    def map_of(self, points: Iterable[Location], profile: Profile) -> LoadedMap:
        """Return the map to use; raise `Rejected` where none covers all points."""
        points = tuple(points)
        for one in self.maps():
            if one.osrm(profile) is not None and one.covers(points):
                return one
        raise Rejected(f"no loaded map covers all places for a {profile}; load a larger one")

    def engine(self, chosen: LoadedMap, profile: Profile) -> Any:
        """Return the engine of a map; it is opened once in each process."""
        path = chosen.osrm(profile)
        if path is None:
            raise Rejected(f"the map {chosen.title} has no roads for a {profile}")
        try:
            changed = path.with_name(f"{path.name}.hsgr").stat().st_mtime_ns
        except OSError as error:
            raise Rejected(f"the map {chosen.title} is not whole; load it again") from error
        return opened(str(path), changed, os.getpid())

    def maps(self) -> tuple[LoadedMap, ...]:
        """Return the loaded maps, the smallest first."""
        return loaded(self.place())

    def place(self) -> Path:
        """Return where the maps lie."""
        return self.folder or Settings.read().directory / "maps"


def bindings() -> Any:
    """Return the module of the engine; raise `PluginError` that says how to get it."""
    try:
        return import_module("osrm")
    except ImportError as error:
        raise PluginError(
            "OSRM is not installed: pip install 'lastmile-hub[maps]' with Python 3.12 or newer, "
            "or name a server in the settings"
        ) from error


@lru_cache(maxsize=8)
def opened(path: str, changed: int, process: int) -> Any:
    """Return the engine on a road graph; another one after a fork or when the map was replaced."""
    return bindings().OSRM(storage_config=path, use_shared_memory=False, algorithm="CH")


def no_way(said: str, before: int = 0) -> str:
    """Return in words for people why OSRM found no way; `before` points of the trip were asked."""
    code, _, text = said.partition(" - ")
    if code == "NoSegment":
        number = re.search(r"\d+", text)
        which = f"place {before + int(number[0]) + 1}" if number else "a place"
        return f"{which} of the trip has no road near it"
    if code == "NoRoute":
        return "there is no way between the places of the trip"
    return f"OSRM found no way: {text or code}"
