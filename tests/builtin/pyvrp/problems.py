"""Small problems made up for the tests of the search."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
from pyvrp import Client, Depot, Location, ProblemData, VehicleType

SIDE, DAY = 1_000, 8_000


def problem(
    stops: int = 60,
    seed: int = 1,
    windows: int | None = None,
    prize: int = 0,
    depots: int = 1,
    fleet: list[VehicleType] | None = None,
    **client: Any,
) -> ProblemData:
    """Return stops at random in a square; `windows` is their width, a prize makes them optional."""
    draw = Random(seed)
    places = [Location(draw.randrange(SIDE), draw.randrange(SIDE)) for _ in range(stops + depots)]
    spots = np.array([(place.x, place.y) for place in places])
    ways = np.sqrt(((spots[:, None] - spots[None]) ** 2).sum(axis=2)).astype(np.int64)
    clients = []
    for index in range(stops):
        early = draw.randrange(DAY // 4, DAY // 2) if windows else 0
        late = early + windows if windows else DAY
        clients.append(
            Client(
                depots + index,
                delivery=[draw.randint(1, 9)],
                service_duration=10,
                tw_early=early,
                tw_late=late,
                prize=prize,
                required=not prize,
                **client,
            )
        )
    fleet = fleet or [VehicleType(max(1, stops), capacity=[50], tw_late=DAY)]
    return ProblemData(places, clients, [Depot(i) for i in range(depots)], fleet, [ways], [ways])


class Steps:
    """A clock that only goes on when it is read."""

    def __init__(self, each: float = 0.01) -> None:
        self.each, self.now, self.reads = each, 0.0, 0

    def __call__(self) -> float:
        self.now += self.each
        self.reads += 1
        return self.now
