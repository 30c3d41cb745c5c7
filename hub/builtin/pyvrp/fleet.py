"""The vehicles of a problem as PyVRP's vehicle types, those that are alike in one type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.builtin.pyvrp.gates import Gate, rooms
from hub.builtin.pyvrp.ground import Ground
from hub.nouns import Problem, ProblemStop, ProblemVehicle
from hub.planning.costs import price
from hub.planning.rules import Item, amount
from hub.planning.schedule import drive, run


@dataclass(frozen=True)
class Head:
    """Where and when a vehicle is free, and with what on board: after its locked stops."""

    point: int
    since: int
    spare: int
    """Seconds by which all of it may begin later."""
    metres: int
    stops: int
    aboard: tuple[int, ...]


def head(problem: Problem, vehicle: ProblemVehicle) -> Head:
    """Return what is behind a vehicle once it has served its locked stops."""
    aboard = tuple(vehicle.carries)
    if not vehicle.locked:
        spare = 0 if vehicle.visited else vehicle.shift[1] - vehicle.shift[0] + vehicle.overtime
        return Head(vehicle.start, vehicle.shift[0], spare, vehicle.driven, vehicle.visited, aboard)
    stops = [problem.stop_of[id] for id in vehicle.locked]
    way = run(problem, vehicle, [*stops], vehicle.shift[0])
    home = problem.matrix_of(vehicle).metres[stops[-1].point][vehicle.end]
    return Head(
        stops[-1].point,
        way.visits[-1].depart,
        0 if vehicle.visited else max(0, way.slack - way.waited),
        vehicle.driven + way.metres - home,
        vehicle.visited + len(stops),
        tuple(full(problem, vehicle, stops, one) for one in range(dimensions(problem))),
    )


def spent(problem: Problem, vehicle: ProblemVehicle) -> int:
    """Return what a vehicle costs up to the end of its locked stops; 0 without any."""
    if not vehicle.locked:
        return 0
    stops = [problem.stop_of[id] for id in vehicle.locked]
    way = drive(problem, vehicle, [*stops])
    home = problem.matrix_of(vehicle).metres[stops[-1].point][vehicle.end]
    return price(vehicle, way.starts, way.visits[-1].depart, way.metres - home)


def full(
    problem: Problem, vehicle: ProblemVehicle, stops: Sequence[ProblemStop], dimension: int
) -> int:
    """Return how full a vehicle is at its fullest on the way along its locked stops."""
    load = amount(vehicle.carries, dimension) + sum(amount(s.deliver, dimension) for s in stops)
    fullest = load
    brought = 0
    here = {stop.id for stop in stops}
    for stop in stops:
        load += amount(stop.collect, dimension) - amount(stop.deliver, dimension)
        shipment = problem.shipment_of.get(stop.id)
        if shipment is not None:
            moved = amount(shipment.load, dimension)
            load += moved if shipment.pickup == stop.id else -moved
            brought += moved if shipment.delivery not in here else 0
        fullest = max(fullest, load)
    return max(0, fullest - brought)


def dimensions(problem: Problem) -> int:
    """Return how many dimensions of load have a limit."""
    return max((len(vehicle.capacity) for vehicle in problem.vehicles), default=0)


@dataclass(frozen=True)
class Scale:
    """What loads and times are counted from."""

    zero: int
    """The second at which the first shift begins."""
    many: tuple[int, ...]
    """In each dimension of load, what is as good as no limit."""
    stops: bool
    """Whether stops are counted, as one more dimension."""
    unit: int
    """What one unit of load counts: so much that no prize makes up for one too much, but 1 where
    vehicles reload, for the search finds reloads by way of routes that are too full."""
    heads: Mapping[str, int] = field(default_factory=dict)
    """Vehicles with locked stops -> their number, from 1.

    Where such a vehicle is free there is a client more, so that its way home costs something also
    where it serves nothing else. In two dimensions more each of these clients fits its own vehicle
    only, and fills it: the n-th of m weighs n in one and m + 1 - n in the other.
    """

    def head(self, vehicle: str) -> list[int]:
        """Return what the client where a vehicle is free weighs, and what that vehicle carries."""
        number = self.heads.get(vehicle, 0)
        both = [number, len(self.heads) + 1 - number] if number else [0, 0]
        return both if self.heads else []


def types(
    problem: Problem,
    vehicles: Sequence[ProblemVehicle],
    ground: Ground,
    gates: Sequence[Gate],
    scale: Scale,
) -> dict[tuple[Any, ...], list[ProblemVehicle]]:
    """Return the arguments of each vehicle type, as sorted pairs, and the vehicles that it has."""
    found: dict[tuple[Any, ...], list[ProblemVehicle]] = {}
    for vehicle in vehicles:
        told = told_of(problem, vehicle, ground, gates, scale)
        found.setdefault(tuple(sorted(told.items())), []).append(vehicle)
    return found


def told_of(
    problem: Problem,
    vehicle: ProblemVehicle,
    ground: Ground,
    gates: Sequence[Gate],
    scale: Scale,
) -> dict[str, Any]:
    """Return what PyVRP is told of one vehicle; its profile is still a name."""
    now = head(problem, vehicle)
    capacity = [many + amount(now.aboard, n) for n, many in enumerate(scale.many)]
    capacity[: len(vehicle.capacity)] = map(min, capacity, vehicle.capacity)
    aboard = [min(room, amount(now.aboard, n)) for n, room in enumerate(capacity)]
    count = len(problem.stops)
    if scale.stops:
        most = count if vehicle.most_stops is None else vehicle.most_stops - now.stops
        capacity.append(max(0, most))
        aboard.append(0)
    capacity += [*rooms(gates, vehicle, count), *scale.head(vehicle.id)]
    rests = sum(one.seconds for one in vehicle.breaks if one.window[1] < vehicle.shift[1])
    closes = vehicle.shift[1] - scale.zero - rests
    told: dict[str, Any] = {
        "capacity": tuple(scale.unit * room for room in capacity),
        "initial_load": (
            *(scale.unit * load for load in aboard),
            *[0] * (len(capacity) - len(aboard)),
        ),
        "start_depot": ground.depot(now.point),
        "end_depot": ground.depot(vehicle.end),
        "profile": vehicle.profile,
        "tw_early": max(0, now.since - scale.zero),
        "tw_late": max(0, now.since - scale.zero, closes),
        **costs(vehicle, now),
    }
    told["shift_duration"] = told["tw_late"] - told["tw_early"]
    told["start_late"] = min(told["tw_late"], told["tw_early"] + now.spare)
    told["tw_late"] = max(told["tw_early"], closes + vehicle.overtime)
    return told | reloads(vehicle, ground)


def reloads(vehicle: ProblemVehicle, ground: Ground) -> dict[str, Any]:
    """Return where a vehicle may reload, and how often."""
    told = vehicle.reloads
    if told is None:
        return {}
    depots = tuple(ground.depot(point, told.seconds) for point in told.points)
    return {"reload_depots": depots, "max_reloads": told.most}


def costs(vehicle: ProblemVehicle, now: Head) -> dict[str, int]:
    """Return what a vehicle costs, and how far it may still go."""
    told = {
        "fixed_cost": 0 if vehicle.locked else vehicle.costs.fixed,
        "unit_distance_cost": vehicle.costs.per_metre,
        "unit_duration_cost": vehicle.costs.per_second,
    }
    if vehicle.overtime:
        told["max_overtime"] = vehicle.overtime
        told["unit_overtime_cost"] = vehicle.costs.per_overtime_second
    if vehicle.most_metres is not None:
        told["max_distance"] = max(0, vehicle.most_metres - now.metres)
    return told


def locked(problem: Problem, vehicle: ProblemVehicle) -> list[Item]:
    """Return the stops that a vehicle's route begins with."""
    return [problem.stop_of[id] for id in vehicle.locked]
