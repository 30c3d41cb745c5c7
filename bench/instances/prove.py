"""Make the instances beside this file, and prove what their best routes cost.

Every route that keeps the rules is listed, and CP-SAT chooses the cheapest set of them that visits
each stop once; it ends only when nothing cheaper is possible. Run as
`python bench/instances/prove.py`; it writes the .vrp and the .sol files anew.
"""

from __future__ import annotations

import random
from math import floor, hypot
from pathlib import Path

from ortools.sat.python import cp_model

FOLDER = Path(__file__).parent
Point = tuple[int, int]
Window = tuple[int, int]
Routes = dict[tuple[int, ...], int]
SERVICE = 10


def distances(points: list[Point], scale: int) -> list[list[int]]:
    """Return rounded distances for scale 1, and cut off tenths for scale 10."""
    half = 0.5 if scale == 1 else 0.0
    return [[floor(hypot(a[0] - b[0], a[1] - b[1]) * scale + half) for b in points] for a in points]


def routes(
    far: list[list[int]], demand: list[int], capacity: int, windows: list[Window] | None
) -> Routes:
    """Return the cheapest order of every set of stops that fits into one route."""
    best: dict[frozenset[int], tuple[int, tuple[int, ...]]] = {}
    # (set, last) -> the cost and time pairs that are worth keeping, with their order
    layer: dict[tuple[frozenset[int], int], list[tuple[int, int, tuple[int, ...]]]] = {
        (frozenset(), 0): [(0, 0, ())]
    }
    while layer:
        grown: dict[tuple[frozenset[int], int], list[tuple[int, int, tuple[int, ...]]]] = {}
        for (done, last), states in layer.items():
            for stop in range(1, len(far)):
                if stop in done or sum(demand[one] for one in done) + demand[stop] > capacity:
                    continue
                for cost, time, order in states:
                    at = time + far[last][stop]
                    if windows is not None:
                        at = max(at, windows[stop][0])
                        home = at + SERVICE * 10 + far[stop][0]
                        if at > windows[stop][1] or home > windows[0][1]:
                            continue
                        at += SERVICE * 10
                    keep(grown, (done | {stop}, stop), (cost + far[last][stop], at, (*order, stop)))
        for (done, last), states in grown.items():
            for cost, _, order in states:
                whole = cost + far[last][0]
                if done not in best or whole < best[done][0]:
                    best[done] = (whole, order)
        layer = grown
    return {order: cost for cost, order in best.values()}


def keep(
    layer: dict[tuple[frozenset[int], int], list[tuple[int, int, tuple[int, ...]]]],
    key: tuple[frozenset[int], int],
    state: tuple[int, int, tuple[int, ...]],
) -> None:
    """Add a state unless another one is at least as cheap and as early."""
    states = layer.setdefault(key, [])
    if any(one[0] <= state[0] and one[1] <= state[1] for one in states):
        return
    states[:] = [one for one in states if not (state[0] <= one[0] and state[1] <= one[1])]
    states.append(state)


def cheapest(found: Routes, stops: int, vehicles: int) -> tuple[int, list[tuple[int, ...]]]:
    """Return the cheapest set of routes that visits every stop once."""
    model = cp_model.CpModel()
    taken = {order: model.new_bool_var(str(order)) for order in found}
    for stop in range(1, stops + 1):
        model.add_exactly_one(taken[order] for order in found if stop in order)
    model.add(sum(taken.values()) <= vehicles)
    model.minimize(sum(cost * taken[order] for order, cost in found.items()))
    solver = cp_model.CpSolver()
    if solver.solve(model) != cp_model.OPTIMAL:
        raise SystemExit("no proof was found")
    return round(solver.objective_value), [order for order in found if solver.value(taken[order])]


def text(name: str, points: list[Point], demand: list[int], capacity: int, extra: str) -> str:
    """Return an instance in VRPLIB's form; `extra` is its fields and its sections, by a blank."""
    fields, sections = extra.split("\n\n")
    kind = "VRPTW" if "TIME_WINDOW" in sections else "CVRP"
    rows = [f"NAME : {name}", f"TYPE : {kind}", f"DIMENSION : {len(points)}", fields]
    rows += [f"CAPACITY : {capacity}", "EDGE_WEIGHT_TYPE : EUC_2D", "NODE_COORD_SECTION"]
    rows += [f"{number} {x} {y}" for number, (x, y) in enumerate(points, 1)]
    rows += ["DEMAND_SECTION", *(f"{n} {load}" for n, load in enumerate(demand, 1))]
    rows += [sections, "DEPOT_SECTION", "1", "-1", "EOF"]
    return "\n".join(row for row in rows if row) + "\n"


def write(name: str, words: str, cost: str, best: list[tuple[int, ...]]) -> None:
    """Write an instance and its best solution."""
    lines = [f"Route #{n}: {' '.join(map(str, order))}" for n, order in enumerate(best, 1)]
    (FOLDER / f"{name}.vrp").write_text(words)
    (FOLDER / f"{name}.sol").write_text("\n".join([*lines, f"Cost {cost}", ""]))


def main() -> None:
    """Make both instances."""
    luck = random.Random(20)
    points = [(luck.randrange(200), luck.randrange(200)) for _ in range(21)]
    demand = [0] + [luck.randrange(3, 10) for _ in range(20)]
    found = routes(distances(points, 1), demand, 30, None)
    cost, best = cheapest(found, 20, 20)
    write("village-20", text("village-20", points, demand, 30, "\n\n"), str(cost), best)
    points = [(50, 50), *((luck.randrange(100), luck.randrange(100)) for _ in range(20))]
    windows = [(0, 4500)]
    for _ in range(20):
        opens = luck.randrange(70, 240) * 10
        windows.append((opens, opens + 400))
    demand = [0] + [luck.randrange(5, 12) for _ in range(20)]
    found = routes(distances(points, 10), demand, 40, windows)
    cost, best = cheapest(found, 20, 12)
    rows = [f"{n} {low // 10} {high // 10}" for n, (low, high) in enumerate(windows, 1)]
    extra = f"VEHICLES : 12\nSERVICE_TIME : {SERVICE}\n\nTIME_WINDOW_SECTION\n" + "\n".join(rows)
    words = text("village-20-windows", points, demand, 40, extra)
    write("village-20-windows", words, f"{cost / 10:.1f}", best)


if __name__ == "__main__":
    main()
