"""The rules of a route that do not hang on the clock: loads, skills, order, and goods on board."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.nouns import Loads, Problem, ProblemStop, ProblemVehicle, Rule

if TYPE_CHECKING:
    from hub.planning.walk import Walk


@dataclass(frozen=True)
class AtDepot:
    """A reload at a depot, between the stops of a sequence."""

    point: int


Item = ProblemStop | AtDepot
Sequences = Mapping[str, Sequence[Item]]
"""What each vehicle does, in order, by the vehicle."""


@dataclass(frozen=True)
class Breach:
    """A rule that a route breaks, and by how much."""

    rule: Rule
    amount: int = 0
    """Seconds, metres, stops or units of load beyond what is allowed."""
    stop: str = ""
    """At which stop."""
    dimension: int = 0
    """Of the load."""
    skill: str = ""


def broken_rules(
    problem: Problem, vehicle: ProblemVehicle, items: Sequence[Item]
) -> Iterator[Breach]:
    """Yield every rule that a sequence breaks whatever the time is."""
    stops = [item for item in items if isinstance(item, ProblemStop)]
    for stop in stops:
        for skill in sorted(stop.skills - vehicle.skills):
            yield Breach("skill", 1, stop.id, skill=skill)
        if stop.vehicles and vehicle.id not in stop.vehicles:
            yield Breach("pinned", 1, stop.id)
    over = vehicle.visited + len(stops) - (vehicle.most_stops or 0)
    if vehicle.most_stops is not None and over > 0 and stops:
        yield Breach("most_stops", over)
    reloads = [item.point for item in items if isinstance(item, AtDepot)]
    if reloads:
        allowed = vehicle.reloads.points if vehicle.reloads else ()
        over = len(reloads) - (vehicle.reloads.most if vehicle.reloads else 0)
        over = max(over, sum(point not in allowed for point in reloads))
        if over > 0:
            yield Breach("reload", over)
    yield from broken_order(vehicle, stops)
    yield from overload(problem, vehicle, items)
    if problem.shipments:
        yield from broken_shipments(problem, vehicle, items)


def broken_order(vehicle: ProblemVehicle, stops: Sequence[ProblemStop]) -> Iterator[Breach]:
    """Yield what breaks the wish to be first or last, and what precedes a locked stop."""
    locked = len(vehicle.locked)
    if locked and tuple(stop.id for stop in stops[:locked]) != vehicle.locked:
        yield Breach("locked", 1)
    begun = vehicle.visited > 0 or locked > 0
    free = stops[locked:]
    final = max((n for n, stop in enumerate(free) if stop.position != "last"), default=-1)
    for index, stop in enumerate(free):
        if stop.position == "first" and begun:
            yield Breach("first_last", 1, stop.id)
        if stop.position == "last" and index < final:
            yield Breach("first_last", 1, stop.id)
        begun = begun or stop.position != "first"


def trips(items: Sequence[Item]) -> Iterator[list[ProblemStop]]:
    """Yield the stops between two visits to a depot."""
    trip: list[ProblemStop] = []
    for item in items:
        if isinstance(item, AtDepot):
            yield trip
            trip = []
        else:
            trip.append(item)
    yield trip


def loading(trips: Iterable[Sequence[str]], loaded: Container[str]) -> list[list[str]]:
    """Return per trip the stops whose goods are loaded at the depot, in the order of loading.

    What is handed over last goes in first; what is fetched on the way is not in `loaded`.
    """
    found = [[id for id in reversed(trip) if id in loaded] for trip in trips]
    return [trip for trip in found if trip]


def amount(loads: Loads, dimension: int) -> int:
    """Return the load in a dimension, 0 where it is not told."""
    return loads[dimension] if dimension < len(loads) else 0


def overload(problem: Problem, vehicle: ProblemVehicle, items: Sequence[Item]) -> Iterator[Breach]:
    """Yield by how much a vehicle is too full at its fullest, in each dimension."""
    for dimension, capacity in enumerate(vehicle.capacity):
        fullest, where = 0, ""
        riding = amount(vehicle.carries, dimension)
        for trip in trips(items):
            load = riding + sum(amount(stop.deliver, dimension) for stop in trip)
            if load > fullest:
                fullest, where = load, trip[0].id if trip else ""
            for stop in trip:
                load += amount(stop.collect, dimension) - amount(stop.deliver, dimension)
                shipment = problem.shipment_of.get(stop.id)
                if shipment is not None:
                    moved = amount(shipment.load, dimension)
                    load += moved if shipment.pickup == stop.id else -moved
                if load > fullest:
                    fullest, where = load, stop.id
        if fullest > capacity:
            yield Breach("capacity", fullest - capacity, where, dimension)


def broken_shipments(
    problem: Problem, vehicle: ProblemVehicle, items: Sequence[Item]
) -> Iterator[Breach]:
    """Yield shipments that are not fetched before they are brought, and what lies on top."""
    here = {item.id for item in items if isinstance(item, ProblemStop)}
    pile: list[str] = []
    for item in items:
        if isinstance(item, AtDepot):
            if pile:
                yield Breach("shipment", 1, problem.shipment_of[pile[-1]].pickup)
            continue
        shipment = problem.shipment_of.get(item.id)
        if shipment is None:
            if vehicle.stacked and pile and item.deliver:
                yield Breach("stacked", 1, item.id)
        elif shipment.pickup == item.id:
            pile.append(shipment.delivery)
            if shipment.delivery not in here:
                yield Breach("shipment", 1, item.id)
        elif item.id not in pile:
            yield Breach("shipment", 1, item.id)
        else:
            if vehicle.stacked and pile[-1] != item.id:
                yield Breach("stacked", 1, item.id)
            pile.remove(item.id)


def late_goods(
    problem: Problem, vehicle: ProblemVehicle, items: Sequence[Item], walk: Walk
) -> Iterator[Breach]:
    """Yield goods that ride longer than they may."""
    if all(isinstance(item, AtDepot) or item.on_board is None for item in items):
        return
    times = {visit.stop: visit for visit in walk.visits}
    loads = [walk.starts, *(one.ends for one in walk.pauses if one.kind == "reload")]
    unloads = [*(one.begins for one in walk.pauses if one.kind == "reload"), walk.now]
    for number, trip in enumerate(trips(items)):
        for stop in trip:
            if stop.on_board is None:
                continue
            shipment = problem.shipment_of.get(stop.id)
            rides = []
            if shipment is not None and shipment.delivery == stop.id and shipment.pickup in times:
                rides.append(times[stop.id].arrive - times[shipment.pickup].depart)
            if stop.deliver:
                rides.append(times[stop.id].arrive - loads[number])
            if stop.collect:
                rides.append(unloads[number] - times[stop.id].depart)
            over = max(rides, default=0) - stop.on_board
            if over > 0:
                yield Breach("on_board", over, stop.id)
