"""A first solution by savings (Clarke and Wright), for one depot, one kind of vehicle.

Windows are kept while merging: a string of stops is summed up by its duration, the window of its
start and its load, so a merge is checked in constant time.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from pyvrp import Activity, ProblemData, Route, Solution

from hub.builtin.pyvrp.near import Ints, nearest
from hub.builtin.pyvrp.parts import CLIENT

NEAR = 40
"""Merges are tried with so many neighbours of each stop."""
CHECKED = 2_000
"""Merges between two looks at the clock."""

Span = tuple[int, int, int]
"""Duration of a string from its first stop to its last, earliest and latest start of it."""


def constructible(data: ProblemData) -> bool:
    """Say whether savings apply: plain stops, one depot, one kind of vehicle, one trip."""
    if data.num_depots != 1 or data.num_vehicle_types != 1 or data.num_clients < 2:
        return False
    kind = data.vehicle_type(0)
    plain = not kind.reload_depots and not any(kind.initial_load)
    return plain and not data.num_groups and not data.num_shipments


class Savings:
    """Strings of stops that grow by merging where most is saved."""

    def __init__(self, data: ProblemData) -> None:
        """Start with every stop as a string of its own."""
        self._data, self._kind = data, data.vehicle_type(0)
        self._times: Ints = np.asarray(data.duration_matrix(self._kind.profile), dtype=np.int64)
        self._ways: Ints = np.asarray(data.distance_matrix(self._kind.profile), dtype=np.int64)
        clients = data.clients()
        self._places = [client.location for client in clients]
        self._depot = data.depot(0).location
        begin = max(self._kind.tw_early, data.depot(0).tw_early)
        self._end = min(self._kind.tw_late, data.depot(0).tw_late)
        self._service = [client.service_duration for client in clients]
        self._loads = [(tuple(c.delivery), tuple(c.pickup)) for c in clients]
        there = self._times[self._depot]
        self._spans: list[Span] = [
            (
                0,
                max(client.tw_early, client.release_time, begin + int(there[place])),
                client.tw_late,
            )
            for client, place in zip(clients, self._places, strict=True)
        ]
        self.strings: list[list[int]] = [[index] for index in range(len(clients))]
        self._of = list(range(len(clients)))

    def pairs(self) -> tuple[list[int], list[int]]:
        """Return the ends worth joining, most saved first, as two lists of clients."""
        near = nearest(self._data, NEAR)
        first = np.repeat(np.arange(len(near)), near.shape[1])
        last = near.ravel()
        first, last = np.concatenate([first, last]), np.concatenate([last, first])
        places = np.array(self._places, dtype=np.int64)
        by_way = self._saved(places, first, last, self._ways)
        by_time = self._saved(places, first, last, self._times)
        saved = by_way * self._kind.unit_distance_cost + by_time * self._kind.unit_duration_cost
        order = np.argsort(-saved, kind="stable")
        order = order[saved[order] + self._kind.fixed_cost > 0]
        return first[order].tolist(), last[order].tolist()

    def _saved(self, places: Ints, first: Ints, last: Ints, matrix: Ints) -> Ints:
        a, b = places[first], places[last]
        saved: Ints = matrix[a, self._depot] + matrix[self._depot, b] - matrix[a, b]
        return saved

    def grow(self, over: Callable[[], bool]) -> None:
        """Merge strings while something is saved and there is time."""
        for step, (first, last) in enumerate(zip(*self.pairs(), strict=True)):
            if step % CHECKED == 0 and over():
                return
            one, other = self._of[first], self._of[last]
            if one == other:
                continue
            head, tail = self.strings[one], self.strings[other]
            if head[-1] == first and tail[0] == last:
                self._merge(one, other)

    def _merge(self, one: int, other: int) -> None:
        head, tail = self.strings[one], self.strings[other]
        span = self._joined(self._spans[one], head[-1], tail[0], self._spans[other])
        if span is None or not self._fits(span, head[0], tail[-1]):
            return
        loads = tuple(
            tuple(map(sum, zip(a, b, strict=True)))
            for a, b in zip(self._loads[one], self._loads[other], strict=True)
        )
        capacity = self._kind.capacity
        if any(
            amount > most for load in loads for amount, most in zip(load, capacity, strict=True)
        ):
            return
        self._spans[one], self._loads[one] = span, (loads[0], loads[1])
        head.extend(tail)
        for stop in tail:
            self._of[stop] = one
        self.strings[other] = []

    def _joined(self, a: Span, last: int, first: int, b: Span) -> Span | None:
        drive = int(self._times[self._places[last], self._places[first]])
        way = a[0] + self._service[last] + drive
        waits = max(0, b[1] - (a[2] + way))
        early, late = max(a[1], b[1] - way), min(a[2], b[2] - way)
        if a[1] + way > b[2]:
            return None
        if waits:
            early = late = a[2]
        return way + waits + b[0], min(early, late), late

    def _fits(self, span: Span, first: int, last: int) -> bool:
        home = int(self._times[self._places[last], self._depot]) + self._service[last]
        there = int(self._times[self._depot, self._places[first]])
        whole = there + span[0] + home
        return span[1] + span[0] + home <= self._end and whole <= self._kind.max_duration


def by_savings(data: ProblemData, over: Callable[[], bool]) -> Solution:
    """Return a solution of the largest strings; what the fleet cannot take stays unplanned."""
    savings = Savings(data)
    savings.grow(over)
    strings = sorted((string for string in savings.strings if string), key=len, reverse=True)
    routes = [
        Route(data, [Activity(CLIENT, stop) for stop in string], 0)
        for string in strings[: data.vehicle_type(0).num_available]
    ]
    return Solution(data, [route for route in routes if route.is_feasible()])
