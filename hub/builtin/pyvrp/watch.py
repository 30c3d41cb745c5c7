"""The watch over one search: its time, its best solution, and who is told of it."""

from __future__ import annotations

from collections.abc import Callable

from pyvrp import CostEvaluator, ProblemData, Solution

TELL_EVERY = 0.1
"""Seconds between two reports."""
FEASIBLE_FIRST = 1_000.0
"""What a unit of a broken limit costs where nothing feasible is known yet."""

Report = Callable[[int, Solution], bool]


def price(data: ProblemData, penalty: float = FEASIBLE_FIRST) -> CostEvaluator:
    """Return the evaluator that prices a solution and what it breaks."""
    return CostEvaluator([penalty] * data.num_load_dimensions, penalty, penalty)


class Watch:
    """Knows when a search has to end and keeps the best solution offered to it."""

    def __init__(
        self,
        data: ProblemData,
        seconds: float,
        clock: Callable[[], float],
        report: Report | None = None,
        patience: float | None = None,
    ) -> None:
        """Start the clock; `patience` is the share of the time without a gain that ends all."""
        self.clock = clock
        self.seconds = seconds
        self.began = clock()
        self.best: Solution | None = None
        self._price = price(data)
        self._report = report
        self._barren = None if patience is None else max(0.0, patience) * seconds
        self._gained = self._told = self.began
        self._untold = self._ended = False

    @property
    def left(self) -> float:
        """Seconds that remain, negative when late."""
        return self.began + self.seconds - self.clock()

    def rank(self, solution: Solution) -> tuple[bool, int, int]:
        """Return what orders solutions: feasible ones first, then fuller, then cheaper ones."""
        missing = solution.num_missing_clients() + solution.num_missing_shipments()
        missing += solution.num_missing_groups()
        cost = int(self._price.penalised_cost(solution))
        return not solution.is_feasible(), missing, cost

    def offer(self, solution: Solution) -> bool:
        """Keep a solution that is better than the best, and say whether it is."""
        if self.best is not None and self.rank(solution) >= self.rank(self.best):
            return False
        self.best, self._untold, self._gained = solution, True, self.clock()
        return True

    def over(self) -> bool:
        """Say whether the search has to end, telling of a new best when it is time to."""
        now = self.clock()
        if self._untold and now - self._told >= TELL_EVERY:
            self._tell(now)
        if self._barren is not None and now - self._gained > self._barren:
            self._ended = True
        return self._ended or now - self.began >= self.seconds

    def close(self) -> None:
        """Tell of the last best, if it was not told yet."""
        if self._untold:
            self._tell(self.clock())

    def _tell(self, now: float) -> None:
        self._told, self._untold = now, False
        if self._report is not None and self.best is not None and self.best.is_feasible():
            cost = int(self._price.cost(self.best))
            self._ended = not self._report(cost, self.best) or self._ended
