"""Endpoints: their secrets, their tests, what is refused, and what is left of a removed one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from hub.errors import Missing, Refused
from hub.outgoing import endpoints
from hub.store import Merchant, Operator, WorkRow
from tests.outgoing.conftest import Post, Receiver, Wall, verified


def test_both_secrets_verify_for_a_day_after_a_rotation_and_then_the_new_one_alone(
    post: Post, receiver: Receiver, wall: Wall
) -> None:
    id = post.add(receiver.url)
    old = post.secrets[id]
    with post.hub.store.write(owner()) as session:
        new = endpoints.rotate(session, post.hub.keys, id)
    wall.passes(hours=23)
    post.happen()
    post.send()
    during = receiver.requests[-1]
    assert [verified(secret, *during) for secret in (old, new)] == [True, True]
    wall.passes(hours=2)
    post.happen()
    post.send()
    after = receiver.requests[-1]
    assert [verified(secret, *after) for secret in (old, new)] == [False, True]


def owner() -> Any:

    return Operator("owner")


def test_secrets_are_stored_sealed(post: Post, receiver: Receiver) -> None:
    id = post.add(receiver.url)
    row = post.endpoint(id)
    assert post.secrets[id] not in row.model_dump_json()
    assert post.hub.keys.unseal(row.secret) == post.secrets[id]


def test_a_test_is_sent_at_once_also_to_one_that_rests_or_is_off(
    post: Post, receiver: Receiver, wall: Wall
) -> None:
    id = post.add(receiver.url)
    receiver.down = True
    post.happen()
    post.run_dry(wall, wall.at + timedelta(minutes=6))
    seen = len(receiver.requests)
    with post.hub.store.write(owner()) as session:
        endpoints.switch(session, id, False)
        made = endpoints.test(session, id).id
    receiver.down = False
    post.send()
    (last,) = receiver.messages()[seen:]
    assert (last["type"], last["data"]["id"]) == ("webhook.test", made)
    assert [row.state for row in post.rows(type="webhook.test")] == ["delivered"]
    assert [row.state for row in post.rows(type="stop.arrived")] == ["pending"]


def test_a_test_that_fails_is_not_repeated(post: Post, receiver: Receiver, wall: Wall) -> None:
    id = post.add(receiver.url)
    receiver.down = True
    with post.hub.store.write(owner()) as session:
        endpoints.test(session, id)
    post.run_dry(wall, wall.at + timedelta(days=1))
    assert (len(receiver.requests), post.states()) == (1, ["failed"])


def test_a_removed_endpoint_is_forgotten_with_its_log(post: Post, receiver: Receiver) -> None:
    id = post.add(receiver.url)
    post.happen("stp_1", times=3)
    post.send()
    with post.hub.store.write(owner()) as session:
        endpoints.remove(session, id)
    post.give()
    assert post.rows() == []
    with post.hub.store.read() as session:
        assert session.exec(select(WorkRow).where(WorkRow.state != "done")).all() == []


@pytest.mark.parametrize(("url", "why"), [
    ("ftp://example.com", "full address"), ("https://me:pw@example.com", "user and password"),
    ("http://example.com/hooks", "use https"), ("https://10.0.0.8/hooks", "private address"),
    ("https://[::ffff:169.254.169.254]/", "private address"), ("https://localhost/", "private"),
    ("https://example.com/a b", "full address"), ("https://example.com:99999/", "out of range"),
])  # fmt: skip
def test_an_address_that_must_not_be_called_is_refused_when_it_is_entered(
    post: Post, url: str, why: str
) -> None:
    with pytest.raises(Refused, match=why) as refused:
        post.add(url)
    assert refused.value.field == "url"


def test_an_event_that_there_is_not_is_refused(post: Post, receiver: Receiver) -> None:
    with pytest.raises(Refused, match=r"no event stop\.exploded"):
        post.add(receiver.url, types=["stop.exploded"])


def test_a_merchant_reaches_its_own_endpoints_only(post: Post, receiver: Receiver) -> None:
    own = post.add(receiver.url, merchant=post.world.merchant)
    operators = post.add(receiver.url)
    mine = Merchant(post.world.merchant)
    with post.hub.store.write(mine) as session:
        assert [row.id for row in endpoints.listed(session)] == [own]
        assert endpoints.change(session, own, description=" My  shop ").description == "My shop"
        with pytest.raises(Missing):
            endpoints.switch(session, operators, False)


def test_an_owner_has_so_many_endpoints_and_no_more(
    post: Post, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "MOST", 1)
    post.add(receiver.url)
    with pytest.raises(Refused, match="1 endpoints already"):
        post.add(receiver.url)
    post.add(receiver.url, merchant=post.world.merchant)
