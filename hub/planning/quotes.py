"""All routes of a problem side by side, so that one more stop is tried at every place at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.nouns import Loads, Problem, ProblemStop
from hub.planning.lanes import CELLS, NOWHEN, PLENTY, Lane
from hub.planning.rules import Item, Sequences, amount
from hub.planning.walk import NEVER

"""Vehicle id -> its stops and reloads in order."""
FORBIDDEN = 2**50
"""What a place costs where a stop does not fit."""


@dataclass(frozen=True)
class Quote:
    """What one more stop would do at every place: arrays of vehicles x places."""

    costs: Any
    """By how much the plan would cost more; `FORBIDDEN` where it does not fit."""
    roomless: Any
    """The same, whether or not the goods fit in."""
    seconds: Any
    """Longer on the road."""
    waits: Any
    """Until it could be served."""
    late: Any
    """By how much it would come too late itself."""
    over: Any
    """By how much all that follows would come too late."""
    metres: Any
    """Longer route."""
    lacks: Any
    """By how much there is too little room, in the dimension that lacks most."""
    allowed: Any
    """By vehicle: whether it has the skills and is not ruled out."""
    placed: Any
    """Whether its wish to be first or last, the others' wishes and the locks leave the place."""
    ways: Any
    """Whether there is a way there and on."""


class Fleet:
    """The routes of all vehicles, kept up to date as stops are put in and taken out."""

    def __init__(
        self, problem: Problem, sequences: Sequences, frozen: Mapping[str, int] | None = None
    ) -> None:
        import numpy as np

        self.problem = problem
        self.vehicles = list(problem.vehicle_of.values())
        self.number = {vehicle.id: n for n, vehicle in enumerate(self.vehicles)}
        self.frozen = dict(frozen or {})
        self.dimensions = max((len(one.capacity) for one in self.vehicles), default=0)
        self._allowed: dict[tuple[frozenset[str], frozenset[str]], Any] = {}
        self._tables = self._read_tables(np)
        self.lanes = [self._lane(n, sequences.get(v.id, ())) for n, v in enumerate(self.vehicles)]
        self._constants(np)
        self._shape(max((len(lane.items) for lane in self.lanes), default=0) + 4)

    def change(self, vehicle: str, items: Sequence[Item]) -> None:
        """Give a vehicle another sequence."""
        number = self.number[vehicle]
        self.lanes[number] = self._lane(number, items)
        if len(items) + 1 > self.width:
            self._shape(2 * len(items))
        else:
            self._write(number)

    def sequences(self) -> dict[str, list[Item]]:
        """Return the stops and reloads of every vehicle, in order."""
        return {lane.vehicle.id: list(lane.items) for lane in self.lanes}

    def _lane(self, number: int, items: Sequence[Item]) -> Lane:
        vehicle = self.vehicles[number]
        return Lane(self.problem, vehicle, items, self.frozen.get(vehicle.id, 0), self.dimensions)

    def _read_tables(self, np: Any) -> list[tuple[Any, Any, Any]]:
        """Return (numbers of the vehicles, seconds, metres) for each matrix in use."""
        users: dict[int, list[int]] = {}
        matrices = {}
        for number, vehicle in enumerate(self.vehicles):
            matrix = self.problem.matrix_of(vehicle)
            users.setdefault(id(matrix), []).append(number)
            matrices[id(matrix)] = matrix
        return [
            (np.array(users[key]), np.asarray(one.seconds), np.asarray(one.metres))
            for key, one in matrices.items()
        ]

    def _constants(self, np: Any) -> None:
        def column(values: list[int]) -> Any:
            return np.array(values, dtype=np.int64).reshape(-1, 1)

        vehicles = self.vehicles
        self.starts = column([one.shift[0] for one in vehicles])
        self.closes = column([one.shift[1] for one in vehicles])
        self.waiting = column([int(not one.visited) for one in vehicles])
        self.fixed = column([one.costs.fixed for one in vehicles])
        self.per_second = column([one.costs.per_second for one in vehicles])
        self.per_metre = column([one.costs.per_metre for one in vehicles])
        self.per_overtime = column([one.costs.per_overtime_second for one in vehicles])

    def _shape(self, width: int) -> None:
        import numpy as np

        count = len(self.vehicles)
        self.width = width
        self._cells = np.zeros((count, len(CELLS), width), dtype=np.int64)
        self._cells[:, CELLS.index("latest")] = NOWHEN
        self._room = np.zeros((count, 2, self.dimensions, width), dtype=np.int64)
        self._placed = np.zeros((count, 3, width), dtype=bool)
        self._totals = np.zeros((count, 5), dtype=np.int64)
        for number in range(count):
            self._write(number)

    def _write(self, number: int) -> None:
        """Put the numbers of one lane into the tables."""
        lane, size = self.lanes[number], len(self.lanes[number].items) + 1
        cells, placed = self._cells[number], self._placed[number]
        cells[:, :size] = lane.cells()
        cells[CELLS.index("latest"), size:] = NOWHEN
        if lane.late:
            cells[CELLS.index("latest")] = NOWHEN
        if self.dimensions:
            self._room[number, 0, :, :size] = lane.ahead
            self._room[number, 1, :, :size] = lane.behind
        placed[:] = False
        placed[0, lane.low : lane.high + 1] = True
        if lane.first_until >= 0:
            placed[1, lane.base : lane.first_until + 1] = True
        placed[2, lane.last_from : size] = True
        vehicle = lane.vehicle
        metres = PLENTY if vehicle.most_metres is None else vehicle.most_metres - vehicle.driven
        stops = PLENTY if vehicle.most_stops is None else vehicle.most_stops - vehicle.visited
        self._totals[number] = (
            metres - lane.metres, stops - lane.stops, lane.ends, lane.bare, lane.metres,
        )  # fmt: skip

    def totals(self, column: int) -> Any:
        """Return one number per vehicle: the metres (0) or the stops (1) that are left to it."""
        return self._totals[:, column : column + 1]

    def watched(self) -> Any:
        """Return for each place whether a stop with a window comes after it."""
        import numpy as np

        last = [lane.last_window for lane in self.lanes]
        return np.arange(self.width) < np.array(last, dtype=np.int64).reshape(-1, 1)

    def allowed(self, stop: ProblemStop) -> Any:
        """Return by vehicle whether it may come to `stop` at all."""
        import numpy as np

        key = (stop.skills, stop.vehicles)
        found = self._allowed.get(key)
        if found is None:
            found = np.array(
                [
                    stop.skills <= one.skills and (not stop.vehicles or one.id in stop.vehicles)
                    for one in self.vehicles
                ],
                dtype=bool,
            )
            self._allowed[key] = found
        return found

    def legs(self, point: int) -> tuple[Any, Any, Any, Any]:
        """Return the seconds and metres from each place's former point, and to its next one."""
        import numpy as np

        before, after = self._cells[:, 0], self._cells[:, 1]
        found: list[Any] = [np.empty(before.shape, dtype=np.int64) for _ in range(4)]
        for users, seconds, metres in self._tables:
            found[0][users] = seconds[before[users], point]
            found[1][users] = metres[before[users], point]
            found[2][users] = seconds[point][after[users]]
            found[3][users] = metres[point][after[users]]
        there, far, on, farther = (
            np.where((one < 0) | (one >= NEVER), NEVER, one) for one in found
        )
        return there, far, on, farther

    def quote(
        self, stop: ProblemStop, more: int = 1, loads: tuple[Loads, Loads] | None = None
    ) -> Quote:
        """Return what `stop` does at every place; `more`: of how many stops it is one.

        `loads`: what it needs to have room for before and after it, if not its own goods.
        """
        import numpy as np

        departs, arrives, latest = self._cells[:, 2], self._cells[:, 3], self._cells[:, 4]
        there, metres_there, on, metres_on = self.legs(stop.point)
        reached = departs + there
        begins, spare = openings(np, stop, reached)
        late = np.maximum(0, -spare)
        arrival = begins + stop.service + on
        over = arrival - latest
        seconds = there + on - self._cells[:, 9]
        metres = metres_there + metres_on - self._cells[:, 10]
        lacks = self.lacks(np, *(loads or (stop.deliver, stop.collect)))
        allowed = self.allowed(stop)
        placed = self._placed[:, ("", "first", "last").index(stop.position)]
        ways = (there < NEVER) & (on < NEVER) & (latest > NOWHEN // 2)
        fits = (late == 0) & (over <= 0) & placed & allowed[:, None] & ways
        fits &= (metres <= self._totals[:, 0:1]) & (self._totals[:, 1:2] >= more)
        costs = self._cost(np, begins - reached, spare, arrival - arrives, metres)
        roomless = np.where(fits, costs, FORBIDDEN)
        return Quote(
            costs=np.where(lacks <= 0, roomless, FORBIDDEN), roomless=roomless, seconds=seconds,
            waits=begins - reached, late=late, over=over, metres=metres, lacks=lacks,
            allowed=allowed, placed=placed, ways=ways,
        )  # fmt: skip

    def lacks(self, np: Any, deliver: Loads, collect: Loads) -> Any:
        """Return by how much there is too little room at each place."""
        lacking = np.full((len(self.vehicles), self.width), -PLENTY, dtype=np.int64)
        for dimension in range(self.dimensions):
            brought, taken = amount(deliver, dimension), amount(collect, dimension)
            ahead, behind = self._room[:, 0, dimension], self._room[:, 1, dimension]
            lacking = np.maximum(lacking, np.maximum(brought - ahead, taken - behind))
        return lacking

    def _cost(self, np: Any, wait: Any, spare: Any, delay: Any, metres: Any) -> Any:
        """Return the change of costs when all that follows is reached `delay` later."""
        waited, slack = self._cells[:, 5], self._cells[:, 6]
        waits, yields = self._cells[:, 7], self._cells[:, 8]
        ends = self._totals[:, 2:3] + np.where(delay < 0, delay, np.maximum(0, delay - waits))
        so_far = waited + wait
        waiting = so_far + np.maximum(0, waits - np.maximum(0, delay))
        slack = np.minimum(slack, so_far + np.minimum(spare, yields - delay))
        leaves = np.maximum(0, np.minimum(slack, waiting)) * self.waiting
        costs = self.per_second * (ends - self.starts - leaves)
        costs += self.per_overtime * np.maximum(0, ends - self.closes)
        costs += self.per_metre * (metres + self._totals[:, 4:5]) + self.fixed
        return costs - self._totals[:, 3:4]


def openings(np: Any, stop: ProblemStop, reached: Any) -> tuple[Any, Any]:
    """Return when `stop` can begin for who is there at `reached`, and the seconds to spare."""
    if not stop.windows:
        return reached, np.full(reached.shape, PLENTY, dtype=np.int64)
    begins = np.full(reached.shape, PLENTY, dtype=np.int64)
    spare = np.zeros(reached.shape, dtype=np.int64)
    for low, high in stop.windows:
        begun = np.maximum(reached, low)
        sooner = (begun <= high) & (begun < begins)
        begins, spare = np.where(sooner, begun, begins), np.where(sooner, high - begun, spare)
    low, high = max(stop.windows, key=lambda window: window[1])
    late = begins == PLENTY
    forced = np.maximum(reached, low)
    return np.where(late, forced, begins), np.where(late, high - forced, spare)
