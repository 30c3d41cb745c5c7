"""How to get from place to place: what travel times are asked, and what they answer."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from hub.nouns.grid import Grid
from hub.nouns.noun import Noun
from hub.nouns.orders import Location

Profile = Literal["bike", "car", "van", "truck"]
"""What drives: which roads it may take, and how fast it is on them."""


class Legs(Noun):
    """The points between which travel times are wanted, all to all, for one kind of vehicle."""

    points: tuple[Location, ...]
    profile: Profile = "van"
    departs: AwareDatetime | None = None
    """When the first leg begins, for who knows the traffic; None: on an ordinary day."""
    touching: tuple[int, ...] | None = None
    """Indexes of points: only legs from them and to them are needed, and what the matrix says of
    the others is not looked at; None: all."""


class Matrix(Noun):
    """Seconds and metres from row to column; negative where there is no way."""

    seconds: Grid
    metres: Grid
    approximate: bool = False
    """True where no road was looked at."""
    margin: float = Field(default=0, ge=0)
    """By which part the seconds were made longer for safety: 0.15 for 15 %."""


class Trip(Noun):
    """A way along points in this order, for one kind of vehicle."""

    points: tuple[Location, ...] = Field(min_length=2)
    profile: Profile = "van"
    departs: AwareDatetime | None = None


Turn = Literal[
    "depart",
    "arrive",
    "turn",
    "continue",
    "merge",
    "on_ramp",
    "off_ramp",
    "fork",
    "end_of_road",
    "roundabout",
    "exit_roundabout",
    "ferry",
]
Heading = Literal[
    "",
    "left",
    "slight_left",
    "sharp_left",
    "right",
    "slight_right",
    "sharp_right",
    "straight",
    "back",
]


class Maneuver(Noun):
    """One thing to do on the way; the sentence for it is made by hub.planning.sentences."""

    kind: Turn
    heading: Heading = ""
    street: str = ""
    """Name of the road that is taken, else its number."""
    exit: int | None = None
    """Which exit of a roundabout."""
    toward: str = ""
    """What the signpost says."""
    lat: float
    lon: float
    metres: int = 0
    """Until the next one."""
    seconds: int = 0


class WayLeg(Noun):
    """The way from one point of a trip to the next."""

    seconds: int
    metres: int
    line: tuple[tuple[float, float], ...] = ()
    """(lat, lon) along the road."""
    maneuvers: tuple[Maneuver, ...] = ()


class Way(Noun):
    """The way along a trip: a leg between each two of its points."""

    legs: tuple[WayLeg, ...]
    approximate: bool = False
    credit: str = ""
    """Whose map it is, to be shown beside it."""
