"""One vehicle's route in the numbers that tell at once whether and where another stop fits."""

from __future__ import annotations

from collections.abc import Sequence

from hub.nouns import Problem, ProblemStop, ProblemVehicle
from hub.planning.costs import price
from hub.planning.rules import AtDepot, Item, amount
from hub.planning.schedule import drive
from hub.planning.walk import ENDLESS, NEVER, opening

NOWHEN = -(2**40)
"""Too late whenever one comes."""
PLENTY = 2**40
"""Room where there is no limit."""
CELLS = ("before", "after", "departs", "arrives", "latest", "waited", "spare", "waits", "yields",
         "seconds", "metres")  # fmt: skip
"""What a lane knows of each place: see `Lane.cells`."""


class Lane:
    """The route of one vehicle, read forward and backward.

    A lane with n items has n + 1 places; place i lies before item i, the last one before the end.
    Forward times leave at the start of the shift and take no breaks, so that they are never too
    late; backward times are exact also where a stop has several windows (Savelsbergh 1992).
    """

    def __init__(
        self,
        problem: Problem,
        vehicle: ProblemVehicle,
        items: Sequence[Item],
        frozen: int = 0,
        dimensions: int = 0,
    ) -> None:
        self.problem, self.vehicle = problem, vehicle
        self.items: list[Item] = list(items)
        self.late = False
        self.metres = 0
        self._cost: int | None = None
        self._ways()
        self._forward()
        self._backward()
        self._bounds(frozen)
        self._loads(dimensions)
        self.stops = sum(isinstance(item, ProblemStop) for item in self.items)
        self.reloads = len(self.items) - self.stops

    @property
    def intricate(self) -> bool:
        """Whether the numbers of this lane are bounds only: `drive` has the last word."""
        return (
            bool(self.vehicle.breaks)
            or self.vehicle.stacked
            or any(
                isinstance(item, ProblemStop)
                and (item.on_board is not None or len(item.windows) > 1)
                for item in self.items
            )
        )

    @property
    def bare(self) -> int:
        """What the route costs without its breaks, and if it left as late as costs nothing."""
        if not self.items:
            return 0
        slack = min(self.spare[-1], self.waited[-1] + self.yields[-1])
        leaves = 0 if self.vehicle.visited else max(0, min(slack, self.waited[-1]))
        starts = self.vehicle.shift[0] + leaves
        return price(self.vehicle, starts, self.ends, self.metres)

    @property
    def cost(self) -> int:
        """What the route costs as it is."""
        if self._cost is None:
            self._cost = self.bare
            if self.items and self.intricate:
                found = drive(self.problem, self.vehicle, self.items)
                self._cost = price(self.vehicle, found.starts, found.ends, found.metres)
        return self._cost

    def cells(self) -> list[list[int]]:
        """Return, in the order of `CELLS`, a number for each place.

        `before`, `after`: points; `departs`: when it leaves the one before; `arrives`, `latest`:
        when it comes to the next one, and when it has to at the latest; `waited`, `spare`: the
        waiting so far, and by how much all so far could begin later; `waits`, `yields`: the same
        from the next one on; `seconds`, `metres`: of the leg that a stop would replace.
        """
        return [self.points[:-1], self.points[1:], self.departs, self.arrives, self.latest,
                self.waited, self.spare, self.waits, self.yields, self.legs, self.ways]  # fmt: skip

    def _ways(self) -> None:
        matrix, vehicle = self.problem.matrix_of(self.vehicle), self.vehicle
        self.points = [vehicle.start, *(item.point for item in self.items), vehicle.end]
        if not self.items:
            self.legs, self.ways = [0], [0]
            return
        seconds, metres = matrix.seconds, matrix.metres
        pairs = list(zip(self.points, self.points[1:], strict=False))
        legs = [seconds[a][b] for a, b in pairs]
        ways = [metres[a][b] for a, b in pairs]
        self.legs = [leg if 0 <= leg < NEVER else NEVER for leg in legs]
        self.ways = [way if 0 <= way < NEVER else NEVER for way in ways]
        self.metres = sum(self.ways)

    def _forward(self) -> None:
        now, waited, spare = self.vehicle.shift[0], 0, ENDLESS
        self.departs, self.arrives, self.waited, self.spare = [now], [], [0], [ENDLESS]
        self.pause: list[int] = []
        self.room: list[int] = []
        reload = self.vehicle.reloads.seconds if self.vehicle.reloads else 0
        for leg, item in zip(self.legs, self.items, strict=False):
            now += leg
            self.arrives.append(now)
            begins, left, service = now, ENDLESS, reload
            if isinstance(item, ProblemStop):
                service = item.service
                if item.windows:
                    begins, left = opening(item, now)
                    self.late = self.late or left < 0
                    waited += begins - now
                    spare = min(spare, waited + left)
            self.pause.append(begins - now)
            self.room.append(left)
            now = begins + service
            self.departs.append(now)
            self.waited.append(waited)
            self.spare.append(spare)
        self.ends = now + self.legs[-1]
        self.arrives.append(self.ends)

    def _backward(self) -> None:
        limit = self.vehicle.shift[1] + self.vehicle.overtime
        count = len(self.items)
        self.latest = [limit] * (count + 1)
        self.waits = [0] * (count + 1)
        self.yields = [max(0, limit - self.ends)] * (count + 1)
        reload = self.vehicle.reloads.seconds if self.vehicle.reloads else 0
        for index in range(count - 1, -1, -1):
            item = self.items[index]
            service = item.service if isinstance(item, ProblemStop) else reload
            latest = self.latest[index + 1] - self.legs[index + 1] - service
            wait = self.pause[index]
            if isinstance(item, ProblemStop) and item.windows:
                latest = last_begin(item, latest)
            self.latest[index] = latest
            self.waits[index] = self.waits[index + 1] + wait
            self.yields[index] = wait + min(self.room[index], self.yields[index + 1])
        self.late = self.late or self.ends > limit

    def _bounds(self, frozen: int) -> None:
        """Find between which places a stop may come by the wishes to be first or last."""
        at = [n for n, item in enumerate(self.items) if isinstance(item, ProblemStop)]
        locked = len(self.vehicle.locked)
        after_locks = at[locked - 1] + 1 if 0 < locked <= len(at) else 0
        self.base = min(len(self.items), max(frozen, after_locks))
        free = [(n, self.items[n]) for n in at[locked:]]
        wishes = [(n, stop.position) for n, stop in free if isinstance(stop, ProblemStop)]
        self.last_window = 0
        for n, item in enumerate(self.items, 1):
            if isinstance(item, ProblemStop) and item.windows:
                self.last_window = n
        begun = self.vehicle.visited > 0 or locked > 0
        firsts = [n + 1 for n, wish in wishes if wish == "first"]
        others = [n for n, wish in wishes if wish != "first"]
        self.low = max([self.base, *firsts])
        self.first_until = -1 if begun else min([len(self.items), *others])
        self.high = min([len(self.items), *(n for n, wish in wishes if wish == "last")])
        self.last_from = max([self.base, *(n + 1 for n, wish in wishes if wish != "last")])

    def _loads(self, dimensions: int) -> None:
        """Find how much room there is up to each place, and from it on, until the next reload."""
        self.carried: list[list[int]] = []
        self.ahead: list[list[int]] = []
        self.behind: list[list[int]] = []
        for dimension in range(dimensions):
            capacity = PLENTY
            if dimension < len(self.vehicle.capacity):
                capacity = self.vehicle.capacity[dimension]
            loads = self.carries(dimension)
            ahead, behind = [capacity - load for load in loads], [capacity - load for load in loads]
            for place in range(1, len(loads)):
                if isinstance(self.items[place - 1], ProblemStop):
                    ahead[place] = min(ahead[place], ahead[place - 1])
            for place in range(len(loads) - 2, -1, -1):
                if isinstance(self.items[place], ProblemStop):
                    behind[place] = min(behind[place], behind[place + 1])
            self.carried.append(loads)
            self.ahead.append(ahead)
            self.behind.append(behind)

    def carries(self, dimension: int) -> list[int]:
        """Return what is on board at each place."""
        riding, shipments = amount(self.vehicle.carries, dimension), self.problem.shipment_of
        loads = [riding] * (len(self.items) + 1)
        later = 0
        for index in range(len(self.items) - 1, -1, -1):
            item = self.items[index]
            later = 0 if isinstance(item, AtDepot) else later + amount(item.deliver, dimension)
            loads[index] += later
        taken = 0
        for index, item in enumerate(self.items, 1):
            if isinstance(item, AtDepot):
                taken = 0
            else:
                taken += amount(item.collect, dimension)
                shipment = shipments.get(item.id) if shipments else None
                if shipment is not None:
                    moved = amount(shipment.load, dimension)
                    taken += moved if shipment.pickup == item.id else -moved
            loads[index] += taken
        return loads


def last_begin(stop: ProblemStop, latest: int) -> int:
    """Return the last moment up to `latest` at which a stop can begin, `NOWHEN` without one."""
    found = NOWHEN
    for low, high in stop.windows:
        begins = min(high, latest)
        if begins >= low:
            found = max(found, begins)
    return found
