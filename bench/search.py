"""Plain PyVRP beside our search at equal CPU time; one JSON line per file and time.

`python bench/search.py FILE... --seconds 5 10 --seeds 1 2 3` reads VRPLIB files; the best-known
cost comes from the `.sol` or the `bks_dimacs.csv` beside a file.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import statistics
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyvrp
import vrplib
from pyvrp import ProblemData, Solution

from hub.builtin.pyvrp.search import search


class Cpu:
    """Stops PyVRP when this process has had its seconds."""

    def __init__(self, seconds: float) -> None:
        self.end = time.process_time() + seconds

    def __call__(self, best_cost: float) -> bool:
        return time.process_time() >= self.end


def read(path: Path) -> tuple[ProblemData, float]:
    """Return the problem and the scale of its costs: windows are counted in tenths (DIMACS).

    Distances of the Solomon files are cut after the first decimal, whatever their header says.
    """
    raw = vrplib.read_instance(path, compute_edge_weights=False)
    if "time_window" not in raw:
        return pyvrp.read(path, round_func="round"), 1.0
    data = pyvrp.read(path, round_func="dimacs")
    if raw.get("edge_weight_type") in ("EUC_2D", "FLOOR_2D"):
        spots = np.asarray(raw["node_coord"], dtype=np.float64)
        ways = np.sqrt(((spots[:, None] - spots[None]) ** 2).sum(axis=2))
        tenths = [(10 * ways).astype(np.int64)] * data.num_profiles
        data = data.replace(distance_matrices=tenths, duration_matrices=tenths)
    return data, 10.0


def best_known(path: Path) -> float | None:
    """Return the best-known cost beside a file."""
    if path.with_suffix(".sol").exists():
        found = re.search(r"Cost:?\s*([\d.]+)", path.with_suffix(".sol").read_text())
        return float(found[1]) if found else None
    table = path.parent / "bks_dimacs.csv"
    if table.exists():
        with table.open(newline="") as file:
            rows = {row[0]: row[1] for row in csv.reader(file) if len(row) > 1}
        return float(rows[path.stem]) if path.stem in rows else None
    return None


def cost(solution: Solution) -> float:
    """Return the cost, infinite where a limit is broken."""
    if not solution.is_feasible():
        return float("inf")
    way = solution.distance_cost() + solution.duration_cost() + solution.fixed_vehicle_cost()
    return way + solution.uncollected_prizes()


def compare(data: ProblemData, seconds: float, seeds: list[int]) -> dict[str, list[float]]:
    """Return the costs of both, one for each seed."""
    costs: dict[str, list[float]] = {"plain": [], "search": []}
    for seed in seeds:
        plain = pyvrp.solve(data, Cpu(seconds), seed=seed, collect_stats=False, display=False)
        costs["plain"].append(cost(plain.best))
        ours = search(data, seconds, seed, clock=time.process_time)
        costs["search"].append(cost(ours))
    return costs


def main() -> None:
    """Print the median costs and gaps of every file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--seconds", nargs="+", type=float, default=[10.0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    for path in asked.files:
        data, scale = read(path)
        known = best_known(path)
        for seconds in asked.seconds:
            line: dict[str, Any] = {"instance": path.stem, "seconds": seconds, "best_known": known}
            for name, costs in compare(data, seconds, asked.seeds).items():
                middle = statistics.median(costs) / scale
                line[name] = middle if middle < float("inf") else None
                if known and line[name] is not None:
                    line[f"{name}_gap_pct"] = round(100 * (middle / known - 1), 3)
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
