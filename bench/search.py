"""Plain PyVRP beside our search at equal CPU time; one JSON line per file and time.

`python bench/search.py FILE... --seconds 5 10 --seeds 1 2 3` reads VRPLIB files; the best-known
cost comes from the `.sol` or the `bks_dimacs.csv` beside a file. Plain PyVRP searches as if there
were no end, so one run of it for the longest time tells what it has after the shorter ones.
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

BROKEN = 2**62
"""What PyVRP says that a solution costs which breaks a limit, at the least."""


class Cpu:
    """Stops PyVRP when this process has had its seconds, and keeps its best costs on the way."""

    def __init__(self, times: list[float]) -> None:
        self.began = time.process_time()
        self.times, self.costs = sorted(times), dict[float, float]()

    def __call__(self, best_cost: float) -> bool:
        spent = time.process_time() - self.began
        broken = best_cost >= BROKEN
        for one in self.times:
            if one <= spent and one not in self.costs:
                self.costs[one] = float("inf") if broken else best_cost
        return len(self.costs) == len(self.times)


def read(path: Path) -> tuple[ProblemData, float]:
    """Return the problem and the scale of its costs, made whole as its set is published.

    Windows are counted in tenths (DIMACS). Distances of the Solomon files are cut after the first
    decimal, whatever their header says. Several depots or kinds of vehicles: thousandths, in which
    their best known costs are told, as are prizes in tenths.
    """
    raw = vrplib.read_instance(path, compute_edge_weights=False)
    if "vehicles_depot" in raw or np.ndim(raw.get("capacity", 0)):
        return pyvrp.read(path, round_func="exact"), 1.0
    if "time_window" not in raw:
        return pyvrp.read(path, round_func="round"), 1.0
    data = pyvrp.read(path, round_func="dimacs")
    if raw.get("edge_weight_type") in ("EUC_2D", "FLOOR_2D") and "prize" not in raw:
        spots = np.asarray(raw["node_coord"], dtype=np.float64)
        ways = np.sqrt(((spots[:, None] - spots[None]) ** 2).sum(axis=2))
        tenths = [(10 * ways).astype(np.int64)] * data.num_profiles
        data = data.replace(distance_matrices=tenths, duration_matrices=tenths)
    return data, 1.0 if "prize" in raw else 10.0


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


def compare(
    data: ProblemData, times: list[float], seeds: list[int]
) -> dict[float, dict[str, list[float]]]:
    """Return the costs of both after each time, one for each seed."""
    costs = {one: {"plain": list[float](), "search": list[float]()} for one in times}
    for seed in seeds:
        clock = Cpu(times)
        pyvrp.solve(data, clock, seed=seed, collect_stats=False, display=False)
        for one in times:
            costs[one]["plain"].append(clock.costs[one])
            ours = search(data, one, seed, clock=time.process_time)
            costs[one]["search"].append(cost(ours))
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
        for seconds, both in compare(data, asked.seconds, asked.seeds).items():
            line: dict[str, Any] = {"instance": path.stem, "seconds": seconds, "best_known": known}
            for name, costs in both.items():
                middle = statistics.median(costs) / scale
                line[name] = middle if middle < float("inf") else None
                if known and line[name] is not None:
                    line[f"{name}_gap_pct"] = round(100 * (middle / known - 1), 3)
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
