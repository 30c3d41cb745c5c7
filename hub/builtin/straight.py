"""Travel times without a map: the straight line, made longer and slower as roads are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from hub.builtin.tables import whole
from hub.connector import Connector
from hub.hookspecs import hookimpl
from hub.nouns import Legs, Location, Maneuver, Matrix, Profile, Trip, Way, WayLeg
from hub.planning.times import (
    BIKE_KMH,
    DETOUR,
    EARTH,
    EXPONENT,
    SAFETY,
    SCALE,
    TRUCK,
    haversine,
)


class StraightConfig(BaseModel):
    """How roads differ from straight lines (see hub.planning.times for where this comes from).

    Fit `scale` and `exponent` to legs of your own as soon as you have fifty of them, with
    `hub times fit`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    detour: float = Field(
        default=DETOUR,
        ge=1,
        le=5,
        title="Metres of road per straight metre",
        description="More in mountains and towns, less on the plain",
    )
    kmh: float | None = Field(
        default=None,
        gt=0,
        le=200,
        title="Fixed speed on the road in km/h, instead of the curve",
        description="Empty: the further, the faster, as the next two say",
    )
    scale: float = Field(
        default=SCALE,
        gt=0,
        le=100,
        title="Seconds for the first metre",
        description="Fitted to legs that were driven",
    )
    exponent: float = Field(
        default=EXPONENT,
        gt=0,
        le=1.5,
        title="How seconds grow with metres",
        description="1: twice as far takes twice as long; less where the way leaves the town",
    )
    safety: float = Field(
        default=SAFETY,
        ge=1,
        le=3,
        title="Margin on every duration",
        description="1.1 adds a tenth, for lights and looking for the door",
    )
    bike_kmh: float = Field(
        default=BIKE_KMH,
        gt=0,
        le=60,
        title="Speed of a bicycle in km/h",
        description="On the road, whatever the distance",
    )
    truck: float = Field(
        default=TRUCK,
        ge=1,
        le=5,
        title="How much longer a truck takes",
        description="1.2: a fifth longer than a car or a van",
    )


class Straight(Connector[StraightConfig]):
    """Travel times from coordinates alone, always marked approximate."""

    name: ClassVar[str] = "straight"
    title: ClassVar[str] = "Straight lines (no map)"
    Config = StraightConfig
    traffic: ClassVar[bool] = False

    def matrix(self, legs: Legs) -> Matrix:
        """Return seconds and metres between all points; the way back is as long as the way."""
        straight = spheric(legs.points)
        metres = straight * self.config.detour
        return Matrix(
            seconds=whole(self.seconds(straight, legs.profile)),
            metres=whole(metres),
            approximate=True,
            margin=self.margin,
        )

    def directions(self, trip: Trip) -> Way:
        """Return straight lines, to be drawn as such."""
        ends = pairwise(trip.points)
        legs = tuple(self.leg(here, there, trip.profile) for here, there in ends)
        return Way(legs=legs, approximate=True)

    def leg(self, here: Location, there: Location, profile: Profile) -> WayLeg:
        """Return a straight line from one place to another."""
        straight = haversine(here, there)
        seconds = round(float(self.seconds(straight, profile)))
        metres = round(straight * self.config.detour)
        start = Maneuver(kind="depart", lat=here.lat, lon=here.lon, metres=metres, seconds=seconds)
        return WayLeg(
            seconds=seconds,
            metres=metres,
            line=((here.lat, here.lon), (there.lat, there.lon)),
            maneuvers=(start, Maneuver(kind="arrive", lat=there.lat, lon=there.lon)),
        )

    @property
    def margin(self) -> float:
        """The part by which the seconds are made longer for safety."""
        return round(self.config.safety - 1, 6)

    def seconds(self, straight: Any, profile: Profile) -> Any:
        """Return the seconds for `straight` metres as the crow flies: a number, or an array."""
        config = self.config
        kmh = config.bike_kmh if profile == "bike" else config.kmh
        if kmh is not None:
            taken = straight * (config.detour / (kmh / 3.6))
        else:
            taken = config.scale * straight**config.exponent
        slower = config.truck if profile == "truck" else 1.0
        return taken * (config.safety * slower)


def spheric(points: Sequence[Location]) -> Any:
    """Return the metres between all points on a sphere, as an array.

    The arc over the chord between two points of the unit sphere, which is as exact as the
    haversine formula for near points, and quicker for many.
    """
    import numpy as np

    degrees = np.array([(point.lat, point.lon) for point in points], dtype=float)
    lat, lon = np.radians(degrees.reshape(-1, 2)).T
    chord = np.zeros((len(points), len(points)))
    for axis in (np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)):
        apart = axis[:, None] - axis
        apart *= apart
        chord += apart
    np.sqrt(chord, out=chord)
    chord *= 0.5
    np.arcsin(np.minimum(1.0, chord, out=chord), out=chord)
    chord *= 2 * EARTH
    return chord


@hookimpl
def travel_times() -> list[type[Connector[Any]]]:
    """Bring the travel times that need nothing but coordinates."""
    return [Straight]
