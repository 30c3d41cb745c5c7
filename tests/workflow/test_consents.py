"""What a worker makes of a consent: the address of its page, and tokens of its code."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import update

from hub.connections import consent
from hub.errors import Rejected, Retry, Unknown
from hub.nouns import Callback, Connect, Grant
from hub.redaction import HIDDEN
from hub.store import ConsentRow, System, WorkRow
from hub.testing.peers.consent import ConsentPeer
from hub.workflow import consents
from tests.consenting import (
    Shop,
    add_shop,
    come_back,
    consent_of,
    open_shop,
    row_of,
    tokens_of,
    work_rows,
)

from .conftest import Toys


@pytest.fixture
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ConsentPeer]:
    made = ConsentPeer(tmp_path / "peer")
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


@pytest.fixture
def shop(toys: Toys, peer: ConsentPeer) -> str:
    add_shop(toys.hub)
    return open_shop(toys.hub, peer)


def failing(monkeypatch: pytest.MonkeyPatch, *errors: Exception) -> list[Callback]:
    """Let the next exchanges raise; return what they are given."""
    left, seen, genuine = list(errors), [], Shop.exchange

    def exchange(self: Shop, callback: Callback) -> Grant:
        seen.append(callback)
        if left:
            raise left.pop(0)
        return genuine(self, callback)

    monkeypatch.setattr(Shop, "exchange", exchange)
    return seen


def test_a_code_that_was_turned_away_is_shown_again(
    toys: Toys, shop: str, peer: ConsentPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = failing(monkeypatch, Retry("busy", after=20))
    made = come_back(toys.hub, peer, shop)
    began = toys.hub.store.clock.wall()
    toys.work()
    assert consent_of(toys.hub, made.id).state == "returned"
    (work,) = work_rows(toys.hub, consents.KIND)
    assert work.not_before - began >= timedelta(seconds=20)
    toys.wait()
    assert consent_of(toys.hub, made.id).state == "done"
    assert len(seen) == 2
    assert tokens_of(toys.hub, shop)[0] in peer.access


def test_a_code_that_is_turned_away_for_too_long_is_given_up(
    toys: Toys, shop: str, peer: ConsentPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, Retry("busy", after=700))
    made = come_back(toys.hub, peer, shop)
    toys.work()
    told = consent_of(toys.hub, made.id)
    assert (told.state, told.reason, told.sealed) == ("failed", "busy", "")


@pytest.mark.parametrize("kind", [Unknown, Rejected, ValueError])
def test_any_other_failure_ends_the_consent_in_words_that_hold_no_code(
    toys: Toys, shop: str, peer: ConsentPeer, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    made = come_back(toys.hub, peer, shop)
    carried = consent.opened(toys.hub.keys, consent_of(toys.hub, made.id))
    secrets = [carried["state"], carried["verifier"], carried["query"]["code"]]
    seen = failing(monkeypatch, kind("it said " + " ".join(secrets)))
    toys.work()
    told = consent_of(toys.hub, made.id)
    assert (told.state, told.sealed) == ("failed", "")
    assert f"it said {HIDDEN}" in told.reason
    assert [secret for secret in secrets if secret in told.reason] == []
    toys.wait()
    assert len(seen) == 1
    assert row_of(toys.hub, shop).renewed_at is None


def test_a_consent_is_told_as_a_change_of_the_connection(
    toys: Toys, shop: str, peer: ConsentPeer
) -> None:
    come_back(toys.hub, peer, shop)
    toys.work()
    toys.number()
    (event,) = toys.events("connection.changed")
    assert event.subject == shop


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://shop.example/?state={state}", "use https"),
        ("https://u:p@shop.example/?state={state}", "leave user and password out"),
        ("https://shop.example/", "does not hand the state on"),
        ("javascript:alert(1)", "no sound address"),
        (None, "returned no address"),
    ],
)
def test_an_address_to_be_feared_is_not_followed(
    toys: Toys, shop: str, monkeypatch: pytest.MonkeyPatch, address: str | None, said: str
) -> None:
    def authorize(self: Shop, connect: Connect) -> str | None:
        return address and address.replace("{state}", connect.state)

    monkeypatch.setattr(Shop, "authorize", authorize)
    made = begin(toys, shop)
    toys.work()
    told = consent_of(toys.hub, made.id)
    assert told.state == "failed"
    assert said in told.reason


def test_an_address_that_cost_a_worker_its_life_is_not_asked_for_again(
    toys: Toys, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = begin(toys, shop)
    asked: list[Connect] = []
    monkeypatch.setattr(Shop, "authorize", lambda self, connect: asked.append(connect))
    with toys.hub.store.write(System()) as session:
        past = session.wall - timedelta(seconds=1)
        gone = {"state": "leased", "lease_until": past, "worker": "w"}
        session.exec(update(WorkRow).where(WorkRow.kind == consents.KIND).values(**gone))
    toys.work()
    assert consent_of(toys.hub, made.id).reason == consents.NO_ANSWER
    assert asked == []


def begin(toys: Toys, shop: str) -> ConsentRow:
    with toys.hub.store.write(System()) as session:
        row = session.merge(row_of(toys.hub, shop), load=True)
        return consents.begin(toys.hub, session, row, user="usr", browser="browser")
