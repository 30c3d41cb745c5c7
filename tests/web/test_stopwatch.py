"""Calls of plugins that are not waited for long."""

from __future__ import annotations

import threading

import pytest

from hub.errors import PluginError, Retry
from hub.testing.patience import PATIENCE
from hub.web import stopwatch
from hub.web.stopwatch import MOST_HANGING, Stopwatch
from tests.web.hanging import Hanging


class Late(threading.Event):
    """An event of a machine that stood still: the wait is over when what it waited for is there."""

    def wait(self, timeout: float | None = None) -> bool:
        super().wait(PATIENCE)
        return False


def test_a_call_that_ends_when_the_time_is_over_has_ended_and_does_not_hang(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stopwatch.threading, "Event", Late)
    watch = Stopwatch()
    assert [watch.call("bell", int, "7") for _ in range(MOST_HANGING + 1)] == [7] * 4
    with pytest.raises(ValueError, match="x"):
        watch.call("bell", int, "x")


def test_a_connector_that_hung_is_called_again_once_it_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watch, hanging = Stopwatch(), Hanging()
    with hanging.timed(0.05):
        for _ in range(MOST_HANGING):
            with pytest.raises(PluginError, match=r"longer than 0\.05 s"):
                watch.call("bell", hanging.hang)
        with pytest.raises(Retry):
            watch.call("bell", int)
    hanging.end()
    for thread in watch._hanging["bell"]:
        thread.join(PATIENCE)
    monkeypatch.setattr(stopwatch, "SECONDS", PATIENCE)
    assert watch.call("bell", int, "7") == 7
