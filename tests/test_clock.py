"""Business time follows one row: fast, slow, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import time
from types import SimpleNamespace

import pytest

from hub import clock as clocks
from hub.clock import Clock, Rate

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def test_time_runs_at_the_rows_speed() -> None:
    rate = Rate(anchor=START, since=100.0, speed=60.0)
    assert rate.at(101.0) == START + timedelta(minutes=1)


def test_time_never_passes_its_ceiling() -> None:
    ceiling = START + timedelta(seconds=30)
    rate = Rate(anchor=START, since=100.0, speed=60.0, ceiling=ceiling)
    assert rate.at(100.4) == START + timedelta(seconds=24)
    assert rate.at(999.0) == ceiling


def test_without_a_row_business_time_is_wall_time() -> None:
    clock = Clock()
    before, now, after = clock.wall(), clock.now(), clock.wall()
    assert before <= now <= after


def test_the_row_is_read_again_after_a_moment_and_at_once_when_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tick = [1000.0]
    monkeypatch.setattr(clocks, "time", SimpleNamespace(time=time, monotonic=lambda: tick[0]))
    rows = [Rate(START + timedelta(hours=hour), 0.0, 0.0) for hour in range(3)]
    clock = Clock(lambda: rows.pop(0))
    assert clock.now() == START
    assert clock.now() == START
    clock.forget()
    assert clock.now() == START + timedelta(hours=1)
    tick[0] += clocks.FRESH / 2
    assert clock.now() == START + timedelta(hours=1)
    tick[0] += clocks.FRESH
    assert clock.now() == START + timedelta(hours=2)
