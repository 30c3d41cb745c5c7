"""The dispatcher: numbers without gaps, rings for what is due, and never trusts Redis."""

import json
import threading
import time
from datetime import timedelta

import pytest
from sqlmodel import select

from hub.events import number
from hub.events.catalogue import Event
from hub.events.log import LostLead, append, tail
from hub.hub import Hub
from hub.queue import Claim, enqueue, finish
from hub.queue.bell import install
from hub.queue.dispatcher import BATCH, LEAD, dispatch, serve
from hub.queue.entry import run
from hub.queue.leader import lead
from hub.store import CursorRow, EventRow, LeaderRow, MerchantRow, WorkRow
from hub.testing.fixtures import World
from hub.testing.patience import PATIENCE


class Toy(Event):
    """An event that says nothing but its subject."""

    type = "toy.happened"


def happen(hub: Hub, *subjects: str, merchant: str | None = None) -> None:
    with hub.store.write() as session:
        for subject in subjects:
            append(session, Toy(subject=subject, merchant_id=merchant))


def round_of(hub: Hub) -> list[str]:
    token = lead(hub.store, LEAD, "d1")
    assert token is not None
    return [one.subject for one in dispatch(hub, install(hub), token)]


def numbers(hub: Hub) -> list[int | None]:
    with hub.store.read() as session:
        return list(session.exec(select(EventRow.seq).order_by(EventRow.seq)).all())


def test_events_are_numbered_in_the_order_in_which_they_were_made(hub: Hub) -> None:
    happen(hub, "a", "b")
    happen(hub, "c")
    assert round_of(hub) == ["a", "b", "c"]
    assert numbers(hub) == [1, 2, 3]


def test_more_events_than_one_transaction_holds_are_numbered_in_one_round(hub: Hub) -> None:
    happen(hub, *[str(n) for n in range(BATCH * 2 + 1)])
    assert len(round_of(hub)) == BATCH * 2 + 1
    assert numbers(hub) == list(range(1, BATCH * 2 + 2))


def test_each_merchants_events_are_numbered_for_itself(hub: Hub, world: World) -> None:
    with hub.store.write() as session:
        other = MerchantRow(name="Other", slug="other")
        session.add(other)
    happen(hub, "a", merchant=world.merchant)
    happen(hub, "b", merchant=other.id)
    happen(hub, "c")
    happen(hub, "d", merchant=world.merchant)
    round_of(hub)
    with hub.store.read() as session:
        rows = session.exec(select(EventRow).order_by(EventRow.seq)).all()
    assert [(row.subject, row.merchant_seq) for row in rows] == [
        ("a", 1),
        ("b", 1),
        ("c", None),
        ("d", 2),
    ]


def test_numbers_of_purged_events_never_come_again(hub: Hub, world: World) -> None:
    happen(hub, "a", "b", merchant=world.merchant)
    round_of(hub)
    with hub.store.write() as session:
        for row in session.exec(select(EventRow)):
            session.delete(row)
    happen(hub, "c", merchant=world.merchant)
    round_of(hub)
    with hub.store.read() as session:
        row = session.exec(select(EventRow)).one()
    assert (row.seq, row.merchant_seq) == (3, 3)


def test_a_dispatcher_that_lost_the_lead_numbers_nothing(hub: Hub) -> None:
    happen(hub, "a")
    stale = lead(hub.store, LEAD, "d1")
    with hub.store.write() as session:
        session.get_one(LeaderRow, LEAD).lease_until = session.wall - timedelta(seconds=1)
    lead(hub.store, LEAD, "d2")
    with pytest.raises(LostLead), hub.store.write() as session:
        number(session, stale or 0)
    assert numbers(hub) == [None]


def test_two_dispatchers_and_many_writers_leave_no_gap_and_no_double(hub: Hub) -> None:
    stop = threading.Event()

    def write(name: str) -> None:
        for n in range(15):
            happen(hub, f"{name}{n}")

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    leaders = [threading.Thread(target=serve, args=(hub, holder, stop)) for holder in "xy"]
    for thread in threads + leaders:
        thread.start()
    for thread in threads:
        thread.join()
    ends = time.monotonic() + PATIENCE
    while None in numbers(hub) and time.monotonic() < ends:
        with hub.store.write() as session:  # the lead changes hands again and again
            if (row := session.get(LeaderRow, LEAD)) is not None:
                row.lease_until = session.wall - timedelta(seconds=1)
        time.sleep(0.05)
    stop.set()
    for thread in leaders:
        thread.join()
    assert numbers(hub) == list(range(1, 61))


def test_numbered_events_are_told_to_the_live_channel(hub: Hub) -> None:
    heard = hub.redis.pubsub(ignore_subscribe_messages=True)
    heard.psubscribe("live:*")
    heard.get_message(timeout=PATIENCE)
    happen(hub, "stp_1", "ord_1")
    round_of(hub)
    hub.redis.publish("live:end", "{}")
    found = []
    while message := heard.get_message(timeout=PATIENCE):
        found.append((message["channel"].decode(), json.loads(message["data"])))
        if found[-1][0] == "live:end":
            break
    heard.close()
    about = {"t": "event", "type": "toy.happened"}
    assert found == [
        ("live:board", about | {"subject": "stp_1", "seq": 1}),
        ("live:stop:stp_1", {"t": "changed"}),
        ("live:board", about | {"subject": "ord_1", "seq": 2}),
        ("live:end", {}),
    ]


def test_due_work_is_rung_for_after_redis_was_wiped(hub: Hub) -> None:
    install(hub)
    with hub.store.write() as session:
        enqueue(session, "toy", "a", queue="heavy")
    hub.redis.flushall()
    round_of(hub)
    assert hub.redis.llen("rq:queue:heavy") == 1


def test_work_that_is_not_due_yet_is_not_rung_for(hub: Hub) -> None:
    with hub.store.write() as session:
        enqueue(session, "toy", "a", at=session.wall + timedelta(minutes=1))
    round_of(hub)
    assert hub.redis.llen("rq:queue:fast") == 0


def evaluate(hub: Hub, claim: Claim) -> None:
    """Move the reader's cursor to the last number, as the workflow engine does."""
    with hub.store.write() as session:
        row = session.get(CursorRow, "workflow") or CursorRow(name="workflow")
        row.seq = tail(session)
        session.add(row)
        finish(session, claim)


def evaluation(hub: Hub) -> str:
    with hub.store.read() as session:
        return session.exec(select(WorkRow.state).where(WorkRow.kind == "evaluate")).one()


def test_numbering_makes_the_evaluation_of_events_due(hub: Hub) -> None:
    hub.handlers["evaluate"] = evaluate
    happen(hub, "a")
    round_of(hub)
    assert run(hub, "fast", "w1") == 1
    round_of(hub)
    assert evaluation(hub) == "done"


def test_events_numbered_during_an_evaluation_are_evaluated_after_it(hub: Hub) -> None:
    def late(hub: Hub, claim: Claim) -> None:
        evaluate(hub, claim)
        hub.handlers["evaluate"] = evaluate

    def early(hub: Hub, claim: Claim) -> None:
        with hub.store.read() as session:
            seen = tail(session)
        happen(hub, "b")
        round_of(hub)
        with hub.store.write() as session:
            session.add(CursorRow(name="workflow", seq=seen))
            finish(session, claim)
        hub.handlers["evaluate"] = late

    hub.handlers["evaluate"] = early
    happen(hub, "a")
    round_of(hub)
    assert run(hub, "fast", "w1") == 2
    with hub.store.read() as session:
        assert session.get_one(CursorRow, "workflow").seq == 2


def test_an_evaluation_that_died_is_asked_for_again(hub: Hub) -> None:
    hub.handlers["evaluate"] = evaluate
    happen(hub, "a")
    round_of(hub)
    with hub.store.write() as session:
        session.exec(select(WorkRow)).one().state = "dead"
    round_of(hub)
    assert evaluation(hub) == "ready"


def test_the_dispatcher_works_without_redis(hub: Hub) -> None:
    from redis import Redis

    hub.redis = Redis(unix_socket_path="/nonexistent/socket")
    happen(hub, "a")
    assert round_of(hub) == ["a"]
