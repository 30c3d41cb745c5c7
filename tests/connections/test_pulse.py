"""A connection whose calls hang rests at once, and is tried by one worker when it may be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hub.connections import pulse
from hub.store import ConnectionRow

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def row() -> ConnectionRow:
    return ConnectionRow(connector="shop", title="Shop", created_at=NOW)


def test_one_call_that_hangs_is_enough_and_each_further_one_doubles_the_rest() -> None:
    shop = row()
    rests = []
    for _ in range(3):
        pulse.hangs(shop, NOW, "a call did not come back")
        assert shop.rests_until is not None
        rests.append(shop.rests_until - NOW)
    assert rests == [timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120)]
    assert (shop.state, shop.reason) == ("degraded", "a call did not come back")


def test_a_worker_that_died_counts_as_one_failure() -> None:
    shop = row()
    for _ in range(pulse.PATIENCE - 1):
        pulse.fails(shop, NOW, "its worker died")
    assert shop.rests_until is None
    pulse.fails(shop, NOW, "its worker died")
    assert shop.rests_until == NOW + pulse.FIRST_REST
