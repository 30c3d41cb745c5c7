"""Order in the model: locks, shipments, first and last, piles, and who may go where."""

from __future__ import annotations

from typing import Any

from hub.builtin.ortools.nodes import Nodes, allowed

UNPERFORMED = -1
"""The vehicle of a node that is left out."""


def add_fleet(model: Any, nodes: Nodes) -> None:
    """Keep stops from vehicles that must not serve them, and reloads for their own vehicle."""
    everyone = len(nodes.vehicles)
    for node, stop in enumerate(nodes.stops):
        if stop.id in nodes.locked:
            continue
        able = [n for n, vehicle in enumerate(nodes.vehicles) if allowed(vehicle, stop)]
        if len(able) < everyone:
            model.VehicleVar(node).SetValues([UNPERFORMED, *able])
    for node, reload in nodes.reload_nodes():
        model.VehicleVar(node).SetValues([UNPERFORMED, reload.vehicle])


def add_locks(model: Any, nodes: Nodes) -> None:
    """Begin each route with its locked stops."""
    for number, vehicle in enumerate(nodes.vehicles):
        here = model.Start(number)
        for id in vehicle.locked:
            model.NextVar(here).SetValue(nodes.number[id])
            here = nodes.number[id]


def add_shipments(model: Any, nodes: Nodes) -> None:
    """Bring goods on the vehicle that fetched them, after it did."""
    from ortools.constraint_solver import pywrapcp

    solver = model.solver()
    clock = model.GetDimensionOrDie("time")
    for goods in nodes.problem.shipments:
        if goods.pickup not in nodes.number or goods.delivery not in nodes.number:
            continue
        fetched, brought = nodes.number[goods.pickup], nodes.number[goods.delivery]
        model.AddPickupAndDelivery(fetched, brought)
        solver.Add(model.VehicleVar(fetched) == model.VehicleVar(brought))
        both = model.ActiveVar(fetched)
        horizon = clock.CumulVar(brought).Max() + clock.CumulVar(fetched).Max() + 1
        solver.Add(clock.CumulVar(fetched) <= clock.CumulVar(brought) + horizon * (1 - both))
    for number, vehicle in enumerate(nodes.vehicles):
        if vehicle.stacked:
            model.SetPickupAndDeliveryPolicyOfVehicle(
                pywrapcp.RoutingModel.PICKUP_AND_DELIVERY_LIFO, number
            )


def add_positions(model: Any, nodes: Nodes) -> None:
    """Let nothing come before what is first, nor after what is last; locked stops do not count."""
    free = [stop.id not in nodes.locked for stop in nodes.stops]
    wishes = [stop.position if one else "" for stop, one in zip(nodes.stops, free, strict=True)]
    if "first" in wishes:
        others = [int(wish != "first") for wish in wishes]
        none_before(model, nodes, "others", others, [wish == "first" for wish in wishes])
    if "last" in wishes:
        lasts = [int(wish == "last") for wish in wishes]
        here = [wish != "last" and one for wish, one in zip(wishes, free, strict=True)]
        none_before(model, nodes, "lasts", lasts, here)


def none_before(model: Any, nodes: Nodes, name: str, counted: list[int], stops: list[bool]) -> None:
    """Let none of the `counted` stops come before any of `stops` on the same route."""
    from_here = model.RegisterUnaryTransitVector(nodes.of_each(counted))
    model.AddDimension(from_here, 0, len(nodes.points), True, name)
    dimension = model.GetDimensionOrDie(name)
    for node, one in enumerate(stops):
        if one:
            dimension.CumulVar(node).SetMax(0)


def add_piles(model: Any, nodes: Nodes) -> None:
    """Hand over what came from the depot only while nothing that was picked up lies before it."""
    if not any(vehicle.stacked for vehicle in nodes.vehicles) or not nodes.problem.shipments:
        return
    fetched = []
    for stop in nodes.stops:
        goods = nodes.problem.shipment_of.get(stop.id)
        fetched.append(0 if goods is None else 1 if goods.pickup == stop.id else -1)
    pile = model.RegisterUnaryTransitVector(nodes.of_each(fetched))
    flat = model.RegisterUnaryTransitVector(nodes.of_each([0] * len(nodes.stops)))
    chosen = [pile if vehicle.stacked else flat for vehicle in nodes.vehicles]
    model.AddDimensionWithVehicleTransits(chosen, 0, len(nodes.points), True, "pile")
    dimension = model.GetDimensionOrDie("pile")
    for node, stop in enumerate(nodes.stops):
        if stop.deliver and stop.id not in nodes.problem.shipment_of:
            dimension.CumulVar(node).SetMax(0)


def add_trip_ends(model: Any, nodes: Nodes) -> None:
    """Let no vehicle reload while it has the goods of a shipment on board."""
    if not nodes.reloads or not nodes.problem.shipments:
        return
    fetched = []
    for stop in nodes.stops:
        goods = nodes.problem.shipment_of.get(stop.id)
        fetched.append(0 if goods is None else 1 if goods.pickup == stop.id else -1)
    aboard = model.RegisterUnaryTransitVector(nodes.of_each(fetched))
    model.AddDimension(aboard, 0, len(nodes.points), True, "aboard")
    for node, _ in nodes.reload_nodes():
        model.GetDimensionOrDie("aboard").CumulVar(node).SetMax(0)
