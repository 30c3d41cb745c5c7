"""Why a stop is in no route: the rule that really keeps it out, in words for a dispatcher."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from hub.nouns import Loads, Problem, ProblemStop, ProblemVehicle, Rule, Unserved
from hub.planning.binding import explain
from hub.planning.deadline import ENDLESS, Deadline
from hub.planning.insertion import find
from hub.planning.quotes import Fleet, Sequences
from hub.planning.relaxations import gone_with
from hub.planning.relaxations import working as working
from hub.planning.rules import Item, amount
from hub.planning.schedule import NEVER, drive, only_stops, travel
from hub.planning.words import clock, words

BESIDE = "it does not fit beside the others"
OUSTED = "it gave its place to a more urgent stop"
PENDING = "there was no time to try it everywhere; plan again with more seconds"
"""Of a stop that a rule may or may not keep out."""
CROWDED: dict[Rule, str] = {
    "skill": "those who have what it needs have no time or room for it",
    "pinned": "the driver it is for has no time or room for it",
    "most_metres": "nobody may drive that much farther",
    "most_stops": "nobody may make one stop more",
    "first_last": "no route is free at the end where it has to come",
    "on_board": "goods would ride longer than they may",
    "stacked": "its goods would lie below others",
    "locked": "the stops that are fixed leave no time for it",
    "break": "a driver would have no time for a break",
}


def impossible(problem: Problem, stop: ProblemStop) -> str:
    """Return why no vehicle could serve `stop` even alone; empty when one could."""
    vehicles = working(problem)
    if not vehicles:
        return "no driver is free that day; look at the shifts and the routes already published"
    allowed = [v for v in vehicles if not stop.vehicles or v.id in stop.vehicles]
    if not allowed:
        return "it is for a driver who is not free that day"
    skilled = [vehicle for vehicle in allowed if stop.skills <= vehicle.skills]
    if not skilled:
        return f"nobody has what it needs: {', '.join(sorted(stop.skills))}"
    carriers = [vehicle for vehicle in skilled if carries(vehicle, stop)]
    if not carriers:
        most = max(amount(vehicle.capacity, 0) for vehicle in skilled)
        load = amount(needs(stop), 0)
        return f"its load of {load} is more than any vehicle takes (at most {most})"
    if any(alone(problem, vehicle, stop) for vehicle in carriers):
        return ""
    return why_not_alone(problem, carriers, stop, others=len(carriers) < len(vehicles))


def needs(stop: ProblemStop) -> Loads:
    """Return the room that a stop's goods take, in each dimension."""
    size = max(len(stop.deliver), len(stop.collect))
    return tuple(max(amount(stop.deliver, n), amount(stop.collect, n)) for n in range(size))


def carries(vehicle: ProblemVehicle, stop: ProblemStop) -> bool:
    """Say whether a stop's goods fit into a vehicle that is empty."""
    return all(
        amount(needs(stop), n) <= capacity - amount(vehicle.carries, n)
        for n, capacity in enumerate(vehicle.capacity)
    )


def alone(problem: Problem, vehicle: ProblemVehicle, stop: ProblemStop) -> bool:
    """Say whether a vehicle can do `stop`, with what goes with it, and nothing else that day."""
    unit = [problem.stop_of.get(id, stop) for id in gone_with(problem, stop.id)]
    free = vehicle.model_copy(update={"locked": ()}) if vehicle.locked else vehicle
    return not drive(problem, free, unit).broken


def why_not_alone(
    problem: Problem, vehicles: Sequence[ProblemVehicle], stop: ProblemStop, *, others: bool
) -> str:
    """Return the rule that keeps `stop` from all of `vehicles`, none of which can do it."""
    whose = "of a vehicle that can carry it " if others else ""
    opens = min(vehicle.shift[0] for vehicle in vehicles)
    closes = max(vehicle.shift[1] for vehicle in vehicles)
    shifts = f"({clock(opens)}-{clock(closes)})"
    there = {v.id: travel(problem.matrix_of(v), v.start, stop.point) for v in vehicles}
    reachable = [v for v in vehicles if there[v.id] < NEVER]
    if not any(travel(problem.matrix_of(v), stop.point, v.end) < NEVER for v in reachable):
        return "there is no way to its place and back"
    if stop.windows:
        first, last = stop.windows[0], stop.windows[-1]
        window = f"its window {clock(first[0])}-{clock(last[1])}"
        if all(low > high for low, high in stop.windows):
            return f"{window} ends before it begins"
        if last[1] < opens or first[0] > closes:
            return f"{window} lies outside every shift {whose}{shifts}"
        soonest = min(v.shift[0] + there[v.id] for v in reachable)
        if soonest > last[1]:
            return f"{window} cannot be reached: {clock(soonest)} is the earliest arrival"
    return f"no shift {whose}{shifts} is long enough to serve it and come back"


def beside(problem: Problem, sequences: Sequences, stop: ProblemStop) -> str:
    """Return why `stop`, which alone could be served, has no place beside the planned ones."""
    able = [v for v in working(problem) if alone(problem, v, stop)]
    room = [vehicle for vehicle in able if has_room(vehicle, sequences.get(vehicle.id, ()), stop)]
    if not room:
        load = amount(needs(stop), 0)
        return f"{BESIDE}: no vehicle has room for its load of {load}"
    if stop.windows and stop.windows[-1][1] < max(v.shift[1] for v in room):
        window = f"{clock(stop.windows[0][0])}-{clock(stop.windows[-1][1])}"
        return f"{BESIDE}: nobody has time for it in {window}"
    return f"{BESIDE}: nobody has time for it before the shift ends"


def has_room(vehicle: ProblemVehicle, items: Sequence[Item], stop: ProblemStop) -> bool:
    """Say whether a vehicle has room for a stop's goods beside the others'."""
    others = [*only_stops(items), stop]
    return all(
        sum(amount(needs(one), n) for one in others) <= capacity
        for n, capacity in enumerate(vehicle.capacity)
    )


def fill(
    problem: Problem, sequences: dict[str, list[Item]], left: Iterable[ProblemStop]
) -> tuple[Unserved, ...]:
    """Insert every stop of `left` that fits after all, and return the others with their reason.

    Changes `sequences`. What is returned truly fits nowhere in them as they stand.
    """
    fleet = Fleet(problem, sequences)
    waiting = []
    for stop in left:
        found = find(fleet, stop)
        if found:
            fleet.change(found[0].vehicle, found[0].items)
            sequences[found[0].vehicle] = list(found[0].items)
        else:
            waiting.append(stop)
    return explained(problem, fleet, waiting)


def explained(
    problem: Problem,
    fleet: Fleet,
    left: Iterable[ProblemStop],
    ousted: Collection[str] = (),
    until: Deadline = ENDLESS,
) -> tuple[Unserved, ...]:
    """Return for stops that fit nowhere the rule, what would make them fit, and a sentence.

    Those that gave their place to a more urgent one (`ousted`) are told so. After `until` no rule
    is looked for any more.
    """
    told: dict[str, Unserved] = {}
    for stop in left:
        ids = gone_with(problem, stop.id)
        one = problem.stop_of.get(stop.id, stop)
        found = told.get(ids[0]) or (None if until.over else explain(problem, fleet, one, until))
        if found is None or not found.rule:
            told[stop.id] = pending(problem, stop)
            continue
        text = sentence(problem, fleet, stop, found, ousted=stop.id in ousted)
        told[stop.id] = found.model_copy(update={"stop": stop.id, "reason": text})
    return tuple(told.values())


def pending(problem: Problem, stop: ProblemStop) -> Unserved:
    """Return that nobody had the time to find out why a stop is left out, nor where it fits."""
    if not working(problem):
        return Unserved(stop=stop.id, reason=impossible(problem, stop), rule="no_vehicle")
    return Unserved(stop=stop.id, reason=PENDING)


def sentence(
    problem: Problem, fleet: Fleet, stop: ProblemStop, found: Unserved, *, ousted: bool
) -> str:
    """Return why a stop is left out, and what would make it fit, in words without ids."""
    asked = words(found, lambda _: "")
    text = why(problem, fleet, stop, found.rule)
    if ousted:
        text = text.replace(BESIDE, OUSTED)
    return text + (f"; {asked}" if asked else "")


def why(problem: Problem, fleet: Fleet, stop: ProblemStop, rule: Rule) -> str:
    """Return why a stop is left out, whatever would make it fit."""
    never = impossible(problem, stop)
    if rule == "no_vehicle":
        return never
    if rule == "unreachable":
        return "there is no way to its place and back"
    if never and rule in ("skill", "pinned", "capacity", "window", "shift", ""):
        return never
    crowded = CROWDED.get(rule)
    if crowded is None and rule == "capacity":
        crowded = f"no vehicle has room for its load of {amount(needs(stop), 0)}"
    if crowded is None:
        crowded = "nobody has time for it before the shift ends"
        if rule == "window" and stop.windows:
            hours = f"{clock(stop.windows[0][0])}-{clock(stop.windows[-1][1])}"
            crowded = f"nobody has time for it in {hours}"
    return f"{BESIDE}: {crowded}"
