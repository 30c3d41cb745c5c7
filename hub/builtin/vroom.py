"""Routes by VROOM, a fast second opinion: install lastmile-hub[vroom]."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from importlib.util import find_spec
from math import gcd
from typing import Any, ClassVar

from hub.connector import Connector, NoSettings
from hub.errors import PluginError
from hub.hookspecs import hookimpl
from hub.nouns import Feature, Loads, Plan, Problem, ProblemStop, ProblemVehicle
from hub.planning.answer import balanced, begun
from hub.planning.reasons import working
from hub.planning.rules import Item, amount
from hub.planning.schedule import drive
from hub.planning.stopwatch import by_wall
from hub.planning.walk import NEVER

FIRST = 3.6e-5
"""Seconds of the quickest search per stop and stop, measured on 1,000 stops."""
DEEPER = (33, 20, 12, 7, 3.3, 1)
"""How many times longer the searches of level 5 to 0 take."""
SLOWEST = 10
"""Times that VROOM may take by its own clock, the wall's, where time is counted by another: the
level is chosen so that it ends by itself."""


class Vroom(Connector[NoSettings]):
    """Many cheap starts and a local search; it looks at driving time, not at waiting."""

    name: ClassVar[str] = "vroom"
    title: ClassVar[str] = "VROOM"
    sdk: ClassVar[tuple[str, ...]] = ("vroom",)
    features: ClassVar[frozenset[Feature]] = frozenset(
        {
            "several_windows", "several_loads", "several_depots", "collections", "shipments",
            "skills", "pinned", "priorities", "costs", "breaks", "most_metres", "most_stops",
            "profiles", "balance",
        }
    )  # fmt: skip

    def check(self) -> None:
        """Raise `PluginError` where the solver is not installed."""
        if find_spec("vroom") is None:
            raise PluginError("VROOM is not installed; pip install 'lastmile-hub[vroom]'")

    def plan(self, problem: Problem) -> Plan:
        """Return routes that keep every rule, and the true reason for each stop left out."""
        self.check()
        return balanced(problem, self.name, sequences)


def sequences(problem: Problem) -> dict[str, list[Item]]:
    """Return what VROOM finds in the time that the problem gives it."""
    asked = Asked(problem)
    if not asked.vehicles or not asked.stops:
        return {}
    routes = solved(asked, problem.seconds)
    if "id" not in routes:
        return {}
    found: dict[str, list[Item]] = {}
    for vehicle, kind, id in zip(routes["vehicle_id"], routes["type"], routes["id"], strict=True):
        if kind in ("job", "pickup", "delivery"):
            found.setdefault(asked.vehicles[vehicle].id, []).append(asked.stops[id])
    return found


def solved(asked: Asked, seconds: float) -> Any:
    """Return the table of VROOM's routes, begun without any where it does not take those given."""
    from vroom._vroom import VroomInputException

    told = {
        "exploration_level": level(len(asked.stops), seconds),
        "nb_threads": 1,
        "timeout": timedelta(seconds=seconds if by_wall() else SLOWEST * seconds),
    }
    try:
        return asked.input().solve(**told).routes
    except VroomInputException:
        if not asked.warm:
            raise
    asked.warm = {}
    return asked.input().solve(**told).routes


def level(stops: int, seconds: float) -> int:
    """Return the deepest search that should end by itself: one that is cut off is poor."""
    quickest = FIRST * stops * stops
    fitting = (5 - n for n, times in enumerate(DEEPER) if quickest * times <= seconds)
    return next(fitting, 0)


class Asked:
    """A problem in the words of VROOM: stops and vehicles by number, times from the first shift."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.vehicles = [v for v in working(problem) if v.most_stops is None or free(v)]
        self.zero = min((vehicle.shift[0] for vehicle in self.vehicles), default=0)
        self.stops = [stop for stop in problem.stop_of.values() if self.windows(stop) != []]
        self.number = {stop.id: number for number, stop in enumerate(self.stops)}
        names = {name for stop in self.stops for name in stop.skills}
        names |= {name for vehicle in self.vehicles for name in vehicle.skills}
        self.skills = {name: number for number, name in enumerate(sorted(names))}
        pins = {stop.vehicles for stop in self.stops if stop.vehicles}
        self.pins = {pin: len(names) + n for n, pin in enumerate(sorted(pins, key=sorted))}
        self.warm = begun(problem)
        self.loads = range(max((len(vehicle.capacity) for vehicle in self.vehicles), default=0))

    def input(self) -> Any:
        """Return the input of the solver."""
        import vroom

        made = vroom.Input()
        for profile, matrix in self.profiles():
            made.set_durations_matrix(profile, cells(matrix.seconds))
            made.set_distances_matrix(profile, cells(matrix.metres))
        unit = self.unit()
        made.add_vehicle([self.vehicle(n, one, unit) for n, one in enumerate(self.vehicles)])
        made.add_job(list(self.jobs()))
        return made

    def profiles(self) -> Iterator[tuple[str, Any]]:
        """Yield the travel times of each profile that is used."""
        for name in sorted({str(vehicle.profile) for vehicle in self.vehicles}):
            first = next(one for one in self.vehicles if one.profile == name)
            yield name, self.problem.matrix_of(first)

    def unit(self) -> int:
        """Return the largest unit in which all costs are whole, to keep the numbers small."""
        costs = [vehicle.costs for vehicle in self.vehicles]
        told = [
            n for one in costs for n in (one.fixed, one.per_second * 3600, one.per_metre * 1000)
        ]
        return gcd(*told) or 1

    def windows(self, stop: ProblemStop) -> list[tuple[int, int]] | None:
        """Return a stop's windows in order and apart, none where it has none."""
        if not stop.windows:
            return None
        found: list[tuple[int, int]] = []
        for low, high in sorted((low - self.zero, high - self.zero) for low, high in stop.windows):
            if high < max(0, low):
                continue
            if found and low <= found[-1][1]:
                found[-1] = found[-1][0], max(high, found[-1][1])
            else:
                found.append((max(0, low), high))
        return found

    def jobs(self) -> Iterator[Any]:
        """Yield the stops and the shipments, as VROOM has them."""
        import vroom

        for goods in self.problem.shipments:
            if goods.pickup in self.number and goods.delivery in self.number:
                ends = [self.stops[self.number[id]] for id in (goods.pickup, goods.delivery)]
                yield vroom.Shipment(
                    *(vroom.ShipmentStep(self.number[one.id], **self.visit(one)) for one in ends),
                    amount=self.load(goods.load),
                    skills=self.wanted(ends[0]) | self.wanted(ends[1]),
                    priority=min(100, 1 + max(one.priority for one in ends)),
                )
        for number, stop in enumerate(self.stops):
            if stop.id not in self.problem.shipment_of:
                yield vroom.Job(
                    number,
                    **self.visit(stop),
                    delivery=self.load(stop.deliver),
                    pickup=self.load(stop.collect),
                    skills=self.wanted(stop),
                    priority=min(100, 1 + stop.priority),
                )

    def visit(self, stop: ProblemStop) -> dict[str, Any]:
        """Return where and when a stop is served."""
        told = {"location": stop.point, "default_service": stop.service}
        windows = self.windows(stop)
        return told if windows is None else {**told, "time_windows": windows}

    def load(self, loads: Loads) -> list[int]:
        """Return a load in all dimensions."""
        return [amount(loads, number) for number in self.loads]

    def wanted(self, stop: ProblemStop) -> set[int]:
        """Return what a vehicle has to have for a stop; being one that may come is a skill too."""
        pin = {self.pins[stop.vehicles]} if stop.vehicles else set()
        return {self.skills[name] for name in stop.skills} | pin

    def vehicle(self, number: int, vehicle: ProblemVehicle, unit: int) -> Any:
        """Return a vehicle as VROOM has it."""
        import vroom

        told: dict[str, Any] = {}
        if vehicle.most_stops is not None:
            told["max_tasks"] = free(vehicle)
        if vehicle.most_metres is not None:
            told["max_distance"] = max(0, vehicle.most_metres - vehicle.driven)
        pins = {self.pins[pin] for pin in self.pins if vehicle.id in pin}
        opens, closes = self.shift(vehicle)
        return vroom.Vehicle(
            number,
            start=vehicle.start,
            end=vehicle.end,
            profile=vehicle.profile,
            capacity=self.capacity(vehicle),
            skills={self.skills[name] for name in vehicle.skills} | pins,
            time_window=(opens, closes),
            breaks=self.breaks(vehicle),
            costs=vroom.VehicleCosts(
                vehicle.costs.fixed // unit,
                vehicle.costs.per_second * 3600 // unit,
                vehicle.costs.per_metre * 1000 // unit,
            ),
            steps=self.steps(vehicle),
            **told,
        )

    def shift(self, vehicle: ProblemVehicle) -> tuple[int, int]:
        """Return when a vehicle may be out, overtime included."""
        return vehicle.shift[0] - self.zero, vehicle.shift[1] + vehicle.overtime - self.zero

    def capacity(self, vehicle: ProblemVehicle) -> list[int]:
        """Return what a vehicle can still carry, in all dimensions."""
        return [
            max(0, vehicle.capacity[n] - amount(vehicle.carries, n))
            if n < len(vehicle.capacity)
            else self.everything(n)
            for n in self.loads
        ]

    def everything(self, dimension: int) -> int:
        """Return what all stops together bring and take along."""
        told = [load for stop in self.stops for load in (stop.deliver, stop.collect)]
        told += [goods.load for goods in self.problem.shipments]
        return sum(amount(load, dimension) for load in told)

    def breaks(self, vehicle: ProblemVehicle) -> list[Any]:
        """Return the breaks that may fall into a vehicle's time."""
        import vroom

        opens, closes = self.shift(vehicle)
        found = []
        for number, rest in enumerate(vehicle.breaks):
            low, high = rest.window[0] - self.zero, rest.window[1] - self.zero
            if low + rest.seconds > opens and max(low, opens) <= high < closes:
                window = vroom.TimeWindow(max(low, opens), high)
                found.append(vroom.Break(number, [window], service=rest.seconds))
        return found

    def steps(self, vehicle: ProblemVehicle) -> Sequence[Any]:
        """Return the route that a vehicle begins the search with; VROOM takes sound ones only."""
        import vroom

        told = [item for item in self.warm.get(vehicle.id, []) if isinstance(item, ProblemStop)]
        way = drive(self.problem, vehicle, told)
        if not told or way.broken or any(stop.id not in self.number for stop in told):
            return []
        breaks = self.breaks(vehicle)
        rests = [pause.after for pause in way.pauses if pause.kind == "break"]
        rests += [len(told)] * (len(breaks) - len(rests))
        found = []
        for place in range(len(told) + 1):
            for number, after in enumerate(rests[: len(breaks)]):
                if after == place:
                    found.append(vroom.VehicleStep("break", breaks[number].id))
            if place < len(told):
                stop = told[place]
                goods = self.problem.shipment_of.get(stop.id)
                kind = "pickup" if goods and goods.pickup == stop.id else "delivery"
                found.append(vroom.VehicleStep(kind if goods else "single", self.number[stop.id]))
        return found


def free(vehicle: ProblemVehicle) -> int:
    """Return how many stops a vehicle may still make, one that has a limit."""
    return max(0, (vehicle.most_stops or 0) - vehicle.visited)


def cells(grid: Any) -> Any:
    """Return a matrix as the solver takes it; `NEVER` where there is no way."""
    import numpy as np

    made = np.asarray(grid).astype(np.int64)
    made[(made < 0) | (made > NEVER)] = NEVER
    return made.astype(np.uint32)


@hookimpl
def routing_engines() -> list[type[Connector[Any]]]:
    """Bring the engine; it plans once the extra is installed."""
    return [Vroom]
