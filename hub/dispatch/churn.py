"""How many stops a new plan moves, and the best part of it that moves no more than it may.

A stop moves when it changes the driver, or overtakes others of its own route: of those that stay
with a driver, as many as have to be taken out so that the others stand in their old order.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from time import monotonic

from hub.nouns import Problem
from hub.planning.costs import price
from hub.planning.schedule import Timetable, run

Orders = Mapping[str, tuple[str, ...]]
"""Route -> the stops ahead in order."""
Worth = tuple[int, int]
"""(seconds after what was promised, what the routes cost): the smaller one is better."""
NOTHING: Worth = (0, 0)
TOGETHER = 80
"""Stops of the routes that exchange some: they are written in one transaction, which is short."""


def moved(before: Orders, after: Orders) -> int:
    """Return how many stops change the driver or overtake."""
    count = 0
    for route, order in after.items():
        places = {stop: place for place, stop in enumerate(before.get(route, ()))}
        kept = [places[stop] for stop in order if stop in places]
        count += len(order) - longest_rising(kept)
    return count


def longest_rising(numbers: Iterable[int]) -> int:
    """Return the length of the longest rising subsequence (by patience sorting)."""
    tops: list[int] = []
    for one in numbers:
        place = bisect_left(tops, one)
        tops[place : place + 1] = [one]
    return len(tops)


def exchanges(before: Orders, after: Orders) -> list[frozenset[str]]:
    """Return the smallest groups of routes that change and exchange stops only with each other."""
    came_from = {stop: route for route, order in before.items() for stop in order}
    group = {route: {route} for route in before}
    for route, order in after.items():
        for stop in order:
            other = came_from[stop]
            if group[other] is not group[route]:
                group[route] |= group[other]
                for member in group[other]:
                    group[member] = group[route]
    changed = {frozenset(group[route]) for route in before if after[route] != before[route]}
    return sorted(changed, key=min)


class Bundles:
    """Which routes exchange stops, and so have to be written together: few enough for one write."""

    def __init__(self, before: Orders) -> None:
        self.sizes = {route: len(order) for route, order in before.items()}
        self.of = {route: {route} for route in before}

    def fit(self, routes: Iterable[str]) -> bool:
        """Say whether some routes may exchange stops; two that do with no other always may."""
        together = set[str]().union(*(self.of[route] for route in routes))
        return len(together) <= 2 or sum(self.sizes[route] for route in together) <= TOGETHER

    def join(self, routes: Iterable[str]) -> None:
        """Note that some routes exchange stops."""
        together = set[str]().union(*(self.of[route] for route in routes))
        self.of.update(dict.fromkeys(together, together))


class Judge:
    """Says what an order of stops is worth to a route, and keeps what it has worked out."""

    def __init__(self, problem: Problem, promised: Mapping[str, int]) -> None:
        self.problem, self.promised = problem, promised
        self.known: dict[tuple[str, tuple[str, ...]], tuple[Timetable, Worth]] = {}

    def look(self, route: str, order: tuple[str, ...]) -> tuple[Timetable, Worth]:
        """Return when a route visits stops in this order, and what that is worth."""
        key = route, order
        if key not in self.known:
            vehicle = self.problem.vehicle_of[route]
            stops = [self.problem.stop_of[id] for id in order]
            made = run(self.problem, vehicle, stops, vehicle.shift[0])
            late = sum(
                max(0, visit.arrive - self.promised[visit.stop])
                for visit in made.visits
                if visit.stop in self.promised
            )
            cost = price(vehicle, made.starts, made.ends, made.metres) if order else 0
            self.known[key] = made, (late, cost)
        return self.known[key]

    def keeps(self, route: str, order: tuple[str, ...]) -> bool:
        """Say whether a route may visit stops in this order; nobody is left with nothing to do."""
        return bool(order) and not self.look(route, order)[0].broken

    def worth(self, orders: Orders, routes: Iterable[str]) -> Worth:
        """Return what some routes are worth together."""
        late = cost = 0
        for route in routes:
            _, (seconds, amount) = self.look(route, orders[route])
            late, cost = late + seconds, cost + amount
        return late, cost


def best_part(judge: Judge, before: Orders, after: Orders, most: int, until: float) -> Orders:
    """Return `before` with those changes of `after` that pay most and move at most `most` stops.

    Whole exchanges between routes come first, by their gain per stop moved; of one that moves too
    many, single stops follow. What is returned is never worse than `before`. `until` is a
    monotonic time.
    """
    chosen = dict(before)
    left: list[frozenset[str]] = []
    for _, group in sorted(paying(judge, before, after), key=lambda one: (one[0], min(one[1]))):
        part = {route: after[route] for route in group}
        count = moved({route: before[route] for route in group}, part)
        sound = all(judge.keeps(route, part[route]) for route in group)
        if count <= most and sound and Bundles(before).fit(group):
            chosen.update(part)
            most -= count
        else:
            left.append(group)
    for group in left:
        most -= one_by_one(judge, chosen, after, group, most, until)
    return chosen


def paying(
    judge: Judge, before: Orders, after: Orders
) -> list[tuple[tuple[float, float], frozenset[str]]]:
    """Return the exchanges that are better than what was, each with what it brings per stop."""
    found = []
    for group in exchanges(before, after):
        was, becomes = judge.worth(before, group), judge.worth(after, group)
        sound = all(judge.keeps(route, after[route]) for route in group)
        if becomes < was or not sound:
            part = {route: after[route] for route in group}
            count = max(1, moved({route: before[route] for route in group}, part))
            gain = ((becomes[0] - was[0]) / count, (becomes[1] - was[1]) / count)
            found.append((gain if sound else (0.0, 0.0), group))
    return found


def one_by_one(
    judge: Judge,
    chosen: dict[str, tuple[str, ...]],
    after: Orders,
    group: frozenset[str],
    most: int,
    until: float,
) -> int:
    """Let single stops of an exchange change in `chosen`, those first that pay most.

    Return how many did.
    """
    target = {stop: route for route in group for stop in after[route]}
    gains: list[tuple[Worth, str]] = []
    for route in sorted(group):
        for stop in chosen[route]:
            if target[stop] != route and monotonic() < until:
                step = shift(judge, chosen, stop, route, target[stop])
                if step is not None:
                    gains.append((step[0], stop))
    done = 0
    bundles = Bundles({route: chosen[route] for route in group})
    for _, stop in sorted(gains):
        if done >= most or monotonic() >= until:
            break
        source = next(route for route in group if stop in chosen[route])
        if not bundles.fit((source, target[stop])):
            continue
        step = shift(judge, chosen, stop, source, target[stop])
        if step is not None:
            chosen.update(step[1])
            bundles.join(step[1])
            done += 1
    return done


def shift(
    judge: Judge, orders: Orders, stop: str, source: str, target: str
) -> tuple[Worth, dict[str, tuple[str, ...]]] | None:
    """Return the best way to give one stop to another route, None where there is no gain.

    It comes with what it brings, which is less than nothing, and the two new orders.
    """
    shorter = tuple(one for one in orders[source] if one != stop)
    if not judge.keeps(source, shorter):
        return None
    was = judge.worth(orders, (source, target))
    best: tuple[Worth, dict[str, tuple[str, ...]]] | None = None
    for place in range(len(orders[target]) + 1):
        longer = (*orders[target][:place], stop, *orders[target][place:])
        if not judge.keeps(target, longer):
            continue
        changed = {source: shorter, target: longer}
        late, cost = judge.worth(changed, changed)
        gain = late - was[0], cost - was[1]
        if gain < (NOTHING if best is None else best[0]):
            best = gain, changed
    return best


def is_whole(before: Orders, after: Mapping[str, Sequence[str]]) -> bool:
    """Say whether both have the same routes and every stop exactly once."""
    old = sorted(stop for order in before.values() for stop in order)
    new = sorted(stop for order in after.values() for stop in order)
    return before.keys() == after.keys() and old == new
