"""Send again: one, all that failed, a range; under the same id, nobody else's."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from hub.errors import Missing, Refused
from hub.fleet.roster import add_merchant
from hub.outgoing import replay
from hub.store import Merchant, Operator, System
from hub.testing.fixtures import MORNING, set_time
from tests.outgoing.conftest import OK, Post, Receiver, Wall

OWNER = Operator("owner")


def test_a_message_sent_again_keeps_its_id(post: Post, receiver: Receiver) -> None:
    post.add(receiver.url)
    post.happen()
    post.send()
    with post.hub.store.write(OWNER) as session:
        replay.one(session, post.row().id)
    post.send()
    first, second = [headers["webhook-id"] for headers, _ in receiver.requests]
    assert first == second
    assert (post.row().state, post.row().tries) == ("delivered", 1)


def test_all_that_failed_is_sent_again_in_order(post: Post, receiver: Receiver, wall: Wall) -> None:
    id = post.add(receiver.url)
    bad = {1, 3}
    receiver.answer = lambda said: (400, {}, b"") if said["data"]["seq"] in bad else OK
    post.happen("stp_1", times=4)
    post.run_dry(wall, wall.at + timedelta(hours=200))
    assert post.states() == ["failed", "delivered", "failed", "delivered"]
    receiver.requests.clear()
    receiver.answer = lambda _: OK
    assert replay.failed(post.hub, OWNER, id) == 2
    post.send()
    assert [said["data"]["seq"] for said in receiver.messages()] == [1, 3]


def test_a_range_is_counted_and_sent_with_what_was_never_given_out(
    post: Post, receiver: Receiver
) -> None:
    for number in range(3):
        post.happen(f"early_{number}")
    id = post.add(receiver.url, types=["stop.arrived"])
    for number in range(3):
        post.happen(f"late_{number}")
    post.send()
    receiver.requests.clear()
    with post.hub.store.read(OWNER) as session:
        assert replay.count(session, post.endpoint(id), 1, 5) == 4
    assert replay.events(post.hub, OWNER, id, 1, 5) == 4
    post.send()
    assert sorted(said["data"]["seq"] for said in receiver.messages()) == [2, 3, 4, 5]
    assert sorted(headers["webhook-id"] for headers, _ in receiver.requests) == post.made[1:5]


def test_a_span_of_time_is_a_range_of_numbers(post: Post, receiver: Receiver) -> None:
    id = post.add(receiver.url)
    for hour in range(4):
        set_time(post.hub, MORNING + timedelta(hours=hour))
        post.happen(f"stp_{hour}")

    def between(since: datetime, until: datetime) -> tuple[int, int]:
        with post.hub.store.read(OWNER) as session:
            return replay.span(session, post.endpoint(id), since, until)

    hour = timedelta(hours=1)
    assert between(MORNING + hour, MORNING + 2 * hour) == (1, 3)
    assert between(MORNING - 2 * hour, MORNING - hour) == (0, 0)


def test_too_wide_a_range_is_refused_before_anything_is_done(
    post: Post, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "MOST", 2)
    id = post.add(receiver.url)
    post.happen("stp_1", times=3)
    post.send()
    with pytest.raises(Refused, match="3 events"):
        replay.events(post.hub, OWNER, id, 0, 3)
    assert set(post.states()) == {"delivered"}


def test_nobody_replays_what_is_another_merchants(post: Post, receiver: Receiver) -> None:
    with post.hub.store.write(System("")) as session:
        other = Merchant(add_merchant(session, "Bergblick").id)
    id = post.add(receiver.url, merchant=post.world.merchant)
    post.happen()
    with pytest.raises(Missing):
        replay.events(post.hub, other, id, 0, 1)
    with pytest.raises(Missing), post.hub.store.write(other) as session:
        replay.one(session, post.row().id)


def test_a_test_is_not_sent_again(post: Post, receiver: Receiver) -> None:
    from hub.outgoing import endpoints

    id = post.add(receiver.url)
    with post.hub.store.write(OWNER) as session:
        made = endpoints.test(session, id).id
    with pytest.raises(Refused, match="send another"), post.hub.store.write(OWNER) as session:
        replay.one(session, made)
