"""Improve a large solution a few neighbouring routes at a time.

A step of the local search costs as much as the problem is large; on a part of 200 stops it is five
times faster than on 3,000, and late acceptance judges the part alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import ceil

import numpy as np
from pyvrp import Activity, ProblemData, RandomNumberGenerator, Route, Solution

from hub.builtin.pyvrp.climb import Climber, Effort
from hub.builtin.pyvrp.near import Ints, Nearness
from hub.builtin.pyvrp.parts import CLIENT, Part, stops
from hub.builtin.pyvrp.watch import Watch

NEAR = 1_000
"""Neighbours of a stop at the most that say which routes lie near."""
MISSING = 50
"""Unplanned stops that a part takes in at the most."""
SPARE = 6
"""Unused vehicles that a part may take."""
SWEEPS, LEAST = 3, 100
"""Times that the parts should cover the whole, and the least steps of a part all the same."""
ROUGH = 2
"""Parts that get a descent for each that was planted, alone where a turn is too short to climb."""
TRIES = 4
"""Stops drawn for the middle of a part; the one worked on least is taken."""


def divisible(data: ProblemData) -> bool:
    """Say whether parts can be taken out: groups tie stops of several parts together."""
    return data.num_groups == 0 and data.num_clients > 1


class Decomposition:
    """Takes parts of a solution, improves them, and puts them back."""

    def __init__(
        self,
        data: ProblemData,
        rng: RandomNumberGenerator,
        watch: Watch,
        size: int = 200,
        effort: Effort | None = None,
    ) -> None:
        """Parts have about `size` stops; `effort` is the most that one of them gets."""
        self.data, self._rng, self._watch, self._size = data, rng, watch, size
        self._effort = effort or Effort(history=30, steps=600)
        self._near = Nearness(data)
        self._turn = max(0.0, watch.left) * self._size / (SWEEPS * data.num_clients)
        self._each = 5e-4
        self._worked = [0] * data.num_clients
        self.parts = self.steps = self._rough = 0

    def improve(self, solution: Solution) -> Solution:
        """Return the solution with one part improved, or as it was."""
        routes = solution.routes()
        home = np.full(self.data.num_clients, -1, dtype=np.int64)
        for index, route in enumerate(routes):
            home[[i for kind, i in stops(route) if kind == CLIENT]] = index
        chosen = self._choose(routes, home)
        if not chosen:
            return solution
        part = Part(
            self.data,
            [routes[i] for i in chosen],
            self._free(routes, SPARE),
            self._missing(solution, chosen),
        )
        climber = Climber(part.data, self._rng)
        found = part.start
        if rough := self.parts < self._rough:
            found = climber.descend(found)
        if not rough or self._turn >= LEAST * self._each:
            found = self._climbed(climber, found)
        self.parts += 1
        self.steps += climber.steps
        if self._watch.rank(found) >= self._watch.rank(part.start):
            return solution
        kept = [route for index, route in enumerate(routes) if index not in set(chosen)]
        better = Solution(self.data, kept + part.whole(found))
        self._watch.offer(better)
        return better

    def _climbed(self, climber: Climber, start: Solution) -> Solution:
        """Return what a climb of a part finds in its turn."""
        began = self._watch.clock()
        steps = int(min(max(self._turn / self._each, LEAST), self._effort.steps))
        effort = replace(self._effort, steps=steps)
        found = climber.climb(start, effort, self._watch.over, lambda _: None)
        if climber.steps:
            self._each = max(1e-6, (self._watch.clock() - began) / climber.steps)
        return found

    def plant(self, solution: Solution) -> Solution:
        """Return the solution with unplanned stops in new routes, a part at a time.

        Where parts meet, routes are poor: so the next parts get a descent first.
        """
        left = [stop for stop in solution.unplanned() if stop.is_client()]
        free = sum(self._free(solution.routes(), self.data.num_vehicles).values())
        share = free / max(1, len(left))
        while left and not self._watch.over():
            group, left = self._nearby(left)
            routes = solution.routes()
            vehicles = self._free(routes, ceil(share * len(group)))
            if not vehicles:
                break
            part = Part(self.data, [], vehicles, group)
            planted = part.whole(Climber(part.data, self._rng).start())
            kept = [route for route in planted if route.is_feasible()]
            solution = Solution(self.data, routes + kept)
            self._watch.offer(solution)
            self._rough += ROUGH
        return solution

    def _nearby(self, left: list[Activity]) -> tuple[list[Activity], list[Activity]]:
        """Return some stops that lie around one of them, and the others."""
        middle = left[self._rng.randint(len(left))]
        order = self._order(np.array([stop.idx for stop in left], dtype=np.int64), middle.idx)
        ordered = [left[int(index)] for index in order]
        return ordered[: self._size], ordered[self._size :]

    def _free(self, routes: list[Route], most: int) -> dict[int, int]:
        """Return up to `most` unused vehicles by type, beginning with a type drawn at random."""
        used = Counter(route.vehicle_type() for route in routes)
        kinds = self.data.vehicle_types()
        first = self._rng.randint(len(kinds))
        free: dict[int, int] = {}
        for index in [*range(first, len(kinds)), *range(first)]:
            count = min(kinds[index].num_available - used[index], most)
            if count > 0:
                free[index] = count
                most -= count
        return free

    def _choose(self, routes: list[Route], home: Ints) -> list[int]:
        draws = [self._rng.randint(self.data.num_clients) for _ in range(TRIES)]
        draws = [draw for draw in draws if home[draw] >= 0]
        if not draws:
            return []
        middle = min(draws, key=lambda draw: self._worked[draw])
        chosen = {int(home[middle]): None}
        count = routes[home[middle]].num_clients()
        for index in home[self._near.of(np.array([middle]), NEAR)[0]].tolist():
            if count >= self._size:
                break
            if index >= 0 and index not in chosen:
                chosen[index] = None
                count += routes[index].num_clients()
        for index in chosen:
            for kind, stop in stops(routes[index]):
                if kind == CLIENT:
                    self._worked[stop] += 1
        return list(chosen)

    def _order(self, stops: Ints, middle: int) -> Ints:
        data = self.data
        profile = data.vehicle_type(0).profile
        places = np.array([data.client(int(stop)).location for stop in stops], dtype=np.int64)
        row = data.distance_matrix(profile)[data.client(middle).location]
        return np.argsort(row[places], kind="stable")

    def _missing(self, solution: Solution, chosen: list[int]) -> list[Activity]:
        """Return unplanned stops for the part: all when few, else a draw of them."""
        left = solution.unplanned()
        if len(left) <= MISSING:
            return left
        at = self._rng.randint(len(left))
        return (left[at:] + left[:at])[:MISSING]
