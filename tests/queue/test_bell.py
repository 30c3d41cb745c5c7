"""The bell: rings after a commit, is capped, and never gets in the way."""

import socket
from pathlib import Path
from types import SimpleNamespace

import pytest
from redis import Redis
from sqlmodel import select

from hub import ledgers
from hub.hub import Hub
from hub.queue import enqueue
from hub.queue.bell import CAP, DOORBELL, SULK, Bell, install
from hub.store import WorkRow


def waiting(hub: Hub, queue: str = "fast") -> int:
    return int(hub.redis.llen(f"rq:queue:{queue}"))


def test_a_commit_rings_for_the_work_it_made_due(hub: Hub) -> None:
    install(hub)
    with hub.store.write() as session:
        enqueue(session, "toy", "a", queue="heavy")
        assert waiting(hub, "heavy") == 0
    assert waiting(hub, "heavy") == 1


def test_a_rollback_rings_for_nothing(hub: Hub) -> None:
    install(hub)
    try:
        with hub.store.write() as session:
            enqueue(session, "toy", "a")
            raise RuntimeError
    except RuntimeError:
        pass
    assert waiting(hub) == 0


def test_no_more_than_eight_tickets_wait(hub: Hub) -> None:
    bell = Bell(hub.redis)
    for _ in range(CAP * 3):
        bell({"fast"})
    assert waiting(hub) == CAP == 8


def test_the_dispatchers_doorbell_keeps_one_ring(hub: Hub) -> None:
    bell = Bell(hub.redis)
    for _ in range(5):
        bell({"dispatcher"})
    assert hub.redis.llen(DOORBELL) == 1


def test_a_queue_that_is_being_emptied_is_not_rung(hub: Hub) -> None:
    bell = Bell(hub.redis)
    bell.quiet = "fast"
    bell({"fast", "heavy"})
    assert (waiting(hub), waiting(hub, "heavy")) == (0, 1)


def test_a_write_succeeds_without_redis(hub: Hub, tmp_path: Path) -> None:
    hub.store.bell = Bell(Redis(unix_socket_path=str(tmp_path / "nobody")))
    with hub.store.write() as session:
        enqueue(session, "toy", "a")
    with hub.store.read() as session:
        assert session.exec(select(WorkRow)).one().state == "ready"


def test_a_redis_that_does_not_answer_costs_one_short_wait(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledgers, "PATIENCE", 0.25)
    clock, waits = [0.0], list[str]()
    monkeypatch.setattr("hub.queue.bell.time", SimpleNamespace(monotonic=lambda: clock[0]))
    with socket.create_server(("127.0.0.1", 0)) as mute:
        bell = Bell(Redis(port=mute.getsockname()[1]))
        ring = bell._ring
        monkeypatch.setattr(bell, "_ring", lambda name: (waits.append(name), ring(name)))
        for _ in range(20):
            bell({"fast", "dispatcher"})
        assert waits == ["dispatcher"]
        clock[0] += SULK
        bell({"fast", "dispatcher"})
    assert waits == ["dispatcher"] * 2
