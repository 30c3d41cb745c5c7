"""What a consent gave is renewed in time, once, and stored whole; calls wait for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import update

from hub.connections import grants
from hub.connections.book import Renewing
from hub.errors import Retry, Unauthorized, Unknown
from hub.nouns import Grant
from hub.store import System, WorkRow
from hub.testing.peers.consent import ConsentPeer
from hub.workflow import checks, renewals
from tests.consenting import (
    Shop,
    add_shop,
    age,
    come_back,
    connect,
    open_shop,
    row_of,
    tokens_of,
    work_rows,
)

from .conftest import Toys
from .test_effects import SEND

ENDED = timedelta(seconds=-1)


@pytest.fixture
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ConsentPeer]:
    made = ConsentPeer(tmp_path / "peer")
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


@pytest.fixture
def shop(toys: Toys, peer: ConsentPeer) -> str:
    """Return the id of a connected shop, through which `toy.send` sends."""
    add_shop(toys.hub)
    Shop.sent = []
    sender = toys.hub.actions["toy.send"]
    object.__setattr__(sender, "items", lambda hub, session, given: [id])
    id = open_shop(toys.hub, peer)
    connect(toys.hub, peer, id)
    return id


def due(toys: Toys, shop: str, **values: object) -> None:
    """Let the time of the next renewal come."""
    long_ago = timedelta(minutes=-28)
    age(toys.hub, shop, renewed_at=long_ago, renew_at=timedelta(0), **values)


def close(toys: Toys, shop: str) -> None:
    """Let the access be close to its end, and its renewal be due."""
    due(toys, shop, expires_at=timedelta(seconds=30))


def failing(monkeypatch: pytest.MonkeyPatch, *errors: Exception) -> list[Exception]:
    """Let the next renewals raise."""
    left, genuine = list(errors), Shop.refresh

    def refresh(self: Shop) -> Grant:
        if left:
            raise left.pop(0)
        return genuine(self)

    monkeypatch.setattr(Shop, "refresh", refresh)
    return left


def sending(toys: Toys) -> None:
    toys.save(SEND)
    toys.driver_comes_near()


def test_access_is_renewed_some_minutes_before_it_ends(
    toys: Toys, shop: str, peer: ConsentPeer
) -> None:
    row = row_of(toys.hub, shop)
    assert row.expires_at - row.renew_at == grants.EARLY
    toys.tick()
    assert peer.counters.renewals == 0
    before = tokens_of(toys.hub, shop)
    due(toys, shop, expires_at=timedelta(minutes=4))
    toys.tick()
    after = row_of(toys.hub, shop)
    assert peer.counters.renewals == 1
    assert set(before).isdisjoint(tokens_of(toys.hub, shop))
    assert after.expires_at - toys.hub.store.clock.wall() > timedelta(minutes=29)
    assert after.renew_at == after.expires_at - grants.EARLY
    toys.tick()
    assert peer.counters.renewals == 1


def test_short_access_is_renewed_in_its_last_quarter_and_used_to_its_last_eighth(
    toys: Toys, shop: str, peer: ConsentPeer
) -> None:
    peer.lifetime = 800
    close(toys, shop)
    toys.tick()
    row = row_of(toys.hub, shop)
    assert timedelta(seconds=180) < row.expires_at - row.renew_at <= timedelta(seconds=200)
    assert not grants.waits(row, row.expires_at - timedelta(seconds=110))
    assert grants.waits(row, row.expires_at - timedelta(seconds=90))


def test_a_call_that_finds_the_access_ending_waits_without_using_up_a_try(
    toys: Toys, shop: str, peer: ConsentPeer
) -> None:
    close(toys, shop)
    sending(toys)
    toys.work()
    (effect,) = toys.effects()
    assert (effect.state, effect.tries) == ("parked", 0)
    assert Shop.sent == []
    toys.tick()
    assert peer.counters.renewals == 1
    assert len(Shop.sent) == 1
    assert toys.outcomes() == ["ok"]
    assert toys.run().state == "succeeded"


def test_a_call_that_is_refused_renews_once_and_goes_through(
    toys: Toys, shop: str, peer: ConsentPeer
) -> None:
    peer.end_access()
    sending(toys)
    toys.work()
    assert toys.effects()[0].state == "parked"
    toys.tick()
    assert peer.counters.renewals == 1
    assert toys.outcomes() == ["unauthorized", "ok"]
    row = row_of(toys.hub, shop)
    assert (row.state, row.doubted_at) == ("healthy", None)
    assert toys.events("connection.expired") == []


def test_what_is_refused_after_the_renewal_too_pauses_the_connection(
    toys: Toys, shop: str, peer: ConsentPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Shop, token: str = "") -> str:
        raise Unauthorized("this account may not")

    monkeypatch.setattr(Shop, "account", refuse)
    sending(toys)
    toys.work()
    toys.tick()
    assert peer.counters.renewals == 1
    assert toys.outcomes() == ["unauthorized", "unauthorized"]
    row = row_of(toys.hub, shop)
    assert (row.state, row.reason) == ("action_needed", "this account may not")
    assert len(toys.events("connection.expired")) == 1
    assert toys.effects()[0].state == "parked"


def test_many_calls_that_are_refused_at_once_renew_once(
    toys: Toys, shop: str, peer: ConsentPeer
) -> None:
    peer.end_access()
    toys.save(SEND)
    for _ in range(4):
        toys.driver_comes_near()
    toys.work()
    assert toys.outcomes() == ["unauthorized"], "the others wait without being refused as well"
    toys.tick()
    assert peer.counters.renewals == 1
    assert len(Shop.sent) == 4


def test_a_check_that_is_refused_renews_first(toys: Toys, shop: str, peer: ConsentPeer) -> None:
    peer.end_access()
    with toys.hub.store.write(System()) as session:
        checks.request(session, shop)
    toys.work()
    toys.tick()
    assert peer.counters.renewals == 1
    assert row_of(toys.hub, shop).checked_at is None
    toys.wait()
    row = row_of(toys.hub, shop)
    assert (row.state, row.doubted_at) == ("healthy", None)
    assert row.checked_at is not None


def test_a_consent_that_is_gone_pauses_the_connection_and_tells(
    toys: Toys, shop: str, peer: ConsentPeer
) -> None:
    peer.revoke()
    close(toys, shop)
    sending(toys)
    toys.tick()
    row = row_of(toys.hub, shop)
    assert row.state == "action_needed"
    assert "takes this consent as ended" in row.reason
    assert len(toys.events("connection.expired")) == 1
    assert [one.state for one in toys.effects()] == ["parked"]
    toys.tick()
    assert peer.counters.renewals == 1, "nobody asks again for what a person has to mend"


def test_after_reconnecting_the_parked_work_goes_on(
    toys: Toys, shop: str, peer: ConsentPeer
) -> None:
    peer.revoke()
    close(toys, shop)
    sending(toys)
    toys.tick()
    come_back(toys.hub, peer, shop)
    toys.work()
    assert row_of(toys.hub, shop).state == "healthy"
    assert len(Shop.sent) == 1
    assert toys.run().state == "succeeded"


def test_a_renewal_that_is_turned_away_is_tried_again_before_the_end(
    toys: Toys, shop: str, peer: ConsentPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, Retry("busy", after=40), Retry("busy"))
    due(toys, shop, expires_at=timedelta(minutes=4))
    began = toys.hub.store.clock.wall()
    toys.tick()
    (work,) = work_rows(toys.hub, renewals.KIND)
    assert work.not_before - began >= timedelta(seconds=40)
    assert row_of(toys.hub, shop).state == "healthy", "the access is still good"
    toys.wait()
    toys.wait()
    assert peer.counters.renewals == 1
    assert row_of(toys.hub, shop).renewing_at is None


def test_once_the_access_has_ended_a_failing_renewal_is_told_and_mended_by_itself(
    toys: Toys, shop: str, peer: ConsentPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, Retry("the service is down"))
    due(toys, shop, expires_at=ENDED)
    toys.tick()
    row = row_of(toys.hub, shop)
    assert row.state == "degraded"
    assert row.reason == "Its access could not be renewed: the service is down"
    toys.wait()
    assert row_of(toys.hub, shop).state == "healthy"


def test_an_answer_that_was_lost_is_asked_for_again_within_the_grace(
    toys: Toys, shop: str, peer: ConsentPeer
) -> None:
    peer.deaf = 1
    close(toys, shop)
    toys.tick()
    assert row_of(toys.hub, shop).renewing_at is not None
    toys.wait()
    assert (peer.counters.renewals, peer.counters.graces) == (2, 1)
    assert tokens_of(toys.hub, shop)[0] in peer.access
    assert row_of(toys.hub, shop).renewing_at is None


def test_an_answer_that_was_lost_for_good_is_told_as_that(
    toys: Toys, shop: str, peer: ConsentPeer
) -> None:
    peer.deaf, peer.grace = 1, -1
    close(toys, shop)
    toys.tick()
    toys.wait()
    row = row_of(toys.hub, shop)
    assert row.state == "action_needed"
    assert "the answer to the renewal before was lost" in row.reason
    assert "Reconnect it" in row.reason


def test_a_renewal_that_something_newer_overtook_is_thrown_away(
    toys: Toys, shop: str, peer: ConsentPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = Grant(settings={"access_token": "new", "refresh_token": "newer"}, account="Same")

    def refresh(self: Shop) -> Grant:
        with toys.hub.store.write(System()) as session:
            toys.hub.connections.grant(session, shop, newer)
        return Grant(settings={"access_token": "old", "refresh_token": "older"})

    monkeypatch.setattr(Shop, "refresh", refresh)
    close(toys, shop)
    toys.tick()
    assert tokens_of(toys.hub, shop) == ("new", "newer")


def test_a_refusal_of_old_tokens_does_not_pause_what_was_connected_anew(
    toys: Toys, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refresh(self: Shop) -> Grant:
        with toys.hub.store.write(System()) as session:
            new = Grant(settings={"access_token": "new", "refresh_token": "newer"})
            toys.hub.connections.grant(session, shop, new)
        raise Unauthorized("gone")

    monkeypatch.setattr(Shop, "refresh", refresh)
    close(toys, shop)
    toys.tick()
    assert row_of(toys.hub, shop).state == "healthy"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Grant(settings={"acces_token": "a"}), "which are no settings"),
        (Grant(settings={"access_token": 5}), "access_token"),
        ("a token", "which is no Grant"),
    ],
)
def test_a_grant_that_does_not_fit_changes_nothing(
    toys: Toys, shop: str, monkeypatch: pytest.MonkeyPatch, answer: object, said: str
) -> None:
    before = tokens_of(toys.hub, shop)
    monkeypatch.setattr(Shop, "refresh", lambda self: answer)
    due(toys, shop, expires_at=ENDED)
    toys.tick()
    assert tokens_of(toys.hub, shop) == before
    assert said in row_of(toys.hub, shop).reason


@pytest.mark.spills("errors that tell tokens, which have to be covered")
def test_errors_of_a_renewal_hold_no_token(
    toys: Toys, shop: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    access, renews = tokens_of(toys.hub, shop)
    failing(monkeypatch, ValueError(f"{access} {renews}"), Unknown(f"{access} {renews}"))
    due(toys, shop, expires_at=ENDED)
    toys.tick()
    said = row_of(toys.hub, shop).reason + work_rows(toys.hub, renewals.KIND)[0].error
    toys.wait()
    said += row_of(toys.hub, shop).reason + caplog.text
    assert "could not be renewed: ValueError" in said
    assert access not in said
    assert renews not in said


def test_a_renewal_that_never_answers_is_left_alone_for_a_while(
    toys: Toys, shop: str, peer: ConsentPeer
) -> None:
    due(toys, shop, expires_at=ENDED)
    with toys.hub.store.write(System()) as session:
        renewals.request(session, shop)
    with toys.hub.store.write(System()) as session:
        past = session.wall - timedelta(seconds=1)
        gone = {"state": "leased", "lease_until": past, "worker": "w", "losses": 1}
        session.exec(update(WorkRow).where(WorkRow.kind == renewals.KIND).values(**gone))
    toys.work()
    row = row_of(toys.hub, shop)
    assert "until its worker was ended" in row.reason
    assert peer.counters.renewals == 0
    (work,) = work_rows(toys.hub, renewals.KIND)
    assert work.not_before - toys.hub.store.clock.wall() > timedelta(minutes=9)


def test_nothing_is_renewed_while_a_connection_is_off(
    toys: Toys, shop: str, peer: ConsentPeer
) -> None:
    close(toys, shop)
    with toys.hub.store.write(System()) as session:
        toys.hub.connections.set_enabled(session, shop, False)
    toys.tick()
    assert peer.counters.renewals == 0
    with toys.hub.store.write(System()) as session:
        toys.hub.connections.set_enabled(session, shop, True)
    toys.tick()
    assert peer.counters.renewals == 1


def test_who_uses_a_connection_is_told_that_it_is_being_renewed(toys: Toys, shop: str) -> None:
    close(toys, shop)
    with toys.hub.store.read() as session, pytest.raises(Renewing, match="is being renewed"):
        toys.hub.connections.usable(session, shop)
