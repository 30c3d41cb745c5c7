"""What every engine's search ends with: a sound plan, no worse than the routes it began with."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, inf

from hub.nouns import Plan, Problem, ProblemStop, ProblemVehicle
from hub.planning.costs import missed, score
from hub.planning.deadline import Deadline
from hub.planning.limits import SETTLING
from hub.planning.reasons import impossible, working
from hub.planning.repair import kept_locks
from hub.planning.rules import Sequences
from hub.planning.schedule import items_of
from hub.planning.settle import settle
from hub.planning.simple import nearest
from hub.planning.stopwatch import now

Found = Sequences
"""Vehicle -> its stops and reloads in order, as an engine found them; under this name in the
signature of `balanced`, which plugins rely on."""
ALONE = 8
"""Up to this many stops one driver takes them all, however many drivers there are."""
BALANCED = 0.7
"""Part of the time for the search that shares the work out; the rest is for one that does not."""
ENOUGH = 0.2
"""Seconds that make another search worth while."""
STOPPED = 1.5
"""Seconds for a plan of what a search has found that was told to end."""
STARTED = 0.3
"""Part of that time for routes to begin with where a search has found none."""
LEAST, SMALL = 0.4, 60
"""Processor seconds that there are for a plan of up to SMALL stops in any case."""


class Clock:
    """How long a search, and what is made of its find, may go on."""

    def __init__(self, problem: Problem, until: Deadline | None = None) -> None:
        self.until = until
        self.began, self.seconds = now(), problem.seconds
        self.least = LEAST if len(problem.stops) <= SMALL else SETTLING * problem.seconds

    @property
    def left(self) -> float:
        """Seconds that the search has left; endlessly less than none where it was stopped."""
        return self.began + self.seconds - now()

    def settling(self) -> Deadline:
        """Return when the plan has to be made, for which the search leaves a part of its time."""
        if self.until is not None:
            return self.until
        left = STOPPED if self.left == -inf else max(0.0, self.left) + SETTLING * self.seconds
        return Deadline.after(left, self.least)


def answer(problem: Problem, engine: str, found: Found, until: Deadline) -> Plan:
    """Return the plan of what an engine found, or of the routes to begin with if it is better.

    Where it has found nothing, whoever is nearest comes next.
    """
    if not any(found.values()):
        found = nearest(kept_locks(problem)[0], until.part(STARTED))
    plan = settle(problem, engine, found, until=until)
    if not problem.warm:
        return plan
    before = settle(problem, engine, begun(problem), until=until)
    return min(plan, before, key=lambda one: score(problem, one))


def begun(problem: Problem) -> dict[str, list[ProblemStop]]:
    """Return the routes to begin with: each stop once, ids that are not of this problem nowhere."""
    seen: set[str] = set()
    found: dict[str, list[ProblemStop]] = {}
    for vehicle, stops in problem.warm.items():
        known = [id for id in dict.fromkeys(stops) if id in problem.stop_of and id not in seen]
        seen.update(known)
        if vehicle in problem.vehicle_of:
            found[vehicle] = [problem.stop_of[id] for id in known]
    return found


def cleaned(problem: Problem) -> Problem:
    """Return a problem without locks that cannot be kept, nor routes to begin with that cannot."""
    held = kept_locks(problem)[0]
    if not problem.warm:
        return held
    routes = {id: tuple(stop.id for stop in stops) for id, stops in begun(problem).items()}
    return held.model_copy(update={"warm": routes})


def balanced(
    problem: Problem,
    engine: str,
    search: Callable[[Problem], Found],
    until: Deadline | None = None,
) -> Plan:
    """Return the plan of `search`, in which nobody has more than the share that is asked for.

    Where that would leave stops out, nobody's share counts. Work is counted in stops, and an equal
    share is by the time that each one has. Without `until` the problem's seconds are the limit.
    """
    clock = Clock(problem, until)

    def planned(asked: Problem) -> Plan:
        return answer(asked, engine, search(cleaned(asked)), clock.settling())

    if not problem.balance or len(working(problem)) < 2 or len(problem.stops) <= ALONE:
        return planned(problem)
    share = {"vehicles": shares(problem), "balance": 0.0, "seconds": problem.seconds * BALANCED}
    shared = planned(problem.model_copy(update=share))
    left = clock.left
    if left < ENOUGH or all(
        impossible(problem, problem.stop_of[one.stop]) for one in shared.unserved
    ):
        return told(problem, shared, clock.settling())
    other = planned(problem.model_copy(update={"balance": 0.0, "seconds": left}))
    if missed(problem, shared) <= missed(problem, other):
        return told(problem, shared, clock.settling())
    return other


def told(problem: Problem, plan: Plan, until: Deadline) -> Plan:
    """Return a plan that was made with shares, its reasons without them."""
    if not plan.unserved:
        return plan
    routes = {route.vehicle: items_of(problem, route) for route in plan.routes}
    return settle(problem, plan.engine, routes, until=until)


def shares(problem: Problem) -> tuple[ProblemVehicle, ...]:
    """Return the vehicles, none of which may make more stops than its share of the day."""
    able = working(problem)
    whole = sum(max(0, vehicle.shift[1] - vehicle.shift[0]) for vehicle in able)
    behind = sum(vehicle.visited for vehicle in able)
    stops = len(problem.stops) + behind
    found = []
    for vehicle in problem.vehicles:
        part = max(0, vehicle.shift[1] - vehicle.shift[0]) / max(1, whole)
        begun_with = vehicle.visited + len(vehicle.locked)
        most = max(ALONE, ceil(stops * part * max(1.0, problem.balance)), begun_with)
        if vehicle.most_stops is not None:
            most = min(most, vehicle.most_stops)
        found.append(vehicle.model_copy(update={"most_stops": most}))
    return tuple(found)
