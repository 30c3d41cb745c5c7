"""How long a warm re-optimisation takes until it is written down, and what it gains; one JSON line.

A day of routes that insertion alone has made, on SQLite with straight travel times, at 460 stops
with 24 drivers and at 1,000 with 100. `wall` has all of it: the reading, the matrix, the search,
the choice of what is kept and the writing. `longest_write` is the longest that a transaction has
held the database, in milliseconds of its thread. The second search of a day begins where the first
has ended, as in a worker that lives on.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from live_day import DAY, lay

from hub.dispatch import changes, reoptimisations, reworking
from hub.hub import Hub
from hub.store import ReoptimisationRow, System

WRITES: list[float] = []


def measure(stops: int, drivers: int) -> dict[str, object]:
    """Better one day twice and return what it took and brought."""
    with tempfile.TemporaryDirectory() as place:
        hub, world = lay(Path(place), stops, drivers)
        searches = [search(hub, world.depot) for _ in range(2)]
        hub.close()
    return {"stops": stops, "drivers": drivers, "searches": searches}


def search(hub: Hub, depot: str) -> dict[str, object]:
    """Better a day once."""
    WRITES.clear()
    with hub.store.write(System()) as session:
        row = reoptimisations.begun(session, depot, DAY, "bench")
    began, cpu = time.perf_counter(), time.process_time()
    done: ReoptimisationRow = reworking.now(hub, row.id)
    return {
        "wall": round(time.perf_counter() - began, 2),
        "cpu": round(time.process_time() - cpu, 2),
        "state": done.state,
        "moved": done.moved,
        "routes": done.routes,
        "gain_minutes": done.gain_seconds // 60,
        "writes": len(WRITES),
        "longest_write": round(max(WRITES, default=0), 1),
    }


def watch() -> None:
    """Note how long each write of changed routes takes."""
    write = changes.apply_groups

    def watched(*given: Any) -> dict[str, str]:
        began = time.thread_time()
        stamps = write(*given)
        WRITES.append((time.thread_time() - began) * 1000)
        return stamps

    reworking.apply_groups = watched


def main() -> None:
    """Measure both days."""
    watch()
    print(json.dumps({"bench": "reoptimise", "days": [measure(460, 24), measure(1000, 100)]}))


if __name__ == "__main__":
    main()
