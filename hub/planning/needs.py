"""What a problem really asks of an engine, beyond one window, one load, a shift and a capacity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hub.nouns import Costs, Feature, Problem, ProblemStop, ProblemVehicle
from hub.planning.rules import amount

WORDS: dict[Feature, tuple[str, str]] = {
    "several_windows": ("a stop has several windows", "{} stops have several windows"),
    "several_loads": ("loads are counted in two ways", "loads are counted in {} ways"),
    "several_depots": ("a route begins or ends elsewhere", "routes begin or end at {} places"),
    "collections": ("a stop is a collection", "{} stops are collections"),
    "shipments": ("goods go from one stop to another", "{} shipments go from stop to stop"),
    "skills": ("a stop needs a skill", "{} stops need a skill"),
    "pinned": ("a stop is for a certain driver", "{} stops are for certain drivers"),
    "priorities": ("a stop comes before others", "{} stops have a priority"),
    "costs": ("a vehicle has costs of its own", "{} vehicles have costs of their own"),
    "overtime": ("a driver may work overtime", "{} drivers may work overtime"),
    "breaks": ("a driver takes breaks", "{} drivers take breaks"),
    "reloads": ("a vehicle may reload", "{} vehicles may reload"),
    "most_metres": ("a vehicle may drive only so far", "{} vehicles may drive only so far"),
    "most_stops": ("a driver makes only so many stops", "{} drivers make only so many stops"),
    "profiles": ("a vehicle drives at its own speed", "{} vehicles drive at speeds of their own"),
    "first_last": ("a stop comes first or last", "{} stops come first or last"),
    "on_board": ("goods of a stop ride only so long", "goods of {} stops ride only so long"),
    "stacked": ("a vehicle is loaded from the back", "{} vehicles are loaded from the back"),
    "locked": ("the beginning of a route is fixed", "the beginnings of {} routes are fixed"),
    "balance": ("the work is shared out", "the work is shared out"),
}
"""How it is told that one of them asks for it, or several."""
NAMES: dict[Feature, str] = {
    "several_windows": "several windows",
    "several_loads": "several kinds of load",
    "several_depots": "several depots",
    "pinned": "stops for certain drivers",
    "costs": "costs of each vehicle",
    "most_metres": "the longest way",
    "most_stops": "the most stops",
    "profiles": "speeds of each vehicle",
    "first_last": "stops that come first or last",
    "on_board": "the time on board",
    "stacked": "loading from the back",
    "locked": "fixed beginnings",
    "balance": "a fair share of the work",
}
"""What it is called where its own name would not be understood."""


def needs(problem: Problem) -> frozenset[Feature]:
    """Return what an engine has to keep for this problem; what binds nobody is not asked."""
    return frozenset(counts(problem))


def counts(problem: Problem) -> dict[Feature, int]:
    """Return how many stops or vehicles ask for each feature that is asked for."""
    found = {**of_stops(problem), **of_vehicles(problem), **of_all(problem)}
    return {feature: count for feature, count in found.items() if count}


def in_words(problem: Problem, features: Iterable[Feature]) -> str:
    """Return who asks for these features, for people: "2 drivers take breaks"."""
    found, wanted = counts(problem), set(features)
    parts = [
        WORDS[feature][count > 1].format(count)
        for feature, count in found.items()
        if feature in wanted
    ]
    return listed(parts)


def named(features: Iterable[Feature]) -> str:
    """Return the names of features, for people: "breaks and several windows"."""
    return listed(sorted(NAMES.get(one, one.replace("_", " ")) for one in features))


def listed(parts: list[str]) -> str:
    """Return parts as one text with an "and" before the last."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def of_stops(problem: Problem) -> dict[Feature, int]:
    """Return how many stops ask for what stops can ask for."""
    stops, fleet = problem.stops, problem.vehicles
    ids = {vehicle.id for vehicle in fleet}
    common = frozenset.intersection(*(v.skills for v in fleet)) if fleet else frozenset()
    usual = min((stop.priority for stop in stops), default=0)
    return {
        "several_windows": sum(len(stop.windows) > 1 for stop in stops),
        "collections": sum(any(stop.collect) for stop in stops),
        "shipments": len(problem.shipments),
        "skills": sum(not stop.skills <= common for stop in stops),
        "pinned": sum(bool(stop.vehicles) and not ids <= stop.vehicles for stop in stops),
        "priorities": sum(stop.priority > usual for stop in stops),
        "first_last": sum(bool(stop.position) for stop in stops),
        "on_board": sum(stop.on_board is not None for stop in stops),
    }


def of_vehicles(problem: Problem) -> dict[Feature, int]:
    """Return how many vehicles ask for what vehicles can ask for."""
    fleet, stops = problem.vehicles, len(problem.stops)
    usual = Costs()
    return {
        "costs": sum(vehicle.costs != usual for vehicle in fleet),
        "overtime": sum(vehicle.overtime > 0 for vehicle in fleet),
        "breaks": sum(any(takes(vehicle)) for vehicle in fleet),
        "reloads": sum(vehicle.reloads is not None for vehicle in fleet),
        "most_metres": sum(vehicle.most_metres is not None for vehicle in fleet),
        "most_stops": sum(
            vehicle.most_stops is not None and vehicle.visited + stops > vehicle.most_stops
            for vehicle in fleet
        ),
        "profiles": sum(vehicle.profile in problem.profiles for vehicle in fleet),
        "stacked": sum(vehicle.stacked for vehicle in fleet) if problem.shipments else 0,
        "locked": sum(bool(vehicle.locked) for vehicle in fleet),
    }


def of_all(problem: Problem) -> dict[Feature, int]:
    """Return what the problem asks for as a whole."""
    ends = {point for vehicle in problem.vehicles for point in (vehicle.start, vehicle.end)}
    dimensions = limited(problem.stops, problem.vehicles, problem)
    return {
        "several_loads": dimensions if dimensions > 1 else 0,
        "several_depots": len(ends) if len(ends) > 1 else 0,
        "balance": int(problem.balance > 0 and len(problem.vehicles) > 1),
    }


def takes(vehicle: ProblemVehicle) -> Iterator[bool]:
    """Yield of each break whether it can fall into the vehicle's working time."""
    for rest in vehicle.breaks:
        ends = vehicle.shift[1] + vehicle.overtime
        yield rest.window[1] < ends and vehicle.shift[0] < rest.window[0] + rest.seconds


def limited(
    stops: Iterable[ProblemStop], vehicles: Iterable[ProblemVehicle], problem: Problem
) -> int:
    """Return up to which dimension loads are carried by somebody who has a limit there.

    The first one counts always: engines that know one load only look at that.
    """
    most = max((len(vehicle.capacity) for vehicle in vehicles), default=0)
    loads = [
        *(stop.deliver for stop in stops),
        *(stop.collect for stop in stops),
        *(shipment.load for shipment in problem.shipments),
    ]
    used = [n for n in range(1, most) if any(amount(load, n) for load in loads)]
    return used[-1] + 1 if used else min(most, 1)
