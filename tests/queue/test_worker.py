"""A worker process: how it is called, and what it does when it cannot work."""

import pytest

from hub.errors import Refused
from hub.queue.worker import connect, label_of, limit, main
from hub.settings import Settings


def test_a_supervised_worker_keeps_its_name_over_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_PROCESS", "fast-1")
    assert label_of("", "fast") == label_of("", "fast")
    assert label_of("", "fast").startswith("fast-1@")


def test_a_worker_without_a_name_is_unlike_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUB_PROCESS", raising=False)
    assert label_of("", "fast") != label_of("", "fast")


def test_an_unknown_queue_is_refused_with_those_that_exist(settings: Settings) -> None:
    with pytest.raises(Refused, match="fast, outward, heavy"):
        main(settings, "slow", lambda hub: None)


def test_a_worker_without_redis_ends_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.queue.worker.WAIT_FOR_REDIS", 0.1)
    with pytest.raises(SystemExit, match="does not answer"):
        connect("unix:///nonexistent/socket")


def test_each_queue_has_its_own_limit(settings: Settings) -> None:
    assert [limit(settings, queue) for queue in ("fast", "outward", "heavy")] == [60, 120, 900]
