"""What a routing engine is asked, and what it answers.

All times are whole seconds since the day's start, all loads whole units in the problem's own order
of dimensions; a tuple of loads may be shorter than the others, what it lacks is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from hub.nouns.noun import Noun
from hub.nouns.ways import Matrix, Profile

Window = tuple[int, int]
"""The first and the last second at which something may begin."""
Wall = tuple[tuple[int, int], ...]
"""Where seconds of a day do not read as the clock on the wall: (from this second on, how many more
the wall shows), in their order; empty where they do all the time."""
Loads = tuple[Annotated[int, Field(ge=0)], ...]

Feature = Literal[
    "several_windows",
    "several_loads",
    "several_depots",
    "collections",
    "shipments",
    "skills",
    "pinned",
    "priorities",
    "costs",
    "overtime",
    "breaks",
    "reloads",
    "most_metres",
    "most_stops",
    "profiles",
    "first_last",
    "on_board",
    "stacked",
    "locked",
    "balance",
]
"""What a problem can ask beyond one window, one load, a shift and a capacity."""

Rule = Literal[
    "",
    "no_vehicle",
    "unreachable",
    "window",
    "shift",
    "capacity",
    "skill",
    "pinned",
    "most_metres",
    "most_stops",
    "first_last",
    "on_board",
    "stacked",
    "locked",
    "shipment",
    "break",
    "reload",
]
"""What can keep a stop out of a route."""


class Costs(Noun):
    """What a vehicle costs, in any unit as long as it is the same for all."""

    fixed: int = Field(default=0, ge=0)
    """Once, when it is used at all."""
    per_second: int = Field(default=100, ge=0)
    """From the start to the end of its route, waiting and breaks included."""
    per_metre: int = Field(default=1, ge=0)
    per_overtime_second: int = Field(default=100, ge=0)
    """Beyond the shift, on top of `per_second`."""


class Break(Noun):
    """A rest that begins within `window` and lasts `seconds`.

    It is taken between two visits, on the road or at a door. A route that ends by the close of the
    window, or begins when a break taken at its opening would be over, needs none.
    """

    window: Window
    seconds: int = Field(gt=0)


class Reloads(Noun):
    """Where a vehicle may empty and fill up again in the middle of its route."""

    points: tuple[int, ...] = Field(min_length=1)
    """Of depots, as indexes into the matrix."""
    seconds: int = Field(default=600, ge=0)
    most: int = Field(default=1, ge=1)


class ProblemStop(Noun):
    """One visit to plan; `point` indexes the matrix."""

    id: str
    point: int
    service: int = Field(default=0, ge=0)
    deliver: Loads = ()
    """Brought from the depot."""
    collect: Loads = ()
    """Taken to the depot."""
    windows: tuple[Window, ...] = ()
    """Service begins within one of them; none: at any time."""
    skills: frozenset[str] = frozenset()
    """What the vehicle has to have, e.g. `fridge`."""
    vehicles: frozenset[str] = frozenset()
    """Ids of the only vehicles that may come; empty: any."""
    priority: int = Field(default=0, ge=0, le=100)
    """What leaving it out weighs: 1 + priority ordinary stops."""
    position: Literal["", "first", "last"] = ""
    """Before all others of its route, or after them."""
    on_board: int | None = Field(default=None, ge=0)
    """Most seconds that its goods may ride: from leaving the depot, the last reload or the stop
    where they were picked up, until they are handed over or unloaded."""


class Shipment(Noun):
    """Goods from one stop to another, on the same vehicle; a stop is in one shipment at most."""

    pickup: str
    delivery: str
    load: Loads = ()


class ProblemVehicle(Noun):
    """One driver with a vehicle for the day; `start` and `end` index the matrix."""

    id: str
    start: int
    end: int
    capacity: Loads = ()
    """By dimension; one that is missing is unlimited."""
    shift: Window
    """Leaves `start` and is back at `end` within it."""
    overtime: int = Field(default=0, ge=0)
    """Seconds beyond the shift that may be worked."""
    breaks: tuple[Break, ...] = ()
    """In the order in which they are taken."""
    skills: frozenset[str] = frozenset()
    profile: Profile = "van"
    costs: Costs = Costs()
    most_metres: int | None = Field(default=None, ge=0)
    most_stops: int | None = Field(default=None, ge=0)
    reloads: Reloads | None = None
    stacked: bool = False
    """Of what shipments picked up, the last is handed over first, and before what the depot sent:
    goods are reached from the back only. What is collected for the depot is not counted on top."""
    carries: Loads = ()
    """On board all the way to the end, beyond what is planned."""
    visited: int = Field(default=0, ge=0)
    """Stops that it has behind it today: it is on its way, from `start` at `shift[0]`."""
    driven: int = Field(default=0, ge=0)
    """Metres that it has behind it today."""
    locked: tuple[str, ...] = ()
    """Ids of the stops that come first, in this order."""


class Problem(Noun):
    """What a routing engine is asked, in numbers only; no engine's own words."""

    stops: tuple[ProblemStop, ...]
    vehicles: tuple[ProblemVehicle, ...]
    matrix: Matrix
    """Travel times of every vehicle whose profile is not in `profiles`."""
    profiles: dict[Profile, Matrix] = Field(default_factory=dict)
    shipments: tuple[Shipment, ...] = ()
    balance: float = Field(default=0, ge=0)
    """Most work of one driver as a multiple of an equal share, unless stops would be left out for
    it; 0: as the costs have it."""
    warm: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Vehicle -> its stops in order: routes to begin the search with."""
    seconds: float = Field(default=5.0, gt=0)
    """How long the engine may search."""
    seed: int = 1
    wall: Wall = ()
    """For words only: engines reckon in seconds."""

    def matrix_of(self, vehicle: ProblemVehicle) -> Matrix:
        """Return the travel times of a vehicle."""
        return self.profiles.get(vehicle.profile, self.matrix)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a changed copy, without what was worked out for this one."""
        made = super().model_copy(update=update, deep=deep)
        for name in ("shipment_of", "stop_of", "vehicle_of"):
            vars(made).pop(name, None)
        return made

    @cached_property
    def shipment_of(self) -> dict[str, Shipment]:
        """The shipment of each stop that has one, by the stop's id."""
        return {id: one for one in self.shipments for id in (one.pickup, one.delivery)}

    @cached_property
    def stop_of(self) -> dict[str, ProblemStop]:
        """The stops by their id."""
        return {stop.id: stop for stop in self.stops}

    @cached_property
    def vehicle_of(self) -> dict[str, ProblemVehicle]:
        """The vehicles by their id."""
        return {vehicle.id: vehicle for vehicle in self.vehicles}


class Visit(Noun):
    """When service at a stop begins, after any waiting, and when the driver leaves."""

    stop: str
    arrive: int
    depart: int


class Pause(Noun):
    """A break, or a reload at a depot, in the middle of a route."""

    kind: Literal["break", "reload"]
    after: int
    """How many visits of the route come before it."""
    begins: int
    ends: int
    point: int | None = None
    """Of the depot of a reload."""


class PlannedRoute(Noun):
    """The visits of one vehicle in order, with its start, end and way."""

    vehicle: str
    visits: tuple[Visit, ...]
    starts: int
    ends: int
    metres: int = 0
    pauses: tuple[Pause, ...] = ()


class Relaxation(Noun):
    """The smallest change of one rule that, with the others beside it, makes a stop fit."""

    rule: Rule
    amount: int = 0
    """Seconds, metres, stops or units of load by which the rule gives way."""
    stop: str = ""
    """Whose window or time on board gives way; it may be another stop's."""
    edge: Literal["", "opens", "closes", "starts", "ends"] = ""
    """Which end of a window or a shift moves, away from its middle."""
    dimension: int = 0
    """Of the load that is too much."""
    skill: str = ""


class Unserved(Noun):
    """A stop that was left out, the rule that left it out, and what would make it fit."""

    stop: str
    reason: str
    """In words for a dispatcher."""
    rule: Rule = ""
    vehicle: str = ""
    """Whose route would take it, were all `relaxations` granted."""
    index: int = 0
    """Before which of that route's visits; of a shipment, where its pickup would come."""
    index_to: int = 0
    """Of a shipment: before which visit, the pickup counted, its delivery would come."""
    relaxations: tuple[Relaxation, ...] = ()


class Plan(Noun):
    """An engine's answer: every stop is in a route or explained, nothing is raised."""

    engine: str
    routes: tuple[PlannedRoute, ...]
    unserved: tuple[Unserved, ...] = ()
    why: str = ""
    """Why this engine, in words for a dispatcher."""


class Found(Noun):
    """What a search has come to so far."""

    cost: int
    """As `hub.planning.costs.cost` counts it."""
    left_out: int = 0
    seconds: float = 0
    """Since the search began."""
