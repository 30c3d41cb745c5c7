"""Which stops really come first: locks of stops that are there, once, and are not left out."""

from __future__ import annotations

from collections.abc import Collection

from hub.nouns import Problem


def unlocked(problem: Problem, gone: Collection[str] = ()) -> Problem:
    """Return the problem without locks that nobody can keep, or itself when there are none.

    Those are locks of stops that were never asked for, that another vehicle has locked before (or
    the other stop of their shipment), or that are `gone`: left out because their own vehicle
    cannot visit them.
    """
    if not any(vehicle.locked for vehicle in problem.vehicles):
        return problem
    holders: dict[str, str] = {}
    vehicles = []
    for vehicle in problem.vehicles:
        kept = []
        for stop in vehicle.locked:
            if stop not in problem.stop_of or stop in gone or stop in kept:
                continue
            shipment = problem.shipment_of.get(stop)
            unit = (stop,) if shipment is None else (shipment.pickup, shipment.delivery)
            if all(holders.setdefault(id, vehicle.id) == vehicle.id for id in unit):
                kept.append(stop)
        vehicles.append(vehicle.model_copy(update={"locked": tuple(kept)}))
    if all(
        one.locked == other.locked for one, other in zip(vehicles, problem.vehicles, strict=True)
    ):
        return problem
    return problem.model_copy(update={"vehicles": tuple(vehicles)})
