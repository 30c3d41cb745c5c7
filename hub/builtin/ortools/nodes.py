"""The nodes of a routing model: the stops, the visits to depots to reload, all starts and ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

from hub.nouns import Problem, ProblemStop, ProblemVehicle
from hub.planning.reasons import working
from hub.planning.rules import AtDepot, Item, amount
from hub.planning.walk import NEVER


@dataclass(frozen=True)
class Reload:
    """One visit to a depot that one vehicle may make."""

    vehicle: int
    point: int
    turn: int


@dataclass(frozen=True)
class Nodes:
    """What is to be routed; a node's number is its place in `stops`, `reloads`, starts, ends."""

    problem: Problem
    vehicles: tuple[ProblemVehicle, ...]
    stops: tuple[ProblemStop, ...]
    reloads: tuple[Reload, ...]

    @cached_property
    def number(self) -> dict[str, int]:
        """The node of each stop."""
        return {stop.id: node for node, stop in enumerate(self.stops)}

    @cached_property
    def points(self) -> list[int]:
        """The point of each node."""
        found = [stop.point for stop in self.stops] + [one.point for one in self.reloads]
        found += [vehicle.start for vehicle in self.vehicles]
        return found + [vehicle.end for vehicle in self.vehicles]

    @cached_property
    def locked(self) -> frozenset[str]:
        """The stops that routes begin with."""
        return frozenset(id for vehicle in self.vehicles for id in vehicle.locked)

    @cached_property
    def starts(self) -> list[int]:
        """The node at which each vehicle begins."""
        first = len(self.stops) + len(self.reloads)
        return list(range(first, first + len(self.vehicles)))

    @cached_property
    def ends(self) -> list[int]:
        """The node at which each vehicle ends."""
        return [start + len(self.vehicles) for start in self.starts]

    def reload_nodes(self) -> Iterator[tuple[int, Reload]]:
        """Yield the node of each possible reload."""
        yield from enumerate(self.reloads, len(self.stops))

    def of_each(self, stops: Sequence[int], reload: int = 0) -> list[int]:
        """Return a number for every node: `stops`, then `reload` for each, then 0."""
        return [*stops, *[reload] * len(self.reloads), *[0] * (2 * len(self.vehicles))]

    def item(self, node: int) -> Item:
        """Return what is visited at a node."""
        if node < len(self.stops):
            return self.stops[node]
        return AtDepot(self.reloads[node - len(self.stops)].point)

    def cells(self, grid: Any) -> Any:
        """Return the part of a matrix between all nodes; `NEVER` where there is no way."""
        import numpy as np

        cells = np.asarray(grid)[np.ix_(self.points, self.points)].astype(np.int64)
        cells[(cells < 0) | (cells > NEVER)] = NEVER
        return cells


def nodes(problem: Problem) -> Nodes:
    """Return the nodes of a problem, without the stops that no vehicle may serve."""
    able = {vehicle.id for vehicle in working(problem)}
    vehicles = tuple(
        vehicle
        for vehicle in {vehicle.id: vehicle for vehicle in problem.vehicles}.values()
        if vehicle.id in able or vehicle.locked
    )
    behind = {id for vehicle in vehicles for id in vehicle.locked}
    stops = [
        stop
        for stop in problem.stop_of.values()
        if stop.id in behind or any(allowed(vehicle, stop) for vehicle in vehicles)
    ]
    there = {stop.id for stop in stops}
    stops = [stop for stop in stops if partner(problem, stop) in there]
    Random(problem.seed).shuffle(stops)
    return Nodes(problem, vehicles, tuple(stops), tuple(reloads(problem, vehicles)))


def partner(problem: Problem, stop: ProblemStop) -> str:
    """Return the other stop of the same shipment, or the stop itself."""
    goods = problem.shipment_of.get(stop.id)
    if goods is None:
        return stop.id
    return goods.delivery if goods.pickup == stop.id else goods.pickup


def allowed(vehicle: ProblemVehicle, stop: ProblemStop) -> bool:
    """Say whether a vehicle may serve a stop at all."""
    begun = vehicle.visited > 0 or bool(vehicle.locked)
    return (
        stop.skills <= vehicle.skills
        and (not stop.vehicles or vehicle.id in stop.vehicles)
        and not (stop.position == "first" and begun)
    )


def reloads(problem: Problem, vehicles: Sequence[ProblemVehicle]) -> Iterator[Reload]:
    """Yield the visits to depots that each vehicle may make, not more than there are goods for."""
    for number, vehicle in enumerate(vehicles):
        if vehicle.reloads is None:
            continue
        fills = [
            -(-sum(amount(s.deliver, n) + amount(s.collect, n) for s in problem.stops) // room)
            for n, room in enumerate(vehicle.capacity)
            if room
        ]
        for turn in range(min(vehicle.reloads.most, max(fills, default=0))):
            for point in vehicle.reloads.points:
                yield Reload(number, point, turn)
