"""Travel times without a map."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from hub.builtin.straight import Straight, StraightConfig
from hub.nouns import Legs, Location, Profile, Trip
from hub.planning.times import fit, haversine, seconds_between
from hub.plugins import Plugins
from tests import needs

VADUZ = Location(lat=47.1410, lon=9.5209)
BALZERS = Location(lat=47.0656, lon=9.5025)


def seconds(profile: Profile, **settings: float) -> int:
    legs = Legs(points=(VADUZ, BALZERS), profile=profile)
    return Straight(StraightConfig(**settings)).matrix(legs).seconds[0][1]


def test_it_comes_as_a_plugin_and_needs_no_settings() -> None:
    assert Plugins().connector("straight") is Straight
    assert StraightConfig().detour > 1


def test_a_matrix_is_approximate_symmetric_and_zero_on_its_diagonal() -> None:
    found = Straight(StraightConfig()).matrix(Legs(points=(VADUZ, BALZERS, VADUZ)))
    assert found.approximate
    assert [found.seconds[i][i] for i in range(3)] == [0, 0, 0]
    assert found.seconds[0][1] == found.seconds[1][0] == found.seconds[2][1]
    assert found.seconds[0][2] == found.metres[0][2] == 0


def test_the_margin_that_is_in_the_seconds_is_told() -> None:
    found = Straight(StraightConfig(safety=1.3)).matrix(Legs(points=(VADUZ, BALZERS)))
    assert found.margin == 0.3
    assert found.seconds[0][1] == pytest.approx(1.3 * seconds("car", safety=1), abs=1)


def test_from_vaduz_to_balzers_takes_about_a_quarter_of_an_hour() -> None:
    found = Straight(StraightConfig()).matrix(Legs(points=(VADUZ, BALZERS)))
    assert 11_000 < found.metres[0][1] < 13_000
    assert 12 * 60 < found.seconds[0][1] < 20 * 60
    assert found.seconds[0][1] == seconds_between(VADUZ, BALZERS)


def test_a_matrix_of_many_points_is_that_of_each_pair() -> None:
    dice = random.Random(3)
    points = [Location(lat=dice.uniform(-80, 80), lon=dice.uniform(-179, 179)) for _ in range(40)]
    found = Straight(StraightConfig()).matrix(Legs(points=tuple(points)))
    for row, here in enumerate(points):
        for column, there in enumerate(points):
            metres = haversine(here, there) * StraightConfig().detour
            assert found.metres[row][column] == pytest.approx(metres, abs=1)
            assert found.seconds[row][column] == pytest.approx(seconds_between(here, there), abs=1)


def test_a_fixed_speed_replaces_the_curve() -> None:
    config = StraightConfig(kmh=36, detour=1.5, safety=1)
    found = Straight(config).matrix(Legs(points=(VADUZ, BALZERS)))
    assert found.seconds[0][1] == pytest.approx(found.metres[0][1] / 10, abs=1)


def test_short_legs_are_slower_per_metre_than_long_ones() -> None:
    straight = Straight(StraightConfig())
    assert straight.seconds(200.0, "car") / 200 > 2 * straight.seconds(20_000.0, "car") / 20_000


def test_each_vehicle_has_its_own_speed() -> None:
    assert seconds("van") == seconds("car")
    assert seconds("truck", truck=1.5) == pytest.approx(1.5 * seconds("car"), abs=1)
    bike = Legs(points=(VADUZ, BALZERS), profile="bike")
    found = Straight(StraightConfig(bike_kmh=18, safety=1)).matrix(bike)
    assert found.seconds[0][1] == pytest.approx(found.metres[0][1] / 5, abs=1)


def test_a_way_is_a_straight_line_for_each_leg() -> None:
    way = Straight(StraightConfig()).directions(Trip(points=(VADUZ, BALZERS, VADUZ)))
    table = Straight(StraightConfig()).matrix(Legs(points=(VADUZ, BALZERS)))
    assert way.approximate
    assert [leg.seconds for leg in way.legs] == [table.seconds[0][1]] * 2
    assert way.legs[0].line == ((VADUZ.lat, VADUZ.lon), (BALZERS.lat, BALZERS.lon))
    assert [one.kind for one in way.legs[0].maneuvers] == ["depart", "arrive"]


@needs.shared("maps")
@pytest.mark.parametrize(
    ("name", "off"), [("liechtenstein-latest", 0.22), ("monaco", 0.5), ("poa", 0.16)]
)
def test_fitted_to_some_real_legs_it_is_near_the_others(name: str, off: float) -> None:
    import numpy as np

    folder = needs.shared_folder("maps") or Path()
    with np.load(folder / "matrices" / f"mat_{name}_osrm.npz") as file:
        points, durations = file["pts"], file["D"]
    where = tuple(Location(lat=lat, lon=lon) for lon, lat in points)
    crow = np.array([[haversine(one, other) for other in where] for one in where])
    good = np.isfinite(durations) & (durations > 0) & (crow > 30)
    half = np.zeros_like(good)
    half[:100, :100] = True
    scale, exponent = fit(list(zip(crow[good & half], durations[good & half], strict=True)))
    fitted = StraightConfig(scale=scale, exponent=exponent, safety=1)
    rest = good.copy()
    rest[:100, :] = rest[:, :100] = False
    guessed = np.asarray(Straight(fitted).matrix(Legs(points=where)).seconds, dtype=float)
    error = np.abs(guessed[rest] - durations[rest]) / durations[rest]
    assert error.mean() < off
