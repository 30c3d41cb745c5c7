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


class Nearness:
    """Tells which clients best come before or after others.

    Nearness is what the way costs a vehicle of the first type, plus waiting and lateness in its
    windows.
    """

    def __init__(self, data: ProblemData) -> None:
        clients = data.clients()
        self._places = np.array([client.location for client in clients], dtype=np.int64)
        self._opens = np.array([client.tw_early for client in clients], dtype=np.float64)
        self._closes = np.array([client.tw_late for client in clients], dtype=np.float64)
        self._service = np.array([client.service_duration for client in clients], dtype=np.float64)
        self._windows = data.has_time_windows()
        kind = data.vehicle_type(0)
        self._ways = data.distance_matrix(kind.profile)
        self._times = data.duration_matrix(kind.profile)
        self._by_way, self._by_time = kind.unit_distance_cost, kind.unit_duration_cost

    def of(self, rows: Ints, count: int) -> Ints:
        """Return for each client of `rows` the `count` nearest others, the best first."""
        places, windows = self._places, self._windows
        count = min(count, len(places) - 1)
        there, back = np.ix_(places[rows], places), np.ix_(places, places[rows])
        drive, home = self._times[there], self._times[back].T
        cost = self._by_way * self._ways[there].astype(np.float64) + self._by_time * drive
        other = self._by_way * self._ways[back].T.astype(np.float64) + self._by_time * home
        if windows:
            early, late = self._opens, self._closes
            ready, leave = early + self._service, late + self._service
            cost += WAITING * np.maximum(early - leave[rows, None] - drive, 0)
            cost += np.maximum(ready[rows, None] + drive - late, 0)
            other += WAITING * np.maximum(early[rows, None] - leave - home, 0)
            other += np.maximum(ready + home - late[rows, None], 0)
        cost = np.minimum(cost, other)
        cost[np.arange(len(rows)), rows] = np.inf
        best = np.argpartition(cost, count - 1, axis=1)[:, :count]
        order = np.argsort(np.take_along_axis(cost, best, axis=1), axis=1, kind="stable")
        return np.take_along_axis(best, order, axis=1)


def nearest(data: ProblemData, count: int) -> Ints:
    """Return for each client the `count` nearest others, the best first."""
    near, size = Nearness(data), data.num_clients
    blocks = [np.arange(at, min(at + BLOCK, size)) for at in range(0, size, BLOCK)]
    return np.concatenate([near.of(rows, count) for rows in blocks])
