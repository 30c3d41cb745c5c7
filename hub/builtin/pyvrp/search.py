"""The search for the best solution of a PyVRP problem within a time, on one core.

Small problems are climbed again and again from new starts, large ones in neighbouring parts.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from pyvrp import ProblemData, RandomNumberGenerator, Solution

from hub.builtin.pyvrp.climb import Climber, Effort
from hub.builtin.pyvrp.clock import timed
from hub.builtin.pyvrp.construction import by_savings, constructible
from hub.builtin.pyvrp.decomposition import Decomposition, divisible
from hub.builtin.pyvrp.firm import firm, full
from hub.builtin.pyvrp.watch import Report, Watch

SMALL, LARGE = 250, 1_500
"""Up to SMALL stops every round starts anew; above LARGE only parts are worked on."""
PART = 200
"""Stops of a part."""
PACE = 40
"""Steps that measure how many the time allows."""
HISTORIES = (40, 300)
"""Least and most steps that late acceptance looks back."""
PLENTY = 55
"""Steps for each stop that are enough for one long climb: with several depots and windows new
starts end in very different places, and that goes further than the best of some."""
TINY, TINY_HISTORY = 150, 100
"""Up to so many stops many short rounds are better than a few long ones."""


def search(
    data: ProblemData,
    seconds: float,
    seed: int,
    start: Solution | None = None,
    clock: Callable[[], float] = time.monotonic,
    report: Report | None = None,
    patience: float | None = None,
) -> Solution:
    """Return the best solution found in `seconds` of `clock`, never worse than `start`.

    `report(cost, best)` hears of new best solutions ten times a second at the most, and ends the
    search by returning False. `patience` is the share of the time without a gain that ends it too.
    The solution breaks limits only where nothing feasible was found; see `is_feasible()`.
    """
    watch = Watch(data, seconds, clock, report, patience)
    if start is not None:
        watch.offer(start)
    run = _Run(data, watch, RandomNumberGenerator(seed))
    best = run.whole(start) if run.size <= LARGE or not divisible(data) else run.parts(start)
    watch.close()
    return best


class _Run:
    """One search: the problem, its watch, and the random numbers."""

    def __init__(self, data: ProblemData, watch: Watch, rng: RandomNumberGenerator) -> None:
        self.data, self.watch, self.rng = data, watch, rng
        self.size = data.num_clients + data.num_shipments
        self.timed = timed(data)
        self._climber: Climber | None = None
        self._settled = False

    @property
    def climber(self) -> Climber:
        """The local search over the whole problem, built when first needed."""
        if self._climber is None:
            self._climber = Climber(self.data, self.rng)
        return self._climber

    def best(self) -> Solution:
        """Return the best so far; an empty solution where none was offered yet."""
        if self.watch.best is None:
            self.watch.offer(Solution(self.data, []))
        assert self.watch.best is not None
        return self.watch.best

    def whole(self, start: Solution | None) -> Solution:
        """Climb over the whole problem, in rounds."""
        if self.size == 0 or self.watch.over():
            return self.best()
        solution = self._first() if start is None else start
        self._settle()
        effort, solution = self._effort(solution)
        while not self.watch.over():
            self._settle()
            self.climber.climb(solution, effort, self.watch.over, self.watch.offer)
            if self.watch.over():
                break
            solution = self.climber.start() if self.size <= SMALL else self._kicked(self.best())
        return self.best()

    def _settle(self) -> None:
        """Demand every stop from now on, once the best solution serves them all."""
        if not self._settled and full(self.data, self.best()):
            self.data, self._climber, self._settled = firm(self.data), None, True

    def parts(self, start: Solution | None) -> Solution:
        """Improve one part after the other."""
        if start is None:
            self._large_first()
        solution = self.best()
        if self.watch.over():
            return solution
        self._settle()
        parts = Decomposition(self.data, self.rng, self.watch, size=PART)
        if solution.num_routes() == 0:
            solution = parts.plant(solution)
        while not self.watch.over():
            self._settle()
            parts.data = self.data
            solution = parts.improve(solution)
        return self.best()

    def _first(self) -> Solution:
        """Offer what the constructions give, and return the best of them."""
        if constructible(self.data):
            self.watch.offer(self.climber.descend(by_savings(self.data, self.watch.over)))
        if self.watch.best is None or self.timed:
            self.watch.offer(self.climber.start())
        return self.best()

    def _large_first(self) -> None:
        """Offer savings where they are good: with windows they are poor."""
        if constructible(self.data) and not self.timed:
            found = by_savings(self.data, self.watch.over)
            if found.is_feasible():
                self.watch.offer(found)

    def _effort(self, solution: Solution) -> tuple[Effort, Solution]:
        """Return the effort of a round, after a few steps that tell how many there will be."""
        watch = self.watch
        began = watch.clock()
        pace = Effort(HISTORIES[0], steps=PACE)
        solution = self.climber.climb(solution, pace, watch.over, watch.offer)
        each = max(watch.clock() - began, 1e-6) / PACE
        steps = max(0.0, watch.left) / each
        least, most = HISTORIES
        several = self.data.num_depots > 1 and self.timed
        if several and steps > PLENTY * self.size:
            self.climber.try_all()
            return Effort(most), solution
        patient = 20
        if self.size <= TINY:
            most, patient = TINY_HISTORY, 10
        history = int(min(max(30 + 1.2 * steps / self.size, least), most))
        barren = patient * (history + self.size)
        return Effort(history, barren=barren), solution

    def _kicked(self, solution: Solution) -> Solution:
        """Return the solution with a third of its routes planned anew."""
        routes = solution.routes()
        kept = [route for route in routes if self.rng.rand() > 1 / 3]
        return self.climber.descend(Solution(self.data, kept))
