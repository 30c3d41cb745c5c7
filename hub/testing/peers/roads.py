"""A made-up country whose roads the peers for travel times know: straight, at 36 km/h."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, hypot, radians

Point = tuple[float, float]
"""(lat, lon)."""
Box = tuple[float, float, float, float]
"""South, west, north, east."""


@dataclass(frozen=True)
class Country:
    """Where there are roads, and an island to which none leads; 1.4 metres for a straight one."""

    bounds: Box = (47.0, 9.4, 47.3, 9.7)
    island: Box = (47.25, 9.65, 47.3, 9.7)

    def has_road(self, point: Point) -> bool:
        """Say whether a road is near a point."""
        return inside(self.bounds, point)

    def metres(self, one: Point, other: Point) -> float | None:
        """Return the metres by road; None where there is no way."""
        if not (self.has_road(one) and self.has_road(other)):
            return None
        if inside(self.island, one) != inside(self.island, other):
            return None
        north = (other[0] - one[0]) * 111_195
        east = (other[1] - one[1]) * 111_195 * cos(radians(one[0]))
        return round(hypot(north, east) * 1.4, 1)

    def seconds(self, one: Point, other: Point) -> float | None:
        """Return the seconds by road; None where there is no way."""
        metres = self.metres(one, other)
        return None if metres is None else round(metres / 10, 1)


def inside(box: Box, point: Point) -> bool:
    """Say whether a point lies in a box."""
    south, west, north, east = box
    return south <= point[0] <= north and west <= point[1] <= east
