"""A plan in a moment, for when no engine came back: whoever is nearest and in time comes next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hub.nouns import Plan, Problem, ProblemStop, ProblemVehicle
from hub.planning.deadline import Deadline
from hub.planning.rules import Item, amount
from hub.planning.schedule import NEVER, drive
from hub.planning.settle import settle

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "simple"
LEAST = 0.1
"""Seconds that it may take however few are left."""
EACH = 0.0001
"""Processor seconds for each stop that it takes anyway: on a busy machine it comes later."""
NEAREST = 0.6
"""Part of the time after which no vehicle is sent out any more."""


def simple(problem: Problem, seconds: float) -> Plan:
    """Return a sound plan, rough but quick; what finds no place is left out with a reason."""
    until = Deadline.after(max(LEAST, seconds), EACH * len(problem.stops))
    return settle(problem, NAME, nearest(problem, until.part(NEAREST)), until=until)


def nearest(problem: Problem, until: Deadline) -> dict[str, list[Item]]:
    """Return routes in which the stop comes next that can be done soonest.

    Stops of shipments and those that want to be first or last are in none, unless locked.
    """
    board = Board(problem)
    vehicles = [v for v in problem.vehicles if v.locked or v.shift[0] < v.shift[1]]
    return {vehicle.id: board.route(vehicle, until) for vehicle in vehicles}


class Board:
    """The stops that nobody has taken yet, in columns."""

    def __init__(self, problem: Problem) -> None:
        import numpy as np

        self.problem, stops = problem, problem.stops
        self.picky = [(n, stop) for n, stop in enumerate(stops) if stop.skills or stop.vehicles]
        self.index = {stop.id: number for number, stop in enumerate(stops)}
        fixed = {id for vehicle in problem.vehicles for id in vehicle.locked}
        self.free = np.array(
            [
                stop.id not in fixed and stop.id not in problem.shipment_of and not stop.position
                for stop in stops
            ],
            dtype=bool,
        )
        self.points = np.array([stop.point for stop in stops], dtype=np.intp)
        self.service = np.array([stop.service for stop in stops], dtype=np.int64)
        first = [stop.windows[0] if stop.windows else (-NEVER, NEVER) for stop in stops]
        self.opens = np.array([low for low, _ in first], dtype=np.int64)
        self.closes = np.array([high for _, high in first], dtype=np.int64)
        sizes = max((len(v.capacity) for v in problem.vehicles), default=0)
        self.loads = np.array(
            [[amount(s.deliver, n) + amount(s.collect, n) for n in range(sizes)] for s in stops],
            dtype=np.int64,
        ).reshape(len(stops), sizes)
        self.tables = {
            id(matrix.seconds): np.asarray(matrix.seconds)
            for matrix in (problem.matrix, *problem.profiles.values())
        }

    def route(self, vehicle: ProblemVehicle, until: Deadline) -> list[Item]:
        """Return the route of a vehicle, whose stops are taken."""
        order = [self.problem.stop_of[id] for id in vehicle.locked]
        order += [] if until.over else self.nearest(vehicle, order)
        return list(self.sound(vehicle, order, until))

    def sound(
        self, vehicle: ProblemVehicle, order: list[ProblemStop], until: Deadline
    ) -> list[ProblemStop]:
        """Return the beginning of a route that keeps every rule; the rest is free again."""
        if not drive(self.problem, vehicle, order).broken:
            return order
        low, high = len(vehicle.locked), len(order)
        while high - low > 1 and not until.over:
            middle = (low + high) // 2
            if drive(self.problem, vehicle, order[:middle]).broken:
                high = middle
            else:
                low = middle
        for stop in order[low:]:
            self.free[self.index[stop.id]] = True
        return order[:low]

    def nearest(self, vehicle: ProblemVehicle, begun: Sequence[ProblemStop]) -> list[ProblemStop]:
        """Take the stop that can be done soonest, again and again."""
        table = self.tables[id(self.problem.matrix_of(vehicle).seconds)]
        now, point, room = self.after(vehicle, begun)
        may = self.allowed(vehicle)
        most = len(self.points) if vehicle.most_stops is None else vehicle.most_stops
        most -= vehicle.visited + len(begun)
        taken: list[ProblemStop] = []
        ends_at = vehicle.shift[1] - sum(rest.seconds for rest in vehicle.breaks)
        home = table[self.points, vehicle.end] if len(self.points) else table[:0, 0]
        while len(taken) < most:
            way = table[point, self.points]
            ends = self.begins(now, way) + self.service
            fits = self.free & may & (way >= 0) & (way < NEVER) & (home >= 0)
            fits &= (now + way <= self.closes) & (ends + home <= ends_at)
            fits &= (self.loads[:, : len(room)] <= room).all(axis=1)
            if not fits.any():
                break
            index = int((ends + way + (~fits) * NEVER * 10).argmin())
            self.free[index] = False
            taken.append(self.problem.stops[index])
            now, point = int(ends[index]), int(self.points[index])
            room = room - self.loads[index, : len(room)]
        return taken

    def begins(self, now: int, way: NDArray[Any]) -> NDArray[Any]:
        """Return when service could begin at every stop."""
        import numpy as np

        found: NDArray[Any] = np.maximum(now + way, self.opens)
        return found

    def after(
        self, vehicle: ProblemVehicle, begun: Sequence[ProblemStop]
    ) -> tuple[int, int, NDArray[Any]]:
        """Return when and where a vehicle is after its locked stops, and the room it has."""
        import numpy as np

        found = drive(self.problem, vehicle, begun)
        now = found.visits[-1].depart if found.visits else vehicle.shift[0]
        room = np.array(vehicle.capacity, dtype=np.int64)
        for n in range(len(room)):
            room[n] -= amount(vehicle.carries, n)
            room[n] -= sum(amount(s.deliver, n) + amount(s.collect, n) for s in begun)
        return now, begun[-1].point if begun else vehicle.start, room

    def allowed(self, vehicle: ProblemVehicle) -> NDArray[Any]:
        """Return which stops are for a vehicle at all."""
        import numpy as np

        found = np.ones(len(self.points), dtype=bool)
        for number, stop in self.picky:
            found[number] = stop.skills <= vehicle.skills and (
                not stop.vehicles or vehicle.id in stop.vehicles
            )
        return found
