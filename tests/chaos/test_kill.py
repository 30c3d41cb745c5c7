"""Kill -9 at every transition: nothing is lost, nothing inside is done twice."""

import os
from typing import Any

import pytest
from sqlmodel import select

from hub.queue import enqueue
from hub.queue.entry import LOSSES
from hub.store import LeaderRow, SettingRow, WorkRow
from hub.testing.patience import PATIENCE

pytestmark = pytest.mark.chaos

SUBJECTS = [f"{number:02}" for number in range(6)]


def finished(plant) -> bool:
    return plant.recorded() == SUBJECTS


def check(plant, extra_calls: int) -> None:
    """Everything accepted was done: once inside, and outward at most `extra_calls` times more."""
    assert plant.toy.written(plant.hub.store) == SUBJECTS
    assert plant.recorded() == SUBJECTS
    calls = plant.calls()
    assert set(calls) == {f"{subject}:outward" for subject in SUBJECTS}
    assert len(calls) <= len(SUBJECTS) + extra_calls
    with plant.hub.store.read() as session:
        states = session.exec(select(WorkRow.state)).all()
    assert set(states) == {"done"}


@pytest.mark.parametrize(
    ("point", "number"),
    [("after_claim", 1), ("before_commit", 1), ("before_commit", 3), ("after_commit", 3)],
)
def test_a_worker_inside_killed_at_a_transition_loses_and_doubles_nothing(
    plant, point: str, number: int
) -> None:
    plant.start("dispatcher")
    plant.start("worker", "outward")
    victim = plant.start("worker", "fast", fault=f"{point}:{number}")
    plant.toy.accept(plant.hub.store, SUBJECTS)
    assert victim.wait(2 * PATIENCE) == -9
    plant.start("worker", "fast")
    plant.wait(lambda: finished(plant))
    check(plant, extra_calls=0)


@pytest.mark.parametrize(
    ("point", "extra"),
    [("after_claim", 0), ("before_call", 0), ("after_call", 1), ("before_commit", 1),
     ("after_commit", 0)],
)  # fmt: skip
def test_a_killed_horse_is_followed_at_once_and_calls_again_only_with_the_same_key(
    plant, point: str, extra: int
) -> None:
    plant.start("dispatcher")
    plant.start("worker", "fast")
    plant.toy.accept(plant.hub.store, SUBJECTS)
    plant.wait(lambda: plant.toy.written(plant.hub.store) == SUBJECTS)
    # Every horse dies at its second pass, so each one gets at least one piece of work done.
    worker = plant.start("worker", "outward", fault=f"{point}:2")
    plant.wait(lambda: finished(plant))
    assert worker.poll() is None
    check(plant, extra_calls=extra * len(SUBJECTS))
    # Killed with work in hand, it was tried again; killed after the end, it was not.
    with plant.hub.store.read() as session:
        tries = session.exec(select(WorkRow.tries).where(WorkRow.kind == "outward")).all()
    assert (max(tries) > 1) == (point != "after_commit")


def test_a_horse_dies_with_its_worker(plant) -> None:
    worker = plant.start("worker", "heavy")
    with plant.hub.store.write() as session:
        enqueue(session, "hang", "a", queue="heavy")
    plant.wait(lambda: children(worker.pid))
    (horse,) = children(worker.pid)
    plant.wait(lambda: state(plant) == "leased")
    plant.kill(worker)
    plant.wait(lambda: not os.path.exists(f"/proc/{horse}"))


def children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


def state(plant) -> str:
    with plant.hub.store.read() as session:
        return session.exec(select(WorkRow.state)).one()


@pytest.mark.parametrize("kind", ["hang", "leak"])
def test_work_that_hangs_or_leaks_is_ended_and_tried_again_later(plant, kind: str) -> None:
    worker = plant.start(
        "worker", "heavy", HUB_HEAVY_SECONDS="0.5", HUB_WORKER_MEGABYTES="2048"
    )  # fmt: skip
    plant.start("dispatcher")
    with plant.hub.store.write() as session:
        enqueue(session, kind, "a", queue="heavy")
        enqueue(session, "outward", "b", queue="heavy")
    plant.wait(lambda: losses(plant, kind) >= 2)
    plant.wait(lambda: plant.recorded() == ["b"])
    assert worker.poll() is None


def losses(plant, kind: str) -> int:
    with plant.hub.store.read() as session:
        row = session.exec(select(WorkRow).where(WorkRow.kind == kind)).one()
        return LOSSES if row.state == "dead" else row.losses


def leads(plant) -> bool:
    with plant.hub.store.read() as session:
        return (
            session.exec(select(LeaderRow.holder).where(LeaderRow.holder != "")).first() is not None
        )


def test_a_killed_dispatcher_is_followed_by_the_one_that_stands_by(plant) -> None:
    leader = plant.start("dispatcher")
    plant.wait(lambda: leads(plant))
    plant.start("dispatcher", HUB_PROCESS="second")
    plant.start("worker", "fast")
    plant.start("worker", "outward")
    plant.kill(leader)
    plant.hub.redis.flushall()
    plant.toy.accept(plant.hub.store, SUBJECTS)
    plant.wait(lambda: finished(plant))
    check(plant, extra_calls=0)


def test_what_one_horse_imported_the_next_one_finds_imported(plant) -> None:
    worker = plant.start("worker", "heavy")
    first = load(plant, "a")
    plant.wait(lambda: not children(worker.pid))
    second = load(plant, "b")
    assert first["horse"] != second["horse"]
    assert (first["known"], second["known"]) == (False, True)


def load(plant, subject: str) -> dict[str, Any]:
    """Have something imported by a horse; return what it found."""
    with plant.hub.store.write() as session:
        enqueue(session, "load", subject, queue="heavy")
    plant.wait(lambda: loaded(plant, subject))
    return loaded(plant, subject).value


def loaded(plant, subject: str):
    with plant.hub.store.read() as session:
        return session.get(SettingRow, f"load {subject}")
