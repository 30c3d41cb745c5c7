"""Routes by Google's OR-Tools: the engine for days with rules that others do not know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from hub.connector import Connector
from hub.hookspecs import hookimpl
from hub.nouns import Feature, Found, Plan, Problem
from hub.planning.answer import balanced
from hub.planning.rules import Item


class OrtoolsConfig(BaseModel):
    """How the work is shared out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    balance: float = Field(
        default=0,
        ge=0,
        le=10,
        title="Most stops per driver, as a multiple of an equal share",
        description="Where the day itself does not say. 0: the cheapest routes win, even when some "
        "drivers stay at home",
    )


class Ortools(Connector[OrtoolsConfig]):
    """Cheapest parallel insertion, then guided local search.

    The same problem and seed give the same plan as long as the search ends by itself and not
    by the clock, which it does up to some dozen stops.
    """

    name: ClassVar[str] = "ortools"
    title: ClassVar[str] = "OR-Tools"
    Config = OrtoolsConfig
    sdk: ClassVar[tuple[str, ...]] = ("ortools.constraint_solver.pywrapcp",)
    features: ClassVar[frozenset[Feature]] = frozenset(
        {
            "several_windows", "several_loads", "several_depots", "collections", "shipments",
            "skills", "pinned", "priorities", "costs", "overtime", "breaks", "reloads",
            "most_metres", "most_stops", "profiles", "first_last", "on_board", "stacked", "locked",
            "balance",
        }
    )  # fmt: skip

    def plan(self, problem: Problem) -> Plan:
        """Return routes that keep every rule, and the true reason for each stop left out."""
        return balanced(self.shared(problem), self.name, lambda one: self.sequences(one, None))

    def search(self, problem: Problem, report: Callable[[Found], bool]) -> Plan:
        """Plan, and tell what is found on the way."""
        return balanced(self.shared(problem), self.name, lambda one: self.sequences(one, report))

    def shared(self, problem: Problem) -> Problem:
        """Return the problem with the balance of the settings where it has none."""
        if problem.balance or not self.config.balance:
            return problem
        return problem.model_copy(update={"balance": self.config.balance})

    def sequences(
        self, problem: Problem, report: Callable[[Found], bool] | None
    ) -> dict[str, list[Item]]:
        """Return what OR-Tools finds in the time that the problem gives it."""
        from hub.builtin.ortools.solving import sequences

        return sequences(problem, report)


@hookimpl
def routing_engines() -> list[type[Connector[Any]]]:
    """Bring the engine."""
    return [Ortools]
