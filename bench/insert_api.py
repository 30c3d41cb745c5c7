"""What one more stop costs at 1,000 stops and 100 drivers, through the API; one JSON line.

The real application in this process on SQLite, with straight travel times; CPU milliseconds.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parent))
from live_day import client, lay

STOPS, DRIVERS, TIMES = 1000, 100, 60


def main() -> None:
    """Ask for the price of sixty stops and print how long an answer takes."""
    with tempfile.TemporaryDirectory() as place:
        hub, world = lay(Path(place), STOPS, DRIVERS)
        staff = client(hub)
        random = Random(7)
        new = [world.open_stop(random) for _ in range(TIMES + 5)]
        spent, fitted = [], 0
        for number, id in enumerate(new):
            began = time.thread_time()
            told = staff.post(f"/api/v1/stops/{id}/insert", json={"dry": True})
            if number >= 5:
                spent.append((time.thread_time() - began) * 1000)
                fitted += told.status_code == 200
        hub.close()
    spent.sort()
    print(json.dumps({
        "bench": "insert_api", "stops": STOPS, "drivers": DRIVERS, "asked": TIMES,
        "fitted": fitted, "cpu_ms_p50": round(statistics.median(spent), 1),
        "cpu_ms_p95": round(spent[int(len(spent) * 0.95)], 1),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
