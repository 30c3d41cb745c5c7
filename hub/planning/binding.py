"""Which rule keeps a stop out of the routes as they are, and the least that has to give way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hub.nouns import Problem, ProblemStop, ProblemVehicle, Relaxation, Unserved
from hub.planning.deadline import ENDLESS, Deadline
from hub.planning.quotes import Fleet, Quote
from hub.planning.relaxations import (
    able,
    gone_with,
    in_reach,
    joined,
    narrowed,
    relaxed,
    ways,
    working,
)
from hub.planning.rules import AtDepot, Breach, Item
from hub.planning.schedule import Timetable, drive

LOOKED_AT = 5
"""Places that are worked out exactly for each stop."""
ROUNDS = 6
"""Times that rules are relaxed further until nothing is broken."""
OFTEN = 2
"""Places of one vehicle among those that are worked out."""
MANY = 1000
LOST = 10**9
WEIGHTS = {"capacity": (12, 2), "skill": (40, 0), "pinned": (40, 0), "most_metres": (8, 0.001),
           "most_stops": (6, 3), "first_last": (15, 0), "stacked": (25, 0), "locked": (60, 0),
           "on_board": (5, 0.025), "break": (12, 0.05), "shift": (8, 0.035)}  # fmt: skip
"""What it weighs that a rule gives way at all, and each unit by which it does."""
MEASURED = {"window", "shift", "capacity", "most_metres", "most_stops", "break", "on_board"}
"""Rules that give way by an amount, more or less of it."""


def weight(one: Relaxation, own: Sequence[str]) -> float:
    """Return how hard a relaxation is to grant: a minute of the stop's own window weighs 1."""
    if one.rule == "window":
        return (2 if one.stop in own else 12) + one.amount / (60 if one.stop in own else 20)
    once, each = WEIGHTS[one.rule]
    return once + each * one.amount


def explain(
    problem: Problem, fleet: Fleet, stop: ProblemStop, until: Deadline = ENDLESS
) -> Unserved | None:
    """Return why a stop fits nowhere in the routes of `fleet`; the sentence is still missing.

    `problem` still has the locks that could not be kept. None where `until` comes first.
    """
    if not working(problem):
        return Unserved(stop=stop.id, reason="", rule="no_vehicle")
    stops = [problem.stop_of[id] for id in gone_with(problem, stop.id)]
    if not any(
        in_reach(problem, one, fleet.lanes[fleet.number[one.id]].items, stops)
        for one in able(problem, [one.id for one in stops])
    ):
        return Unserved(stop=stop.id, reason="", rule="unreachable")
    best: tuple[tuple[int, float], Unserved] | None = None
    for number, found in enumerate(candidates(problem, fleet, stop)):
        if number >= LOOKED_AT and best is not None:
            break
        if until.over:
            return best[1] if best else None
        told = mended(problem, fleet, stop, *found, best[0][0] if best else MANY)
        if told is not None and (best is None or told[0] < best[0]):
            best = told
            if told[0][0] == 1 and not fleet.lanes[found[0]].intricate:
                break  # they come in the order of what one relaxation weighs
    if best is None:
        return Unserved(stop=stop.id, reason="", rule="unreachable")
    return least(problem, fleet, best[1])


def candidates(problem: Problem, fleet: Fleet, stop: ProblemStop) -> Iterator[tuple[int, int, int]]:
    """Yield (number of the vehicle, index, index_to), where least is broken first; then all."""
    ids = gone_with(problem, stop.id)
    stops = [problem.stop_of[id] for id in ids]
    vehicles = list(problem.vehicle_of.values())
    owner = next((n for n, one in enumerate(vehicles) if set(ids) & set(one.locked)), None)
    if owner is None:
        yield from promising(fleet, [rank(fleet, one, fleet.quote(one)) for one in stops])
    elif len(ids) == 1:
        before = vehicles[owner].locked[: vehicles[owner].locked.index(stop.id)]
        yield owner, sum(id in fleet.vehicles[owner].locked for id in before), 0
    for number in range(len(vehicles)) if owner is None else [owner]:
        for index, index_to in ways(problem, vehicles[number], fleet.lanes[number].items, stops):
            yield number, index, index_to


def rank(fleet: Fleet, stop: ProblemStop, quote: Quote) -> Any:
    """Return how much is broken at each place: 1,000 for each rule, and what it weighs."""
    import numpy as np

    lacking = np.array([len(stop.skills - one.skills) for one in fleet.vehicles])
    pinned = np.array([bool(stop.vehicles) and v.id not in stop.vehicles for v in fleet.vehicles])
    room_metres, room_stops = fleet.totals(0), fleet.totals(1)
    waits = np.where(quote.waits >= quote.over, quote.over, 0)
    over = np.where(waits > 0, 0, np.maximum(0, quote.over))
    late = quote.late + np.maximum(0, waits)
    score = 1000.0 * ((late > 0) + (over > 0).astype(int)) + late / 60 + over / 20
    score += 1000.0 * ((over > 0) & fleet.watched())  # some window gives way besides the shift
    score += 1012.0 * (quote.lacks > 0) + 2.0 * np.maximum(0, quote.lacks)
    score += (1040.0 * lacking + 1040.0 * pinned)[:, None] + 1015.0 * ~quote.placed
    score += 1008.0 * (quote.metres > room_metres) + 1006.0 * (room_stops < 1)
    score = np.where(quote.ways, score, LOST)
    for number, lane in enumerate(fleet.lanes):
        score[number, : lane.base] = LOST
        if lane.reloads:
            before = [n for n, item in enumerate(lane.items) if isinstance(item, AtDepot)]
            score[number, before] = LOST
    return score


def promising(fleet: Fleet, ranks: Sequence[Any]) -> Iterator[tuple[int, int, int]]:
    """Yield the best places of the best vehicles."""
    import numpy as np

    score = ranks[0]
    if len(ranks) == 2:
        yield from promising_pairs(fleet, ranks)
        return
    order = np.argsort(score.ravel(), kind="stable")[: LOOKED_AT * fleet.width]
    seen: dict[int, int] = {}
    for cell in order:
        number, place = divmod(int(cell), fleet.width)
        if score[number, place] >= LOST:
            return
        seen[number] = seen.get(number, 0) + 1
        if seen[number] <= OFTEN:
            yield number, visit(fleet.lanes[number].items, place), 0


def promising_pairs(fleet: Fleet, ranks: Sequence[Any]) -> Iterator[tuple[int, int, int]]:
    """Yield places for both stops of a shipment: together, or each where it is best."""
    import numpy as np

    fetch, bring = ranks
    best = fetch.min(axis=1) + bring.min(axis=1)
    for number in np.argsort(best, kind="stable")[:LOOKED_AT]:
        items = fleet.lanes[int(number)].items
        first, second = (visit(items, int(one[number].argmin())) for one in ranks)
        if first <= second:
            yield int(number), first, second + 1
        yield int(number), second, second + 1


def visit(items: Sequence[Item], place: int) -> int:
    """Return the number of visits before a place."""
    return sum(isinstance(item, ProblemStop) for item in items[:place])


Told = tuple[tuple[int, float], Unserved]


def mended(
    problem: Problem,
    fleet: Fleet,
    stop: ProblemStop,
    number: int,
    index: int,
    index_to: int,
    most: int,
) -> Told | None:
    """Return what makes a stop fit at a place, at the `most` so many things, and how much it is."""
    vehicle = problem.vehicle_of[fleet.vehicles[number].id]
    ids = gone_with(problem, stop.id)
    stops = [problem.stop_of[id] for id in ids]
    items = joined(fleet.lanes[number].items, stops, index, index_to)
    small = narrowed(problem, vehicle, items)
    before = Unserved(stop=stop.id, reason="", vehicle=vehicle.id, index=index, index_to=index_to)
    best: Told | None = None
    table = drive(small, small.vehicles[0], items)
    for begin in beginnings(small, table, ids):
        found = until_sound(small, items, before, begin, ids, table, most)
        if found is None:
            continue
        most = min(most, len(found))
        key = (len(found), sum(weight(one, ids) for one in found))
        if best is None or key < best[0]:
            ordered = tuple(sorted(found, key=lambda one: -weight(one, ids)))
            update = {"relaxations": ordered, "rule": ordered[0].rule}
            best = key, before.model_copy(update=update)
    return best


def least(problem: Problem, fleet: Fleet, told: Unserved) -> Unserved:
    """Return a reason with as little asked for of each thing as is enough beside the others.

    What was worked out round by round seldom is too much: one try more says so.
    """
    ids = gone_with(problem, told.stop)
    lane = fleet.lanes[fleet.number[told.vehicle]]
    stops = [problem.stop_of[id] for id in ids]
    items = joined(lane.items, stops, told.index, told.index_to)
    small = narrowed(problem, problem.vehicle_of[told.vehicle], items)
    found = list(told.relaxations)
    for number, one in enumerate(found):

        def enough(amount: int, number: int = number, one: Relaxation = one) -> bool:
            found[number] = one.model_copy(update={"amount": amount})
            return not granted(small, items, told, found).broken

        low, high = 0, one.amount
        middle = high - 1 if one.rule in MEASURED else 0
        while low < middle < high:
            low, high = (low, middle) if enough(middle) else (middle, high)
            middle = (low + high) // 2
        found[number] = one.model_copy(update={"amount": high})
    ordered = tuple(sorted(found, key=lambda one: -weight(one, ids)))
    return told.model_copy(update={"relaxations": ordered, "rule": ordered[0].rule})


def beginnings(
    small: Problem, table: Timetable, own: Sequence[str]
) -> Iterator[tuple[Relaxation, ...]]:
    """Yield what to try first: nothing, its window opens earlier, the shift starts earlier."""
    yield ()
    late = [one for one in table.breaches if one.rule in ("window", "shift")]
    if not late or any(one.rule == "unreachable" for one in table.breaches):
        return
    most = max(one.amount for one in late)
    early = {one.stop for one in late if one.rule == "window"}
    for id in own:
        stop = small.stop_of.get(id)
        if stop is not None and stop.windows and id not in early:
            yield (Relaxation(rule="window", stop=id, edge="opens", amount=most),)
    if early and not small.vehicles[0].visited:
        yield (Relaxation(rule="shift", edge="starts", amount=most),)


def until_sound(
    small: Problem,
    items: Sequence[Item],
    before: Unserved,
    begin: Sequence[Relaxation],
    own: Sequence[str],
    table: Timetable,
    most: int = MANY,
) -> list[Relaxation] | None:
    """Return relaxations with which nothing is broken, each of them needed; None without any.

    `table` is what is broken without any; more than `most` of them are not looked for.
    """
    found = {(one.rule, one.stop, one.edge, one.dimension, one.skill): one for one in begin}
    for number in range(ROUNDS):
        if number or begin:
            table = granted(small, items, before, list(found.values()))
        if not table.broken:
            asked = list(found.values())
            return asked if number == 1 and not begin else needed(small, items, before, asked)
        for breach in table.breaches:
            given = {key[1] for key in found if key[0] == "locked"}
            one = relaxation(breach, small.vehicles[0], own, given)
            if one is None:
                return None
            key = (one.rule, one.stop, one.edge, one.dimension, one.skill)
            if key in found:
                one = one.model_copy(update={"amount": one.amount + found[key].amount})
            found[key] = one
        if len(found) > most:
            return None
    return None


def needed(
    small: Problem, items: Sequence[Item], before: Unserved, found: list[Relaxation]
) -> list[Relaxation] | None:
    """Return `found` without what is not needed; None where nothing at all is."""
    for one in list(found):
        if len(found) > 1:
            rest = [other for other in found if other is not one]
            if not granted(small, items, before, rest).broken:
                found = rest
    return found or None


def granted(
    small: Problem, items: Sequence[Item], before: Unserved, found: Sequence[Relaxation]
) -> Timetable:
    """Return the timetable of a route with everything granted that `found` asks for."""
    easier = small
    if found:
        easier = relaxed(small, before.model_copy(update={"relaxations": tuple(found)}))
    now = [item if isinstance(item, AtDepot) else easier.stop_of[item.id] for item in items]
    return drive(easier, easier.vehicles[0], now)


def relaxation(
    breach: Breach, vehicle: ProblemVehicle, own: Sequence[str], given: set[str]
) -> Relaxation | None:
    """Return what mends a breach, None where nothing does; `given`: stops no more locked."""
    rule, amount = breach.rule, breach.amount
    if rule == "window":
        return Relaxation(rule=rule, amount=amount, stop=breach.stop, edge="closes")
    if rule == "shift":
        return Relaxation(rule=rule, amount=amount, edge="ends")
    if rule in ("first_last", "pinned", "on_board"):
        return Relaxation(rule=rule, amount=amount, stop=breach.stop)
    if rule == "capacity":
        return Relaxation(rule=rule, amount=amount, dimension=breach.dimension)
    if rule == "skill":
        return Relaxation(rule=rule, amount=amount, stop=breach.stop, skill=breach.skill)
    if rule == "locked":
        free = sorted(set(vehicle.locked) - given, key=lambda stop: (stop not in own, stop))
        return Relaxation(rule=rule, amount=1, stop=free[0]) if free else None
    if rule in ("most_metres", "most_stops", "break", "stacked"):
        return Relaxation(rule=rule, amount=amount)
    return None
