"""What an engine found becomes a plan: routes that keep every rule, and a reason for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hub.nouns import Plan, Problem, ProblemStop, Unserved
from hub.planning.deadline import ENDLESS, Deadline
from hub.planning.insertion import find
from hub.planning.locks import unlocked
from hub.planning.quotes import Fleet
from hub.planning.reasons import explained, pending
from hub.planning.relaxations import able, gone_with, joined, narrowed, ways
from hub.planning.repair import kept_locks, repaired
from hub.planning.rules import Item
from hub.planning.schedule import drive, planned
from hub.planning.trades import make_room, weight

FEW = 120
"""Stops up to which the order of their insertion is worked out by what waiting would cost."""
MENDING, EXPLAINING = 0.5, 0.6
"""Parts of what is left of the time: for each step of mending, then for the reasons; the rest of
it is for their check."""
Unit = tuple[str, ...]
"""Ids of stops that are served together or not at all."""


def settle(
    problem: Problem,
    engine: str,
    sequences: Mapping[str, Sequence[Item]],
    why: str = "",
    until: Deadline = ENDLESS,
) -> Plan:
    """Return a plan that is valid whatever `sequences` are, and as near to them as may be.

    Locked stops are put back to the front, stops that are there twice or not known are dropped,
    routes that break a rule lose as few stops as helps, and what is in no route is inserted where
    it still fits, the urgent first; one more urgent than others may take their place. Each stop
    that is left out names the rule that keeps it out, or says that there was no time to find it:
    what is left of the time when the last stop was tried is shared with the check.
    """
    held, gone = kept_locks(problem)
    routes = repaired(held, sequences, gone, until.part(MENDING))
    served = {getattr(item, "id", "") for items, _ in routes.values() for item in items}
    missing = [stop for stop in held.stop_of.values() if stop.id not in served]
    unserved: tuple[Unserved, ...] = ()
    if missing:
        fleet = Fleet(held, {id: items for id, (items, _) in routes.items()})
        left = refill(fleet, [s for s in missing if s.id not in gone], until.part(MENDING))
        held, fleet, gone = regained(problem, held, fleet, gone)
        lost = [stop for stop in missing if stop.id in gone]
        unserved = told(unlocked(problem), fleet, lost, left, until.part(EXPLAINING))
        for lane in fleet.lanes:
            known = routes.get(lane.vehicle.id)
            if lane.items != (known[0] if known else []):
                routes[lane.vehicle.id] = lane.items, drive(held, lane.vehicle, lane.items)
    return Plan(
        engine=engine,
        routes=tuple(
            planned(held.vehicle_of[id], routes[id][1])
            for id in held.vehicle_of
            if id in routes and routes[id][0]
        ),
        unserved=unserved,
        why=why,
    )


def told(
    problem: Problem, fleet: Fleet, lost: Sequence[ProblemStop], left: Left, until: Deadline
) -> tuple[Unserved, ...]:
    """Return why stops are left out: the urgent are explained first, the untried not at all."""
    first = explained(problem, fleet, lost)  # a lock may be given up for a stated rule only
    tried = sorted(left.tried, key=lambda stop: -stop.priority)
    found = explained(problem, fleet, tried, left.ousted, until)
    return (*first, *found, *(pending(problem, stop) for stop in left.untried))


def regained(
    problem: Problem, held: Problem, fleet: Fleet, gone: list[str]
) -> tuple[Problem, Fleet, list[str]]:
    """Put locked stops back that fit after all, now that others lie beside them."""
    asked = unlocked(problem)
    for unit in dict.fromkeys(gone_with(problem, id) for id in gone):
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


@dataclass(frozen=True)
class Left:
    """Stops that found no place."""

    tried: list[ProblemStop]
    """They fit nowhere in the routes as they are."""
    untried: list[ProblemStop]
    """Nobody knows: the time was over."""
    ousted: frozenset[str]
    """Ids of those that gave their place to a more urgent one."""


def refill(fleet: Fleet, missing: Iterable[ProblemStop], until: Deadline = ENDLESS) -> Left:
    """Insert what still fits, the urgent first, and return what does not.

    Where an urgent one fits nowhere, less urgent ones make room for it if that is enough.
    """
    members: dict[Unit, list[ProblemStop]] = {}
    for stop in missing:
        members.setdefault(gone_with(fleet.problem, stop.id), []).append(stop)
    waiting = in_turn(fleet, list(members), until)
    ousted: set[str] = set()
    tried: set[Unit] = set()
    while waiting and not until.over:
        still = []
        for unit in waiting:
            if inserted(fleet, unit, until):
                tried.clear()
            else:
                still.append(unit)
                tried.update([] if until.over else [unit])
        traded = ousting(fleet, still, until)
        if len(still) == len(waiting) and not traded:
            break
        gone = [stop for stops in traded.values() for stop in stops]
        tried = set() if gone else tried
        ousted.update(stop.id for stop in gone)
        members.update({(stop.id,): [stop] for stop in gone})
        waiting = [unit for unit in still if unit not in traded] + [(stop.id,) for stop in gone]
        waiting.sort(key=lambda unit: -urgency(fleet, unit))
    return Left(
        [stop for unit in waiting if unit in tried for stop in members[unit]],
        [stop for unit in waiting if unit not in tried for stop in members[unit]],
        frozenset(ousted),
    )


def inserted(fleet: Fleet, unit: Unit, until: Deadline) -> bool:
    """Put stops that belong together where they cost least; say whether they fit anywhere."""
    found = [] if until.over else find(fleet, fleet.problem.stop_of[unit[0]], 1, until)
    for place in found:
        fleet.change(place.vehicle, place.items)
    return bool(found)


def ousting(
    fleet: Fleet, waiting: Sequence[Unit], until: Deadline
) -> dict[Unit, list[ProblemStop]]:
    """Return which stops gave their place to which of those that wait."""
    priorities = {stop.priority for stop in fleet.problem.stops}
    found = {}
    for unit in waiting if len(priorities) > 1 else ():
        gone = make_room(fleet, fleet.problem.stop_of[unit[0]], until)
        if gone:
            found[unit] = gone
    return found


def in_turn(fleet: Fleet, units: list[Unit], until: Deadline) -> list[Unit]:
    """Return units in the order of insertion: the urgent first, then those with least choice."""
    of = fleet.problem.stop_of
    if len(units) > FEW:
        return sorted(units, key=lambda unit: (-urgency(fleet, unit), room(of[unit[0]])))
    choice = {unit: waiting_costs(fleet, of[unit[0]], until) for unit in units}
    return sorted(units, key=lambda unit: (-urgency(fleet, unit), -choice[unit]))


def urgency(fleet: Fleet, unit: Unit) -> int:
    """Return what leaving stops out weighs that belong together."""
    return weight([fleet.problem.stop_of[id] for id in unit])


def waiting_costs(fleet: Fleet, stop: ProblemStop, until: Deadline) -> int:
    """Return by how much the second-best vehicle costs more than the best."""
    found = [] if until.over else find(fleet, stop, 2, until)
    if len(found) < 2:
        return 2**40 if found else 0
    return found[1].cost - found[0].cost


def room(stop: ProblemStop) -> int:
    """Return for how long a stop is open."""
    return sum(max(0, high - low) for low, high in stop.windows) if stop.windows else 2**40
