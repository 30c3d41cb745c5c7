"""The best order of one route's stops ahead: moved and turned round until nothing gains.

Iterated local search over the one evaluator, so that every rule of the day is kept in it; a route
has few stops, and a second is plenty.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from time import monotonic

from hub.dispatch.road import Road, Ways, lenient, problem_of
from hub.nouns import Problem, ProblemStop
from hub.planning.costs import price
from hub.planning.rules import Item
from hub.planning.schedule import run

LONGEST = 3
"""Stops in a row that are moved together."""
KICKS = 40
"""Times in a row that a shaken order may bring nothing until the search ends."""
Order = tuple[str, ...]
Value = tuple[tuple[int, int], int, int]
"""(rules broken and by how much, seconds late, cost): the smaller one is better."""


class Ordering:
    """What orders of one route are worth; each is worked out once."""

    def __init__(self, road: Road, ways: Ways, first: int) -> None:
        self.strict, self.road = road, lenient(road, ways)
        self.problem: Problem = problem_of([self.road], ways)
        self.first = first
        self.closes = {stop.id: stop.windows[-1][1] for stop in road.stops if stop.windows}
        self.known: dict[Order, Value] = {}

    def value(self, order: Order) -> Value:
        """Return what an order is worth."""
        if order not in self.known:
            vehicle = self.road.vehicle
            made = run(self.problem, vehicle, in_order(self.road, order), vehicle.shift[0])
            late = sum(
                max(0, one.arrive - self.closes[one.stop])
                for one in made.visits
                if one.stop in self.closes
            )
            cost = price(vehicle, made.starts, made.ends, made.metres)
            self.known[order] = made.amount, late, cost
        return self.known[order]

    def settled(self, order: Order, until: float) -> Order:
        """Return an order that no single move betters, or the best found in time."""
        better = True
        while better and monotonic() < until:
            better = False
            for other in neighbours(order, self.first):
                if self.value(other) < self.value(order):
                    order, better = other, True
                    break
                if monotonic() >= until:
                    break
        return order


def best_order(road: Road, ways: Ways, locks: Sequence[str], seconds: float) -> Order:
    """Return the best order of the stops ahead that begins with `locks`; never a worse one.

    Never worse than the stops as they are with the locks in front.
    """
    until = monotonic() + seconds
    under_way = [stop.id for stop in road.stops[: road.frozen]]
    fixed = list(dict.fromkeys([*under_way, *locks]))
    start = (*fixed, *(stop.id for stop in road.stops if stop.id not in fixed))
    ordering = Ordering(road, ways, len(fixed))
    best = ordering.settled(start, until)
    random, idle = Random(1), 0
    while idle < KICKS and monotonic() < until and len(start) - len(fixed) >= 4:
        other = ordering.settled(kicked(best, len(fixed), random), until)
        idle += 1
        if ordering.value(other) < ordering.value(best):
            best, idle = other, 0
    return best


def neighbours(order: Order, first: int) -> Iterator[Order]:
    """Yield the orders that are one move away: some stops in a row elsewhere, or turned round."""
    count = len(order)
    for size in range(1, LONGEST + 1):
        for start in range(first, count - size + 1):
            part, rest = order[start : start + size], order[:start] + order[start + size :]
            for place in range(first, len(rest) + 1):
                if place != start:
                    yield rest[:place] + part + rest[place:]
    for start in range(first, count - 1):
        for end in range(start + 2, count + 1):
            yield order[:start] + order[start:end][::-1] + order[end:]


def kicked(order: Order, first: int, random: Random) -> Order:
    """Return an order with two neighbouring parts exchanged."""
    one, two, three = sorted(random.sample(range(first, len(order) + 1), 3))
    return order[:one] + order[two:three] + order[one:two] + order[three:]


def in_order(road: Road, stop_ids: Sequence[str]) -> list[Item]:
    """Return the stops in an order, with reloads after as many stops as before."""
    by_id = {stop.id: stop for stop in road.stops}
    ordered = iter([by_id[id] for id in stop_ids])
    return [next(ordered) if isinstance(one, ProblemStop) else one for one in road.items]
