"""Checks of a routing engine: every stop once or explained, no rule broken, the same each time."""

from __future__ import annotations

import time
from typing import Any

from hub.nouns import Matrix, Plan, Problem
from hub.planning.check import faults
from hub.testing.conformance import samples
from hub.testing.conformance.checks import demand, only
from hub.testing.conformance.ground import Ground, calls_a_service
from hub.testing.conformance.scripted import ScriptedPeer

GRACE = 3.0
"""Seconds that an engine may take beyond its limit, to begin and to end."""


def can_answer(kit: type[Ground]) -> bool:
    """Say whether an engine works by itself, or a test plays its service."""
    return not calls_a_service(kit) or kit.serve is not Ground.serve


class RoutingEngineTests(Ground):
    """What holds for `plan`."""

    def planned(self, problem: Problem, peer: ScriptedPeer) -> Plan:
        """Return a plan that breaks no rule."""
        found = self.outcome("plan", problem, url=peer.url if self.is_remote else "")
        demand(
            isinstance(found.value, Plan),
            f"{self.at('plan')} has to return a Plan, but {found}; list what does not fit in "
            "Plan.unserved with the reason, and raise nothing for it",
            found.error,
        )
        plan: Plan = found.value
        wrong = faults(problem, plan)
        demand(
            not wrong,
            f"{self.at('plan')} makes a plan that is wrong: {'; '.join(wrong[:3])}; put each stop "
            "into one route or into unserved with a reason, and keep windows, capacity and shift",
        )
        return plan

    @property
    def is_remote(self) -> bool:
        """Whether the engine asks a service."""
        return calls_a_service(type(self))

    @only(calls_a_service)
    def test_a_test_plays_the_engines_service(self) -> None:
        """An engine that asks a service has a test that answers for it."""
        demand(
            can_answer(type(self)),
            f"write serve(request) in {type(self).__name__}: it reads the problem from the request "
            f"of {self.at('plan')} and answers with routes, as the service does",
        )

    @only(can_answer)
    def test_every_stop_is_planned_once_or_explained(self, peer: ScriptedPeer) -> None:
        """A day that fits is planned, no rule is broken, and most stops are served."""
        problem = samples.a_problem()
        plan = self.planned(problem, peer)
        served = sum(len(route.visits) for route in plan.routes)
        demand(
            2 * served >= len(problem.stops),
            f"{self.at('plan')} serves {served} of {len(problem.stops)} stops of a day on which "
            "all of them fit; leave a stop out only where a rule says so",
        )

    @only(can_answer)
    def test_capacity_windows_and_shifts_are_kept(self, peer: ScriptedPeer) -> None:
        """A day that is too full breaks no rule: what does not fit is explained."""
        full = samples.a_problem(stops=10)
        vehicles = tuple(
            one.model_copy(update={"capacity": (5,), "shift": (28_800, 31_800)})
            for one in full.vehicles
        )
        self.planned(full.model_copy(update={"vehicles": vehicles}), peer)

    @only(can_answer)
    def test_an_impossible_stop_is_explained(self, peer: ScriptedPeer) -> None:
        """A stop that nobody can serve is listed with a reason, and the rest is planned."""
        problem = samples.a_problem()
        first, *others = problem.stops
        impossible: dict[str, dict[str, Any]] = {
            "before the shift": {"windows": ((0, 3_600),)},
            "too heavy": {"deliver": (10_000,)},
        }
        for name, change in impossible.items():
            stops = (first.model_copy(update=change), *others)
            plan = self.planned(problem.model_copy(update={"stops": stops}), peer)
            demand(
                any(one.stop == first.id and one.reason.strip() for one in plan.unserved),
                f"{self.at('plan')} does not explain a stop that is {name}; list it in "
                "Plan.unserved with the rule that leaves it out",
            )

    @only(can_answer)
    def test_nothing_to_plan_is_a_plan(self, peer: ScriptedPeer) -> None:
        """No stops make an empty plan, and no vehicles one in which every stop is explained."""
        empty = Problem(stops=(), vehicles=(), matrix=Matrix(seconds=(), metres=()))
        self.planned(empty, peer)
        self.planned(samples.a_problem(stops=3, vehicles=0), peer)

    @only(can_answer)
    def test_the_same_seed_makes_the_same_plan(self, peer: ScriptedPeer) -> None:
        """The same problem with the same seed gives the same plan."""
        plans = {repr(self.planned(samples.a_problem(), peer)) for _ in range(3)}
        demand(
            len(plans) == 1,
            f"{self.at('plan')} makes {len(plans)} plans of the same problem and seed; draw its "
            "chances from Random(problem.seed), and end a search by a count and not by the clock",
        )

    @only(can_answer)
    def test_it_keeps_its_time_limit(self, peer: ScriptedPeer) -> None:
        """A large problem ends soon after `problem.seconds`."""
        self.planned(samples.a_problem(stops=2), peer)  # its SDK is loaded by now
        began = time.monotonic()
        self.planned(samples.a_problem(stops=60, vehicles=4, seconds=0.5), peer)
        took = time.monotonic() - began
        demand(
            took < 0.5 + GRACE,
            f"{self.at('plan')} took {took:.1f} s where problem.seconds is 0.5; give the search "
            "that limit",
        )
