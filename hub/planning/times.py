"""How long a way takes when no map is at hand: the law behind every approximate time."""

from __future__ import annotations

from collections.abc import Sequence
from math import asin, cos, radians, sin, sqrt

from hub.errors import Refused
from hub.nouns import Location
from hub.nouns.ways import Profile

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
BIKE_KMH, TRUCK = 15.0, 1.2
"""How fast a bicycle is on the road, and how much longer than a car a truck takes."""
FEWEST = 10
"""Legs to which the law can be fitted; fifty make it good."""
SHORTEST = 30.0
"""Straight metres below which a leg says more about parking than about roads."""


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


def seconds_between(here: Location, there: Location, profile: Profile = "car") -> int:
    """Return the approximate seconds from one place to another; calls nobody."""
    straight = haversine(here, there)
    if profile == "bike":
        return round(straight * DETOUR / (BIKE_KMH / 3.6) * SAFETY)
    return round(seconds_for(straight) * (TRUCK if profile == "truck" else 1))


def fit(legs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return (scale, exponent) of the law for legs of (straight metres, seconds driven).

    Least squares on the logarithms, so that a short leg counts as much as a long one; then once
    more without the legs that are far off, such as those with a coffee in between. Raises
    `Refused` for too few usable legs, or for legs that are all of one length.
    """
    import numpy as np

    usable = [leg for leg in legs if leg[0] >= SHORTEST and leg[1] > 0]
    if len(usable) < FEWEST:
        raise Refused(
            f"{len(usable)} usable legs are too few; give {FEWEST} or more that are longer than "
            f"{SHORTEST:.0f} m, better fifty"
        )
    far, long = np.log(np.array(usable, dtype=float)).T
    if np.ptp(far) < 0.1:
        raise Refused("all legs are of one length; give short ones and long ones")
    exponent, scale = np.polyfit(far, long, 1)
    off = np.abs(long - (exponent * far + scale))
    near = off <= max(3 * 1.4826 * float(np.median(off)), 1e-9)
    if near.sum() >= FEWEST and np.ptp(far[near]) >= 0.1:
        exponent, scale = np.polyfit(far[near], long[near], 1)
    return float(np.exp(scale)), float(exponent)
