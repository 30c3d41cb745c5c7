"""What each driver may make of a day that is shared out."""

from __future__ import annotations

from hub.planning.answer import shares
from tests.planning.engines import problem


def test_what_is_behind_a_driver_and_locked_counts_in_the_share() -> None:
    asked = problem(stops=30, vehicles=3, balance=1.0)
    first, *others = asked.vehicles
    busy = first.model_copy(update={"visited": 20, "locked": ("s1", "s2", "s3")})
    asked = asked.model_copy(update={"vehicles": (busy, *others)})
    assert [vehicle.most_stops for vehicle in shares(asked)] == [23, 17, 17]
