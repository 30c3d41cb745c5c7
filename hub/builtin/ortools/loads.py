"""Loads in the model: what is brought, what is taken along, shipments, reloads, and mere counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.builtin.ortools.nodes import Nodes
from hub.planning.rules import amount


@dataclass(frozen=True)
class Load:
    """One dimension of load."""

    model: Any
    nodes: Nodes
    number: int

    def deliver(self) -> list[int]:
        """Return what is brought to each stop."""
        return [amount(stop.deliver, self.number) for stop in self.nodes.stops]

    def moved(self) -> list[int]:
        """Return what comes on board at each stop, less than 0 for what leaves a shipment's."""
        found = []
        for stop in self.nodes.stops:
            goods = self.nodes.problem.shipment_of.get(stop.id)
            moved = 0
            if goods is not None:
                sign = 1 if goods.pickup == stop.id else -1
                moved = sign * amount(goods.load, self.number)
            found.append(amount(stop.collect, self.number) + moved)
        return found

    def carried(self) -> list[int]:
        """Return what each vehicle has on board anyway."""
        return [amount(vehicle.carries, self.number) for vehicle in self.nodes.vehicles]

    def rooms(self) -> list[int]:
        """Return each vehicle's capacity; where it has no limit, all that there could be."""
        most = sum(self.deliver()) + sum(map(abs, self.moved())) + max(self.carried(), default=0)
        return [
            vehicle.capacity[self.number] if self.number < len(vehicle.capacity) else most
            for vehicle in self.nodes.vehicles
        ]


def add_loads(model: Any, nodes: Nodes) -> None:
    """Keep every capacity, each dimension by the simplest model that holds it."""
    for number in range(max(len(vehicle.capacity) for vehicle in nodes.vehicles)):
        load = Load(model, nodes, number)
        brought, moved = any(load.deliver()), any(load.moved())
        fetched = any(one < 0 for one in load.moved())
        if nodes.reloads and (fetched or (brought and moved)):
            add_trips(load)
        elif nodes.reloads and (brought or moved):
            add_refills(load, load.deliver() if brought else load.moved())
        elif brought and moved:
            add_both(load)
        elif brought:
            free = [a - b for a, b in zip(load.rooms(), load.carried(), strict=True)]
            add_limit(model, f"load {number}", nodes.of_each(load.deliver()), free)
        elif moved:
            add_level(load)


def add_limit(model: Any, name: str, amounts: list[int], most: list[int]) -> None:
    """Keep the sum of `amounts` of a vehicle's nodes within its own limit."""
    counted = model.RegisterUnaryTransitVector(amounts)
    model.AddDimensionWithVehicleCapacity(counted, 0, [max(0, one) for one in most], True, name)


def add_level(load: Load) -> Any:
    """Keep what is on board, none of which comes from the depot, within the capacity."""
    level = add_onboard(load, load.moved())
    for number, carried in enumerate(load.carried()):
        level.CumulVar(load.model.Start(number)).SetValue(min(carried, load.rooms()[number]))
    return level


def add_onboard(load: Load, changes: list[int]) -> Any:
    """Return a dimension of what is on board; a vehicle begins with whatever it takes along."""
    name = f"load {load.number}"
    counted = load.model.RegisterUnaryTransitVector(load.nodes.of_each(changes))
    load.model.AddDimensionWithVehicleCapacity(counted, 0, load.rooms(), False, name)
    return load.model.GetDimensionOrDie(name)


def add_both(load: Load) -> None:
    """Keep what is on board within the capacity, where goods are brought and others taken along.

    A second dimension counts what is still to be brought: it ends with 0, and what it begins with
    is what the vehicle is loaded with.
    """
    model, brought = load.model, load.deliver()
    changes = [a - b for a, b in zip(load.moved(), brought, strict=True)]
    level = add_onboard(load, changes)
    counted = model.RegisterUnaryTransitVector(load.nodes.of_each([-one for one in brought]))
    name = f"to bring {load.number}"
    model.AddDimensionWithVehicleCapacity(counted, 0, load.rooms(), False, name)
    rest = model.GetDimensionOrDie(name)
    for number, carried in enumerate(load.carried()):
        start = model.Start(number)
        model.solver().Add(level.CumulVar(start) == rest.CumulVar(start) + carried)
        rest.CumulVar(model.End(number)).SetValue(0)


def add_refills(load: Load, amounts: list[int]) -> None:
    """Keep the sum of `amounts` within the capacity from one reload to the next."""
    model, rooms = load.model, load.rooms()
    free = [max(0, a - b) for a, b in zip(rooms, load.carried(), strict=True)]
    most, name = max(free), f"load {load.number}"
    counted = model.RegisterUnaryTransitVector(load.nodes.of_each(amounts, -most))
    model.AddDimensionWithVehicleCapacity(counted, most, free, True, name)
    dimension = model.GetDimensionOrDie(name)
    for index in range(model.Size()):
        if not is_reload(load, index):
            dimension.SlackVar(index).SetValue(0)


def add_trips(load: Load) -> None:
    """Keep loads where vehicles reload: with each reload begins a trip with a load of its own."""
    model, nodes, brought = load.model, load.nodes, load.deliver()
    solver, rooms, carried = model.solver(), load.rooms(), load.carried()
    most = max(rooms)
    names = f"load {load.number}", f"to bring {load.number}"
    changes = [a - b for a, b in zip(load.moved(), brought, strict=True)]
    for name, told, drop in (
        (names[0], changes, -most),
        (names[1], [-one for one in brought], 0),
    ):
        counted = model.RegisterUnaryTransitVector(nodes.of_each(told, drop))
        model.AddDimensionWithVehicleCapacity(counted, 2 * most, rooms, False, name)
    level, rest = (model.GetDimensionOrDie(name) for name in names)
    for index in range(model.Size()):
        if not is_reload(load, index):
            level.SlackVar(index).SetValue(0)
            rest.SlackVar(index).SetValue(0)
    for number, aboard in enumerate(carried):
        start = model.Start(number)
        solver.Add(level.CumulVar(start) == rest.CumulVar(start) + aboard)
        rest.CumulVar(model.End(number)).SetValue(0)
    for node, _ in nodes.reload_nodes():
        rest.CumulVar(node).SetValue(0)
    for node in range(len(nodes.stops)):
        whose = (model.VehicleVar(node) + 1).Var()
        aboard = solver.Element([0, *carried], whose) if any(carried) else 0
        solver.Add(level.CumulVar(node) - rest.CumulVar(node) >= aboard)


def is_reload(load: Load, index: int) -> bool:
    """Say whether an index of the model is a reload; up to the starts an index is its node."""
    first = len(load.nodes.stops)
    return first <= index < first + len(load.nodes.reloads)
