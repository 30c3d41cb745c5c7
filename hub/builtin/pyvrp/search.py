"""The search for good routes: PyVRP's iterated local search, bounded by the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from hub.builtin.pyvrp.penalties import penalties

if TYPE_CHECKING:
    from pyvrp import ProblemData, Solution


class Until:
    """Ends a search by the clock, or when whoever listens has heard enough."""

    def __init__(self, end: float, clock: Callable[[], float]) -> None:
        self.end, self.clock = end, clock
        self.stopped = False

    def __call__(self, best_cost: float) -> bool:
        return self.stopped or self.clock() >= self.end


def search(
    data: ProblemData,
    seconds: float,
    seed: int,
    start: Solution | None = None,
    clock: Callable[[], float] = time.monotonic,
    report: Callable[[int, Solution], bool] | None = None,
    patience: int | None = None,
) -> Solution:
    """Return the best solution found in `seconds`, beginning with `start` where there is one.

    `report(cost, best)` hears of each better feasible solution and ends the search with
    False; `patience` ends it after so many iterations without a better one.
    """
    from pyvrp import CostEvaluator, IteratedLocalSearchParams, SolveParams, solve
    from pyvrp.IteratedLocalSearch import IteratedLocalSearchCallbacks
    from pyvrp.stop import MultipleCriteria, NoImprovement

    until = Until(clock() + seconds, clock)

    free = CostEvaluator([0] * data.num_load_dimensions, 0, 0)

    class Heard(IteratedLocalSearchCallbacks):
        def on_best(self, best: Solution) -> None:
            if report is None or not best.is_feasible():
                return
            if not report(int(free.cost(best)), best):
                until.stopped = True

    patient = [] if patience is None else [NoImprovement(patience)]
    return solve(
        data,
        MultipleCriteria([until, *patient]),
        seed=seed,
        collect_stats=False,
        params=SolveParams(
            ils=IteratedLocalSearchParams(callbacks=Heard()), penalty=penalties(data)
        ),
        initial_solution=start,
    ).best
