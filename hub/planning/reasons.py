"""Why a stop is in no route: the rule that really keeps it out, in words for a dispatcher."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from hub.nouns import Loads, Problem, ProblemStop, ProblemVehicle, Rule, Unserved, Window
from hub.nouns.plans import Wall
from hub.planning.binding import explain
from hub.planning.deadline import ENDLESS, Deadline
from hub.planning.insertion import find
from hub.planning.quotes import Fleet
from hub.planning.relaxations import able, gone_with, there_and_back
from hub.planning.relaxations import working as working
from hub.planning.rules import Item, amount
from hub.planning.schedule import NEVER, drive, travel
from hub.planning.visits import FIRST
from hub.planning.words import clock, of_load, words

BESIDE = "it does not fit beside the others"
EVEN_ALONE = "it does not fit even alone"
OUSTED = "it gave its place to a more urgent stop"
NO_WAY = "there is no way to its place and back"
CHECK = "check its address, and where its pin is"
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
    unit = unit_of(problem, stop)
    allowed = [v for v in vehicles if all(not s.vehicles or v.id in s.vehicles for s in unit)]
    if not allowed:
        return "it is for a driver who is not free that day"
    skills = frozenset().union(*(one.skills for one in unit))
    skilled = [vehicle for vehicle in allowed if skills <= vehicle.skills]
    if not skilled:
        return f"nobody has what it needs: {', '.join(sorted(skills))}"
    room = needs(problem, stop)
    carriers = [vehicle for vehicle in skilled if fits_empty(vehicle, room)]
    if not carriers:
        return too_much(skilled, room)
    if any(alone(problem, vehicle, stop) for vehicle in carriers):
        return ""
    return why_not_alone(problem, carriers, stop, others=len(carriers) < len(vehicles))


def unit_of(problem: Problem, stop: ProblemStop) -> list[ProblemStop]:
    """Return a stop, or both of its shipment, the pickup first."""
    return [problem.stop_of.get(id, stop) for id in gone_with(problem, stop.id)]


def needs(problem: Problem, stop: ProblemStop) -> Loads:
    """Return the most room that a stop's goods, and those of its shipment, take at any time."""
    unit, shipment = unit_of(problem, stop), problem.shipment_of.get(stop.id)
    fetched = shipment.load if shipment else ()
    size = max(len(fetched), *(len(loads) for one in unit for loads in (one.deliver, one.collect)))
    most = []
    for n in range(size):
        aboard = [sum(amount(one.deliver, n) for one in unit)]
        for one in unit:
            taken = amount(fetched, n) if shipment and one.id == shipment.pickup else 0
            brought = amount(fetched, n) if shipment and one.id == shipment.delivery else 0
            change = amount(one.collect, n) - amount(one.deliver, n) + taken - brought
            aboard.append(aboard[-1] + change)
        most.append(max(aboard))
    return tuple(most)


def fits_empty(vehicle: ProblemVehicle, room: Loads) -> bool:
    """Say whether goods that take so much room fit into a vehicle that is empty."""
    return all(
        amount(room, n) <= capacity - amount(vehicle.carries, n)
        for n, capacity in enumerate(vehicle.capacity)
    )


def too_much(vehicles: Sequence[ProblemVehicle], room: Loads) -> str:
    """Return which of a stop's loads no vehicle takes, or that none takes all of them."""
    for n, load in enumerate(room):
        if any(n >= len(vehicle.capacity) for vehicle in vehicles):
            continue
        most = max(vehicle.capacity[n] - amount(vehicle.carries, n) for vehicle in vehicles)
        if load > most:
            return f"its load of {load}{of_load(n)} is more than any vehicle takes (at most {most})"
    return f"no vehicle takes all of its loads together ({', '.join(map(str, room))})"


def alone(problem: Problem, vehicle: ProblemVehicle, stop: ProblemStop) -> bool:
    """Say whether a vehicle can do `stop`, with what goes with it, and nothing else that day."""
    unit = [stop if one.id == stop.id else one for one in unit_of(problem, stop)]
    free = vehicle.model_copy(update={"locked": ()}) if vehicle.locked else vehicle
    return not drive(problem, free, unit).broken


def why_not_alone(
    problem: Problem, vehicles: Sequence[ProblemVehicle], stop: ProblemStop, *, others: bool
) -> str:
    """Return the rule that keeps `stop` from all of `vehicles`, none of which can do it."""
    whose = "of a vehicle that can carry it " if others else ""
    opens = min(vehicle.shift[0] for vehicle in vehicles)
    closes = max(vehicle.shift[1] + vehicle.overtime for vehicle in vehicles)
    wall = problem.wall
    shifts = f"({clock(opens, wall)}-{clock(closes, wall)})"
    there = {v.id: travel(problem.matrix_of(v), v.start, stop.point) for v in vehicles}
    reachable = [v for v in vehicles if there[v.id] < NEVER]
    if not any(travel(problem.matrix_of(v), stop.point, v.end) < NEVER for v in reachable):
        return f"{NO_WAY}; {CHECK}"
    if stop.windows:
        first, last = outer(stop)
        window = f"its window {between(first, last, wall)}"
        if all(low > high for low, high in stop.windows):
            return f"{window} ends before it begins"
        if last < opens or first > closes:
            return f"{window} lies outside every shift {whose}{shifts}"
        soonest = min(v.shift[0] + there[v.id] for v in reachable)
        if soonest > last:
            return f"{window} cannot be reached: {clock(soonest, wall)} is the earliest arrival"
        free = stop.model_copy(update={"windows": ()})
        if any(alone(problem, vehicle, free) for vehicle in vehicles):
            return f"{window} leaves no time to serve it and come back in any shift {whose}{shifts}"
    return f"no shift {whose}{shifts} is long enough to serve it and come back"


def outer(stop: ProblemStop) -> Window:
    """Return when the first of a stop's windows opens and the last closes."""
    return min(low for low, _ in stop.windows), max(high for _, high in stop.windows)


def between(first: int, last: int, wall: Wall) -> str:
    """Return from when until when on the clock on the wall."""
    until = clock(last, wall)
    return f"{clock(first, wall)}-{until}" if first != FIRST else f"00:00-{until}"


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
        found = found.model_copy(update={"stop": stop.id})
        text = sentence(problem, stop, found, ousted=stop.id in ousted)
        told[stop.id] = found.model_copy(update={"reason": text})
    return tuple(told.values())


def pending(problem: Problem, stop: ProblemStop) -> Unserved:
    """Return that nobody had the time to find out why a stop is left out, nor where it fits."""
    if not working(problem):
        return Unserved(stop=stop.id, reason=impossible(problem, stop), rule="no_vehicle")
    return Unserved(stop=stop.id, reason=PENDING)


def sentence(problem: Problem, stop: ProblemStop, found: Unserved, *, ousted: bool) -> str:
    """Return why a stop is left out, and what would make it fit, in words without ids."""
    unit = gone_with(problem, stop.id)
    asked = words(found, lambda id: "its other half" if id in unit else "")
    text = why(problem, stop, found)
    if ousted:
        text = text.replace(BESIDE, OUSTED)
    return text + (f"; {asked}" if asked else "")


def no_way(problem: Problem, stop: ProblemStop) -> str:
    """Return that there is no way to a place, or how long the nearest one drives there and back."""
    unit = unit_of(problem, stop)
    vehicles = able(problem, [one.id for one in unit])
    seconds = min((there_and_back(problem, one, unit) for one in vehicles), default=NEVER)
    if seconds >= NEVER:
        return NO_WAY
    hours = f"{seconds / 3600:.0f} hours of driving there and back for whoever is nearest"
    return f"its place is {hours}, more than a day of work"


def why(problem: Problem, stop: ProblemStop, found: Unserved) -> str:
    """Return why a stop is left out, whatever would make it fit."""
    rule = found.rule
    never = impossible(problem, stop)
    if rule == "no_vehicle":
        return never
    if rule == "unreachable":
        return f"{no_way(problem, stop)}; {CHECK}"
    if never and rule in ("skill", "pinned", "capacity", "window", "shift", ""):
        return never
    crowded = CROWDED.get(rule)
    if crowded is None and rule == "capacity":
        room = needs(problem, stop)
        n = next(one.dimension for one in found.relaxations if one.rule == "capacity")
        crowded = f"no vehicle has room for its load of {amount(room, n)}{of_load(n)}"
    if crowded is None:
        crowded = "nobody has time for it before the shift ends"
        if rule == "window" and stop.windows:
            first, last = outer(stop)
            crowded = f"nobody has time for it in {between(first, last, problem.wall)}"
    return f"{EVEN_ALONE if never else BESIDE}: {crowded}"
