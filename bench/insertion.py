"""Find the cheapest place for one more stop among 1,000 stops of 100 vehicles; one JSON line.

`python bench/insertion.py 4000 300` takes as many stops and vehicles. `kept`: the routes stay in
memory from one insertion to the next, each of which is accepted; `cold`: they are read anew.
CPU milliseconds of this thread.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from random import Random

from hub.nouns import Matrix, Problem, ProblemStop, ProblemVehicle
from hub.planning.insertion import cheapest, find
from hub.planning.quotes import Fleet

MEASURED = 200
DAY = 36_000


def problem(stops: int, vehicles: int) -> Problem:
    """Return a day of two-hour windows on a square, with as many stops as fit."""
    chance = Random(1)
    places = [(chance.random() * 10_000, chance.random() * 10_000) for _ in range(stops + 1)]
    cells = [[int(((a - c) ** 2 + (b - d) ** 2) ** 0.5 / 10) for c, d in places] for a, b in places]
    opens = [chance.randrange(0, DAY - 9000) for _ in range(stops)]
    return Problem(
        stops=tuple(
            ProblemStop(id=f"s{n}", point=n + 1, service=300, deliver=(chance.randint(1, 4),),
                        windows=((low, low + 7200),))
            for n, low in enumerate(opens)
        ),
        vehicles=tuple(
            ProblemVehicle(id=f"v{n}", start=0, end=0, capacity=(stops // vehicles * 4,),
                           shift=(0, DAY))
            for n in range(vehicles)
        ),
        matrix=Matrix(seconds=cells, metres=cells),
    )  # fmt: skip


def main() -> None:
    """Measure and print the figures."""
    count, vehicles = (int(word) for word in (*sys.argv[1:], "1000", "100")[:2])
    asked = problem(count + MEASURED, vehicles)
    fleet = Fleet(asked, deal(asked, count, vehicles))
    new = asked.stops[-MEASURED:]
    sequences = fleet.sequences()
    cold = [timed(lambda stop=stop: cheapest(asked, sequences, stop)) for stop in new]
    kept = [timed(lambda stop=stop: accept(fleet, stop)) for stop in new]
    print(
        json.dumps(
            {
                "bench": "insertion", "stops": count, "vehicles": vehicles,
                **figures("kept", kept), **figures("cold", cold),
            }
        )
    )  # fmt: skip


def deal(asked: Problem, count: int, vehicles: int) -> dict[str, list[ProblemStop]]:
    """Return routes on all vehicles, each filled with stops in the order of their windows."""
    routes: dict[str, list[ProblemStop]] = {f"v{n}": [] for n in range(vehicles)}
    fleet = Fleet(asked, {})
    for number, stop in enumerate(sorted(asked.stops[:count], key=lambda one: one.windows)):
        vehicle = f"v{number % vehicles}"
        fleet.change(vehicle, [*routes[vehicle], stop])
        if not fleet.lanes[number % vehicles].late:
            routes[vehicle].append(stop)
    return routes


def accept(fleet: Fleet, stop: ProblemStop) -> None:
    """Put a stop in where it is cheapest."""
    found = find(fleet, stop)
    if found:
        fleet.change(found[0].vehicle, found[0].items)


def timed(work: Callable[[], object]) -> float:
    """Return the CPU milliseconds that `work` takes."""
    began = time.thread_time()
    work()
    return (time.thread_time() - began) * 1000


def figures(name: str, times: list[float]) -> dict[str, float]:
    """Return the median and the 95th percentile."""
    ranked = sorted(times)
    return {
        f"{name}_p50_ms": round(ranked[len(ranked) // 2], 2),
        f"{name}_p95_ms": round(ranked[len(ranked) * 95 // 100], 2),
    }


if __name__ == "__main__":
    main()
