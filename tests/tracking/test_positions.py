"""Positions on their way in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.errors import Refused
from hub.hub import Hub
from hub.nouns import Fix
from hub.testing.fixtures import MORNING, World
from hub.tracking import positions
from hub.tracking.geometry import coarse, metres


def fix(seconds: float, lat: float = 47.14, lon: float = 9.52, accuracy: float = 5) -> Fix:
    return Fix(lat=lat, lon=lon, at=MORNING + timedelta(seconds=seconds), accuracy=accuracy)


def test_a_batch_is_one_entry_of_the_stream_and_its_newest_fix_is_the_last_position(
    hub: Hub, world: World
) -> None:
    assert positions.accept(hub, world.driver, [fix(-5), fix(0, lat=47.15), fix(-10)]) == 3
    assert hub.redis.xlen("pos:0") == 1
    found = positions.last(hub, world.driver)
    assert found is not None
    assert (found["lat"], found["at"]) == (47.15, MORNING)


def test_fixes_survive_the_way_through_the_stream(hub: Hub, world: World) -> None:
    sent = Fix(lat=47.141234, lon=9.520987, at=MORNING, accuracy=7.5, speed=3.2, heading=271)
    assert positions.decode(positions.encode([sent])) == [sent]


def test_an_old_batch_of_a_phone_that_was_offline_moves_nobody_back(hub: Hub, world: World) -> None:
    positions.accept(hub, world.driver, [fix(0, lat=47.15)])
    positions.accept(hub, world.driver, [fix(-600, lat=47.10)])
    found = positions.last(hub, world.driver)
    assert found is not None
    assert found["lat"] == 47.15
    assert hub.redis.xlen("pos:0") == 2


def test_a_blurred_fix_is_kept_in_the_stream_but_moves_nobody(hub: Hub, world: World) -> None:
    positions.accept(hub, world.driver, [fix(0, accuracy=900)])
    assert positions.last(hub, world.driver) is None
    assert hub.redis.xlen("pos:0") == 1


def test_a_clock_that_is_ahead_is_moved_back_and_locks_nobody_out(hub: Hub, world: World) -> None:
    positions.accept(hub, world.driver, [fix(7190), fix(7200)])
    found = positions.last(hub, world.driver)
    assert found is not None
    assert found["at"] == MORNING


def test_a_batch_that_is_too_large_is_refused_whole(hub: Hub, world: World) -> None:
    with pytest.raises(Refused, match="600"):
        positions.accept(hub, world.driver, [fix(i) for i in range(601)])
    assert hub.redis.exists("pos:0") == 0


def test_the_coarse_grid_moves_a_point_by_less_than_fifty_metres_and_hides_small_steps() -> None:
    assert metres(47.1410, 9.5209, *coarse(47.1410, 9.5209)) < 50
    assert coarse(47.14101, 9.52091) == coarse(47.14102, 9.52090)
