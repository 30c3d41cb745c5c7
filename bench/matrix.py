"""Time matrices: the embedded OSRM on a real map, and straight lines; one JSON line, CPU seconds.

It takes `liechtenstein.osm.pbf` of HUB_MAPS, or of ../shared/maps, else the extract that is named:
`python bench/matrix.py EXTRACT.osm.pbf`. Without OSRM it measures straight lines alone.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from hub.builtin.osrm import Osrm, OsrmConfig
from hub.builtin.straight import Straight, StraightConfig
from hub.nouns import Legs, Location, Trip
from hub.testing.road_graph import build

SHARED = Path(__file__).resolve().parents[2] / "shared" / "maps"
BOUNDS = (47.04, 9.47, 47.28, 9.64)


def places(count: int) -> tuple[Location, ...]:
    """Return places in the valley of the Rhine."""
    dice = random.Random(count)
    return tuple(
        Location(lat=dice.uniform(47.07, 47.22), lon=dice.uniform(9.50, 9.53)) for _ in range(count)
    )


def cpu(call: Callable[[], Any], times: int = 5) -> float:
    """Return the median CPU seconds of a call, all its threads counted."""
    call()
    taken = []
    for _ in range(times):
        began = time.process_time()
        call()
        taken.append(time.process_time() - began)
    return round(median(taken), 4)


def main() -> None:
    """Build the map, measure, print."""
    named = sys.argv[1:] or [Path(os.environ.get("HUB_MAPS", SHARED)) / "liechtenstein.osm.pbf"]
    extract = Path(named[0])
    straight = Straight(StraightConfig())
    many = Legs(points=places(2000))
    figures: dict[str, Any] = {
        "bench": "matrix",
        "straight_2000x2000": cpu(lambda: straight.matrix(many)),
    }
    if find_spec("osrm") is None or not extract.is_file():
        lacks = "osrm-bindings" if find_spec("osrm") is None else str(extract.name)
        print(json.dumps({**figures, "without": lacks}))
        return
    with tempfile.TemporaryDirectory() as folder:
        build(extract, Path(folder), bounds=BOUNDS)
        osrm = Osrm(OsrmConfig(maps=Path(folder)))
        for size in (200, 1000):
            legs = Legs(points=places(size))
            figures[f"osrm_{size}x{size}"] = cpu(lambda legs=legs: osrm.matrix(legs))  # type: ignore[misc]
        near = Trip(points=(Location(lat=47.141, lon=9.5209), Location(lat=47.0656, lon=9.5025)))
        figures["osrm_way"] = cpu(lambda: osrm.directions(near))
        rows = [(47.1 + at / 250, 9.51) for at in range(25)]
        long = Trip(points=tuple(Location(lat=lat, lon=lon) for lat, lon in rows))
        lenient = Osrm(OsrmConfig(maps=Path(folder), snap=5000))
        figures["osrm_way_25_stops"] = cpu(lambda: lenient.directions(long))
    print(json.dumps({**figures, "extract": extract.name}))


if __name__ == "__main__":
    main()
