"""Single stops given to other routes, those first that pay most: what little churn can bring.

An engine looks for the best routes, which are often altogether others. Where only some stops may
move, moving one at a time from the routes as they are finds more.
"""

from __future__ import annotations

from time import monotonic
from typing import Any

from hub.dispatch.churn import Bundles, Judge, Orders, moved
from hub.planning.schedule import NEVER

CHOICES = 4
"""Other places of each stop that are looked at exactly."""
Candidate = tuple[float, str, str, str, int]
"""(estimated cost, stop, its route, another route, place there)."""


def best_moves(judge: Judge, before: Orders, most: int, until: float) -> Orders:
    """Return `before` with at most `most` stops moved, each for a gain; never worse.

    `until` is a monotonic time.
    """
    orders = dict(before)
    moves = dict.fromkeys(before, 0)
    bundles = Bundles(before)
    while monotonic() < until:
        changed: set[str] = set()
        for _, stop, source, target, place in candidates(judge, orders):
            if monotonic() >= until:
                break
            if source in changed or target in changed or not bundles.fit((source, target)):
                continue
            made = moved_to(judge, orders, stop, (source, target), place)
            if made is None:
                continue
            counted = {**moves, **{id: moved(before, {id: made[id]}) for id in made}}
            if sum(counted.values()) <= most:
                orders.update(made)
                moves = counted
                bundles.join((source, target))
                changed |= {source, target}
        if not changed:
            break
    return orders


def moved_to(
    judge: Judge, orders: Orders, stop: str, routes: tuple[str, str], place: int
) -> dict[str, tuple[str, ...]] | None:
    """Return the two orders with a stop moved, None where that breaks a rule or gains nothing."""
    source, target = routes
    shorter = tuple(one for one in orders[source] if one != stop)
    longer = (*orders[target][:place], stop, *orders[target][place:])
    if source == target:
        longer = (*shorter[:place], stop, *shorter[place:])
        made = {source: longer}
    else:
        made = {source: shorter, target: longer}
    if not all(judge.keeps(route, order) for route, order in made.items()):
        return None
    return made if judge.worth(made, made) < judge.worth(orders, made) else None


def candidates(judge: Judge, orders: Orders) -> list[Candidate]:
    """Return moves that look good by the ways alone, the best first."""
    import numpy as np

    problem = judge.problem
    found: list[Candidate] = []
    cost = {profile: prices(judge, profile) for profile in {v.profile for v in problem.vehicles}}
    lines = {}
    for route, order in orders.items():
        vehicle = problem.vehicle_of[route]
        points = [vehicle.start, *(problem.stop_of[id].point for id in order), vehicle.end]
        lines[route] = (vehicle.profile, points)
    gaps = [
        (route, place)
        for route, order in orders.items()
        for place in range(len(problem.vehicle_of[route].locked), len(order) + 1)
    ]
    for profile, table in cost.items():
        mine = [(r, p) for r, p in gaps if lines[r][0] == profile]
        first = np.array([lines[r][1][p] for r, p in mine])
        after = np.array([lines[r][1][p + 1] for r, p in mine])
        direct = table[first, after]
        for route, order in orders.items():
            kind, points = lines[route]
            own = cost[kind]
            for place in range(len(problem.vehicle_of[route].locked), len(order)):
                stop = problem.stop_of[order[place]]
                a, b, c = points[place], points[place + 1], points[place + 2]
                saved = own[a, b] + own[b, c] - own[a, c]
                extra = table[first, b] + table[b, after] - direct - saved
                found += chosen(extra, mine, stop.id, route, place)
    return sorted(found)


def chosen(
    extra: Any, gaps: list[tuple[str, int]], stop: str, route: str, place: int
) -> list[Candidate]:
    """Return the few best other places of one stop."""
    import numpy as np

    few = np.argpartition(extra, min(CHOICES + 2, len(extra) - 1))[: CHOICES + 2]
    found: list[Candidate] = []
    for at in few:
        target, where = gaps[int(at)]
        if extra[at] >= 0 or (target == route and where in (place, place + 1)):
            continue
        if target == route and where > place:
            where -= 1
        found.append((float(extra[at]), stop, route, target, where))
    return sorted(found)[:CHOICES]


def prices(judge: Judge, profile: str) -> Any:
    """Return what each leg costs what drives so, a way that does not exist far too much."""
    import numpy as np

    vehicle = next(one for one in judge.problem.vehicles if one.profile == profile)
    matrix, costs = judge.problem.matrix_of(vehicle), vehicle.costs
    seconds, metres = np.asarray(matrix.seconds, float), np.asarray(matrix.metres, float)
    total = seconds * costs.per_second + metres * costs.per_metre
    return np.where((seconds < 0) | (seconds >= NEVER), 1e15, total)
