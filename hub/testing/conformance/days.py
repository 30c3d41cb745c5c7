"""One small day for each rule that an engine can say it keeps; who ignores it plans it wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hub.nouns import Feature, Matrix, Plan, Problem, ProblemStop, ProblemVehicle
from hub.nouns.plans import Break, Costs, Reloads, Shipment

MORNING = 28_800
HOUR = 3_600


@dataclass(frozen=True)
class Day:
    """A day, how many of its stops can be served, and what else has to hold."""

    problem: Problem
    served: int
    wrong: Callable[[Plan], str] = lambda plan: ""
    """What is wrong with a plan that the checker has nothing against; empty for a right one."""


def a_road(places: int, apart: int = 600) -> Matrix:
    """Return places along a road, `apart` seconds and ten times as many metres from each other."""
    size = range(places)
    seconds = tuple(tuple(apart * abs(a - b) for b in size) for a in size)
    return Matrix(seconds=seconds, metres=tuple(tuple(10 * one for one in row) for row in seconds))


def a_town(stops: int, vehicles: int = 4, **values: Any) -> Problem:
    """Return a day of many stops that lie all over a town, with room and time for them all."""
    places = [(n * 7919 % 997, n * 104_729 % 991) for n in range(stops + 1)]
    cells = tuple(tuple(2 * (abs(a - c) + abs(b - d)) for c, d in places) for a, b in places)
    return Problem(
        stops=tuple(ProblemStop(id=f"stp_{n}", point=n, service=60) for n in range(1, stops + 1)),
        vehicles=tuple(a_van(n) for n in range(vehicles)),
        matrix=Matrix(seconds=cells, metres=cells),
        **{"seconds": 1.0, "seed": 7, **values},
    )


def a_van(number: int = 0, **values: Any) -> ProblemVehicle:
    """Return a vehicle that begins and ends at the first place, with eight hours' time."""
    told = {"id": f"drv_{number}", "start": 0, "end": 0, "shift": (MORNING, MORNING + 8 * HOUR)}
    return ProblemVehicle.model_validate({**told, **values})


def a_day(
    stops: list[dict[str, Any]],
    vehicles: list[dict[str, Any]] | None = None,
    *,
    served: int | None = None,
    wrong: Callable[[Plan], str] = lambda plan: "",
    **values: Any,
) -> Day:
    """Return a day on a road of five places; stop `n` is at the n-th of them unless it says so."""
    problem = Problem(
        stops=tuple(
            ProblemStop.model_validate({"id": f"stp_{n}", "point": n, "service": 60, **told})
            for n, told in enumerate(stops, 1)
        ),
        vehicles=tuple(a_van(n, **told) for n, told in enumerate(vehicles or [{}])),
        **{"matrix": a_road(5), "seconds": 1.0, "seed": 7, **values},
    )
    return Day(problem, len(stops) if served is None else served, wrong)


def driver_of(plan: Plan, stop: str) -> str:
    """Return who goes to a stop, nothing for one that is left out."""
    return next(
        (r.vehicle for r in plan.routes if any(visit.stop == stop for visit in r.visits)), ""
    )


def by(stop: str, driver: str) -> Callable[[Plan], str]:
    """Return what says that a stop has another driver than the right one."""

    def wrong(plan: Plan) -> str:
        found = driver_of(plan, stop) or "nobody"
        return "" if found == driver else f"{found} goes to {stop}, and {driver} should"

    return wrong


def shared(most: int) -> Callable[[Plan], str]:
    """Return what says that somebody has more stops than `most`."""

    def wrong(plan: Plan) -> str:
        counts = [len(route.visits) for route in plan.routes]
        return f"a driver has {max(counts)} stops, and {most} are the most" * (max(counts) > most)

    return wrong


def days() -> dict[Feature, Day]:
    """Return a day for each feature."""
    return {**limits(), **people(), **goods(), **orders()}


def limits() -> dict[Feature, Day]:
    """Return the days of rules about time and ways."""
    early, late = (MORNING, MORNING + 600), (MORNING + 4 * HOUR, MORNING + 5 * HOUR)
    slow = a_road(5, 60)
    return {
        "several_windows": a_day([{"windows": (late,)}, {"windows": (early, late)}, {}]),
        "several_depots": a_day(
            [{"windows": ((MORNING, MORNING + 700),)}, {}, {},
             {"windows": ((MORNING, MORNING + 700),)}],
            [{}, {"start": 4, "end": 4}],
        ),
        "overtime": a_day(
            [{"service": HOUR}, {"service": HOUR}],
            [{"shift": (MORNING, MORNING + 2 * HOUR), "overtime": 2 * HOUR}],
        ),
        "breaks": a_day(
            [{"service": HOUR}, {"service": HOUR}, {"service": HOUR}],
            [{"breaks": (Break(window=(MORNING + HOUR, MORNING + 2 * HOUR), seconds=1_800),)}],
        ),
        "most_metres": a_day([{}, {}, {}, {}], [{"most_metres": 36_500}, {}]),
        "most_stops": a_day([{}, {}, {}, {}], [{"most_stops": 2}, {"most_stops": 2}]),
        "profiles": a_day(
            [{"windows": ((MORNING, MORNING + 300),)}, {"windows": ((MORNING, MORNING + 300),)}],
            [{"profile": "truck"}, {"profile": "bike"}],
            profiles={"bike": slow},
            wrong=by("stp_1", "drv_1"),
        ),
    }  # fmt: skip


def people() -> dict[Feature, Day]:
    """Return the days of rules about who goes where, and at what cost."""
    dear = Costs(fixed=10_000_000)
    return {
        "skills": a_day([{}, {"skills": frozenset({"fridge"})}, {}], [{}, {"skills": ["fridge"]}],
                        wrong=by("stp_2", "drv_1")),
        "pinned": a_day([{}, {"vehicles": frozenset({"drv_1"})}, {}], [{}, {}],
                        wrong=by("stp_2", "drv_1")),
        "priorities": a_day(
            [{"deliver": (1,)}, {"deliver": (1,)}, {"deliver": (1,), "priority": 50}],
            [{"capacity": (1,)}], served=1, wrong=by("stp_3", "drv_0"),
        ),
        "costs": a_day([{}, {}], [{"costs": dear}, {}], wrong=by("stp_1", "drv_1")),
        "balance": a_day([{"point": 1 + n % 4} for n in range(20)], [{}, {}],
                         balance=1.0, wrong=shared(10)),
        "locked": a_day([{}, {}, {}], [{"locked": ("stp_3", "stp_1")}]),
    }  # fmt: skip


def goods() -> dict[Feature, Day]:
    """Return the days of rules about what is on board."""
    late = (MORNING + HOUR, MORNING + 7 * HOUR)
    return {
        "several_loads": a_day(
            [{"deliver": (1, 9)}, {"deliver": (1, 9)}, {"deliver": (1, 1)}, {"deliver": (1, 1)}],
            [{"capacity": (9, 10)}, {"capacity": (9, 10)}],
        ),
        "collections": a_day(
            [{"collect": (5,)}, {"deliver": (5,)}, {"collect": (5,)}, {"deliver": (5,)}],
            [{"capacity": (10,)}],
        ),
        "shipments": a_day(
            [{}, {}, {}, {}], [{"capacity": (2,)}],
            shipments=(Shipment(pickup="stp_4", delivery="stp_1", load=(2,)),
                       Shipment(pickup="stp_3", delivery="stp_2", load=(2,))),
        ),
        "reloads": a_day(
            [{"deliver": (1,)}, {"deliver": (1,)}, {"deliver": (1,)}],
            [{"capacity": (2,), "reloads": Reloads(points=(0,), seconds=300, most=1)}],
        ),
        "on_board": a_day(
            [{"deliver": (1,)}, {"deliver": (1,)}, {"deliver": (1,)},
             {"deliver": (1,), "on_board": 2_400, "windows": (late,)}],
        ),
    }  # fmt: skip


def orders() -> dict[Feature, Day]:
    """Return the days of rules about what comes before what."""
    return {
        "first_last": a_day([{"position": "last"}, {}, {"position": "first"}, {}]),
        "stacked": a_day(
            [{}, {}, {}, {}], [{"stacked": True}],
            shipments=(Shipment(pickup="stp_1", delivery="stp_3"),
                       Shipment(pickup="stp_2", delivery="stp_4")),
        ),
    }  # fmt: skip
