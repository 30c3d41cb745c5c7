"""Part of a solution as a problem of its own: some routes, their stops, and vehicles to spare.

Vehicles share nothing but their number, so a better plan for some routes is a better plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyvrp import (
    Activity,
    ActivityType,
    Depot,
    ProblemData,
    Route,
    Solution,
)

from hub.builtin.pyvrp.copies import client, shipment

CLIENT, DEPOT = ActivityType.CLIENT, ActivityType.DEPOT
Stop = tuple[ActivityType, int]


def stops(route: Route) -> list[Stop]:
    """Return the stops and the reloads between, without the depots at both ends."""
    return [(visit.type, visit.idx) for visit in route][1:-1]


class Part:
    """Routes of a solution, taken out to be improved."""

    def __init__(
        self,
        data: ProblemData,
        routes: Sequence[Route],
        free: Mapping[int, int],
        missing: Sequence[Activity] = (),
    ) -> None:
        """Take `routes` with their vehicles and those in `free`, counted by type.

        `missing` are unplanned stops that the part may take in.
        """
        self._whole = data
        visits = [stops(route) for route in routes]
        flat = [stop for visit in visits for stop in visit]
        flat += [(stop.type, stop.idx) for stop in missing]
        self._clients = [index for kind, index in flat if kind == CLIENT]
        others = [index for kind, index in flat if kind not in (CLIENT, DEPOT)]
        self._shipments = list(dict.fromkeys(others))
        self._places: dict[int, int] = {}
        fleet = Counter(route.vehicle_type() for route in routes) + Counter(free)
        self._types = sorted(fleet)
        self.data = self._problem(fleet)
        self.start = self._inside(routes, visits)

    def _inside(self, routes: Sequence[Route], visits: list[list[Stop]]) -> Solution:
        types = {index: own for own, index in enumerate(self._types)}
        clients = {index: own for own, index in enumerate(self._clients)}
        shipments = {index: own for own, index in enumerate(self._shipments)}

        def own(stop: Stop) -> Activity:
            kind, index = stop
            if kind == CLIENT:
                return Activity(kind, clients[index])
            return Activity(kind, index if kind == DEPOT else shipments[index])

        inside = [
            Route(self.data, [own(stop) for stop in visit], types[route.vehicle_type()])
            for route, visit in zip(routes, visits, strict=True)
        ]
        return Solution(self.data, inside)

    def whole(self, solution: Solution) -> list[Route]:
        """Return the routes of a solution of the part as routes of the whole problem."""
        return [
            Route(
                self._whole,
                [self._outside(stop) for stop in stops(route)],
                self._types[route.vehicle_type()],
            )
            for route in solution.routes()
        ]

    def _outside(self, stop: Stop) -> Activity:
        kind, index = stop
        if kind == CLIENT:
            return Activity(kind, self._clients[index])
        return Activity(kind, index if kind == DEPOT else self._shipments[index])

    def _place(self, location: int) -> int:
        return self._places.setdefault(location, len(self._places))

    def _problem(self, fleet: Mapping[int, int]) -> ProblemData:
        data = self._whole
        depots = [
            Depot(self._place(d.location), d.tw_early, d.tw_late, d.service_duration, name=d.name)
            for d in data.depots()
        ]
        clients = [
            client(one, self._place(one.location)) for one in map(data.client, self._clients)
        ]
        shipments = [
            shipment(one, self._place(one.pickup.location), self._place(one.delivery.location))
            for one in map(data.shipment, self._shipments)
        ]
        chosen = np.fromiter(self._places, dtype=np.int64)
        return ProblemData(
            [data.location(int(place)) for place in chosen],
            clients,
            depots,
            [data.vehicle_type(i).replace(num_available=fleet[i]) for i in self._types],
            [_cut(matrix, chosen) for matrix in data.distance_matrices()],
            [_cut(matrix, chosen) for matrix in data.duration_matrices()],
            shipments=shipments,
        )


def _cut(matrix: Any, chosen: NDArray[np.int64]) -> Any:
    return matrix[np.ix_(chosen, chosen)]
