"""Write transactions are short: each does little, however long a route, a file or a day is.

How long each kind is held in milliseconds is measured by bench/writes.py: it says as much of the
machine as of the hub.
"""

from __future__ import annotations

from typing import Any

import pytest

from hub.events.catalogue import Event
from hub.events.log import append
from hub.queue import enqueue
from hub.store.tracing import TRACE, Traced, read
from hub.testing.town import Town
from hub.testing.writing import ORDERS, PROCESSES, WritingDay
from hub.workflow.parts import assemble, load_workflows

pytestmark = pytest.mark.chaos

STATEMENTS = 45
ROWS = 400
"""At half a millisecond for a statement and 60 microseconds for a row these are the 50 ms that
nobody should hold the database for; few come to half of both."""
LIMIT = 0.05
"""Seconds. Nine in ten have to keep it also where a shared machine is slow for a while; two in a
hundred come near it on a quick one."""
CHUNK = "hub.orders.imports.store_chunk"
PIECES = 150
HUB = ("-m", "hub")


class Toy(Event):
    """An event that says nothing but its subject."""

    type = "toy.happened"


def check(plant: Any, least: int) -> None:
    """Fail where a transaction did too much, many were held too long, or few were traced."""
    done = read(plant.writes_file)
    assert len(done) > least
    assert [one for one in done if is_long(one)] == []
    held = sorted(one.held for one in done)
    assert held[len(held) * 9 // 10] < LIMIT


def is_long(one: Traced) -> bool:
    """Tell whether a transaction did too much; chunks of a file grow while they are quick."""
    return one.name != CHUNK and (one.statements > STATEMENTS or one.rows > ROWS)


def test_no_write_transaction_of_a_mixed_load_does_more_than_little(
    plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests, numbering, claims and results, from four processes at once."""
    for words in (("dispatcher",), ("worker", "fast"), ("worker", "outward")):
        plant.start(*words)
    monkeypatch.setenv(TRACE, str(plant.writes_file))
    for number in range(PIECES):
        with plant.hub.store.write() as session:
            enqueue(session, "inside", f"{number:03}")
            append(session, Toy(subject=f"{number:03}"))
    plant.wait(lambda: len(plant.recorded()) == PIECES)
    check(plant, PIECES * 5)


def test_no_write_transaction_of_a_whole_day_does_more_than_little(
    plant, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of orders, workflows, a plan, routes driven and changed: by the hub's own handlers."""
    day = WritingDay(town)
    assemble(plant.hub)
    load_workflows(plant.hub)
    for words in PROCESSES:
        plant.start(*words, program=HUB)
    monkeypatch.setenv(TRACE, str(plant.writes_file))
    day.play()
    check(plant, ORDERS * 3)
