"""Distances on the ground, and a grid coarse enough to hide a doorway."""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt

from hub.planning.times import EARTH

WORST_ACCURACY = 100.0
"""Metres; a fix that is less sharp than this says nothing about a door."""
GRID = 0.0005
"""Degrees of latitude between the lines of the coarse grid: about 55 m."""


def metres(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Return the great-circle distance in metres (haversine).

    In plain numbers, because it is asked for every fix and every door.
    """
    a = (
        sin(radians(lat2 - lat1) / 2) ** 2
        + cos(radians(lat1)) * cos(radians(lat2)) * sin(radians(lon2 - lon1) / 2) ** 2
    )
    return 2 * EARTH * asin(min(1.0, sqrt(a)))


def coarse(lat: float, lon: float) -> tuple[float, float]:
    """Return the nearest point of a grid of about 55 m by 55 m."""
    row = round(lat / GRID)
    step = GRID / max(0.05, cos(radians(row * GRID)))
    return round(row * GRID, 6), round(round(lon / step) * step, 6)
