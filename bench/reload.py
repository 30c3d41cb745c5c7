"""How long `hub plugin dev` takes from a save to the plugin being loaded; one JSON line."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TIMES = 10


def main() -> None:
    """Save a plugin's module ten times and print the slowest and the median."""
    with tempfile.TemporaryDirectory() as place:
        hub = [sys.executable, "-m", "hub", "plugin"]
        words = ["new", "acme", "--order-source", "--into", place]
        subprocess.run([*hub, *words], check=True, capture_output=True)
        folder = Path(place) / "acme"
        process = subprocess.Popen(
            [*hub, "dev", str(folder), "--no-tests"], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout
        seconds = []
        for line in process.stdout:
            if "loaded after" not in line:
                continue
            found = re.search(r"after ([\d.]+) s", line)
            assert found
            seconds.append(float(found[1]))
            if len(seconds) > TIMES:
                break
            time.sleep(0.5)
            (folder / "hub_acme" / "__init__.py").touch()
        process.terminate()
        process.wait(10)
    after_save = seconds[1:]
    print(json.dumps({
        "bench": "reload", "saves": len(after_save),
        "seconds_median": statistics.median(after_save), "seconds_slowest": max(after_save),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
