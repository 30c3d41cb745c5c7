"""One PyVRP local search on one problem, climbing by late acceptance.

PyVRP's own loop remembers 300 solutions whatever the time; with a few thousand steps to spend a
shorter memory and fewer kinds of moves go much further.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pyvrp import PenaltyManager, ProblemData, RandomNumberGenerator, Solution
from pyvrp import search as moves

from hub.builtin.pyvrp.clock import timed
from hub.builtin.pyvrp.penalties import penalties

SLOW_MOVES = {moves.Relocate2, moves.Swap21, moves.Swap22}
"""Moves of whole strings: a third of the time, for little that the others do not find."""
LIGHT = 250
"""Up to this many stops, where only loads bind, the first high price of a broken limit falls fast:
the way out of a tight packing leads over routes that are a little too full."""
POLISHED = 2_000
"""Up to this many stops each new best is searched exhaustively."""


@dataclass(frozen=True)
class Effort:
    """How a climb spends its steps."""

    history: int = 50
    """Steps that late acceptance looks back."""
    steps: int = 1 << 60
    barren: int = 1 << 60
    """Steps without a new best after which it ends."""


class Climber:
    """Improves solutions of one problem."""

    def __init__(
        self,
        data: ProblemData,
        rng: RandomNumberGenerator,
        neighbours: int = 50,
        uproot: int = 25,
    ) -> None:
        """Build the neighbourhood (the costly part) and the moves.

        `uproot` is the most stops that one step takes out before it repairs.
        """
        self.data, self.rng, self.steps = data, rng, 0
        near = moves.compute_neighbours(data, moves.NeighbourhoodParams(num_neighbours=neighbours))
        shake = moves.PerturbationManager(moves.PerturbationParams(1, uproot))
        self._search = moves.LocalSearch(data, rng, near, shake)
        self._add(move for move in moves.OPERATORS if move not in SLOW_MOVES)
        loads_alone = data.num_clients <= LIGHT and not timed(data)
        params = penalties(data, 100 if loads_alone else 500)
        self._penalties = PenaltyManager(params.midpoint_penalties(data), params)
        self._polish = data.num_clients + data.num_shipments <= POLISHED

    def _add(self, kinds: Iterable[Any]) -> None:
        for move in kinds:
            if move.supports(self.data):
                self._search.add_operator(move(self.data))

    def try_all(self) -> None:
        """Try moves of whole strings too from now on."""
        self._add(move for move in moves.OPERATORS if move in SLOW_MOVES)

    def start(self) -> Solution:
        """Return a random solution after one exhaustive descent."""
        return self.descend(Solution.make_random(self.data, self.rng))

    def descend(self, solution: Solution) -> Solution:
        """Return what an exhaustive search makes of a solution, limits weighing most."""
        return self._search(solution, self._penalties.max_cost_evaluator(), exhaustive=True)

    def climb(
        self,
        start: Solution,
        effort: Effort,
        over: Callable[[], bool],
        offer: Callable[[Solution], object],
    ) -> Solution:
        """Return the best solution found from `start` on, offering each new best."""
        search, penalties, history = self._search, self._penalties, effort.history
        best = current = start
        memory: list[Solution | None] = [None] * history
        step = barren = 0
        while step < effort.steps and barren < effort.barren and not over():
            price = penalties.cost_evaluator()
            candidate = search(current, price, exhaustive=False)
            penalties.register(candidate)
            barren += 1
            if price.cost(candidate) < price.cost(best):
                best, barren = candidate, 0
                if self._polish:
                    candidate = search(candidate, price, exhaustive=True)
                    best = candidate if candidate.is_feasible() else best
                offer(best)
            remembered = memory[step % history]
            late = price.penalised_cost(start if remembered is None else remembered)
            now, cost = price.penalised_cost(current), price.penalised_cost(candidate)
            if cost < late or cost < now:
                current, now = candidate, cost
            if now < late or remembered is None:
                memory[step % history] = current
            step += 1
        self.steps += step
        return best
