"""Outgoing webhooks: signed, in order per subject, tried again, never hammered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlmodel import select

from hub.outgoing import endpoints, schedule
from hub.queue.work import claim
from hub.store import EventRow, FlagRow, Session
from hub.testing.patience import PATIENCE
from tests.outgoing.conftest import OK, Answer, Post, Receiver, Wall, verified


def test_the_standard_librarys_own_verifier_takes_what_is_sent(
    post: Post, receiver: Receiver
) -> None:
    id = post.add(receiver.url)
    post.happen("stp_1")
    post.send()
    ((headers, body),) = receiver.requests
    assert verified(post.secrets[id], headers, body)
    assert not verified(post.secrets[id], headers, body.replace(b"stp_1", b"stp_2"))
    assert headers["webhook-id"] == post.made[0]
    assert post.row().state == "delivered"


def test_a_message_holds_the_event_as_the_feed_shows_it(post: Post, receiver: Receiver) -> None:
    post.add(receiver.url)
    post.happen("stp_1")
    post.send()
    (said,) = receiver.messages()
    assert said["type"] == said["data"]["type"] == "stop.arrived"
    assert said["timestamp"] == said["data"]["occurred_at"]
    assert (said["data"]["seq"], said["data"]["subject"]) == (1, "stp_1")
    assert said["data"]["data"]["route"]["stops"] == 9


def test_a_receiver_down_for_nine_hours_gets_everything_once_in_order_per_subject(
    post: Post, receiver: Receiver, wall: Wall
) -> None:
    id = post.add(receiver.url)
    taken: list[dict[str, Any]] = []

    def keep(said: dict[str, Any]) -> Answer:
        headers, body = receiver.requests[-1]
        assert verified(post.secrets[id], headers, body)
        taken.append(said)
        return OK

    receiver.answer, receiver.down = keep, True
    began = wall.at
    for half_hour in range(18):
        post.happen(f"stp_{half_hour % 5}")
        post.happen(f"stp_{half_hour % 3}")
        post.run_dry(wall, began + timedelta(minutes=30) * (half_hour + 1))
    assert taken == []
    assert post.endpoint(id).state == "failing"
    receiver.down = False
    post.run_dry(wall, began + timedelta(hours=75))
    ids = [said["data"]["id"] for said in taken]
    assert sorted(ids) == sorted(post.made)
    assert len(set(ids)) == len(ids) == 36
    for subject in {said["data"]["subject"] for said in taken}:
        numbers = [s["data"]["seq"] for s in taken if s["data"]["subject"] == subject]
        assert numbers == sorted(numbers)
    assert set(post.states()) == {"delivered"}
    assert (post.endpoint(id).state, post.endpoint(id).failing_since) == ("healthy", None)


def test_an_outage_costs_few_calls_and_its_end_sends_everything_quickly(
    post: Post, receiver: Receiver, wall: Wall
) -> None:
    post.add(receiver.url)
    receiver.down = True
    for number in range(300):
        with post.hub.store.write() as session:
            append_arrival(session, post, f"stp_{number}")
    post.give()
    began = wall.at
    post.run_dry(wall, began + timedelta(hours=3))
    # Three rounds of eight at once, then one call a time with a rest of up to a quarter of an hour.
    assert len(receiver.requests) < 24 + 20
    receiver.down, seen = False, len(receiver.requests)
    post.run_dry(wall, began + timedelta(hours=3, minutes=16))
    assert set(post.states()) == {"delivered"}
    assert len(receiver.requests) - seen == 300


def append_arrival(session: Session, post: Post, subject: str) -> None:
    from hub.events import append
    from tests.outgoing.conftest import arrival

    append(session, arrival(subject, post.world.merchant))


def test_a_later_event_of_a_subject_waits_and_other_subjects_go_on(
    post: Post, receiver: Receiver, wall: Wall
) -> None:
    post.add(receiver.url)
    receiver.answer = lambda said: (500, {}, b"") if said["data"]["seq"] == 1 else OK
    post.happen("stp_1", times=2)
    post.happen("stp_2")
    post.send()
    assert [row.state for row in post.rows()] == ["pending", "pending", "delivered"]
    receiver.answer = lambda said: OK
    post.run_dry(wall, wall.at + timedelta(minutes=1))
    assert [said["data"]["seq"] for said in receiver.messages()][-2:] == [1, 2]


def test_the_id_stays_the_same_at_every_try_and_the_time_moves_on(
    post: Post, receiver: Receiver, wall: Wall
) -> None:
    post.add(receiver.url)
    receiver.down = True
    post.happen()
    post.run_dry(wall, wall.at + timedelta(minutes=10))
    first, *others = [headers for headers, _ in receiver.requests]
    assert len(others) == 2
    assert {headers["webhook-id"] for headers in others} == {first["webhook-id"]}
    times = [int(headers["webhook-timestamp"]) for headers, _ in receiver.requests]
    assert times == sorted(set(times))


def test_ten_tries_are_made_within_about_75_hours_and_then_it_is_given_up(
    post: Post, receiver: Receiver, wall: Wall
) -> None:
    id = post.add(receiver.url)
    receiver.down = True
    post.happen("stp_1", times=2)
    began, ends = wall.at, []

    while (at := post.next_at()) is not None and post.rows()[0].state == "pending":
        wall.at = max(wall.at, at)
        post.send()
        ends.append(wall.at)
    tries = [row for row in post.tries() if row.outgoing == post.rows()[0].id]
    spans = [(later.at - one.at) for one, later in pairwise(tries)]
    assert len(tries) == 10
    for span, delay in zip(spans, schedule.DELAYS, strict=True):
        assert delay * 0.89 <= span <= delay * 1.1 + schedule.LONGEST_REST
    assert timedelta(hours=66) < ends[-1] - began < timedelta(hours=86)
    assert post.rows()[0].state == "failed"
    assert post.endpoint(id).state == "failing"


def test_the_one_after_a_message_that_was_given_up_has_its_turn(
    post: Post, receiver: Receiver, wall: Wall
) -> None:
    post.add(receiver.url)
    receiver.answer = lambda said: (500, {}, b"") if said["data"]["seq"] == 1 else OK
    post.happen("stp_1", times=2)
    post.run_dry(wall, wall.at + timedelta(hours=90))
    assert post.states() == ["failed", "delivered"]


@pytest.mark.parametrize("after", ["120", "date"])
def test_a_retry_after_is_honoured_by_all_that_waits(
    post: Post, receiver: Receiver, wall: Wall, after: str
) -> None:
    from email.utils import format_datetime

    post.add(receiver.url)
    until = wall.at + timedelta(seconds=120)
    said = format_datetime(until, usegmt=True) if after == "date" else after
    receiver.answer = lambda _: (429, {"Retry-After": said}, b"")
    post.happen("stp_1")
    post.send()
    post.happen("stp_2")
    wall.passes(seconds=100)
    post.send()
    assert len(receiver.requests) == 1
    receiver.answer = lambda _: OK
    wall.passes(seconds=25)
    post.send()
    assert set(post.states()) == {"delivered"}


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 500])
def test_anything_but_2xx_is_a_failure_and_no_redirect_is_followed(
    post: Post, receiver: Receiver, status: int
) -> None:
    post.add(receiver.url)
    receiver.answer = lambda _: (status, {"Location": receiver.url}, b"no")
    post.happen()
    post.send()
    assert len(receiver.requests) == 1
    assert (post.row().state, post.row().status) == ("pending", status)
    assert str(status) in post.row().error


def test_410_disables_at_once_tells_people_and_keeps_what_waits(
    post: Post, receiver: Receiver, wall: Wall
) -> None:
    id = post.add(receiver.url, types=["stop.arrived"])
    receiver.answer = lambda _: (410, {}, b"")
    post.happen("stp_1", times=2)
    post.send()
    row = post.endpoint(id)
    assert (row.state, len(receiver.requests)) == ("disabled", 1)
    assert "410" in row.reason
    with post.hub.store.read() as session:
        (flag,) = session.exec(select(FlagRow))
        (event,) = session.exec(select(EventRow).where(EventRow.type == "endpoint.disabled"))
    assert "Webhooks to Shop are switched off" in flag.text
    assert event.data["endpoint"]["host"] == receiver.place
    post.happen("stp_2")
    wall.passes(days=1)
    assert post.send() == 0
    receiver.answer = lambda _: OK
    switch_on(post, id)
    post.give()
    post.send()
    assert [said["data"]["subject"] for said in receiver.messages()[1:]].count("stp_1") == 2
    assert set(post.states()) == {"delivered"}
    assert len(post.rows()) == 3


def switch_on(post: Post, id: str) -> None:
    from hub.store import Operator

    with post.hub.store.write(Operator("owner")) as session:
        endpoints.switch(session, id, True)


def test_five_days_of_nothing_but_failures_disable_an_endpoint(
    post: Post, receiver: Receiver, wall: Wall
) -> None:
    id = post.add(receiver.url)
    receiver.down = True
    began = wall.at
    for day in range(4):
        post.happen(f"stp_{day}")
        post.run_dry(wall, began + timedelta(days=day + 1))
    assert post.endpoint(id).state == "failing"
    post.run_dry(wall, began + timedelta(days=5))
    post.happen("stp_9")
    post.run_dry(wall, began + timedelta(days=5, hours=1))
    assert post.endpoint(id).state == "disabled"
    assert "5 days" in post.endpoint(id).reason
    assert post.next_at() is None


def test_one_answer_within_the_days_starts_them_anew(
    post: Post, receiver: Receiver, wall: Wall
) -> None:
    id = post.add(receiver.url)
    receiver.down = True
    began = wall.at
    for day in range(7):
        receiver.down = day != 4
        post.happen(f"stp_{day}")
        post.run_dry(wall, began + timedelta(days=day + 1))
    assert post.endpoint(id).state == "failing"


def test_two_workers_never_have_the_same_message_on_its_way_at_once(
    post: Post, receiver: Receiver
) -> None:
    post.add(receiver.url)
    gate = threading.Barrier(2, timeout=PATIENCE)
    met = []

    def slow(said: dict[str, Any]) -> Answer:
        if said["data"]["seq"] == 1:
            gate.wait()  # the second worker looks for work while this call is under way
            gate.wait()
        met.append(said["data"]["id"])
        return OK

    receiver.answer = slow
    post.happen("stp_1", times=3)
    first = threading.Thread(target=post.send, args=("w1",))
    first.start()
    gate.wait()
    assert post.send("w2") == 0
    gate.wait()
    first.join()
    assert met == post.made


def test_a_slow_receiver_is_cut_off_and_tried_again(
    post: Post, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hub.outgoing import call

    monkeypatch.setattr(call, "LONGEST", 0.3)
    monkeypatch.setattr(call, "CONNECT", 0.3)
    post.add(receiver.url)
    over = threading.Event()
    receiver.answer = waiting(over, PATIENCE)
    post.happen()
    post.send()
    over.set()
    assert post.row().state == "pending"
    assert "answer" in post.row().error
    assert post.tries()[0].status == 0


def waiting(over: threading.Event, seconds: float) -> Callable[[dict[str, Any]], Answer]:
    """Return an answer that comes late."""

    def answer(said: dict[str, Any]) -> Answer:
        over.wait(seconds)
        return OK

    return answer


def test_an_endpoint_on_a_private_address_is_never_called(
    post: Post, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.add(receiver.url)
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", "")
    post.happen()
    post.send()
    assert receiver.requests == []
    assert "private address" in post.row().error


def test_a_reply_is_kept_short_and_without_credentials(post: Post, receiver: Receiver) -> None:
    post.add(receiver.url)
    said = (
        b'{"api_token": "s3cret-1", "note": "Bearer s3cret-2 token=s3cret-3"}\x00' + b"x" * 90_000
    )
    receiver.answer = lambda _: (500, {}, said)
    post.happen()
    post.send()
    excerpt = post.tries()[0].excerpt
    assert len(excerpt.encode()) <= 1000
    assert "s3cret" not in excerpt
    assert "\x00" not in excerpt


def test_what_a_dead_worker_had_on_its_way_is_sent_again_under_the_same_id(
    post: Post, receiver: Receiver, wall: Wall
) -> None:
    id = post.add(receiver.url)
    post.happen()
    (held,) = claim(post.hub.store, "outward", "w1")
    with post.hub.store.write() as session:
        from hub.outgoing.sending import look, mark

        mark(session, session.get_one(type(post.endpoint(id)), id), look(post.hub, id).letters)
    assert (held.subject, post.states()) == (id, ["sending"])
    wall.passes(minutes=1)
    assert post.send("w2") == 1
    assert (post.row().state, post.row().tries) == ("delivered", 1)
    assert receiver.requests[0][0]["webhook-id"] == post.made[0]


def test_a_new_event_does_not_wait_for_the_time_of_one_that_failed(
    post: Post, receiver: Receiver, wall: Wall
) -> None:
    post.add(receiver.url)
    receiver.answer = lambda said: (500, {}, b"") if said["data"]["subject"] == "bad" else OK
    post.happen("bad")
    post.send()
    wall.passes(seconds=6)
    post.send()
    post.happen("good")
    post.send()
    assert post.states() == ["pending", "delivered"]
    due = post.next_at()
    assert due is not None
    assert timedelta(minutes=4) < due - wall.at < timedelta(minutes=6)


def test_calls_go_out_side_by_side_but_no_more_than_eight(post: Post, receiver: Receiver) -> None:
    post.add(receiver.url)
    with post.hub.store.write() as session:
        for number in range(20):
            append_arrival(session, post, f"stp_{number}")
    post.give()
    two = threading.Event()

    def answer(said: dict[str, Any]) -> Answer:
        if receiver.most > 1:
            two.set()
        two.wait(PATIENCE)  # the first waits for the second
        return OK

    receiver.answer = answer
    post.send()
    assert 1 < receiver.most <= 8
    assert set(post.states()) == {"delivered"}
