"""Less urgent stops that give their place to one that is more urgent and fits nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hub.nouns import ProblemStop
from hub.planning.deadline import Deadline
from hub.planning.insertion import Place, find
from hub.planning.quotes import Fleet
from hub.planning.relaxations import gone_with
from hub.planning.repair import trimmed
from hub.planning.rules import Item
from hub.planning.schedule import travel

LONGEST = 3
"""Stops in a row that may go for one."""
TRIED = 80
"""Ways to make room that are tried for one stop."""
Run = tuple[int, int, int]
"""Number of the vehicle, first and last (not included) of the items that go."""


def make_room(fleet: Fleet, stop: ProblemStop, until: Deadline) -> list[ProblemStop]:
    """Put a stop in the place of less urgent ones and return those; nothing where that is no help.

    Best are such as somebody else has room for; else of what is lost the least weighs, then how
    far it is away. Locked stops and shipments stay.
    """
    alone: dict[int, Fleet] = {}
    best: tuple[Place, list[ProblemStop]] | None = None
    for _, (number, first, last) in zip(range(TRIED), ranked(fleet, stop), strict=False):
        if until.over:
            break
        items = fleet.lanes[number].items
        place = placed(fleet, alone, stop, number, trimmed([*items[:first], *items[last:]]), until)
        if place is None:
            continue
        gone = [item for item in items[first:last] if isinstance(item, ProblemStop)]
        elsewhere = all(fits_elsewhere(fleet, one, place.vehicle, until) for one in gone)
        if best is None or elsewhere:
            best = place, gone
        if elsewhere:
            break
    if best is None:
        return []
    fleet.change(best[0].vehicle, best[0].items)
    return best[1]


def fits_elsewhere(fleet: Fleet, stop: ProblemStop, vehicle: str, until: Deadline) -> bool:
    """Say whether another vehicle than its own has room for a stop."""
    return any(place.vehicle != vehicle for place in find(fleet, stop, 2, until))


def placed(
    fleet: Fleet,
    alone: dict[int, Fleet],
    stop: ProblemStop,
    number: int,
    items: list[Item],
    until: Deadline,
) -> Place | None:
    """Return where a stop fits into one vehicle's shorter route; `alone` keeps what was made."""
    vehicle = fleet.vehicles[number]
    if number not in alone:
        only = fleet.problem.model_copy(update={"vehicles": (vehicle,)})
        alone[number] = Fleet(only, {}, fleet.frozen)
    alone[number].change(vehicle.id, items)
    return next(iter(find(alone[number], stop, 1, until)), None)


def ranked(fleet: Fleet, stop: ProblemStop) -> list[Run]:
    """Return what may go for a stop, what weighs least first."""
    problem = fleet.problem
    worth = weight([problem.stop_of[id] for id in gone_with(problem, stop.id)])
    found = []
    for number, first, last in runs(fleet, stop):
        vehicle, items = fleet.vehicles[number], fleet.lanes[number].items
        gone = [item for item in items[first:last] if isinstance(item, ProblemStop)]
        if weight(gone) < worth:
            away = min(travel(problem.matrix_of(vehicle), s.point, stop.point) for s in gone)
            found.append((weight(gone), away, (number, first, last)))
    return [run for *_, run in sorted(found)]


def runs(fleet: Fleet, stop: ProblemStop) -> Iterator[Run]:
    """Yield the stops in a row that are neither locked nor goods on their way."""
    shipment_of = fleet.problem.shipment_of
    for number, lane in enumerate(fleet.lanes):
        if not fleet.allowed(stop)[number]:
            continue
        for first in range(lane.base, len(lane.items)):
            for last in range(first + 1, min(first + LONGEST, len(lane.items)) + 1):
                item = lane.items[last - 1]
                if not isinstance(item, ProblemStop) or item.id in shipment_of:
                    break
                yield number, first, last


def weight(stops: Sequence[ProblemStop]) -> int:
    """Return what leaving stops out weighs."""
    return sum(1 + stop.priority for stop in stops)
