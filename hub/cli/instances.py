"""Read benchmark instances (VRPLIB, Solomon) as problems, with their best known cost."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hub.cli.vrplib import Text, solomon, vrplib
from hub.errors import Refused
from hub.nouns import Costs, Matrix, Problem, ProblemStop, ProblemVehicle, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

Rounding = Literal["auto", "round", "trunc", "dimacs", "exact"]
SCALES: Mapping[str, int] = {"round": 1, "trunc": 1, "dimacs": 10, "exact": 1000}
"""By what distances and times are multiplied before they are made whole: rounded, or, by `trunc`
and `dimacs`, cut off."""
LATEST = 2**30
MOST_VEHICLES = 20_000
"""More than any plan has stops; a load that is a slip of the pen would ask for more."""
UNKNOWN = ("VEHICLES_MAX_DURATION", "DISTANCE", "MAX_DURATION")
"""Fields that change the task and no problem of ours can ask."""
KNOWN = frozenset(
    f"{name}_SECTION"
    for name in (
        "NODE_COORD", "EDGE_WEIGHT", "DEMAND", "BACKHAUL", "TIME_WINDOW", "SERVICE_TIME", "DEPOT",
        "CAPACITY", "VEHICLES_UNIT_DISTANCE_COST", "VEHICLES_FIXED_COST", "VEHICLES_MAX_DISTANCE",
        "VEHICLES_DEPOT", "DISPLAY_DATA",
    )
)  # fmt: skip
"""Sections that are read, or only there to be looked at; any other may change the task."""
FLAT = ("", "EUC_2D", "FLOOR_2D", "EXACT_2D", "EXPLICIT")
"""Sorts of distances."""


@dataclass(frozen=True)
class Instance:
    """A known task as a problem; costs are its metres, `scale` of them a unit of the file's."""

    name: str
    problem: Problem
    scale: int
    best: int | None
    """Best known cost, in metres of the problem."""

    def units(self, cost: int) -> float:
        """Return a cost in the units in which results are published."""
        return cost / self.scale


def instance(path: Path, rounding: Rounding = "auto", best: float | None = None) -> Instance:
    """Return the instance in a file; raise `Refused` saying what cannot be read or asked.

    `best` is the best known cost in published units; without it a .sol beside the file counts, or
    a row of a .csv there whose name contains "bks".
    """
    if path.is_dir():
        raise Refused(f"there is no .vrp or .txt file in {path}", "file")
    if not path.is_file():
        raise Refused(f"{path} is no file", "file")
    words = path.read_text(encoding="utf-8", errors="replace")
    if not words.strip():
        raise Refused(f"{path.name} is empty", "file")
    text = vrplib(path, words) if "DIMENSION" in words.upper() else solomon(path, words)
    understood(path, text)
    how = rounding if rounding != "auto" else usual(text)
    scale = 1 if text.weights else int(text.number("SCALE", SCALES[how]))
    try:
        problem = asked(path, text, distances(path, text, how, scale), scale)
    except (ValueError, LookupError, OverflowError) as error:
        raise Refused(f"{path.name} makes no sense: {error}", "file") from error
    found = best if best is None else best * scale
    return Instance(
        name=path.stem,
        problem=problem,
        scale=scale,
        best=known(path, problem, scale) if found is None else round(found),
    )


def understood(path: Path, text: Text) -> None:
    """Raise `Refused` for what changes the task and cannot be asked for."""
    for name in (*text.sections, *text.fields):
        if name in UNKNOWN or (name in text.sections and name not in KNOWN):
            raise Refused(
                f"{path.name} has a {name}, which no plan of ours can be asked for", "file"
            )
    sort = text.fields.get("EDGE_WEIGHT_TYPE", "")
    if sort not in FLAT:
        raise Refused(f"{path.name}: distances of the sort {sort[:40]} are not known", "file")


def usual(text: Text) -> str:
    """Return how the distances of a set are made whole where it is published."""
    several = len(text.depots) > 1 or "CAPACITY_SECTION" in text.sections
    if several:
        return "exact"
    if text.fields.get("EDGE_WEIGHT_TYPE") == "FLOOR_2D" or "TIME_WINDOW_SECTION" in text.sections:
        return "dimacs"
    return "round"


def distances(path: Path, text: Text, how: str, scale: int) -> NDArray[Any]:
    """Return the whole distances from node to node."""
    import numpy as np

    if text.weights:
        given: NDArray[Any] = np.rint(np.array(text.weights)).astype(np.intc)
        return given
    xy = np.array(text.coordinates, dtype=float)
    if not np.isfinite(xy).all():
        raise Refused(f"{path.name} has a coordinate that is no number", "file")
    far = np.sqrt(((xy[:, None] - xy[None]) ** 2).sum(axis=-1)) * scale
    made = np.floor(far + 1e-9) if how in ("trunc", "dimacs") else np.rint(far)
    if made.max() >= LATEST:
        raise Refused(f"{path.name} has distances that are too long for whole numbers", "file")
    whole: NDArray[Any] = made.astype(np.intc)
    return whole


def asked(path: Path, text: Text, far: NDArray[Any], scale: int) -> Problem:
    """Return the problem: every stop optional, a metre costs 1, a second nothing."""
    windows = text.windows(scale)
    latest = min(LATEST, int(far.max(axis=1).sum()) + 1)
    if "TIME_WINDOW_SECTION" in text.sections:
        latest = min(LATEST, max(high for _, high in windows))
    service = text.numbers("SERVICE_TIME", scale)
    demand, backhaul = text.numbers("DEMAND"), text.numbers("BACKHAUL")
    depots = set(text.depots)
    stops = tuple(
        ProblemStop(
            id=str(node),
            point=node,
            service=service[node],
            deliver=(demand[node],),
            collect=(backhaul[node],) if backhaul[node] else (),
            windows=(windows[node],) if windows[node] != (0, LATEST) else (),
        )
        for node in range(len(far))
        if node not in depots
    )
    return Problem(
        stops=stops,
        vehicles=fleet(path, text, sum(demand), latest, windows),
        matrix=Matrix(seconds=far, metres=far),
    )


def fleet(
    path: Path, text: Text, demand: int, latest: int, windows: list[Window]
) -> tuple[ProblemVehicle, ...]:
    """Return the vehicles of an instance; where it sets no limit, some more than its load needs."""
    sizes = text.each("CAPACITY")
    if not sizes or min(sizes) <= 0:
        raise Refused(f"{path.name} says nothing of capacities", "file")
    count = int(text.number("VEHICLES")) or ceil(1.2 * demand / sizes[0]) + 3
    if not 1 <= count <= MOST_VEHICLES:
        raise Refused(
            f"{path.name} asks for {count:,} vehicles; a plan has 1 to {MOST_VEHICLES:,}", "file"
        )
    costs = text.each("VEHICLES_UNIT_DISTANCE_COST") or [1]
    fixed = text.each("VEHICLES_FIXED_COST") or [0]
    farthest = text.each("VEHICLES_MAX_DISTANCE")
    homes = [text.node(one) for one in text.each("VEHICLES_DEPOT")] or [text.depots[0]]
    made = []
    for number in range(count):
        home = homes[min(number, len(homes) - 1)]
        low, high = windows[home]
        made.append(
            ProblemVehicle(
                id=str(number + 1),
                start=home,
                end=home,
                capacity=(sizes[min(number, len(sizes) - 1)],),
                shift=(low, min(high, latest)),
                costs=Costs(
                    fixed=fixed[min(number, len(fixed) - 1)],
                    per_second=0,
                    per_metre=costs[min(number, len(costs) - 1)],
                    per_overtime_second=0,
                ),
                most_metres=farthest[min(number, len(farthest) - 1)] if farthest else None,
            )
        )
    return tuple(made)


def known(path: Path, problem: Problem, scale: int) -> int | None:
    """Return the best known cost from the files beside an instance, in metres."""
    beside = path.with_suffix(".sol")
    if beside.is_file():
        return solution(beside.read_text(), problem, scale)
    for table in sorted(path.parent.glob("*bks*.csv")):
        with table.open(newline="") as file:
            for row in csv.reader(file):
                if len(row) > 1 and row[0].strip() == path.stem:
                    return round(float(row[1]) * scale)
    return None


def solution(words: str, problem: Problem, scale: int) -> int | None:
    """Return the cost that a .sol tells: of the two readings the one that its routes have."""
    told = re.search(r"(?im)^\s*cost\s*:?\s*([\d.]+)", words)
    routes = re.findall(r"(?im)^\s*route\s*#?\s*(\d+)\s*:(.*)$", words)
    if told is None:
        return None
    cost = float(told[1])
    driven = sum(way(problem, int(number), stops.split()) for number, stops in routes)
    if not routes:
        return round(cost if scale > 10 else cost * scale)
    nearest = cost if abs(cost - driven) <= abs(cost * scale - driven) else cost * scale
    return round(nearest)


def way(problem: Problem, number: int, nodes: list[str]) -> int:
    """Return what a route of a .sol costs, which numbers stops from 1."""
    vehicle = problem.vehicles[min(number, len(problem.vehicles)) - 1]
    if not nodes:
        return 0
    first = len({one.start for one in problem.vehicles}) - 1
    points: list[int] = [vehicle.start, *(int(node) + first for node in nodes), vehicle.end]
    metres = problem.matrix.metres
    if max(points) >= len(metres):
        return 0
    driven: int = sum(metres[a][b] for a, b in pairwise(points))
    return vehicle.costs.fixed + vehicle.costs.per_metre * driven
