"""A clean end: SIGTERM lets the piece of work in hand be finished, and nothing more begun."""

import signal

import pytest
from sqlmodel import select

from hub.queue import enqueue
from hub.store import LeaderRow, WorkRow
from hub.testing.patience import PATIENCE

pytestmark = pytest.mark.chaos


@pytest.mark.parametrize("queue", ["fast", "heavy"])
def test_a_worker_that_is_stopped_finishes_what_it_holds_and_leaves_the_rest(
    plant, queue: str
) -> None:
    worker = plant.start("worker", queue)
    with plant.hub.store.write() as session:
        for subject in ("a", "b", "c"):
            enqueue(session, "nap", subject, queue=queue)
    plant.wait(lambda: "leased" in states(plant))
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(2 * PATIENCE) == 0
    assert states(plant) == ["done", "ready", "ready"]


def test_a_dispatcher_that_is_stopped_hands_the_lead_over(plant) -> None:
    dispatcher = plant.start("dispatcher")
    plant.wait(lambda: holder(plant).startswith("dispatcher"))
    dispatcher.send_signal(signal.SIGTERM)
    assert dispatcher.wait(2 * PATIENCE) == 0
    assert holder(plant) == ""


def states(plant) -> list[str]:
    with plant.hub.store.read() as session:
        return list(session.exec(select(WorkRow.state).order_by(WorkRow.subject)).all())


def holder(plant) -> str:
    with plant.hub.store.read() as session:
        row = session.get(LeaderRow, "dispatcher")
        return row.holder if row else ""
