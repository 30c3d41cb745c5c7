"""Run an engine on an instance in a process and on a core of its own, and judge its plan."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial

from hub.capabilities import AnytimeEngine
from hub.cli.baselines import BASELINES
from hub.cli.instances import Instance
from hub.errors import PluginError, Refused
from hub.nouns import Found, Plan, Problem
from hub.planning.check import faults
from hub.planning.costs import cost
from hub.planning.lineup import built_in, installed, made
from hub.planning.needs import needs
from hub.planning.processes import Answer, Report, can_fork, side_by_side
from hub.planning.stopwatch import counted_by
from hub.plugins import Plugins

PATIENCE = 60.0
"""Times its processor time that a search may take by the clock on the wall, and a minute more."""

Show = Callable[["Run", int, int, float], None]


@dataclass(frozen=True)
class Run:
    """One search: an instance, an engine, its processor time and its seed."""

    task: Instance
    engine: str
    seconds: float
    seed: int


@dataclass(frozen=True)
class Result:
    """What came of a run; costs are in published units."""

    instance: str
    asked: str
    engine: str
    seed: int
    seconds: float
    cpu_seconds: float
    cost: float | None
    best_known: float | None
    gap: float | None
    """Percent above the best known cost; None where a stop is left out or none is known."""
    valid: bool
    left_out: int
    fault: str

    def told(self) -> dict[str, object]:
        """Return the result for programs."""
        return {
            "instance": self.instance,
            "engine": self.engine,
            "seconds": self.seconds,
            "cost": self.cost,
            "best_known": self.best_known,
            "gap_pct": None if self.gap is None else round(self.gap, 3),
            "valid": self.valid,
            "left_out": self.left_out,
            "seed": self.seed,
            "cpu_seconds": round(self.cpu_seconds, 2),
            **({"asked": self.asked} if self.asked != self.engine else {}),
            **({"fault": self.fault} if self.fault else {}),
        }


def runners(plugins: Plugins, names: Sequence[str]) -> None:
    """Raise `Refused` for a name that is no engine here, and where there are no processes."""
    known = {"auto", *BASELINES, *plugins.of_kind("routing_engines")}
    if not can_fork():
        raise Refused("the bench needs a system that can fork processes")
    if not names:
        raise Refused("name at least one engine", "engines")
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            meant = f", did you mean {near[0]}?" if near else ""
            raise Refused(
                f"there is no engine {name}{meant}; there are: {', '.join(sorted(known))}",
                "engines",
            )


def measured(plugins: Plugins, runs: Sequence[Run], show: Show) -> list[Result]:
    """Return what comes of runs that are made at once, each on a core of its own."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    searches = [
        partial(search, plugins, run, cores[number % len(cores)] if cores else None)
        for number, run in enumerate(runs)
    ]

    def shown(found: Found) -> bool:
        show(runs[0], found.cost, found.left_out, found.seconds)
        return True

    longest = 60 + PATIENCE * max(run.seconds for run in runs)
    answers = side_by_side(searches, longest, shown)
    return [judged(run, answer) for run, answer in zip(runs, answers, strict=True)]


def search(plugins: Plugins, run: Run, core: int | None, report: Report) -> Plan:
    """Search on one core for `run.seconds` of processor time; tell at the end what it took."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    problem = run.task.problem.model_copy(update={"seconds": run.seconds, "seed": run.seed})
    began = time.process_time()

    def told(found: Found) -> bool:
        used = time.process_time() - began
        report(found.model_copy(update={"seconds": used}))
        return used < run.seconds

    with counted_by(time.process_time, wall=False):
        plan = engine(plugins, run.engine, problem, told)
    used = time.process_time() - began
    if not isinstance(plan, Plan):
        raise PluginError(f"{run.engine} returned no Plan")
    return plan.model_copy(update={"why": f"{used}"})


def engine(plugins: Plugins, name: str, problem: Problem, report: Report) -> Plan:
    """Return the plan of an engine of a name, whatever it is worth."""
    if name in BASELINES:
        return BASELINES[name](problem, report)
    if name == "auto":
        ours = installed(plugins, needs(problem))
        connector = built_in(problem, ours)[0][0].provider.connector
    else:
        connector = made(plugins, name)
    if isinstance(connector, AnytimeEngine):
        return connector.search(problem, report)
    plan: Plan = connector.plan(problem)  # type: ignore[attr-defined]
    return plan


def judged(run: Run, answer: Answer) -> Result:
    """Return what a plan is worth; one that the checker refuses costs nothing."""
    task, plan = run.task, answer.plan
    said = [answer.fault] if plan is None else faults(task.problem, plan)
    best = None if task.best is None else task.units(task.best)
    much = None if plan is None or said else task.units(cost(task.problem, plan))
    left = 0 if plan is None else len(plan.unserved)
    gap = None
    if much is not None and best and not left:
        gap = 100 * (much - best) / best
    return Result(
        instance=task.name,
        asked=run.engine,
        engine=run.engine if plan is None else plan.engine,
        seed=run.seed,
        seconds=run.seconds,
        cpu_seconds=0.0 if plan is None else float(plan.why),
        cost=much,
        best_known=best,
        gap=gap,
        valid=not said,
        left_out=left,
        fault="; ".join(said[:3]),
    )
