"""How long a warm re-optimisation takes and what it gains; one JSON line.

A day of routes that insertion alone has made, on SQLite with straight travel times, at 460 stops
with 24 drivers and at 1,000 with 100. `wall` has the reading, the matrix, the search and the choice
of what is kept.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from live_day import DAY, lay

from hub.dispatch import reoptimisations
from hub.dispatch.reoptimise import MOST_MOVED, SECONDS, improve, searching, survey
from hub.store import System


def measure(stops: int, drivers: int) -> dict[str, object]:
    """Better one day and return what it took and brought."""
    with tempfile.TemporaryDirectory() as place:
        hub, world = lay(Path(place), stops, drivers)
        began, cpu = time.perf_counter(), time.process_time()
        scene = survey(hub, System(), world.depot, DAY)
        read = time.perf_counter() - began
        found = improve(scene, searching(hub), MOST_MOVED, SECONDS - read)
        wall = time.perf_counter() - began
        with hub.store.write(System()) as session:
            row = reoptimisations.request(session, world.depot, DAY)
        began = time.perf_counter()
        done = reoptimisations.now(hub, row.id)
        whole = time.perf_counter() - began
        hub.close()
    return {
        "stops": stops,
        "drivers": drivers,
        "wall": round(wall, 2),
        "cpu": round(time.process_time() - cpu, 2),
        "read": round(read, 2),
        "engine": found.engine,
        "moved": found.moved,
        "gain_pct": round(100 * (1 - found.becomes[1] / found.was[1]), 2),
        "trouble": found.trouble,
        "written": {
            "wall": round(whole, 2), "state": done.state, "moved": done.moved,
            "gain_minutes": done.gain_seconds // 60,
        },
    }  # fmt: skip


def main() -> None:
    """Measure both days."""
    print(json.dumps({"bench": "reoptimise", "days": [measure(460, 24), measure(1000, 100)]}))


if __name__ == "__main__":
    main()
