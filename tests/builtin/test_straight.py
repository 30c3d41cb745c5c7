"""Travel times without a map."""

import pytest

from hub.builtin.straight import Straight, StraightConfig
from hub.nouns import Legs, Location
from hub.planning.times import haversine, seconds_between
from hub.plugins import Plugins

VADUZ = Location(lat=47.1410, lon=9.5209)
BALZERS = Location(lat=47.0656, lon=9.5025)


def test_it_comes_as_a_plugin_and_needs_no_settings() -> None:
    assert Plugins().connector("straight") is Straight
    assert StraightConfig().detour > 1


def test_the_great_circle_from_paris_to_london_is_344_km() -> None:
    paris, london = Location(lat=48.8566, lon=2.3522), Location(lat=51.5074, lon=-0.1278)
    assert haversine(paris, london) == pytest.approx(343_556, rel=0.002)


def test_a_matrix_is_approximate_symmetric_and_zero_on_its_diagonal() -> None:
    found = Straight(StraightConfig()).matrix(Legs(points=(VADUZ, BALZERS, VADUZ)))
    assert found.approximate
    assert [found.seconds[i][i] for i in range(3)] == [0, 0, 0]
    assert found.seconds[0][1] == found.seconds[1][0] == found.seconds[2][1]
    assert found.seconds[0][2] == found.metres[0][2] == 0


def test_from_vaduz_to_balzers_takes_about_a_quarter_of_an_hour() -> None:
    found = Straight(StraightConfig()).matrix(Legs(points=(VADUZ, BALZERS)))
    assert 11_000 < found.metres[0][1] < 13_000
    assert 12 * 60 < found.seconds[0][1] < 20 * 60
    assert found.seconds[0][1] == seconds_between(VADUZ, BALZERS)


def test_a_fixed_speed_replaces_the_curve() -> None:
    config = StraightConfig(kmh=36, detour=1.5, safety=1)
    found = Straight(config).matrix(Legs(points=(VADUZ, BALZERS)))
    assert found.seconds[0][1] == pytest.approx(found.metres[0][1] / 10, abs=1)


def test_short_legs_are_slower_per_metre_than_long_ones() -> None:
    straight = Straight(StraightConfig())
    assert straight.duration(200) / 200 > 2 * straight.duration(20_000) / 20_000
