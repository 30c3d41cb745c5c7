"""What loading a map costs: seconds by stage, memory, sizes, and a tile's and a look-up's time.

    python bench/map_load.py EXTRACT.osm.pbf [PROFILES]

Without an extract it says that one is needed, as one JSON line, and ends well.
"""

from __future__ import annotations

import json
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from hub.maps import LoadedMap
from hub.maps.load import load
from hub.maps.places import Places
from hub.nouns import Address
from hub.web.maps import packed_tile

LOOK_UPS = 500


def main(extract: Path, profiles: tuple[str, ...]) -> None:
    """Load one extract into a folder of its own and print what that took."""
    stages: dict[str, list[float]] = {}
    tell = lambda stage, _: stages.setdefault(stage, []).append(time.monotonic())  # noqa: E731
    with tempfile.TemporaryDirectory() as folder:
        began, cpu = time.monotonic(), time.process_time()
        done = load(Path(folder), extract, now=datetime.now(UTC), profiles=profiles, tell=tell)
        figures = {
            "bench": "map_load",
            "extract": extract.name,
            "megabytes": round(extract.stat().st_size / 1e6, 2),
            "seconds": round(time.monotonic() - began, 2),
            "cpu_seconds": round(time.process_time() - cpu + children().ru_utime, 2),
            "stages": {name: round(at[-1] - at[0], 2) for name, at in stages.items()},
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "children_peak_mb": round(children().ru_maxrss / 1024),
            "roads": list(done.map.profiles),
            "tiles": done.tiles,
            "addresses": done.map.addresses,
            "sizes_kb": sizes(done.map),
            **tile_times(done.map),
            "look_up_ms": look_up_time(done.map),
        }
    print(json.dumps(figures))


def children() -> resource.struct_rusage:
    """Return what the programs that were run have used."""
    return resource.getrusage(resource.RUSAGE_CHILDREN)


def sizes(one: LoadedMap) -> dict[str, int]:
    """Return the kilobytes of the parts of a map."""
    roads = [path for path in one.folder.rglob("osrm/**/*") if path.is_file()]
    parts = {"streets": [one.streets], "places": [one.places], "roads": roads}
    return {
        name: round(sum(path.stat().st_size for path in paths) / 1024)
        for name, paths in parts.items()
    }


def tile_times(one: LoadedMap) -> dict[str, float]:
    """Return how long reading a tile takes (median, in CPU ms) and how large the largest is."""
    with sqlite3.connect(one.streets) as database:
        rows = database.execute("SELECT z, x, y, length(data) FROM tiles").fetchall()
    taken = []
    for z, x, y, _ in rows:
        began = time.thread_time()
        packed_tile(one.streets, z, x, y)
        taken.append(1000 * (time.thread_time() - began))
    largest = max(row[3] for row in rows)
    return {"tile_ms": round(statistics.median(taken), 3), "tile_kb": round(largest / 1024, 1)}


def look_up_time(one: LoadedMap) -> float:
    """Return how long looking an address up takes, in CPU ms."""
    with sqlite3.connect(one.places) as database:
        rows = database.execute(
            "SELECT s.name, h.number, t.name FROM houses h JOIN streets s ON s.id = h.street "
            "JOIN towns t ON t.id = s.town LIMIT ?",
            (LOOK_UPS,),
        ).fetchall()
    if not rows:
        return 0.0
    places, began = Places(one.places), time.thread_time()
    for street, number, town in rows:
        places.find(Address(line1=f"{street} {number}", city=town))
    return round(1000 * (time.thread_time() - began) / len(rows), 3)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print(json.dumps({"bench": "map_load", "skipped": "give an extract: EXTRACT.osm.pbf"}))
    else:
        main(Path(sys.argv[1]), tuple(sys.argv[2].split(",")) if len(sys.argv) > 2 else ("car",))
