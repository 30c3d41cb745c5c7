"""Checks of a routing engine: every stop once or explained, no rule broken, the same each time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from hub.nouns import Found, Matrix, Plan, Problem
from hub.planning.check import faults
from hub.planning.costs import score
from hub.planning.schedule import drive, planned
from hub.testing.conformance import samples
from hub.testing.conformance.checks import demand, only
from hub.testing.conformance.days import a_town, days
from hub.testing.conformance.ground import Ground, calls_a_service
from hub.testing.conformance.scripted import ScriptedPeer

GRACE = 3.0
"""Seconds that an engine may take beyond its limit, to begin and to end."""
LONG = 60.0
"""Seconds of a search that is stopped."""
OFTEN = 40
"""Reports of a search of one second at most: ten are enough, but a machine may be slow."""


def can_answer(kit: type[Ground]) -> bool:
    """Say whether an engine works by itself, or a test plays its service."""
    return not calls_a_service(kit) or kit.serve is not Ground.serve


def keeps_more(kit: type[Ground]) -> bool:
    """Say whether an engine keeps more than the least, and can be asked."""
    return can_answer(kit) and bool(kit.connector.features)


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

    @only(keeps_more)
    def test_what_it_says_that_it_keeps_it_keeps(self, peer: ScriptedPeer) -> None:
        """A day for each of its `features` is planned right, and nearly all stops are served."""
        known = days()
        for feature in sorted(self.connector.features):
            demand(
                feature in known,
                f"{self.connector.__name__}.features names {feature!r}, which is no feature; there "
                f"are {', '.join(sorted(known))} (one window, one load, a shift and a capacity are "
                "taken for granted)",
            )
            day = known[feature]
            plan = self.planned(day.problem, peer)
            served = sum(len(route.visits) for route in plan.routes)
            demand(
                served >= day.served,
                f"{self.at('plan')} serves {served} stops of a day with {feature}, and "
                f"{day.served} fit; keep it in the search, or take {feature} out of features",
            )
            demand(
                not day.wrong(plan),
                f"{self.at('plan')} does not keep {feature}: {day.wrong(plan)}; keep it, or take "
                "it out of features",
            )

    @only(can_answer)
    def test_a_plan_is_no_worse_than_the_routes_it_began_with(self, peer: ScriptedPeer) -> None:
        """With `problem.warm` a plan is at least as good as those routes."""
        problem = a_town(12, 2, seconds=0.5)
        ids = [stop.id for stop in problem.stops]
        warm = {"drv_0": tuple(ids[:6]), "drv_1": tuple(ids[6:])}
        begun = Plan(
            engine="warm",
            routes=tuple(
                planned(van, drive(problem, van, [problem.stop_of[id] for id in warm[van.id]]))
                for van in problem.vehicles
            ),
        )
        plan = self.planned(problem.model_copy(update={"warm": warm}), peer)
        demand(
            score(problem, plan) <= score(problem, begun),
            f"{self.at('plan')} makes a plan that costs {score(problem, plan)[1]}, and the routes "
            f"in problem.warm cost {score(problem, begun)[1]}; keep those when nothing better is "
            "found",
        )


class AnytimeEngineTests(Ground):
    """What holds for `search`."""

    def searched(
        self, problem: Problem, peer: ScriptedPeer, report: Callable[[Found], bool]
    ) -> Plan:
        """Return what a search ends with: a plan that breaks no rule."""
        url = peer.url if calls_a_service(type(self)) else ""
        found = self.outcome("search", problem, report, url=url)
        demand(
            isinstance(found.value, Plan),
            f"{self.at('search')} has to return a Plan, but {found}; end with the best that is "
            "found when the time is over, or when report says False",
            found.error,
        )
        plan: Plan = found.value
        wrong = faults(problem, plan)
        demand(
            not wrong,
            f"{self.at('search')} ends with a plan that is wrong: {'; '.join(wrong[:3])}; end it "
            "as plan() does",
        )
        return plan

    @only(can_answer)
    def test_a_search_tells_what_it_finds(self, peer: ScriptedPeer) -> None:
        """`report` is called with what is found, and not more often than anybody can look."""
        told: list[Found] = []

        def report(found: Found) -> bool:
            told.append(found)
            return True

        self.searched(a_town(40), peer, report)
        demand(
            bool(told) and all(isinstance(one, Found) for one in told),
            f"{self.at('search')} never calls report(Found(...)); call it with each better find",
        )
        demand(
            len(told) <= OFTEN,
            f"{self.at('search')} calls report {len(told)} times in a second; ten are enough",
        )

    @only(can_answer)
    def test_a_search_that_is_stopped_ends_with_the_best(self, peer: ScriptedPeer) -> None:
        """Once `report` says False the search ends, with a sound plan."""
        began = time.monotonic()
        plan = self.searched(a_town(100, seconds=LONG), peer, lambda found: False)
        demand(
            time.monotonic() - began < LONG / 2,
            f"{self.at('search')} goes on after report said False; end the search then",
        )
        served = sum(len(route.visits) for route in plan.routes)
        demand(
            served >= 50,
            f"{self.at('search')} that was stopped ends with {served} of 100 stops in routes; "
            "return the best that is found",
        )
