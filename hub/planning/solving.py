"""Find the best plan in a given time: by the engine that fits, on all cores, checked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from time import monotonic
from typing import Any

from hub.capabilities import AnytimeEngine, RoutingEngine
from hub.connections.pulse import degrade
from hub.connector import Connector
from hub.errors import HubError, PluginError
from hub.hub import Hub
from hub.nouns import Found, Plan, Problem
from hub.planning.answer import balanced, begun
from hub.planning.check import check, faults
from hub.planning.cores import crew
from hub.planning.costs import Score, score
from hub.planning.deadline import Deadline
from hub.planning.limits import LEAST, SETTLING, patience, refuse
from hub.planning.lineup import Entrant, lineup
from hub.planning.needs import named
from hub.planning.processes import Answer, Report, Search, attempt, can_fork, side_by_side
from hub.planning.providers import expire
from hub.planning.rules import Item
from hub.planning.schedule import items_of
from hub.planning.settle import settle
from hub.planning.simple import simple
from hub.store import ConnectionRow

FEW = 60
"""Up to this many stops one search, in this process, finds what several would."""
SHORT, MANY = 2.0, 400
"""Seconds for which it does not pay to start processes, unless there are so many stops that an
engine might not be back in time."""
COMPARED = 4.0
"""Seconds from which on two engines are compared on one core, half of them each."""
LATE = 0.09
"""Part of its time by which an engine may come late before it is ended, less a rough plan's."""
ROUGH = 0.00015
"""Seconds that a rough plan takes for each stop: so much sooner an engine is ended."""
LEAST_PATIENCE = 0.4
"""Seconds before which no engine is ended: loading it takes some."""
SECOND = 0.1
"""Part of the whole time that is left for a rough plan when engines have used all of it in vain."""
AFTER = 0.1
"""Part of its time that a search is not given, so that its plan is settled and checked by then."""
MENDED = 0.2
"""Processor seconds that there are in any case to mend what an engine does not know."""
log = logging.getLogger(__name__)

Judged = tuple[Score, Plan, Entrant]


def solve(
    hub: Hub,
    problem: Problem,
    report: Callable[[Found], bool] | None = None,
    *,
    engine: str = "",
) -> Plan:
    """Return the best plan that is found in `problem.seconds`, checked; it says why which engine.

    `report` hears of the best find so far several times a second; once it returns False the search
    ends with that. `engine` names the only one that may plan. An engine that breaks, hangs or
    breaks a rule is passed over, and the plan says so. Raises `Refused` for a problem that makes no
    sense and `PluginError` when no engine has a sound plan.
    """
    refuse(problem)
    began, faults_so_far = monotonic(), list[str]()
    watch = Watch(report or (lambda _: True), len(problem.stops))
    for entrants in lineup(hub, problem, engine):
        left = max(problem.seconds - (monotonic() - began), LEAST)
        judged, said = contest(hub, problem, entrants, left, watch)
        faults_so_far += said
        if judged:
            plan = judged[0][1].model_copy(update={"why": reason(judged, faults_so_far)})
            return kept(problem, plan)
        spent = monotonic() - began
        if late(problem, spent) and not engine:
            return kept(problem, rough(problem, faults_so_far, spent))
    raise PluginError("; ".join(faults_so_far) or "no routing engine is installed")


def kept(problem: Problem, plan: Plan) -> Plan:
    """Return the routes that the search was to begin with where those are better than `plan`.

    Our own engines see to that themselves; others, and a rough plan, need not.
    """
    if not problem.warm:
        return plan
    until = Deadline.after(SETTLING * problem.seconds)
    cold = problem.model_copy(update={"warm": {}})
    before = balanced(cold, plan.engine, lambda _: begun(problem), until)
    if score(problem, before) >= score(problem, plan) or faults(problem, before):
        return plan
    return before.model_copy(update={"why": f"as before, which is better than: {plan.why}"})


def late(problem: Problem, spent: float) -> bool:
    """Say whether no engine could come back any more in what is left of the time."""
    left = problem.seconds - spent
    return left <= SECOND * problem.seconds and bool(problem.stops)


def rough(problem: Problem, said: Sequence[str], spent: float) -> Plan:
    """Return the plan of no engine, for when all the time is over and none has one."""
    plan = simple(problem, (1 + LATE) * problem.seconds - spent)
    check(problem, plan)
    why = f"a rough plan, because no engine came back in time ({'; '.join(said)}); plan again"
    return plan.model_copy(update={"why": why})


class Watch:
    """Passes finds on, and ends a search that gains nothing any more."""

    def __init__(self, report: Report, stops: int) -> None:
        self.report, self.patience = report, patience(stops)
        self.began = self.gained = monotonic()
        self.best: Found | None = None

    def __call__(self, found: Found) -> bool:
        """Hear of a find, which need not be better; return whether to go on."""
        now, best = monotonic(), self.best
        if best is None or (found.left_out, found.cost) < (best.left_out, best.cost):
            self.best, self.gained = found, now
        told = (self.best or found).model_copy(update={"seconds": round(now - self.began, 2)})
        return self.report(told) and now - self.gained < self.patience


def contest(
    hub: Hub, problem: Problem, entrants: Sequence[Entrant], left: float, watch: Watch
) -> tuple[list[Judged], list[str]]:
    """Return the sound plans of the engines, the best first, and what went wrong with others."""
    asked = spread(problem, entrants, left)
    judged: list[Judged] = []
    faults_of: list[tuple[Entrant, str]] = []
    for batch, seconds in asked:
        searches = [searching(hub, one, given) for one, given in batch]
        for (one, _), answer in zip(
            batch, run(problem, batch, searches, seconds, watch), strict=True
        ):
            if answer.plan is None:
                faults_of.append((one, failed(hub, one, answer)))
            else:
                judged.append((score(problem, answer.plan), answer.plan, one))
    judged.sort(key=lambda one: one[0])
    sound = [one for _, _, one in judged]
    for one, text in faults_of:
        if one in sound:  # another of its seeds has done it
            log.warning("one of several searches failed: %s", text)
    return judged, list(dict.fromkeys(text for one, text in faults_of if one not in sound))


Batch = list[tuple[Entrant, Problem]]


def spread(problem: Problem, entrants: Sequence[Entrant], left: float) -> list[tuple[Batch, float]]:
    """Return who searches at the same time, with which seed, and for how long in all."""
    small = is_small(problem, left)
    hands = 1 if small or not can_fork() else crew(len(problem.matrix.seconds))
    if hands == 1 and left < COMPARED:
        entrants = entrants[:1]
    if hands < len(entrants):
        share = left / len(entrants)
        return [([(one, given(problem, share))], share) for one in entrants]
    batch = [
        (entrants[n % len(entrants)], given(problem, left, n // len(entrants)))
        for n in range(hands if any(anytime(one) for one in entrants) else len(entrants))
    ]
    return [(batch, left)]


def is_small(problem: Problem, seconds: float) -> bool:
    """Say whether one search in this process does."""
    return len(problem.stops) <= (MANY if seconds < SHORT else FEW)


def given(problem: Problem, seconds: float, number: int = 0) -> Problem:
    """Return the problem for the search of a number: its own seed, and time to settle the plan."""
    few = len(problem.stops) <= FEW
    most = 0.5 + 0.05 * len(problem.stops) if few else seconds
    after = min(AFTER * seconds, 0.05 + 0.002 * len(problem.stops))
    return problem.model_copy(
        update={"seconds": min(seconds - after, most), "seed": problem.seed + number}
    )


def run(
    problem: Problem, batch: Batch, searches: Sequence[Search], seconds: float, watch: Watch
) -> list[Answer]:
    """Return what came of the searches: in this process for a small problem, else beside it."""
    own = any(one.provider.connection for one, _ in batch)  # may hang on another machine
    if not can_fork() or (len(searches) == 1 and is_small(problem, seconds) and not own):
        return [attempt(search, watch) for search in searches]
    began = monotonic()
    warm([one.provider.connector for one, _ in batch])
    seconds -= monotonic() - began
    rough_takes = 0.05 + ROUGH * len(problem.stops)
    longest = max(seconds * (1 + LATE) - rough_takes, LEAST_PATIENCE)
    return side_by_side(searches, longest, watch)


def warm(connectors: Sequence[Connector[Any]]) -> None:
    """Import once, before the processes are forked, what all of them would import."""
    for module in {module for one in connectors for module in one.sdk}:
        with suppress(Exception):  # the search itself will say what is wrong
            import_module(module)


def searching(hub: Hub, one: Entrant, problem: Problem) -> Search:
    """Return the search of an engine, which raises unless its plan is sound."""
    return partial(search, hub, one, problem)


def search(hub: Hub, one: Entrant, problem: Problem, report: Report) -> Plan:
    """Have an engine search; mend what it does not know, then check."""
    connector = one.provider.connector
    try:
        with hub.connections.contained(connector):
            if isinstance(connector, AnytimeEngine):
                plan = connector.search(problem, report)
            elif isinstance(connector, RoutingEngine):
                plan = connector.plan(problem)
    except HubError:
        raise
    except Exception as error:
        raise PluginError(f"{one.title} failed: {type(error).__name__}: {error}") from error
    if not isinstance(plan, Plan):
        raise PluginError(f"{one.title} returned no Plan")
    if one.lacks and faults(problem, plan):
        until = Deadline.after(SETTLING * problem.seconds, MENDED)
        plan = settle(problem, plan.engine, sequences(problem, plan), until=until)
    check(problem, plan)
    return plan


def sequences(problem: Problem, plan: Plan) -> dict[str, list[Item]]:
    """Return the order of a plan's visits, as far as stops and vehicles are known."""
    found: dict[str, list[Item]] = {}
    for route in plan.routes:
        visits = tuple(visit for visit in route.visits if visit.stop in problem.stop_of)
        if route.vehicle in problem.vehicle_of:
            known = route.model_copy(update={"visits": visits})
            found[route.vehicle] = items_of(problem, known)
    return found


def failed(hub: Hub, one: Entrant, answer: Answer) -> str:
    """Mark the connection of an engine whose login ended or that hung; return what was wrong."""
    connection = one.provider.connection
    if connection is not None and answer.kind == "Unauthorized":
        expire(hub, connection, answer.fault)
    if connection is not None and answer.kind == "Hung":
        with hub.store.write() as session:
            row = session.get_one(ConnectionRow, connection)
            degrade(row, session.wall, f"Planning did not come back: {answer.fault}")
    known = answer.fault.startswith((one.title, one.provider.connector.name))
    return answer.fault if known else f"{one.title}: {answer.fault}"


def anytime(one: Entrant) -> bool:
    """Say whether an engine searches by chance and time, so that several seeds pay."""
    return isinstance(one.provider.connector, AnytimeEngine)


def reason(judged: Sequence[Judged], said: Sequence[str]) -> str:
    """Return why the first of the plans is kept, in words for a dispatcher."""
    (best, _, winner) = judged[0]
    why = winner.why
    if winner.lacks and not winner.because:
        why = f"{winner.title}, with {named(winner.lacks)} put in afterwards"
    others = [one for one in judged if one[2] is not winner]
    if others:
        why += f"; {margin(best, others[0][0])} {others[0][2].title}"
    return f"{why}; passed over: {'; '.join(said)}" if said else why


def margin(best: Score, other: Score) -> str:
    """Return by how much one plan is better than another's, up to the other's name."""
    if best[0] < other[0]:
        return "it leaves out less than"
    if not other[1] or best[1] == other[1]:
        return "as good as"
    return f"{100 * (other[1] - best[1]) / other[1]:.1f} % cheaper than"
