"""The cheapest places for goods that are fetched at one stop and brought to another."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import islice
from typing import Any

from hub.nouns import Loads, ProblemStop, Shipment
from hub.planning.lanes import Lane
from hub.planning.quotes import FORBIDDEN, Fleet
from hub.planning.rules import AtDepot, Item, amount
from hub.planning.walk import ENDLESS, NEVER, opening

Offer = tuple[int, Lane, list[Item], bool]
"""(cost, lane, its items with the stop in, whether the cost is exact)"""


def pairs(fleet: Fleet, shipment: Shipment) -> Iterator[Offer]:
    """Yield where both stops of a shipment may fit, roughly the cheapest first."""
    pickup = fleet.problem.stop_of[shipment.pickup]
    delivery = fleet.problem.stop_of[shipment.delivery]
    nothing: tuple[Loads, Loads] = ((), ())
    fetch = fleet.quote(pickup, 2, nothing)
    bring = fleet.quote(delivery, 2, nothing)
    heap: list[tuple[int, int, int, int]] = []
    streams: dict[int, Iterator[tuple[int, int, int]]] = {}
    for number in range(len(fleet.lanes)):
        if fetch.allowed[number] and bring.allowed[number]:
            streams[number] = iter(sorted(estimates(fleet, number, shipment, fetch, bring)))
            advance(heap, streams[number], number)
    while heap:
        cost, number, first, second = heappop(heap)
        lane = fleet.lanes[number]
        items = [*lane.items[:first], pickup, *lane.items[first:second], delivery,
                 *lane.items[second:]]  # fmt: skip
        yield cost, lane, items, False
        advance(heap, streams[number], number)


def advance(heap: list[Any], stream: Iterator[tuple[int, int, int]], number: int) -> None:
    """Put the next best pair of a vehicle on the heap."""
    for cost, first, second in islice(stream, 1):
        heappush(heap, (cost, number, first, second))


def estimates(
    fleet: Fleet, number: int, shipment: Shipment, fetch: Any, bring: Any
) -> Iterator[tuple[int, int, int]]:
    """Yield (estimated cost, place of the pickup, place of the delivery) of one vehicle."""
    lane = fleet.lanes[number]
    fetches, brings = fetch.costs[number].tolist(), bring.costs[number].tolist()
    pickup, delivery = (fleet.problem.stop_of[id] for id in (shipment.pickup, shipment.delivery))
    size = len(lane.items) + 1
    for first in range(lane.base, size):
        if has_room(lane, shipment, first, first):
            cost = together(lane, pickup, delivery, first)
            if cost is not None:
                yield cost, first, first
        if fetches[first] >= FORBIDDEN:
            continue
        for second, arrives in onward(lane, pickup, delivery, first):
            if not has_room(lane, shipment, first, second):
                break
            if brings[second] < FORBIDDEN and before_next(lane, delivery, second, arrives):
                yield fetches[first] + brings[second], first, second


def onward(
    lane: Lane, pickup: ProblemStop, delivery: ProblemStop, first: int
) -> Iterator[tuple[int, int]]:
    """Yield (place, soonest arrival) for a delivery whose goods come on board at place `first`.

    Places that only a broken window or too long a ride leads to are passed over; breaks, and what
    else could make it later, are not counted.
    """
    seconds = lane.problem.matrix_of(lane.vehicle).seconds
    longest = ENDLESS if delivery.on_board is None else delivery.on_board
    begins, spare = opening(
        pickup, lane.departs[first] + leg(seconds[lane.points[first]][pickup.point])
    )
    now, ride, way = begins + pickup.service, 0, leg(seconds[pickup.point][lane.points[first + 1]])
    for second in range(first + 1, len(lane.items) + 1):
        item = lane.items[second - 1]
        if spare < 0 or ride > longest or isinstance(item, AtDepot):
            return
        begins, spare = opening(item, now + way)
        now, ride = begins + item.service, ride + way + item.service
        there = leg(seconds[item.point][delivery.point])
        if spare >= 0 and ride + there <= longest:
            yield second, now + there
        way = lane.legs[second]


def before_next(lane: Lane, delivery: ProblemStop, place: int, arrives: int) -> bool:
    """Say whether who comes to a delivery at `arrives` is in time there and at what follows."""
    begins, spare = opening(delivery, arrives)
    seconds = lane.problem.matrix_of(lane.vehicle).seconds
    on = leg(seconds[delivery.point][lane.points[place + 1]])
    return spare >= 0 and begins + delivery.service + on <= lane.latest[place]


def leg(seconds: int) -> int:
    """Return the seconds of a way, `NEVER` where there is none."""
    return seconds if 0 <= seconds < NEVER else NEVER


def together(lane: Lane, pickup: ProblemStop, delivery: ProblemStop, place: int) -> int | None:
    """Return roughly what both stops cost at one place, `None` where there is no time for them."""
    seconds = lane.problem.matrix_of(lane.vehicle).seconds
    there = seconds[lane.points[place]][pickup.point]
    between = seconds[pickup.point][delivery.point]
    on = seconds[delivery.point][lane.points[place + 1]]
    if not all(0 <= leg < NEVER for leg in (there, between, on)):
        return None
    begins, spare = opening(pickup, lane.departs[place] + there)
    begun, left = opening(delivery, begins + pickup.service + between)
    if min(spare, left) < 0 or begun + delivery.service + on > lane.latest[place]:
        return None
    costs = lane.vehicle.costs
    longer: int = there + between + on - lane.legs[place]
    return (0 if lane.items else costs.fixed) + longer * max(1, costs.per_second)


def has_room(lane: Lane, shipment: Shipment, first: int, second: int) -> bool:
    """Say whether there is room for the goods from one place to another."""
    return all(
        max(loads[first : second + 1]) + amount(shipment.load, number) <= capacity
        for number, (loads, capacity) in enumerate(
            zip(lane.carried, lane.vehicle.capacity, strict=False)
        )
    )
