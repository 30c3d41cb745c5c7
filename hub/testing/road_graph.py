"""A map with roads for tests and benchmarks, built from an extract with OSRM's own tools."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from hub.maps.catalogue import CREDIT, PLACES, STREETS, LoadedMap, write

EARTH = (-90.0, -180.0, 90.0, 180.0)


def tools() -> Path:
    """Return the folder of the package that brings OSRM's programs and profiles."""
    spec = find_spec("osrm")
    if spec is None or spec.origin is None:
        raise RuntimeError("osrm-bindings are not installed; they want Python 3.12 or newer")
    return Path(spec.origin).parent


def build(
    extract: Path,
    maps: Path,
    name: str = "test",
    bounds: tuple[float, float, float, float] = EARTH,
) -> LoadedMap:
    """Return a map for cars under `maps` that has roads, but neither streets to draw nor places."""
    folder = maps / name
    graph = folder / "osrm" / "car"
    graph.mkdir(parents=True)
    copy = graph / "map.osm.pbf"
    shutil.copyfile(extract, copy)
    profile = tools() / "share" / "profiles" / "car.lua"
    for words in (["osrm-extract", "-p", profile, copy], ["osrm-contract", graph / "map.osrm"]):
        program = tools() / "bin" / str(words[0])
        subprocess.run([program, *map(str, words[1:])], check=True, capture_output=True, cwd=graph)
    copy.unlink()
    for empty in (STREETS, PLACES):
        (folder / empty).touch()
    made = LoadedMap(
        name=name,
        title=extract.name.partition(".")[0].title(),
        folder=folder,
        bounds=bounds,
        profiles=("car",),
        credit=CREDIT,
        built_at=datetime.now(UTC),
    )
    write(folder, made)
    return made
