"""Read a large file of orders in a worker-like process: rows/s and peak memory; one JSON line.

`python bench/imports.py 100000` reads as many rows; the default is 5,000.
"""

from __future__ import annotations

import csv
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from sqlmodel import select

from hub.fleet.roster import add_depot, add_merchant
from hub.hub import open_hub
from hub.nouns import Location
from hub.orders import imports
from hub.queue.entry import work
from hub.queue.work import claim
from hub.settings import Settings
from hub.store import ImportRow, Operator, Store, migrations
from hub.workflow.parts import assemble


def write_file(path: Path, rows: int) -> None:
    """Write a file in the hub's own template."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["ref", "name", "address", "postcode", "city", "lat", "lon", "article"])
        for row in range(rows):
            lat, lon = 47.0 + row % 997 / 10_000, 9.5 + row % 499 / 10_000
            place = [f"Street {row % 97}", "9490", "Vaduz", f"{lat:.5f}", f"{lon:.5f}"]
            writer.writerow([f"B-{row}", f"Customer {row}", *place, "Box"])


def peak_memory() -> int:
    """Return the most kilobytes that this program has held.

    What getrusage says counts from before the program was started: it is its parent's, if larger.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Import one file on a fresh SQLite database and print the figures."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.read({"HUB_DIRECTORY": folder})
        store = Store(settings.database_url)
        migrations.upgrade(store)
        store.close()
        hub = open_hub(settings)
        assemble(hub)
        with hub.store.write() as session:
            merchant = add_merchant(session, "Bench").id
            add_depot(session, "Vaduz", Location(lat=47.14, lon=9.52))
        path = Path(folder) / "orders.csv"
        write_file(path, rows)
        before = peak_memory()
        id = imports.start(hub, Operator("owner"), merchant, path.name, path.read_bytes())
        began = time.perf_counter()
        while claims := claim(hub.store, "heavy", "bench"):
            work(hub, claims[0])
        seconds = time.perf_counter() - began
        with hub.store.read() as session:
            row = session.exec(select(ImportRow).where(ImportRow.id == id)).one()
        peak = peak_memory()
        hub.close()
    figures = {
        "bench": "imports", "rows": row.rows, "created": row.created, "refused": row.refused,
        "seconds": round(seconds, 1), "rows_per_second": round(row.rows / seconds),
        "peak_mb": round(peak / 1024), "before_mb": round(before / 1024),
    }  # fmt: skip
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
