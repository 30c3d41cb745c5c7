"""Routes by PyVRP: the engine that plans when no other is connected or needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from hub.connector import Connector, NoSettings
from hub.hookspecs import hookimpl
from hub.nouns import Feature, Found, Plan, Problem
from hub.planning.answer import balanced
from hub.planning.rules import Item
from hub.planning.stopwatch import now

if TYPE_CHECKING:
    from pyvrp import Solution

    from hub.builtin.pyvrp.model import Made

SMALL = 60
"""Up to this many stops a search ends by itself."""
RELOADS = 5_000
"""Rounds more where vehicles reload: good places for that are found late."""
BEAT = 0.1
"""Seconds between two reports of what is found."""


class PyVrp(Connector[NoSettings]):
    """Iterated local search; the same problem and seed give the same plan where it is small."""

    name: ClassVar[str] = "pyvrp"
    title: ClassVar[str] = "PyVRP"
    sdk: ClassVar[tuple[str, ...]] = ("pyvrp",)
    features: ClassVar[frozenset[Feature]] = frozenset(
        {
            "several_windows", "several_loads", "several_depots", "collections", "shipments",
            "skills", "pinned", "priorities", "costs", "overtime", "reloads", "most_metres",
            "most_stops", "profiles", "first_last", "locked", "balance",
        }
    )  # fmt: skip

    def plan(self, problem: Problem) -> Plan:
        """Return routes that keep every rule, and the true reason for each stop left out."""
        return balanced(problem, self.name, lambda one: self.sequences(one, None))

    def search(self, problem: Problem, report: Callable[[Found], bool]) -> Plan:
        """Plan, and tell what is found on the way."""
        return balanced(problem, self.name, lambda one: self.sequences(one, report))

    def sequences(
        self, problem: Problem, report: Callable[[Found], bool] | None
    ) -> dict[str, list[Item]]:
        """Return what PyVRP finds in the time that the problem gives it."""
        from hub.builtin.pyvrp.answer import sequences, started
        from hub.builtin.pyvrp.model import made
        from hub.builtin.pyvrp.search import search

        began = now()
        asked = made(problem)
        if asked is None:
            return {}
        heard = None if report is None else listener(problem, asked, report, began)
        left = max(0.01, problem.seconds - (now() - began))
        steps = most_steps(problem)
        found = search(
            asked.data,
            left if steps is None else steps,
            problem.seed,
            started(problem, asked),
            clock=now if steps is None else Pace(steps, now() + left),
            report=heard,
        )
        if heard is not None:
            heard(0, found, last=True)
        return sequences(problem, asked, found)


def most_steps(problem: Problem) -> int | None:
    """Return how many steps the search for a small problem takes, `None` for as many as it can.

    A small problem is as good as it gets long before its time is over; ending by a count and not
    by the clock also makes the answer the same on every machine.
    """
    stops = len(problem.stops)
    if stops > SMALL:
        return None
    return 1000 + 100 * stops + (RELOADS if any(one.reloads for one in problem.vehicles) else 0)


class Pace:
    """A clock that counts how often it is looked at, and runs out at once when time is up."""

    def __init__(self, steps: int, until: float) -> None:
        self.steps, self.until, self.taken = steps, until, 0

    def __call__(self) -> float:
        """Return the steps so far."""
        self.taken += 1
        return self.taken if now() < self.until else max(self.taken, 2 * self.steps)


def listener(
    problem: Problem, made: Made, report: Callable[[Found], bool], began: float
) -> Callable[..., bool]:
    """Return what tells `report` of a better solution, at most every `BEAT` seconds.

    The last one is told in any case.
    """
    from hub.builtin.pyvrp.answer import served

    told = -BEAT

    def heard(_: int, best: Solution, last: bool = False) -> bool:
        nonlocal told
        seconds = now() - began
        if seconds - told < BEAT and not last:
            return True
        told = seconds
        cost = best.distance_cost() + best.duration_cost() + best.fixed_vehicle_cost()
        cost = made.spent + made.grain * int(cost)
        left = max(0, len(problem.stops) - served(made, best))
        return report(Found(cost=cost, left_out=left, seconds=seconds))

    return heard


@hookimpl
def routing_engines() -> list[type[Connector[Any]]]:
    """Bring the engine that plans when no other is connected."""
    return [PyVrp]
