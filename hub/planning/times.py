"""How long a way takes when no map is at hand: the law behind every approximate time."""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt

from hub.nouns import Location

EARTH = 6_371_008.8
"""Mean radius in metres (IUGG)."""
DETOUR = 1.37
"""Metres of road per straight metre."""
SCALE, EXPONENT = 1.15, 0.75
"""A leg of `d` straight metres takes `SCALE * d ** EXPONENT` seconds: short legs are slow, long
ones fast. Between the fits to road networks of Liechtenstein (0.90, 0.77) and of central Porto
Alegre (1.80, 0.71), where it is about 20 % off per leg."""
SAFETY = 1.15
"""Margin on every duration, because it is a guess."""


def haversine(one: Location, other: Location) -> float:
    """Return the metres between two points on a sphere (the haversine formula)."""
    north = radians(other.lat - one.lat)
    east = radians(other.lon - one.lon)
    half = sin(north / 2) ** 2
    half += cos(radians(one.lat)) * cos(radians(other.lat)) * sin(east / 2) ** 2
    return 2 * EARTH * asin(min(1.0, sqrt(half)))


def seconds_for(
    straight: float, scale: float = SCALE, exponent: float = EXPONENT, safety: float = SAFETY
) -> int:
    """Return the seconds that a leg of `straight` metres as the crow flies takes by car."""
    seconds: float = scale * straight**exponent
    return round(seconds * safety)


def seconds_between(here: Location, there: Location) -> int:
    """Return the approximate seconds by car from one place to another; calls nobody."""
    return seconds_for(haversine(here, there))
