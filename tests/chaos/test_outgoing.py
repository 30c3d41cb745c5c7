"""Kill -9 a worker in the middle of a call: the message is sent again under the same id."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import select

from hub.events import append
from hub.outgoing import endpoints
from hub.store import OutgoingRow, System
from hub.testing.fixtures import World
from tests.outgoing.conftest import Receiver, arrival, verified
from tests.outgoing.conftest import receiver as receiver  # a fixture, shared

pytestmark = pytest.mark.chaos
HUB = ("-m", "hub")
SUBJECTS = [f"stp_{number}" for number in range(6)]


@pytest.fixture
def secret(plant: Any, world: World, receiver: Receiver) -> str:
    with plant.hub.store.write(System("")) as session:
        _, secret = endpoints.add(session, plant.hub.keys, receiver.url)
    with plant.hub.store.write() as session:
        for subject in SUBJECTS * 2:
            append(session, arrival(subject, world.merchant))
    return secret


def states(plant: Any) -> set[str]:
    with plant.hub.store.read() as session:
        return set(session.exec(select(OutgoingRow.state)))


@pytest.mark.parametrize("point", ["before_call", "after_call"])
def test_a_worker_killed_during_a_call_loses_nothing_and_repeats_the_id(
    plant: Any, secret: str, receiver: Receiver, point: str
) -> None:
    plant.start("dispatcher", program=HUB)
    plant.start("worker", "fast", program=HUB)
    # A wave takes one message of each subject; the process of each call dies at its second wave.
    plant.start("worker", "outward", program=HUB, fault=f"{point}:2")
    plant.wait(lambda: states(plant) == {"delivered"})
    waves = 3 if point == "after_call" else 2
    assert len(receiver.requests) == waves * len(SUBJECTS)
    assert all(verified(secret, headers, body) for headers, body in receiver.requests)
    taken: dict[str, list[int]] = {}
    for said in receiver.messages():
        numbers = taken.setdefault(said["data"]["subject"], [])
        if said["data"]["seq"] not in numbers:  # what a receiver does with an id that it knows
            numbers.append(said["data"]["seq"])
    assert taken == {subject: sorted(numbers) for subject, numbers in taken.items()}
    assert sum(map(len, taken.values())) == 2 * len(SUBJECTS)
