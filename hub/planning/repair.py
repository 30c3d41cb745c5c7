"""Sequences as engines hand them over, mended until no route breaks a rule."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from hub.nouns import Problem, ProblemStop, ProblemVehicle
from hub.planning.deadline import ENDLESS, Deadline
from hub.planning.locks import unlocked
from hub.planning.relaxations import gone_with
from hub.planning.rules import AtDepot, Item, Sequences, overload
from hub.planning.schedule import Timetable, drive

SHORT = 60
"""Items of a route up to which the stop is looked for whose going helps most."""
TAKEN_OUT = 8
"""Stops that are taken out one by one before a route is put together anew."""


def kept_locks(problem: Problem) -> tuple[Problem, list[str]]:
    """Return the problem with the locks that can be kept, and the stops that cannot be visited."""
    held = unlocked(problem)
    gone: list[str] = []
    while True:
        broken = unkept(held)
        if broken is None:
            break
        lost = worst(held, broken)
        gone += [id for id in lost if id in held.stop_of and id not in gone]
        held = unlocked(problem, gone)
    for id in list(gone):  # what was given up first may do, now that others are out of its way
        unit = gone_with(problem, id)
        again = unlocked(problem, [other for other in gone if other not in unit])
        if id in gone and unkept(again) is None:
            held, gone = again, [other for other in gone if other not in unit]
    return held, gone


def unkept(problem: Problem) -> ProblemVehicle | None:
    """Return a vehicle that cannot keep its locks, None where there is none."""
    locking = [one for one in problem.vehicle_of.values() if one.locked]
    return next((v for v in locking if drive(problem, v, core(problem, v)).broken), None)


def core(problem: Problem, vehicle: ProblemVehicle) -> list[Item]:
    """Return what a vehicle has to visit: its locked stops, and where their goods are to go."""
    locked = [problem.stop_of[id] for id in vehicle.locked]
    of = problem.shipment_of
    brought = [
        problem.stop_of[of[stop.id].delivery]
        for stop in reversed(locked)
        if stop.id in of
        and of[stop.id].pickup == stop.id
        and of[stop.id].delivery not in vehicle.locked
        and of[stop.id].delivery in problem.stop_of
    ]
    return [*locked, *brought]


def worst(problem: Problem, vehicle: ProblemVehicle) -> tuple[str, ...]:
    """Return the locked stop, with what goes with it, without which a vehicle does best."""

    def without(unit: tuple[str, ...]) -> tuple[int, int, int]:
        kept = tuple(id for id in vehicle.locked if id not in unit)
        fewer = vehicle.model_copy(update={"locked": kept})
        return (*drive(problem, fewer, core(problem, fewer)).amount, -vehicle.locked.index(unit[0]))

    units = [
        tuple(sorted(unit, key=lambda id: id not in vehicle.locked))
        for unit in (gone_with(problem, id) for id in vehicle.locked)
    ]
    return min(units, key=without)


def repaired(
    problem: Problem, sequences: Sequences, gone: Collection[str], until: Deadline = ENDLESS
) -> dict[str, tuple[list[Item], Timetable]]:
    """Return routes that break no rule, with their timetables, as near to `sequences` as may be.

    After `until` what breaks a rule is put together anew instead of being mended with care.
    """
    cores = {one.id: core(problem, one) for one in problem.vehicle_of.values()}
    taken = {item.id for items in cores.values() for item in items if isinstance(item, ProblemStop)}
    taken.update(gone)
    found = {}
    for vehicle in problem.vehicle_of.values():
        items = cleaned(problem, vehicle, sequences.get(vehicle.id, ()), cores[vehicle.id], taken)
        if items:
            found[vehicle.id] = sound(problem, vehicle, items, cores[vehicle.id], until)
    return {id: route for id, route in found.items() if route[0]}


def cleaned(
    problem: Problem,
    vehicle: ProblemVehicle,
    items: Sequence[Item],
    held: Sequence[Item],
    taken: set[str],
) -> list[Item]:
    """Return the locked stops, then all that is known and not in a route yet."""
    needed = {item.id: item for item in held if isinstance(item, ProblemStop)}
    locked = [problem.stop_of[id] for id in vehicle.locked]
    made: list[Item] = list(locked)
    seen = set(vehicle.locked)
    allowed = vehicle.reloads.points if vehicle.reloads else ()
    left = vehicle.reloads.most if vehicle.reloads else 0
    for item in items:
        if isinstance(item, AtDepot):
            if item.point in allowed and left and made and not isinstance(made[-1], AtDepot):
                made.append(item)
                left -= 1
        elif (
            item.id in problem.stop_of
            and item.id not in seen
            and (item.id in needed or item.id not in taken)
        ):
            seen.add(item.id)
            taken.add(item.id)
            made.append(problem.stop_of[item.id])
    made += [item for id, item in needed.items() if id not in seen]
    seen.update(needed)
    return trimmed(
        [item for item in made if isinstance(item, AtDepot) or whole(problem, item, seen)]
    )


def trimmed(items: list[Item]) -> list[Item]:
    """Return a route without a reload that no stop comes after."""
    end = max((n for n, item in enumerate(items, 1) if isinstance(item, ProblemStop)), default=0)
    return items[:end]


def whole(problem: Problem, stop: ProblemStop, here: Collection[str]) -> bool:
    """Say whether all that goes with a stop is in its route."""
    return not problem.shipments or all(id in here for id in gone_with(problem, stop.id))


def sound(
    problem: Problem,
    vehicle: ProblemVehicle,
    items: list[Item],
    held: list[Item],
    until: Deadline,
) -> tuple[list[Item], Timetable]:
    """Return as much of a route as breaks no rule; what is `held` stays in it."""
    found = drive(problem, vehicle, items)
    if not found.broken:
        return items, found
    for change in (in_order, reloaded):
        other = change(problem, vehicle, items)
        table = drive(problem, vehicle, other)
        if table.amount < found.amount:
            items, found = other, table
    if found.broken and len(items) <= SHORT:
        items, found = thinned(problem, vehicle, items, held, found, until)
    if found.broken:
        items = anew(problem, vehicle, items, held)
        found = drive(problem, vehicle, items)
    return items, found


def in_order(problem: Problem, vehicle: ProblemVehicle, items: list[Item]) -> list[Item]:
    """Return a route with those first and last who want to be."""
    size = len(vehicle.locked)
    wish = {"first": 0, "": 1, "last": 2}
    return [
        *items[:size],
        *sorted(items[size:], key=lambda one: wish[getattr(one, "position", "")]),
    ]


def reloaded(problem: Problem, vehicle: ProblemVehicle, items: list[Item]) -> list[Item]:
    """Return a route with reloads where the vehicle would be too full."""
    if vehicle.reloads is None:
        return items
    seconds = problem.matrix_of(vehicle).seconds
    made: list[Item] = []
    trip: list[Item] = []
    left = vehicle.reloads.most
    for item in items:
        if isinstance(item, AtDepot):
            continue
        if left and trip and any(overload(problem, vehicle, [*trip, item])):
            here = trip[-1].point
            made.append(
                AtDepot(min(vehicle.reloads.points, key=lambda to: nearness(seconds[here][to])))
            )
            trip = []
            left -= 1
        made.append(item)
        trip.append(item)
    return made


def nearness(seconds: int) -> tuple[bool, int]:
    """Return a key that sorts ways by their length, and those that do not exist to the end."""
    return seconds < 0, seconds


def thinned(
    problem: Problem,
    vehicle: ProblemVehicle,
    items: list[Item],
    held: Sequence[Item],
    found: Timetable,
    until: Deadline,
) -> tuple[list[Item], Timetable]:
    """Take out, one by one, what helps most, until nothing is broken or nothing helps."""
    stay = {item.id for item in held if isinstance(item, ProblemStop)}
    for _ in range(TAKEN_OUT):
        best, chosen = found, items
        for unit in units(problem, items, stay):
            if until.over:
                return items, found
            fewer = trimmed([item for item in items if getattr(item, "id", "") not in unit])
            table = drive(problem, vehicle, fewer)
            if table.amount < best.amount:
                best, chosen = table, fewer
        if best is found:
            break
        found, items = best, chosen
        if not found.broken:
            break
    return items, found


def units(problem: Problem, items: Sequence[Item], stay: set[str]) -> list[tuple[str, ...]]:
    """Return what may be taken out of a route, the least urgent first."""
    free = [item for item in items if isinstance(item, ProblemStop) and item.id not in stay]
    free.sort(key=lambda stop: stop.priority)
    found = dict.fromkeys(gone_with(problem, stop.id) for stop in free)
    return [unit for unit in found if not stay.intersection(unit)]


def anew(
    problem: Problem, vehicle: ProblemVehicle, items: Sequence[Item], held: list[Item]
) -> list[Item]:
    """Put a route together from what is `held` and, in their order, all stops that still fit."""
    stay = {item.id for item in held if isinstance(item, ProblemStop)}
    rest = [
        item
        for item in items
        if isinstance(item, ProblemStop)
        and item.id not in stay
        and item.id not in problem.shipment_of
    ]
    kept, at, size = held, 0, len(rest)
    while at < len(rest):
        size = min(size, len(rest) - at)
        longer = [*kept, *rest[at : at + size]]
        if not drive(problem, vehicle, longer).broken:
            kept, at, size = longer, at + size, size * 2
        elif size == 1:
            at += 1
        else:
            size //= 2
    return kept
