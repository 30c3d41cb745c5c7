"""The law behind approximate times, and fitting it."""

from __future__ import annotations

import random

import pytest

from hub.errors import Refused
from hub.nouns import Location
from hub.planning.times import fit, haversine, seconds_for


def test_the_great_circle_from_paris_to_london_is_344_km() -> None:
    paris, london = Location(lat=48.8566, lon=2.3522), Location(lat=51.5074, lon=-0.1278)
    assert haversine(paris, london) == pytest.approx(343_556, rel=0.002)


def test_a_law_is_found_again_in_legs_that_follow_it() -> None:
    legs = [(float(metres), 1.8 * metres**0.71) for metres in range(100, 20_000, 397)]
    assert fit(legs) == (pytest.approx(1.8), pytest.approx(0.71))


def test_noise_and_a_few_long_breaks_do_not_bend_the_law() -> None:
    dice = random.Random(5)
    legs = []
    for _ in range(200):
        metres = dice.uniform(200, 15_000)
        legs.append((metres, 1.2 * metres**0.75 * dice.lognormvariate(0, 0.2)))
    legs += [(500.0, 7_200.0), (800.0, 5_400.0), (1_200.0, 9_000.0)]
    scale, exponent = fit(legs)
    for metres in (500, 2_000, 10_000):
        assert seconds_for(metres, scale, exponent, 1) == pytest.approx(
            1.2 * metres**0.75, rel=0.08
        )


@pytest.mark.parametrize(
    ("legs", "said"),
    [
        ([(1000.0, 100.0)] * 9, "9 usable legs are too few"),
        ([(10.0, 100.0)] * 50, "0 usable legs are too few"),
        ([(1000.0, 100.0)] * 50, "all legs are of one length"),
    ],
)
def test_legs_that_say_too_little_are_refused(legs: list[tuple[float, float]], said: str) -> None:
    with pytest.raises(Refused, match=said):
        fit(legs)
