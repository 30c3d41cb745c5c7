"""Who may go where, told to PyVRP as loads: a stop weighs 1 where some vehicles carry nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.nouns import Problem, ProblemStop, ProblemVehicle

FEW = 6
"""So many drivers who have stops of their own get a gate each; more of them share gates."""


@dataclass(frozen=True)
class Gate:
    """Stops that are not for some of the vehicles; both by id."""

    stops: frozenset[str]
    closed: frozenset[str]


def allowed(
    stop: ProblemStop, vehicles: Sequence[ProblemVehicle], fetched: str = ""
) -> frozenset[str]:
    """Return the ids of the vehicles that may serve `stop`.

    `fetched` is the one that has its goods on board, if any.
    """
    return frozenset(
        vehicle.id
        for vehicle in vehicles
        if stop.skills <= vehicle.skills
        and (not stop.vehicles or vehicle.id in stop.vehicles)
        and not (stop.position == "first" and (vehicle.visited or vehicle.locked))
        and fetched in ("", vehicle.id)
    )


def all_allowed(
    stops: Iterable[ProblemStop], vehicles: Sequence[ProblemVehicle], fetched: Mapping[str, str]
) -> dict[str, frozenset[str]]:
    """Return for each stop, by id, the vehicles that may serve it; stops that are alike share it.

    `fetched` maps a stop to the vehicle that has its goods on board.
    """
    known: dict[tuple[Any, ...], frozenset[str]] = {}
    found: dict[str, frozenset[str]] = {}
    for stop in stops:
        holder = fetched.get(stop.id, "")
        kind = stop.skills, stop.vehicles, stop.position, holder
        if kind not in known:
            known[kind] = allowed(stop, vehicles, holder)
        found[stop.id] = known[kind]
    return found


def gates(may: dict[str, frozenset[str]], vehicles: Sequence[ProblemVehicle]) -> list[Gate]:
    """Return the fewest gates that keep every stop from all vehicles but those that it may have.

    `may` maps a stop's id to its vehicles. Many drivers with stops of their own are told apart by
    the digits of their number, two gates for each binary digit.
    """
    everyone = frozenset(vehicle.id for vehicle in vehicles)
    stops: dict[frozenset[str], set[str]] = {}
    for id, those in may.items():
        if those != everyone:
            stops.setdefault(those, set()).add(id)
    single = {those: ids for those, ids in stops.items() if len(those) == 1}
    if len(single) <= FEW:
        single = {}
    found = [
        Gate(frozenset(ids), everyone - those)
        for those, ids in stops.items()
        if those not in single
    ]
    return found + by_digits({next(iter(one)): ids for one, ids in single.items()}, everyone)


def by_digits(own: dict[str, set[str]], everyone: frozenset[str]) -> list[Gate]:
    """Return gates that keep the stops of each vehicle from all others."""
    numbers = {id: number for number, id in enumerate(sorted(everyone))}
    found = []
    for digit in range(len(numbers).bit_length() if own else 0):
        for value in (0, 1):
            stops = [own[id] for id in own if numbers[id] >> digit & 1 == value]
            closed = {id for id in everyone if numbers[id] >> digit & 1 != value}
            if stops and closed:
                found.append(Gate(frozenset().union(*stops), frozenset(closed)))
    return found


def weights(gates: Iterable[Gate], stops: Iterable[str]) -> list[int]:
    """Return what a task weighs at each gate, a shipment by both of its stops."""
    ids = set(stops)
    return [int(not ids.isdisjoint(gate.stops)) for gate in gates]


def rooms(gates: Iterable[Gate], vehicle: ProblemVehicle, many: int) -> list[int]:
    """Return what a vehicle can carry through each gate; `many` is no limit."""
    return [0 if vehicle.id in gate.closed else many for gate in gates]


def on_the_way(problem: Problem) -> dict[str, str]:
    """Return the stops whose goods a vehicle picks up at a locked stop -> that vehicle."""
    found: dict[str, str] = {}
    for vehicle in problem.vehicles:
        for id in vehicle.locked:
            shipment = problem.shipment_of.get(id)
            if shipment and shipment.pickup == id and shipment.delivery not in vehicle.locked:
                found[shipment.delivery] = vehicle.id
    return found
