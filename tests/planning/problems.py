"""Random problems with random subsets of everything that a day can ask for."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import strategies as st

from hub.nouns import (
    Break,
    Costs,
    Matrix,
    Problem,
    ProblemStop,
    ProblemVehicle,
    Reloads,
    Shipment,
)
from hub.planning.rules import AtDepot, Item

LONG = 12_000
"""Seconds of the longest shift."""
SKILLS = ("fridge", "lift", "crane")
FEATURES = (
    "windows", "several", "loads", "dimensions", "collect", "skills", "pinned", "priority",
    "position", "on_board", "overtime", "breaks", "reloads", "metres", "stops", "stacked",
    "carries", "visited", "locked", "shipments", "profiles", "missing", "depots", "costs",
)  # fmt: skip


def problem(seed: int) -> Problem:
    """Return the random problem of a seed."""
    return Maker(Random(seed)).problem()


def problems() -> st.SearchStrategy[Problem]:
    """Return a strategy for random problems."""
    return st.integers(0, 2**32).map(problem)


def sequences(asked: Problem, chance: Random) -> dict[str, list[Item]]:
    """Return routes as a careless engine makes them: random, with some stops twice or nowhere."""
    found: dict[str, list[Item]] = {vehicle.id: [] for vehicle in asked.vehicles}
    if not found:
        return found
    stops = list(asked.stops)
    chance.shuffle(stops)
    for stop in stops:
        for _ in range(chance.choice((0, 1, 1, 1, 1, 2))):
            found[chance.choice(list(found))].append(stop)
    for vehicle in asked.vehicles:
        if vehicle.reloads and chance.random() < 0.5:
            at = chance.randint(0, len(found[vehicle.id]))
            found[vehicle.id].insert(at, AtDepot(chance.choice(vehicle.reloads.points)))
    return found


class Maker:
    """Makes one problem; each feature is there or not."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        share = chance.choice((0.1, 0.3, 0.6))
        self.has = {name: chance.random() < share for name in FEATURES}
        self.has["windows"] = chance.random() < 0.7
        self.has["loads"] = chance.random() < 0.7
        self.points = chance.randint(2, 12)
        self.dimensions = chance.randint(2, 3) if self.has["dimensions"] else 1

    def some(self, name: str, often: float = 0.5) -> bool:
        """Say whether a feature is used here."""
        return self.has[name] and self.chance.random() < often

    def problem(self) -> Problem:
        """Return the problem."""
        stops = [self.stop(f"s{n}") for n in range(self.chance.randint(1, 14))]
        vehicles = [
            self.vehicle(f"v{n}")
            for n in range(self.chance.choice((0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4)))
        ]
        shipments = self.shipments([stop.id for stop in stops])
        if self.has["pinned"]:
            stops = [self.pinned(stop, len(vehicles)) for stop in stops]
        if self.has["locked"]:
            vehicles = self.locked(vehicles, [stop.id for stop in stops])
        profiles: dict[Any, Matrix] = {}
        if self.has["profiles"]:
            profiles = {name: self.matrix() for name in ("bike", "truck")}
        return Problem(
            stops=tuple(stops), vehicles=tuple(vehicles), matrix=self.matrix(),
            profiles=profiles, shipments=tuple(shipments), seconds=0.1,
            seed=self.chance.randint(1, 99),
        )  # fmt: skip

    def matrix(self) -> Matrix:
        """Return asymmetric travel times, in which some ways are missing."""
        chance, size = self.chance, self.points
        at = [(chance.random() * 1500, chance.random() * 1500) for _ in range(size)]
        cells = [
            [int(abs(a - c) + abs(b - d) + (chance.random() * 200 if (a, b) != (c, d) else 0))
             for c, d in at]
            for a, b in at
        ]  # fmt: skip
        metres = [[cell * 9 for cell in row] for row in cells]
        for row in range(size):
            for column in range(size):
                if row != column and self.some("missing", 0.08):
                    cells[row][column] = metres[row][column] = -1
        return Matrix(seconds=cells, metres=metres)

    def point(self) -> int:
        return self.chance.randrange(self.points)

    def loads(self, most: int) -> tuple[int, ...]:
        """Return loads of some dimensions."""
        size = self.chance.randint(0, self.dimensions)
        return tuple(self.chance.randint(0, most) for _ in range(size))

    def window(self) -> tuple[int, int]:
        low = self.chance.randint(-500, LONG)
        return low, low + self.chance.choice((-100, 0, 300, 1200, 4000))

    def stop(self, id: str) -> ProblemStop:
        """Return a random stop."""
        chance = self.chance
        windows = chance.randint(1, 3) if self.has["several"] else 1
        return ProblemStop(
            id=id,
            point=self.point(),
            service=chance.choice((0, 60, 300, 900)),
            deliver=self.loads(5) if self.has["loads"] else (),
            collect=self.loads(5) if self.some("collect") else (),
            windows=tuple(self.window() for _ in range(windows))
            if self.some("windows", 0.6)
            else (),
            skills=frozenset(chance.sample(SKILLS, 1)) if self.some("skills", 0.3) else frozenset(),
            priority=chance.choice((0, 10, 100)) if self.has["priority"] else 0,
            position=chance.choice(("", "", "first", "last")) if self.has["position"] else "",
            on_board=chance.choice((300, 1500, 4000)) if self.some("on_board", 0.3) else None,
        )

    def pinned(self, stop: ProblemStop, vehicles: int) -> ProblemStop:
        """Return a stop that perhaps is for one vehicle only, which may not exist."""
        if self.chance.random() > 0.2:
            return stop
        only = frozenset({f"v{self.chance.randint(0, vehicles)}"})
        return stop.model_copy(update={"vehicles": only})

    def vehicle(self, id: str) -> ProblemVehicle:
        """Return a random vehicle."""
        chance, has = self.chance, self.has
        begins = chance.choice((0, 0, 600, 3000))
        ends = begins + chance.choice((0, 1500, 4000, 8000, 8000, LONG, LONG, LONG))
        depot = self.point() if has["depots"] else 0
        rests = chance.randint(1, 2) if self.some("breaks", 0.7) else 0
        costs = Costs(fixed=chance.choice((0, 50_000)), per_second=chance.choice((0, 50, 100)))
        return ProblemVehicle(
            id=id, start=depot, end=self.point() if has["depots"] else depot,
            capacity=self.capacity(),
            shift=(begins, ends),
            overtime=chance.choice((0, 900)) if has["overtime"] else 0,
            breaks=tuple(self.rest(begins + 2500 * n) for n in range(rests)),
            skills=frozenset(SKILLS[: chance.randint(0, 3)]) if has["skills"] else frozenset(),
            profile=chance.choice(("bike", "van", "truck")) if has["profiles"] else "van",
            costs=costs if has["costs"] else Costs(),
            most_metres=chance.choice((5_000, 30_000)) if self.some("metres") else None,
            most_stops=chance.randint(0, 5) if self.some("stops") else None,
            reloads=self.reload() if self.some("reloads", 0.7) else None,
            stacked=self.some("stacked"),
            carries=self.loads(4) if self.some("carries") else (),
            visited=chance.randint(1, 3) if self.some("visited") else 0,
            driven=chance.choice((0, 4_000)) if has["metres"] else 0,
        )  # fmt: skip

    def capacity(self) -> tuple[int, ...]:
        size = self.chance.randint(0, self.dimensions)
        return tuple(self.chance.randint(0, 25) for _ in range(size))

    def rest(self, opens: int) -> Break:
        opens += self.chance.randint(0, 2500)
        return Break(
            window=(opens, opens + self.chance.choice((0, 600, 1800))),
            seconds=self.chance.choice((300, 900)),
        )

    def reload(self) -> Reloads:
        points = tuple(self.point() for _ in range(self.chance.randint(1, 2)))
        return Reloads(points=points, seconds=self.chance.choice((0, 300)),
                       most=self.chance.randint(1, 2))  # fmt: skip

    def shipments(self, ids: list[str]) -> list[Shipment]:
        """Return shipments between some of the stops."""
        if not self.has["shipments"]:
            return []
        pool = list(ids)
        self.chance.shuffle(pool)
        return [
            Shipment(pickup=pool.pop(), delivery=pool.pop(), load=self.loads(5))
            for _ in range(self.chance.randint(0, len(pool) // 2))
        ]

    def locked(self, vehicles: list[ProblemVehicle], ids: list[str]) -> list[ProblemVehicle]:
        """Return vehicles of which some have locked stops, now and then one too many."""
        pool = [*ids, "unknown"]
        self.chance.shuffle(pool)
        made = []
        for vehicle in vehicles:
            size = self.chance.choice((0, 1, 2, 3))
            made.append(vehicle.model_copy(update={"locked": tuple(pool[:size])}))
            pool = pool[size:] if self.chance.random() < 0.9 else pool
        return made
