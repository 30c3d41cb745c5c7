"""Renewals and exchanges in real processes: one at a time, killed in the middle, hanging."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from hub.queue import enqueue, entry
from hub.queue.work import forfeit
from hub.store import ConnectionRow, System, WorkRow
from hub.testing.patience import PATIENCE
from hub.testing.peers.consent import ConsentPeer
from hub.testing.peers.log import entries
from hub.workflow import consents, renewals
from tests.consenting import (
    add_shop,
    age,
    come_back,
    connect,
    consent_of,
    open_shop,
    row_of,
    tokens_of,
    work_rows,
)

pytestmark = pytest.mark.chaos
PROGRAM = (str(Path(__file__).parent.parent / "consenting.py"),)


@pytest.fixture
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ConsentPeer]:
    made = ConsentPeer(tmp_path / "peer")
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.gate.set()
    made.stop()


@pytest.fixture
def shop(plant: Any, peer: ConsentPeer) -> str:
    """Return the id of a connected shop whose access is close to its end."""
    add_shop(plant.hub)
    id = open_shop(plant.hub, peer)
    connect(plant.hub, peer, id)
    age(
        plant.hub, id, renewed_at=timedelta(minutes=-28), renew_at=timedelta(0),
        expires_at=timedelta(seconds=30),
    )  # fmt: skip
    return id


def ask(plant: Any, shop: str) -> None:
    with plant.hub.store.write(System()) as session:
        renewals.request(session, shop)


def killed(plant: Any, fault: str) -> None:
    """Let a process do the outward work until it kills itself there."""
    process = plant.start("once", "outward", fault=fault, program=PROGRAM)
    assert process.wait(2 * PATIENCE) == -9


def go_on(plant: Any) -> None:
    """Take over what the dead process held, and do it here."""
    with plant.hub.store.write() as session:
        assert forfeit(session, "once") == 1
    while entry.run(plant.hub, "outward", "heir"):
        pass


def states(plant: Any, kind: str) -> list[str]:
    return [row.state for row in work_rows(plant.hub, kind)]


def test_two_workers_and_many_calls_make_one_renewal(
    plant: Any, shop: str, peer: ConsentPeer
) -> None:
    peer.gate.clear()
    for number in (1, 2):
        plant.start("worker", "outward", program=PROGRAM, HUB_PROCESS=f"outward-{number}")
    plant.wait(lambda: plant.hub.redis.scard("rq:workers") == 2)
    plant.start("dispatcher", program=PROGRAM)
    plant.wait(lambda: states(plant, renewals.KIND) == ["leased"])
    with plant.hub.store.write(System()) as session:
        for number in range(8):
            enqueue(session, "use", f"{shop}:{number}", queue="outward")
        renewals.request(session, shop)
    plant.wait(lambda: all("renewed" in row.error for row in work_rows(plant.hub, "use")))
    assert states(plant, renewals.KIND) == ["leased"], "the renewal still waits for its answer"
    with plant.hub.store.read(System()) as session:
        query = select(WorkRow.worker).where(col(WorkRow.kind).in_(["use", renewals.KIND]))
        assert len(set(session.exec(query))) == 2, "both workers took part"
    peer.gate.set()
    plant.wait(lambda: set(states(plant, "use")) == {"done"})
    plant.wait(lambda: states(plant, renewals.KIND) == ["done"])
    assert (peer.counters.renewals, peer.counters.graces) == (1, 0)
    refused = [one for one in entries(peer.log.path) if one.status == 401]
    assert refused == [], "no call was made with access that had ended"


def test_a_worker_killed_with_the_answer_in_hand_is_mended_within_the_grace(
    plant: Any, shop: str, peer: ConsentPeer
) -> None:
    ask(plant, shop)
    before = tokens_of(plant.hub, shop)
    killed(plant, "after_call:1")
    assert peer.counters.renewals == 1
    assert tokens_of(plant.hub, shop) == before
    assert row_of(plant.hub, shop).renewing_at is not None
    go_on(plant)
    assert (peer.counters.renewals, peer.counters.graces) == (2, 1)
    assert tokens_of(plant.hub, shop)[0] in peer.access
    row = row_of(plant.hub, shop)
    assert (row.state, row.renewing_at) == ("healthy", None)


@pytest.mark.parametrize("fault", ["after_call:1", "before_commit:1"])
def test_where_the_old_token_is_not_taken_again_a_person_is_told_why(
    plant: Any, shop: str, peer: ConsentPeer, fault: str
) -> None:
    peer.grace = -1
    ask(plant, shop)
    killed(plant, fault)
    go_on(plant)
    row = row_of(plant.hub, shop)
    assert row.state == "action_needed"
    assert "the answer to the renewal before was lost" in row.reason
    assert "Reconnect it" in row.reason


def test_a_worker_killed_before_the_call_loses_nothing(
    plant: Any, shop: str, peer: ConsentPeer
) -> None:
    ask(plant, shop)
    killed(plant, "before_call:1")
    assert peer.counters.renewals == 0
    go_on(plant)
    assert (peer.counters.renewals, peer.counters.graces) == (1, 0)
    assert row_of(plant.hub, shop).state == "healthy"


@pytest.mark.parametrize("fault", ["after_call:1", "before_commit:1"])
def test_a_code_is_never_shown_twice(plant: Any, shop: str, peer: ConsentPeer, fault: str) -> None:
    before = tokens_of(plant.hub, shop)
    shown = peer.counters.exchanges
    made = come_back(plant.hub, peer, shop)
    killed(plant, fault)
    go_on(plant)
    assert peer.counters.exchanges == shown + 1
    told = consent_of(plant.hub, made.id)
    assert (told.state, told.reason) == ("failed", consents.NO_ANSWER)
    assert told.sealed == ""
    assert tokens_of(plant.hub, shop) == before


def test_an_exchange_that_hangs_is_ended_told_and_keeps_nobody_else_waiting(
    plant: Any, shop: str, peer: ConsentPeer
) -> None:
    add_shop(plant.hub)
    age(plant.hub, shop, renewed_at=timedelta(0), renew_at=None, expires_at=None)
    peer.gate.clear()
    made = come_back(plant.hub, peer, shop)
    plant.start("dispatcher", program=PROGRAM)
    plant.start("worker", "outward", program=PROGRAM, HUB_OUTWARD_SECONDS="2")
    plant.wait(lambda: consent_of(plant.hub, made.id).state in ("exchanging", "failed"))
    with plant.hub.store.write(System()) as session:
        enqueue(session, "use", f"{shop}:1", queue="outward")
    plant.wait(lambda: consent_of(plant.hub, made.id).state == "failed")
    told = consent_of(plant.hub, made.id)
    assert (told.reason, told.sealed) == (consents.NO_ANSWER, "")
    plant.wait(lambda: states(plant, "use") == ["done"])
    with plant.hub.store.read(System()) as session:
        assert session.get_one(ConnectionRow, shop).state == "healthy"
