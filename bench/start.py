"""What starting costs: `import hub` beside `import flask`, and `hub --help`; one JSON line."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

RUNS = 9


def seconds(*words: str) -> float:
    """Return the wall seconds of one Python process."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Take turns, so that a busy moment hits all alike, and print the medians."""
    turns = {
        "python": ("-c", "pass"),
        "import_hub": ("-c", "import hub"),
        "import_flask": ("-c", "import flask"),
        "hub_help": ("-m", "hub", "--help"),
    }
    taken: dict[str, list[float]] = {name: [] for name in turns}
    for _ in range(RUNS):
        for name, words in turns.items():
            taken[name].append(seconds(*words))
    figures = {name: round(statistics.median(values), 4) for name, values in taken.items()}
    ratio = (figures["import_hub"] - figures["python"]) / (
        figures["import_flask"] - figures["python"]
    )
    print(json.dumps({"bench": "start", **figures, "ratio_hub_to_flask": round(ratio, 3)}))


if __name__ == "__main__":
    main()
