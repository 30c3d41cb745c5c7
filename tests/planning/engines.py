"""Routing engines of tests: brought by a plugin of their own, in front of or beside ours."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

from hub.connector import Connector, NoSettings
from hub.hookspecs import hookimpl
from hub.nouns import (
    Feature,
    Found,
    Matrix,
    Plan,
    PlannedRoute,
    Problem,
    ProblemStop,
    ProblemVehicle,
    Unserved,
)
from hub.planning.simple import simple
from hub.plugins import Plugins

Plan_ = Callable[[Problem], Plan]
REASON = "the engine did not want to"


def engine(
    name: str, plan: Plan_, *features: Feature, title: str = "", **members: Any
) -> type[Connector[Any]]:
    """Return a class of engines that answers with `plan(problem)`."""
    body = {
        "name": name,
        "title": title or name.title(),
        "Config": NoSettings,
        "features": frozenset(features),
        "plan": lambda self, problem: plan(problem),
        **members,
    }
    return type(name.title(), (Connector,), body)


def plugins(*engines: type[Connector[Any]]) -> Plugins:
    """Return plugins among which these engines are the only ones."""
    import sys

    module = ModuleType("made_engines")
    hook: Any = lambda: list(engines)  # noqa: E731
    hook.__name__ = "routing_engines"
    hook.__module__ = module.__name__
    module.routing_engines = hookimpl(hook)  # type: ignore[attr-defined]
    sys.modules[module.__name__] = module
    return Plugins([EntryPoint(name="engines", value=module.__name__, group="hub")])


def plain(problem: Problem) -> Plan:
    """Return a sound plan at once."""
    return simple(problem, 1.0)


def nothing(problem: Problem) -> Plan:
    """Return a sound plan that serves nobody."""
    left = tuple(Unserved(stop=stop.id, reason=REASON) for stop in problem.stops)
    return Plan(engine="nothing", routes=(), unserved=left)


def liar(problem: Problem) -> Plan:
    """Return a plan that forgets everybody."""
    return Plan(engine="liar", routes=(PlannedRoute(vehicle="v0", visits=(), starts=0, ends=0),))


def crash(problem: Problem) -> Plan:
    """Break."""
    raise ZeroDivisionError("division by zero")


def hangs(problem: Problem) -> Plan:
    """Never come back."""
    while True:
        time.sleep(60)


def dies(problem: Problem) -> Plan:
    """End the process."""
    os.kill(os.getpid(), signal.SIGKILL)


def ticking(problem: Problem, report: Callable[[Found], bool]) -> Plan:
    """Find the same again and again until told to end."""
    while report(Found(cost=1000, left_out=1)):
        time.sleep(0.01)
    return plain(problem)


def problem(stops: int = 6, vehicles: int = 2, **values: Any) -> Problem:
    """Return stops on a line, a minute from one to the next, with the depot at its end."""
    size = stops + 1
    table = [[60 * abs(a - b) for b in range(size)] for a in range(size)]
    return Problem(
        **{
            "stops": tuple(ProblemStop(id=f"s{n}", point=n) for n in range(1, size)),
            "vehicles": tuple(
                ProblemVehicle(id=f"v{n}", start=0, end=0, shift=(0, 86_400))
                for n in range(vehicles)
            ),
            "matrix": Matrix(seconds=table, metres=table),
            "seconds": 0.5,
            **values,
        }
    )


def each(problem: Problem, **values: Any) -> tuple[ProblemVehicle, ...]:
    """Return the vehicles of a problem with changed values."""
    return tuple(vehicle.model_copy(update=values) for vehicle in problem.vehicles)


def alive(pids: list[int]) -> Iterator[int]:
    """Yield the processes that are still there."""
    for pid in pids:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            continue
        yield pid
