"""The cheapest place for one more stop in routes that are already planned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from hub.nouns import Problem, ProblemStop
from hub.planning.costs import price
from hub.planning.deadline import ENDLESS, Deadline
from hub.planning.lanes import Lane
from hub.planning.pairs import Offer, pairs
from hub.planning.quotes import FORBIDDEN, Fleet, Quote
from hub.planning.rules import AtDepot, Item, Sequences, overload
from hub.planning.schedule import Timetable, drive, run

SPLIT = 3
"""Places of a route that is too full at which a stop is tried with a reload beside it."""


@dataclass(frozen=True)
class Place:
    """Where a stop fits: before index `index` of the vehicle's items, and what it costs."""

    vehicle: str
    index: int
    seconds: int
    """Detour on the road, without the service time."""
    timetable: Timetable
    """Of the whole route with the stop in it, from the start of the shift."""
    cost: int
    """By how much the plan costs more."""
    metres: int
    """By how much the route is longer."""
    items: tuple[Item, ...]
    """The whole route with the stop in it; perhaps with a reload, or the stop it goes with."""


def cheapest(
    problem: Problem,
    sequences: Sequences,
    stop: ProblemStop,
    frozen: Mapping[str, int] | None = None,
) -> Place | None:
    """Return the feasible place that costs least, `None` where there is none.

    `frozen` says how many items at the head of a vehicle's route nothing may precede. A stop of a
    shipment is placed together with the other one.
    """
    found = places(problem, sequences, stop, 1, frozen)
    return found[0] if found else None


def places(
    problem: Problem,
    sequences: Sequences,
    stop: ProblemStop,
    most: int = 3,
    frozen: Mapping[str, int] | None = None,
) -> list[Place]:
    """Return the cheapest place in each of the `most` best vehicles, the cheapest one first."""
    return find(Fleet(problem, sequences, frozen), stop, most)


def find(fleet: Fleet, stop: ProblemStop, most: int = 1, until: Deadline = ENDLESS) -> list[Place]:
    """Return the same from routes that are kept; it takes well under a millisecond.

    Where breaks have to be placed anew it takes longer, and `until` ends it with what is found.
    """
    if not fleet.lanes:
        return []
    shipment = fleet.problem.shipment_of.get(stop.id)
    best: dict[str, Place] = {}
    if shipment is not None:
        gather(best, pairs(fleet, shipment), stop, most, until)
    else:
        quote = fleet.quote(stop)
        gather(best, singles(fleet, stop, quote), stop, most, until)
        gather(best, split(fleet, stop, quote), stop, most, until)
    return sorted(best.values(), key=lambda place: place.cost)[:most]


def gather(
    best: dict[str, Place], offers: Iterable[Offer], stop: ProblemStop, most: int, until: Deadline
) -> None:
    """Try offers until the `most` cheapest vehicles are found; put their places into `best`."""
    for cost, lane, items, exact in offers:
        ranked = sorted(place.cost for place in best.values())
        if (len(ranked) >= most and cost >= ranked[most - 1]) or until.over:
            break
        place = tried(lane, items, stop)
        if place is None:
            continue
        known = best.get(place.vehicle)
        if known is None or place.cost < known.cost:
            best[place.vehicle] = place
        if exact and most == 1:
            break


def singles(fleet: Fleet, stop: ProblemStop, quote: Quote) -> Iterator[Offer]:
    """Yield where a stop may fit, the cheapest first."""
    import numpy as np

    flat = quote.costs.ravel()
    good = np.flatnonzero(flat < FORBIDDEN)
    plain = stop.on_board is None
    for cell in good[np.argsort(flat[good], kind="stable")]:
        number, index = divmod(int(cell), fleet.width)
        lane = fleet.lanes[number]
        items = [*lane.items[:index], stop, *lane.items[index:]]
        yield int(flat[cell]), lane, items, plain and not lane.intricate


def split(fleet: Fleet, stop: ProblemStop, quote: Quote) -> Iterator[Offer]:
    """Yield a stop with a reload more, where a vehicle may reload and would else be too full."""
    import numpy as np

    found = []
    for number, lane in enumerate(fleet.lanes):
        reloads = lane.vehicle.reloads
        if reloads is None or lane.reloads >= reloads.most:
            continue
        row = np.where(quote.costs[number] < FORBIDDEN, FORBIDDEN, quote.roomless[number])
        found += [
            (int(row[index]), number, int(index))
            for index in np.argsort(row, kind="stable")[:SPLIT]
            if row[index] < FORBIDDEN
        ]
    for cost, number, index in sorted(found):
        lane = fleet.lanes[number]
        items = [*lane.items[:index], stop, *lane.items[index:]]
        for longer in with_reload(lane, items):
            yield cost, lane, longer, False


def with_reload(lane: Lane, items: list[Item]) -> Iterator[list[Item]]:
    """Yield a sequence with one reload more, wherever that makes it light enough."""
    problem, vehicle = lane.problem, lane.vehicle
    if vehicle.reloads is None:
        return
    seconds = problem.matrix_of(vehicle).seconds
    points = [vehicle.start, *(item.point for item in items), vehicle.end]
    for index in range(lane.base, len(items) + 1):
        before, after = points[index], points[index + 1]
        nearest = min(
            vehicle.reloads.points,
            key=lambda point: (
                min(seconds[before][point], seconds[point][after]) < 0,
                seconds[before][point] + seconds[point][after],
            ),
        )
        longer = [*items[:index], AtDepot(nearest), *items[index:]]
        if not any(overload(problem, vehicle, longer)):
            yield longer


def tried(lane: Lane, items: list[Item], stop: ProblemStop) -> Place | None:
    """Return the place that a sequence is, `None` where it breaks a rule."""
    timetable = drive(lane.problem, lane.vehicle, items)
    if timetable.broken:
        return None
    cost = price(lane.vehicle, timetable.starts, timetable.ends, timetable.metres) - lane.cost
    at_once = run(lane.problem, lane.vehicle, items, lane.vehicle.shift[0])
    longer = Lane(lane.problem, lane.vehicle, items)
    return Place(
        vehicle=lane.vehicle.id,
        index=items.index(stop),
        seconds=sum(longer.legs) - sum(lane.legs),
        timetable=timetable if at_once.broken else at_once,
        cost=cost,
        metres=timetable.metres - lane.metres,
        items=tuple(items),
    )
