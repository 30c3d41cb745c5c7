"""Who is sent what: by type and owner, from the day it is added, without a gap."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from hub.events import append
from hub.fleet.roster import add_merchant
from hub.outgoing import endpoints, fanout
from hub.queue import entry
from hub.store import EventRow, Operator, OutgoingTryRow, System
from tests.outgoing.conftest import Post, Receiver, Wall, arrival, update_of

OWNER = Operator("owner")


@pytest.fixture
def other(post: Post) -> str:
    with post.hub.store.write(System("")) as session:
        return add_merchant(session, "Bergblick").id


def subjects(post: Post, endpoint: str) -> list[str]:
    return [row.subject for row in post.rows(endpoint=endpoint)]


def test_a_merchants_endpoint_is_sent_its_own_events_without_what_is_the_operators(
    post: Post, receiver: Receiver, other: str
) -> None:
    own = post.add(receiver.url, merchant=post.world.merchant)
    post.happen("stp_1")
    post.happen("stp_2", merchant=other)
    post.happen("stp_3")
    assert subjects(post, own) == ["stp_1", "stp_3"]
    post.send()
    said = receiver.messages()
    assert sorted(one["data"]["seq"] for one in said) == [1, 2]
    assert all("route" not in one["data"]["data"] for one in said)
    assert all("driver" not in one["data"]["data"] for one in said)


def test_the_operators_endpoint_is_sent_everybodys(
    post: Post, receiver: Receiver, other: str
) -> None:
    id = post.add(receiver.url)
    post.happen("stp_1")
    post.happen("stp_2", merchant=other)
    assert subjects(post, id) == ["stp_1", "stp_2"]


def test_only_the_chosen_types_are_sent_and_the_others_are_passed_by(
    post: Post, receiver: Receiver
) -> None:
    id = post.add(receiver.url, types=["order.updated"])
    post.happen("stp_1")
    with post.hub.store.write() as session:
        append(session, update_of("ord_1", post.world.merchant))
    post.give()
    assert subjects(post, id) == ["ord_1"]
    assert post.endpoint(id).seq == 2


def test_what_happened_before_an_endpoint_was_added_is_not_sent(
    post: Post, receiver: Receiver
) -> None:
    post.happen("stp_1")
    id = post.add(receiver.url)
    post.happen("stp_2")
    assert subjects(post, id) == ["stp_2"]


def test_one_that_is_switched_off_goes_on_where_it_stopped(post: Post, receiver: Receiver) -> None:
    id = post.add(receiver.url)
    busy = post.add(receiver.url)
    post.happen("stp_1")
    switch(post, id, False)
    post.happen("stp_2")
    assert (subjects(post, id), subjects(post, busy)) == (["stp_1"], ["stp_1", "stp_2"])
    switch(post, id, True)
    post.give()
    assert subjects(post, id) == ["stp_1", "stp_2"]


def switch(post: Post, id: str, enabled: bool) -> None:
    with post.hub.store.write(OWNER) as session:
        endpoints.switch(session, id, enabled)


def test_what_waits_can_be_laid_by_so_that_it_begins_anew(post: Post, receiver: Receiver) -> None:
    id = post.add(receiver.url)
    post.happen("stp_1")
    switch(post, id, False)
    post.happen("stp_2")
    with post.hub.store.write(OWNER) as session:
        assert endpoints.drop(session, id) == 1
    switch(post, id, True)
    post.happen("stp_3")
    post.send()
    assert [said["data"]["subject"] for said in receiver.messages()] == ["stp_3"]


def test_one_that_is_far_behind_holds_nobody_up(post: Post, receiver: Receiver) -> None:
    slow = post.add(receiver.url)
    switch(post, slow, False)
    with post.hub.store.write() as session:
        for number in range(fanout.BATCH * 4):
            append(session, arrival(f"stp_{number}", post.world.merchant))
    post.give()
    busy = post.add(receiver.url)
    switch(post, slow, True)
    with post.hub.store.write() as session:
        append(session, arrival("stp_new", post.world.merchant))
    post.give_some(1)
    assert subjects(post, busy) == ["stp_new"]
    assert len(subjects(post, slow)) == fanout.BATCH
    entry.run(post.hub, "fast", "test")
    assert len(subjects(post, slow)) == fanout.BATCH * 4 + 1


def test_nothing_is_written_while_nothing_happens(
    post: Post, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.add(receiver.url)
    post.happen()
    post.send()

    def refuse(*_: object) -> None:
        raise AssertionError("an idle round wrote")

    monkeypatch.setattr(post.hub.store, "write", refuse)
    for _ in range(3):
        fanout.go_round(post.hub)


def test_an_event_is_given_out_once_however_often_the_work_is_done(
    post: Post, receiver: Receiver
) -> None:
    post.add(receiver.url)
    post.happen("stp_1")
    with post.hub.store.read() as session:
        rows = [post.endpoint(row.endpoint) for row in post.rows()]
        again = fanout.Share(rows[0].id, 0, 1, list(session.exec(select(EventRow))))
    with post.hub.store.write() as session:
        fanout.give(session, again)
    assert len(post.rows()) == 1


def test_what_ended_a_month_ago_is_forgotten_and_what_waits_is_not(
    post: Post, receiver: Receiver, wall: Wall
) -> None:
    id = post.add(receiver.url)
    post.happen("stp_1")
    post.send()
    switch(post, id, False)
    post.happen("stp_2")
    wall.at += timedelta(days=31)
    switch(post, id, True)
    post.give()
    assert subjects(post, id) == ["stp_2"]
    with post.hub.store.read() as session:
        assert session.exec(select(OutgoingTryRow)).all() == []
