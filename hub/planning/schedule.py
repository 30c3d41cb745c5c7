"""When a driver who visits stops in a given order is where, and which rules that breaks.

This is the one evaluator of a route: engines' answers, insertions and explanations go through it.
The checker replays the routes of a plan by itself (hub.planning.check_route), so that neither hides
the other's mistake there. Whether a stop that is left out could fit, it asks this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

from hub.nouns import Matrix, Pause, PlannedRoute, Problem, ProblemStop, ProblemVehicle, Visit
from hub.planning.rules import AtDepot, Breach, Item, broken_rules, late_goods
from hub.planning.walk import NEVER as NEVER
from hub.planning.walk import Walk

PLACEMENTS = 400
"""Ways to place the breaks of one route that are tried before it is given up."""


@dataclass(frozen=True)
class Timetable:
    """The visits and pauses of one vehicle, and every rule that they break."""

    visits: tuple[Visit, ...]
    starts: int
    ends: int
    metres: int
    pauses: tuple[Pause, ...] = ()
    breaches: tuple[Breach, ...] = ()
    slack: int = 0
    """By how many seconds all of it could begin later without breaking a window."""
    waited: int = 0
    """Seconds spent waiting at doors."""

    @property
    def broken(self) -> bool:
        """Whether it breaks any rule."""
        return bool(self.breaches)

    @property
    def amount(self) -> tuple[int, int]:
        """How badly it breaks the rules: how many, and by how much in all."""
        return len(self.breaches), sum(breach.amount for breach in self.breaches)


def travel(matrix: Matrix, start: int, end: int) -> int:
    """Return the seconds from point to point, `NEVER` where there is no way."""
    seconds: int = matrix.seconds[start][end]
    return seconds if 0 <= seconds < NEVER else NEVER


def drive(problem: Problem, vehicle: ProblemVehicle, items: Sequence[Item]) -> Timetable:
    """Return the timetable of `items` in this order, leaving as late as costs nothing.

    A driver who would wait at a door leaves the depot later instead; the last return stays as
    early as it can be. Who is on the road already goes on at once.
    """
    first = run(problem, vehicle, items, vehicle.shift[0])
    if not items or vehicle.visited:
        return first
    best = first
    for delay in sorted({min(first.slack, first.waited), first.slack}):
        aboard = any(breach.rule == "on_board" for breach in best.breaches)
        if delay <= 0 or (delay > first.waited and not aboard):
            continue
        later = run(problem, vehicle, items, vehicle.shift[0] + delay)
        if later.amount < best.amount or (later.amount == best.amount and later.ends <= best.ends):
            best = later
    return best


def run(problem: Problem, vehicle: ProblemVehicle, items: Sequence[Item], starts: int) -> Timetable:
    """Return the timetable of a vehicle that leaves at `starts` and waits where it is early.

    Breaks are taken where they cost nothing, else as late as they may be; where that breaks a
    window, every other place for them is tried.
    """
    found = timetable(problem, vehicle, items, Walk(problem, vehicle, starts).along(items))
    if not found.breaches or not vehicle.breaks:
        return found
    without = Walk(problem, vehicle, starts).along(items, ())
    if late(without) or (without.now > vehicle.shift[1] + vehicle.overtime):
        return found
    places = combinations_with_replacement(range(len(items) + 1), len(vehicle.breaks))
    for _, placed in zip(range(PLACEMENTS), places, strict=False):
        other = timetable(
            problem, vehicle, items, Walk(problem, vehicle, starts).along(items, placed)
        )
        if other.amount < found.amount:
            found = other
            if not found.breaches:
                return rested(problem, vehicle, items, found, placed)
    return found


def rested(
    problem: Problem,
    vehicle: ProblemVehicle,
    items: Sequence[Item],
    found: Timetable,
    placed: Sequence[int],
) -> Timetable:
    """Return a route whose breaks are `placed` without the last of them where nobody needs them."""
    for kept in range(len(placed)):
        later = [*placed[:kept], *[len(items)] * (len(placed) - kept)]
        walk = Walk(problem, vehicle, found.starts).along(items, later)
        other = timetable(problem, vehicle, items, walk)
        if not other.breaches and other.ends < found.ends:
            return other
    return found


def late(walk: Walk) -> bool:
    """Say whether a walk comes too late anywhere."""
    return any(breach.rule in ("window", "unreachable") for breach in walk.breaches)


def timetable(
    problem: Problem, vehicle: ProblemVehicle, items: Sequence[Item], walk: Walk
) -> Timetable:
    """Return what came of a walk, with every rule that the route breaks."""
    breaches = list(walk.breaches)
    limit = vehicle.shift[1] + vehicle.overtime
    if items and walk.now > limit:
        breaches.append(Breach("shift", walk.now - limit))
    if vehicle.most_metres is not None and vehicle.driven + walk.metres > vehicle.most_metres:
        breaches.append(Breach("most_metres", vehicle.driven + walk.metres - vehicle.most_metres))
    breaches += broken_rules(problem, vehicle, items)
    breaches += late_goods(problem, vehicle, items, walk)
    slack = min(walk.slack, walk.waited + max(0, limit - walk.now)) if items else 0
    return Timetable(
        visits=tuple(walk.visits),
        starts=walk.starts,
        ends=walk.now,
        metres=walk.metres,
        pauses=tuple(walk.pauses),
        breaches=tuple(breaches),
        slack=max(0, slack),
        waited=walk.waited,
    )


def planned(vehicle: ProblemVehicle, timetable: Timetable) -> PlannedRoute:
    """Return a timetable as the route of a plan."""
    return PlannedRoute(
        vehicle=vehicle.id,
        visits=timetable.visits,
        starts=timetable.starts,
        ends=timetable.ends,
        metres=timetable.metres,
        pauses=timetable.pauses,
    )


def items_of(problem: Problem, route: PlannedRoute) -> list[Item]:
    """Return the stops and reloads of a planned route in their order."""
    found: list[Item] = []
    reloads = [pause for pause in route.pauses if pause.kind == "reload"]
    for index in range(len(route.visits) + 1):
        found += [
            AtDepot(one.point) for one in reloads if one.after == index and one.point is not None
        ]
        if index < len(route.visits):
            found.append(problem.stop_of[route.visits[index].stop])
    return found


def only_stops(items: Sequence[Item]) -> list[ProblemStop]:
    """Return the stops among the items of a route."""
    return [item for item in items if isinstance(item, ProblemStop)]
