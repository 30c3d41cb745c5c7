"""How long write transactions of a whole day hold the database, by kind; one JSON line.

`python bench/writes.py` plays the day of `hub.testing.writing` on SQLite, on a database server
with its address as an argument (an empty database). Times are milliseconds by a transaction's own
doing: what it could have gone on but other processes had the cores is left out. `over` counts those
of more than 50 ms; on a busy or slow machine there are some.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

from live_day import open_empty

from hub.hub import Hub
from hub.queue.bell import install
from hub.store import DepotRow, MerchantRow
from hub.store.tracing import TRACE, Traced, read
from hub.testing.fixtures import MORNING, World
from hub.testing.town import Town
from hub.testing.writing import PROCESSES, WritingDay
from hub.workflow.parts import assemble, load_workflows

LIMIT = 50.0
"""Milliseconds."""
SHOWN = 6
"""Kinds that are named, those with the longest middle first."""


def town(hub: Hub) -> Town:
    """Return a town without drivers."""
    with hub.store.write() as session:
        merchant = MerchantRow(name="Bench", slug="bench")
        depot = DepotRow(name="Vaduz", lat=47.1410, lon=9.5209)
        session.add_all([merchant, depot])
        session.flush()
        return Town(hub, World(merchant.id, depot.id, "", ""))


def play(folder: Path, url: str) -> list[Traced]:
    """Play the day and return its transactions."""
    hub = open_empty(folder, MORNING, url)
    install(hub)
    assemble(hub)
    load_workflows(hub)
    day = WritingDay(town(hub))
    environ = os.environ | hub.settings.environ() | {"HUB_DIRECTORY": str(folder)}
    os.environ[TRACE] = environ[TRACE] = str(folder / "writes")
    processes = [
        subprocess.Popen([sys.executable, "-m", "hub", *words], env=environ) for words in PROCESSES
    ]
    gc.freeze()  # as every process of the hub does at its start
    try:
        day.play()
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
        hub.close()
    return read(folder / "writes")


def figures(held: list[float]) -> dict[str, Any]:
    """Return the figures of milliseconds."""
    held = sorted(held)
    return {
        "count": len(held),
        "median": round(median(held), 1),
        "p99": round(held[len(held) * 99 // 100], 1),
        "longest": round(held[-1], 1),
        "over": sum(one > LIMIT for one in held),
    }


def main(url: str = "") -> None:
    """Play and print."""
    with tempfile.TemporaryDirectory() as name:
        done = play(Path(name), url)
    kinds: dict[str, list[float]] = defaultdict(list)
    for one in done:
        kinds[one.name].append(one.held * 1000)
    longest = sorted(kinds, key=lambda name: -median(kinds[name]))[:SHOWN]
    print(
        json.dumps(
            {
                "bench": "writes",
                "database": "server" if url else "sqlite",
                **figures([held for all in kinds.values() for held in all]),
                "kinds": {name: figures(kinds[name]) for name in longest},
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
