"""Travel times without a map: the straight line, made longer and slower as roads are."""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from hub.connector import Connector
from hub.hookspecs import hookimpl
from hub.nouns import Legs, Location, Matrix

EARTH = 6_371_008.8
"""Mean radius in metres (IUGG)."""


class StraightConfig(BaseModel):
    """How roads differ from straight lines; fit both on your own legs when you have fifty.

    A leg of `d` metres takes `scale * d ** exponent` seconds: short legs are slow, long ones
    fast. The defaults lie between what a car needs on the roads of Liechtenstein (0.90, 0.77)
    and of central Porto Alegre (1.80, 0.71), where they are about 20 % off per leg.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    detour: float = Field(default=1.37, ge=1, le=5, title="Metres of road per straight metre")
    kmh: float | None = Field(
        default=None, gt=0, le=200, title="Fixed speed on the road in km/h, instead of the curve"
    )
    scale: float = Field(default=1.15, gt=0, le=100, title="Seconds for the first metre")
    exponent: float = Field(default=0.75, gt=0, le=1.5, title="How seconds grow with metres")
    safety: float = Field(default=1.15, ge=1, le=3, title="Margin on every duration")


class Straight(Connector[StraightConfig]):
    """Travel times from coordinates alone, always marked approximate."""

    name: ClassVar[str] = "straight"
    title: ClassVar[str] = "Straight lines (no map)"
    Config = StraightConfig

    def matrix(self, legs: Legs) -> Matrix:
        """Return seconds and metres between all points; the way back is as long as the way."""
        size = len(legs.points)
        seconds = [[0] * size for _ in range(size)]
        metres = [[0] * size for _ in range(size)]
        for row in range(size):
            for column in range(row):
                straight = haversine(legs.points[row], legs.points[column])
                time, way = self.duration(straight), round(straight * self.config.detour)
                seconds[row][column] = seconds[column][row] = time
                metres[row][column] = metres[column][row] = way
        return Matrix.model_construct(
            seconds=tuple(map(tuple, seconds)), metres=tuple(map(tuple, metres)), approximate=True
        )

    def duration(self, straight: float) -> int:
        """Return the seconds for a leg of `straight` metres as the crow flies."""
        config = self.config
        if config.kmh is not None:
            return round(straight * config.detour / (config.kmh / 3.6) * config.safety)
        seconds: float = config.scale * straight**config.exponent
        return round(seconds * config.safety)


def haversine(one: Location, other: Location) -> float:
    """Return the metres between two points on a sphere (the haversine formula)."""
    north = radians(other.lat - one.lat)
    east = radians(other.lon - one.lon)
    half = sin(north / 2) ** 2
    half += cos(radians(one.lat)) * cos(radians(other.lat)) * sin(east / 2) ** 2
    return 2 * EARTH * asin(min(1.0, sqrt(half)))


@hookimpl
def travel_times() -> list[type[Connector[Any]]]:
    """Bring the travel times that need nothing but coordinates."""
    return [Straight]
