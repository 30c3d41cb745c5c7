"""What a plan means: each route along the clock, what comes late, and what changed since before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from hub.nouns import (
    Loads,
    Noun,
    Pause,
    Plan,
    PlannedRoute,
    Problem,
    ProblemStop,
    ProblemVehicle,
    Relaxation,
    Rule,
    Unserved,
)
from hub.planning import costs
from hub.planning.binding import until_sound
from hub.planning.lanes import Lane
from hub.planning.relaxations import narrowed
from hub.planning.rules import Item, loading, trips
from hub.planning.schedule import items_of, only_stops, run


class Moment(Noun):
    """One visit of a route: all in seconds, `begins` and `leaves` since the day's start."""

    stop: str
    begins: int
    leaves: int
    driving: int
    """On the way to it."""
    waiting: int
    """Until it opens, and for what else there is time on the way."""
    slack: int
    """By how much it could begin later without breaking a rule of it or of what follows."""
    loads: Loads = ()
    """On board when it is left, by dimension."""


class Timeline(Noun):
    """One route along the clock."""

    vehicle: str
    starts: int
    ends: int
    metres: int
    driving: int
    waiting: int
    service: int
    slack: int
    """By how much all of it could begin later."""
    cost: int
    loads: Loads = ()
    """On board at the start, by dimension."""
    moments: tuple[Moment, ...] = ()
    pauses: tuple[Pause, ...] = ()
    loading: tuple[tuple[str, ...], ...] = ()
    """What goes in first at the depot, for each trip: the last to be handed over."""


class Late(Noun):
    """A stop of a live route that is reached after its promise, and what would help."""

    stop: str
    seconds: int
    rule: Rule
    relaxations: tuple[Relaxation, ...] = ()


class Outcome(Noun):
    """What a plan came to, short enough to be kept."""

    routes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Driver -> stops in order."""
    timelines: tuple[Timeline, ...] = ()
    cost: int = 0
    metres: int = 0
    seconds: int = 0
    missed: int = 0
    """1 + priority of every stop that is left out, added up."""


class Move(Noun):
    """A stop that has got another driver."""

    stop: str
    before: str
    after: str


class Comparison(Noun):
    """What is different in a plan from one before; figures are after minus before."""

    moved: tuple[Move, ...] = ()
    reordered: tuple[str, ...] = ()
    """Stops with the same driver that come earlier or later among the others."""
    served: tuple[str, ...] = ()
    """In a route now."""
    left_out: tuple[str, ...] = ()
    """In no route any more."""
    cost: int = 0
    metres: int = 0
    seconds: int = 0
    churn: float = 0
    """Part of the stops in both plans that moved or changed their order."""


def timeline(problem: Problem, route: PlannedRoute) -> Timeline:
    """Return a planned route along the clock."""
    vehicle = problem.vehicle_of[route.vehicle]
    items = items_of(problem, route)
    lane = Lane(problem, vehicle, items, dimensions=len(vehicle.capacity))
    at = [n for n, item in enumerate(items) if isinstance(item, ProblemStop)]
    moments: list[Moment] = []
    left = route.starts
    for number, (place, visit) in enumerate(zip(at, route.visits, strict=True)):
        first = at[number - 1] + 1 if number else 0
        driving = sum(lane.legs[first : place + 1])
        paused = sum(one.ends - one.begins for one in route.pauses if one.after == number)
        slack = spare(problem, vehicle, items, place, visit.arrive, lane, route.starts)
        moments.append(
            Moment(
                stop=visit.stop, begins=visit.arrive, leaves=visit.depart, driving=driving,
                waiting=max(0, visit.arrive - left - driving - paused), slack=slack,
                loads=tuple(loads[place + 1] for loads in lane.carried),
            )
        )  # fmt: skip
        left = visit.depart
    return Timeline(
        vehicle=vehicle.id, starts=route.starts, ends=route.ends, metres=route.metres,
        driving=sum(lane.legs), waiting=sum(one.waiting for one in moments),
        service=sum(one.leaves - one.begins for one in moments),
        slack=min((one.slack for one in moments), default=0),
        cost=costs.route_cost(vehicle, route),
        loads=tuple(loads[0] for loads in lane.carried), moments=tuple(moments),
        pauses=route.pauses,
        loading=load_order(items),
    )  # fmt: skip


def load_order(items: Sequence[Item]) -> tuple[tuple[str, ...], ...]:
    """Return what goes in first at the depot, for each trip."""
    ways = [[stop.id for stop in trip] for trip in trips(items)]
    brought = {stop.id for stop in only_stops(items) if stop.deliver}
    return tuple(tuple(trip) for trip in loading(ways, brought))


def spare(
    problem: Problem,
    vehicle: ProblemVehicle,
    items: Sequence[Item],
    place: int,
    begins: int,
    lane: Lane,
    starts: int,
) -> int:
    """Return by how much a stop could begin later without a breach; breaks narrow it down."""
    most = max(0, lane.latest[place] - begins)
    if not lane.intricate:
        return most
    stop = items[place]
    low, high = 0, most
    while isinstance(stop, ProblemStop) and low < high:
        tried = (low + high + 1) // 2
        at = begins + tried
        allowed = not stop.windows or any(a <= at <= b for a, b in stop.windows)
        later = stop.model_copy(update={"windows": ((at, at),)})
        table = run(problem, vehicle, [*items[:place], later, *items[place + 1 :]], starts)
        if allowed and not table.broken:
            low = tried
        else:
            high = tried - 1
    return low


def late(problem: Problem, vehicle: ProblemVehicle, items: Sequence[Item]) -> tuple[Late, ...]:
    """Return the stops of a live route that come after their promise, and what would help each.

    What would help is the least that makes the whole route keep its promises up to that stop.
    """
    table = run(problem, vehicle, items, vehicle.shift[0])
    found = []
    for breach in table.breaches:
        if breach.rule != "window":
            continue
        here = next(n for n, item in enumerate(items) if getattr(item, "id", "") == breach.stop)
        small = narrowed(problem, vehicle, items[: here + 1])
        asked = until_sound(
            small, items[: here + 1], Unserved(stop=breach.stop, reason="", vehicle=vehicle.id),
            (), (breach.stop,), run(small, small.vehicles[0], items[: here + 1], vehicle.shift[0]),
        )  # fmt: skip
        own = tuple(one for one in asked or () if one.stop == breach.stop)
        found.append(Late(stop=breach.stop, seconds=breach.amount, rule="window", relaxations=own))
    return tuple(found)


def outcome(problem: Problem, plan: Plan) -> Outcome:
    """Return what a plan came to."""
    routes = [route for route in plan.routes if route.visits]
    return Outcome(
        routes={one.vehicle: tuple(visit.stop for visit in one.visits) for one in routes},
        timelines=tuple(timeline(problem, route) for route in routes),
        cost=costs.cost(problem, plan),
        metres=sum(route.metres for route in routes),
        seconds=sum(route.ends - route.starts for route in routes),
        missed=costs.missed(problem, plan),
    )


def compare(before: Plan, after: Plan, problem: Problem) -> Comparison:
    """Return what is different in `after`, both being plans of `problem`."""
    return difference(outcome(problem, before), outcome(problem, after))


def difference(before: Outcome, after: Outcome) -> Comparison:
    """Return what is different in `after`."""
    was, now = whose(before.routes), whose(after.routes)
    both = [stop for stop in now if stop in was]
    moved = [Move(stop=s, before=was[s], after=now[s]) for s in both if was[s] != now[s]]
    reordered: list[str] = []
    for driver, stops in after.routes.items():
        same = [stop for stop in stops if was.get(stop) == driver]
        old = [stop for stop in before.routes.get(driver, ()) if now.get(stop) == driver]
        kept = set(common(old, same))
        reordered += [stop for stop in same if stop not in kept]
    return Comparison(
        moved=tuple(moved),
        reordered=tuple(reordered),
        served=tuple(stop for stop in now if stop not in was),
        left_out=tuple(stop for stop in was if stop not in now),
        cost=after.cost - before.cost,
        metres=after.metres - before.metres,
        seconds=after.seconds - before.seconds,
        churn=round((len(moved) + len(reordered)) / len(both), 4) if both else 0,
    )


def whose(routes: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the driver of each stop."""
    return {stop: driver for driver, stops in routes.items() for stop in stops}


def common(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """Return the most stops that keep their order (the longest increasing subsequence)."""
    place = {stop: number for number, stop in enumerate(before)}
    best: list[tuple[int, list[str]]] = []
    for stop in after:
        heads = [(size, run) for size, run in best if place[run[-1]] < place[stop]]
        size, run = max(heads, key=lambda head: head[0], default=(0, []))
        best.append((size + 1, [*run, stop]))
    return max(best, key=lambda one: one[0], default=(0, []))[1]
