"""What an engine found becomes a plan: routes that keep every rule, and a reason for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hub.nouns import Plan, Problem, ProblemStop
from hub.planning.insertion import find
from hub.planning.locks import unlocked
from hub.planning.quotes import Fleet
from hub.planning.reasons import explained
from hub.planning.relaxations import able, joined, narrowed, ways
from hub.planning.repair import kept_locks, repaired, unit_of
from hub.planning.rules import Item
from hub.planning.schedule import drive, planned

FEW = 120
"""Stops up to which the order of their insertion is worked out by what waiting would cost."""
PASSES = 4
"""Times that all stops which are left are tried: an insertion may make room by a reload."""


def settle(
    problem: Problem, engine: str, sequences: Mapping[str, Sequence[Item]], why: str = ""
) -> Plan:
    """Return a plan that is valid whatever `sequences` are, and as near to them as may be.

    Locked stops are put back to the front, stops that are there twice or not known are dropped,
    routes that break a rule lose as few stops as helps, and what is in no route is inserted where
    it still fits, the urgent first. Each stop that is left out names the rule that keeps it out.
    """
    held, gone = kept_locks(problem)
    routes = repaired(held, sequences, gone)
    served = {getattr(item, "id", "") for items, _ in routes.values() for item in items}
    missing = [stop for stop in held.stop_of.values() if stop.id not in served]
    if missing:
        fleet = Fleet(held, {id: items for id, (items, _) in routes.items()})
        left = refill(fleet, [stop for stop in missing if stop.id not in gone])
        held, fleet, gone = regained(problem, held, fleet, gone)
        lost = [stop for stop in missing if stop.id in gone]
        unserved = explained(unlocked(problem), fleet, [*lost, *left])
        for lane in fleet.lanes:
            known = routes.get(lane.vehicle.id)
            if lane.items and (known is None or known[0] != lane.items):
                routes[lane.vehicle.id] = lane.items, drive(held, lane.vehicle, lane.items)
    return Plan(
        engine=engine,
        routes=tuple(
            planned(held.vehicle_of[id], routes[id][1]) for id in held.vehicle_of if id in routes
        ),
        unserved=tuple(unserved) if missing else (),
        why=why,
    )


def regained(
    problem: Problem, held: Problem, fleet: Fleet, gone: list[str]
) -> tuple[Problem, Fleet, list[str]]:
    """Put locked stops back that fit after all, now that others lie beside them."""
    asked = unlocked(problem)
    for unit in dict.fromkeys(unit_of(problem, id) for id in gone):
        stops = [asked.stop_of[id] for id in unit]
        vehicle = able(asked, unit)[0]
        items = fleet.lanes[fleet.number[vehicle.id]].items
        for places in ways(asked, vehicle, items, stops):
            longer = joined(items, stops, *places)
            small = narrowed(asked, vehicle, longer)
            if not drive(small, small.vehicles[0], longer).broken:
                gone = [id for id in gone if id not in unit]
                held = unlocked(problem, gone)
                fleet = Fleet(held, {**fleet.sequences(), vehicle.id: longer})
                break
    return held, fleet, gone


def refill(fleet: Fleet, missing: Iterable[ProblemStop]) -> list[ProblemStop]:
    """Insert what still fits, the urgent first, and return what does not."""
    units: dict[tuple[str, ...], ProblemStop] = {}
    members: dict[tuple[str, ...], list[ProblemStop]] = {}
    for stop in missing:
        unit = unit_of(fleet.problem, stop.id)
        members.setdefault(unit, []).append(stop)
        if stop.id == unit[0]:
            units[unit] = stop
    waiting = in_turn(fleet, list(units.items()))
    for _ in range(PASSES):
        still = []
        for unit, stop in waiting:
            found = find(fleet, stop)
            if found:
                fleet.change(found[0].vehicle, found[0].items)
            else:
                still.append((unit, stop))
        if len(still) in (0, len(waiting)):
            waiting = still
            break
        waiting = still
    return [stop for unit, _ in waiting for stop in members[unit]]


def in_turn(
    fleet: Fleet, units: list[tuple[tuple[str, ...], ProblemStop]]
) -> list[tuple[tuple[str, ...], ProblemStop]]:
    """Return units in the order of insertion: the urgent first, then those with least choice."""
    of = fleet.problem.stop_of

    def urgency(unit: tuple[str, ...]) -> int:
        return sum(1 + of[id].priority for id in unit)

    if len(units) <= FEW:
        regret = {unit: waiting_costs(fleet, stop) for unit, stop in units}
        return sorted(units, key=lambda one: (-urgency(one[0]), -regret[one[0]]))
    return sorted(units, key=lambda one: (-urgency(one[0]), room(one[1])))


def waiting_costs(fleet: Fleet, stop: ProblemStop) -> int:
    """Return by how much the second-best vehicle costs more than the best."""
    found = find(fleet, stop, 2)
    if len(found) < 2:
        return 2**40 if found else 0
    return found[1].cost - found[0].cost


def room(stop: ProblemStop) -> int:
    """Return for how long a stop is open."""
    return sum(max(0, high - low) for low, high in stop.windows) if stop.windows else 2**40
