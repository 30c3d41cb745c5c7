"""Small days with known answers and random ones, for the tests of routing engines."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from hub.nouns import Feature, Matrix, Plan, Problem, ProblemStop, ProblemVehicle
from hub.nouns.plans import Break, Costs, Reloads, Shipment
from hub.planning.check import faults

MORNING = 8 * 3600
HOUR = 3600


def line(places: int, apart: int = 600) -> Matrix:
    """Return places along a road, `apart` seconds from each to the next."""
    cells = tuple(tuple(abs(a - b) * apart for b in range(places)) for a in range(places))
    return Matrix(seconds=cells, metres=cells)


def van(id: str = "v1", **values: Any) -> ProblemVehicle:
    """Return a vehicle with nine hours' time."""
    told = {"id": id, "start": 0, "end": 0, "shift": (MORNING, MORNING + 9 * HOUR)}
    return ProblemVehicle.model_validate({**told, **values})


def stop(number: int, **values: Any) -> ProblemStop:
    """Return a stop at the place of its number."""
    told = {"id": f"s{number}", "point": number, "service": 60}
    return ProblemStop.model_validate({**told, **values})


def day(stops: list[ProblemStop], vehicles: list[ProblemVehicle], **values: Any) -> Problem:
    """Return a day on a road of six places."""
    told = {"matrix": line(6), "seconds": 1.0, **values}
    return Problem(stops=tuple(stops), vehicles=tuple(vehicles), **told)


def ask(engine: Any, problem: Problem) -> Plan:
    """Return an engine's plan, which is sound."""
    plan: Plan = engine.plan(problem)
    assert faults(problem, plan) == []
    return plan


def routes(plan: Plan) -> dict[str, list[str]]:
    """Return each vehicle's stops in order."""
    return {one.vehicle: [visit.stop for visit in one.visits] for one in plan.routes}


def left(plan: Plan) -> list[str]:
    """Return the stops that are left out."""
    return sorted(one.stop for one in plan.unserved)


@st.composite
def days(draw: st.DrawFn, kept: frozenset[Feature]) -> Problem:
    """Draw a small day with some of the features that an engine keeps."""
    asked = frozenset(draw(st.sets(st.sampled_from(sorted(kept)))))
    size = draw(st.integers(2, 7))
    cell = st.integers(0, 3000)
    cells = [[draw(cell) if a != b else 0 for b in range(size + 2)] for a in range(size + 2)]
    stops = [drawn_stop(draw, number, asked) for number in range(2, size + 2)]
    pairs = []
    if asked & {"shipments", "stacked"}:
        stops[:2] = [one.model_copy(update={"deliver": (), "collect": ()}) for one in stops[:2]]
        pairs.append(Shipment(pickup=stops[0].id, delivery=stops[1].id, load=(2,)))
    vehicles = [drawn_vehicle(draw, number, asked) for number in range(draw(st.integers(0, 3)))]
    if "locked" in asked and vehicles:
        stops[-1] = ProblemStop(id=stops[-1].id, point=stops[-1].point)
        if stops[-1].id not in {id for pair in pairs for id in (pair.pickup, pair.delivery)}:
            vehicles[0] = vehicles[0].model_copy(
                update={"locked": (stops[-1].id,), "most_stops": None, "most_metres": None,
                        "shift": (MORNING, MORNING + 9 * HOUR), "breaks": ()}
            )  # fmt: skip
    other = Matrix(seconds=[[cell // 2 for cell in row] for row in cells], metres=cells)
    return Problem(
        stops=tuple(stops),
        vehicles=tuple(vehicles),
        matrix=Matrix(seconds=cells, metres=cells),
        profiles={"bike": other} if "profiles" in asked else {},
        shipments=tuple(pairs),
        balance=1.2 if "balance" in asked else 0,
        seconds=0.1,
    )


def drawn_stop(draw: st.DrawFn, number: int, asked: frozenset[Feature]) -> ProblemStop:
    """Draw a stop."""
    begin = st.integers(MORNING - HOUR, MORNING + 9 * HOUR)
    windows = draw(st.lists(begin, max_size=2 if "several_windows" in asked else 1))
    load = st.integers(0, 5)
    told: dict[str, Any] = {
        "service": draw(st.integers(0, 2000)),
        "windows": tuple((low, low + HOUR) for low in windows),
        "deliver": (draw(load), draw(load)) if "several_loads" in asked else (draw(load),),
        "collect": (draw(load),) if "collections" in asked else (),
        "skills": draw(st.sets(st.just("fridge"))) if "skills" in asked else (),
        "vehicles": draw(st.sets(st.just("v1"))) if "pinned" in asked else (),
        "priority": draw(st.sampled_from((0, 5, 100))) if "priorities" in asked else 0,
    }
    if "first_last" in asked:
        told["position"] = draw(st.sampled_from(("", "", "first", "last")))
    if "on_board" in asked:
        told["on_board"] = draw(st.none() | st.integers(0, HOUR))
    return ProblemStop(id=f"s{number}", point=number, **told)


def drawn_vehicle(draw: st.DrawFn, number: int, asked: frozenset[Feature]) -> ProblemVehicle:
    """Draw a vehicle."""
    told: dict[str, Any] = {"start": 0, "end": 0, "capacity": (draw(st.integers(4, 20)),)}
    length = st.integers(2, 9)
    told["shift"] = (MORNING, MORNING + draw(length) * HOUR)
    if "several_loads" in asked:
        told["capacity"] += (draw(st.integers(4, 20)),)
    if "several_depots" in asked:
        told["start"], told["end"] = draw(st.integers(0, 1)), draw(st.integers(0, 1))
    if "breaks" in asked:
        opens = MORNING + draw(st.integers(0, 6)) * HOUR
        told["breaks"] = (Break(window=(opens, opens + HOUR), seconds=1200),)
    if "overtime" in asked:
        told["overtime"] = draw(st.integers(0, HOUR))
    if "reloads" in asked:
        told["reloads"] = Reloads(points=(0, 1), seconds=60, most=2)
    if "most_metres" in asked:
        told["most_metres"] = draw(st.integers(0, 20_000))
    if "most_stops" in asked:
        told["most_stops"] = draw(st.integers(0, 5))
    if "costs" in asked:
        told["costs"] = Costs(fixed=draw(st.integers(0, 10**6)), per_second=10, per_metre=3)
    if "profiles" in asked:
        told["profile"] = draw(st.sampled_from(("van", "bike")))
    told["skills"] = draw(st.sets(st.just("fridge")))
    told["stacked"] = "stacked" in asked and draw(st.booleans())
    return ProblemVehicle(id=f"v{number}", **told)
