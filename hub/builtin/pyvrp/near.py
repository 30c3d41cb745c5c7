"""Which stops are near each other, in space and in time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pyvrp import ProblemData

BLOCK = 512
"""Rows worked on at once: 3,000 stops need 12 MB for a block."""
WAITING = 0.2
"""What a unit of waiting counts beside a unit of driving."""

Ints = NDArray[np.int64]


def nearest(data: ProblemData, count: int) -> Ints:
    """Return for each client the `count` clients that best come before or after it, best first.

    Nearness is the cheapest vehicle's cost of the way, plus waiting and lateness in its windows.
    """
    clients = data.clients()
    places = np.array([client.location for client in clients], dtype=np.int64)
    early = np.array([client.tw_early for client in clients], dtype=np.float64)
    late = np.array([client.tw_late for client in clients], dtype=np.float64)
    service = np.array([client.service_duration for client in clients], dtype=np.float64)
    kind = data.vehicle_type(0)
    ways, times = data.distance_matrix(kind.profile), data.duration_matrix(kind.profile)
    by_way, by_time = kind.unit_distance_cost, kind.unit_duration_cost
    windows = data.has_time_windows()
    size = len(clients)
    count = min(count, size - 1)
    found = np.empty((size, count), dtype=np.int64)
    for at in range(0, size, BLOCK):
        rows = np.arange(at, min(at + BLOCK, size))
        there, back = np.ix_(places[rows], places), np.ix_(places, places[rows])
        cost = by_way * ways[there].astype(np.float64) + by_time * times[there]
        other = by_way * ways[back].T.astype(np.float64) + by_time * times[back].T
        if windows:
            ready, leave = early + service, late + service
            drive, home = times[there], times[back].T
            cost += WAITING * np.maximum(early - leave[rows, None] - drive, 0)
            cost += np.maximum(ready[rows, None] + drive - late, 0)
            other += WAITING * np.maximum(early[rows, None] - leave - home, 0)
            other += np.maximum(ready + home - late[rows, None], 0)
        cost = np.minimum(cost, other)
        cost[np.arange(len(rows)), rows] = np.inf
        best = np.argpartition(cost, count - 1, axis=1)[:, :count]
        order = np.argsort(np.take_along_axis(cost, best, axis=1), axis=1, kind="stable")
        found[rows] = np.take_along_axis(best, order, axis=1)
    return found
