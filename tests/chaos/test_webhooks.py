"""Webhooks at a served hub: the lock held, the worker killed, everything accepted done once."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlmodel import func, select

from hub import orders, workflow
from hub.store import InboxRow, OrderRow, System
from hub.testing.bursts import Bursts, Sent, delivery, locked
from hub.testing.fixtures import World
from hub.workflow.incoming import open_address

pytestmark = pytest.mark.chaos

SECRET = "whsec-canary"
TOTAL, PARALLEL = 300, 50
ATTEMPTS = 5
PROGRAM = ("-m", "hub")
PATIENT = Path(__file__).parent / "patient_web.py"


@pytest.fixture
def bursts(plant: Any, world: World) -> Iterator[Bursts]:
    """Return a sender in front of a served hub with a shop."""
    orders.register(plant.hub)
    workflow.register(plant.hub)
    config = {"url": "https://1.1.1.1", "key": "k", "secret": "s", "webhook_secret": SECRET}
    with plant.hub.store.write(System()) as session:
        row = plant.hub.connections.save(session, "woocommerce", config, merchant=world.merchant)
        path = urlsplit(open_address(plant.hub, session, row)).path
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = int(one.getsockname()[1])
    plant.start("web", "--port", str(port), program=(str(PATIENT),))

    def answers() -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", port)) == 0

    plant.wait(answers)
    made = Bursts(port, path, PARALLEL)
    yield made
    made.close()


def taken(plant: Any) -> Counter[str]:
    """Return how often each order was taken."""
    with plant.hub.store.read(System()) as session:
        return Counter(session.exec(select(OrderRow.ref)))


def waiting(plant: Any) -> int:
    """Return how many deliveries wait."""
    query = select(func.count()).where(InboxRow.kind == "delivery", InboxRow.status == 0)
    with plant.hub.store.read(System()) as session:
        return session.exec(query).one()


def database(plant: Any) -> str:
    return plant.hub.settings.database_url.removeprefix("sqlite:///")


def send(bursts: Bursts, numbers: range) -> list[Sent]:
    return bursts.send([delivery(number, SECRET) for number in numbers])


def test_all_that_was_accepted_under_a_busy_lock_and_a_dying_worker_is_done_once(
    plant: Any, bursts: Bursts
) -> None:
    plant.start("dispatcher", program=PROGRAM)
    worker = plant.start("worker", "outward", program=PROGRAM)
    answers: list[Sent] = []
    with locked(database(plant), 0.25, 0.25):
        for first in range(1, TOTAL + 1, PARALLEL):
            answers += send(bursts, range(first, first + PARALLEL))
            if first in (101, 201):
                plant.kill(worker)
                worker = plant.start("worker", "outward", program=PROGRAM)
        again = send(bursts, range(1, PARALLEL + 1))
        forged = bursts.send([delivery(number, "guess") for number in range(5)])
        large = bursts.send([(0, b"x" * 1_000_001, {})] * 2)
    accepted = {str(one.number) for one in [*answers, *again] if one.status == 200}
    assert len(accepted) == TOTAL
    assert {one.status for one in forged} == {401}
    assert {one.status for one in large} == {413}
    plant.wait(lambda: not waiting(plant))
    assert taken(plant) == Counter(accepted)


def test_a_lock_that_is_held_for_longer_is_answered_with_later_and_never_with_yes(
    plant: Any, bursts: Bursts
) -> None:
    if not plant.hub.settings.database_url.startswith("sqlite"):
        return  # there nobody can lock the whole database
    assert [one.status for one in send(bursts, range(1, 2))] == [200]
    with locked(database(plant), 60, 1):
        answers = send(bursts, range(2, 2 + PARALLEL))
    assert {one.status for one in answers} == {503}
    assert all(one.retry_after for one in answers)
    with plant.hub.store.read(System()) as session:
        assert session.exec(select(func.count()).select_from(InboxRow)).one() == 1
    left = range(2, 2 + PARALLEL)
    for _ in range(ATTEMPTS):  # a slow disk may answer a few of a whole burst with "later" again
        answers = [one for one in send(bursts, left) if one.status != 200]
        assert {one.status for one in answers} <= {503}
        if not answers:
            break
    with plant.hub.store.read(System()) as session:
        assert session.exec(select(func.count()).select_from(InboxRow)).one() == 1 + PARALLEL
