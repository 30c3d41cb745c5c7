"""Travel times without a map: the straight line, made longer and slower as roads are."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from hub.connector import Connector
from hub.hookspecs import hookimpl
from hub.nouns import Grid, Legs, Matrix
from hub.planning.times import DETOUR, EXPONENT, SAFETY, SCALE, haversine, seconds_for


class StraightConfig(BaseModel):
    """How roads differ from straight lines (see hub.planning.times for where this comes from).

    Fit `scale` and `exponent` to legs of your own as soon as you have fifty of them.
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
        return Matrix(seconds=Grid(seconds), metres=Grid(metres), approximate=True)

    def duration(self, straight: float) -> int:
        """Return the seconds for a leg of `straight` metres as the crow flies."""
        config = self.config
        if config.kmh is not None:
            return round(straight * config.detour / (config.kmh / 3.6) * config.safety)
        return seconds_for(straight, config.scale, config.exponent, config.safety)


@hookimpl
def travel_times() -> list[type[Connector[Any]]]:
    """Bring the travel times that need nothing but coordinates."""
    return [Straight]
