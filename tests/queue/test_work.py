"""Due work: claimed by lease, ended only by its holder, never lost between two people."""

import threading
from datetime import timedelta

import pytest
from sqlmodel import select

from hub.hub import Hub
from hub.queue import LeaseLost, backlog, bury, dead, defer, enqueue, finish, park, unpark
from hub.queue.work import Claim, claim, forfeit, renew, sweep
from hub.store import WorkRow


def add(hub: Hub, subject: str = "a", queue: str = "fast") -> None:
    with hub.store.write() as session:
        enqueue(session, "toy", subject, queue=queue)


def take(hub: Hub, worker: str = "w1") -> Claim:
    (found,) = claim(hub.store, "fast", worker)
    return found


def row(hub: Hub, subject: str = "a") -> WorkRow:
    with hub.store.read() as session:
        return session.exec(select(WorkRow).where(WorkRow.subject == subject)).one()


def expire(hub: Hub) -> None:
    with hub.store.write() as session:
        for leased in session.exec(select(WorkRow).where(WorkRow.state == "leased")):
            leased.lease_until = session.wall - timedelta(seconds=1)


def test_work_is_claimed_by_one_worker_only(hub: Hub) -> None:
    add(hub)
    assert take(hub).tries == 1
    assert claim(hub.store, "fast", "w2") == []


def test_work_of_another_queue_is_left_alone(hub: Hub) -> None:
    add(hub, queue="heavy")
    assert claim(hub.store, "fast", "w1") == []


def test_the_oldest_work_comes_first(hub: Hub) -> None:
    for subject in ("a", "b", "c"):
        add(hub, subject)
    assert [take(hub).subject for _ in range(3)] == ["a", "b", "c"]


def test_finished_work_is_not_claimed_again(hub: Hub) -> None:
    add(hub)
    held = take(hub)
    with hub.store.write() as session:
        finish(session, held)
    assert claim(hub.store, "fast", "w1") == []
    assert row(hub).state == "done"


def test_work_whose_lease_ran_out_is_claimed_again_as_lost(hub: Hub) -> None:
    add(hub)
    take(hub)
    expire(hub)
    second = take(hub, "w2")
    assert (second.lost, second.tries, second.losses) == (True, 2, 1)


def test_a_holder_whose_lease_was_taken_cannot_write(hub: Hub) -> None:
    add(hub)
    first = take(hub)
    expire(hub)
    second = take(hub, "w2")
    for end in (finish, renew, lambda s, c: bury(s, c, "no"), lambda s, c: park(s, c, "off")):
        with pytest.raises(LeaseLost), hub.store.write() as session:
            end(session, first)
    with hub.store.write() as session:
        finish(session, second)


def test_a_stale_holder_takes_its_own_rows_back_with_it(hub: Hub) -> None:
    add(hub)
    first = take(hub)
    expire(hub)
    take(hub, "w2")

    def end_late() -> None:
        with hub.store.write() as session:
            enqueue(session, "toy", "result of the stale try")
            finish(session, first)

    with pytest.raises(LeaseLost):
        end_late()
    with hub.store.read() as session:
        assert len(session.exec(select(WorkRow)).all()) == 1


def test_a_renewed_lease_does_not_run_out(hub: Hub) -> None:
    add(hub)
    held = take(hub)
    expire(hub)
    with hub.store.write() as session:
        renew(session, held)
    assert claim(hub.store, "fast", "w2") == []


def test_deferred_work_waits_until_its_time(hub: Hub) -> None:
    add(hub)
    held = take(hub)
    with hub.store.write() as session:
        defer(session, held, session.wall + timedelta(hours=1), "later")
    assert claim(hub.store, "fast", "w1") == []
    assert (row(hub).state, row(hub).error) == ("ready", "later")


def test_a_wake_up_during_the_work_makes_it_due_once_more(hub: Hub) -> None:
    add(hub)
    held = take(hub)
    add(hub)
    assert claim(hub.store, "fast", "w2") == []
    with hub.store.write() as session:
        finish(session, held)
    second = take(hub)
    assert not second.lost
    with hub.store.write() as session:
        finish(session, second)
    assert row(hub).state == "done"


def test_a_wake_up_before_a_second_claim_is_not_counted_twice(hub: Hub) -> None:
    add(hub)
    take(hub)
    add(hub)
    expire(hub)
    second = take(hub, "w2")
    with hub.store.write() as session:
        finish(session, second)
    assert claim(hub.store, "fast", "w1") == []


def test_waiting_work_is_not_doubled_or_hastened_by_asking_again(hub: Hub) -> None:
    with hub.store.write() as session:
        enqueue(session, "toy", "a", at=session.wall + timedelta(hours=1))
    add(hub)
    assert claim(hub.store, "fast", "w1") == []


def test_done_and_dead_work_becomes_due_when_asked_for_again(hub: Hub) -> None:
    add(hub)
    held = take(hub)
    with hub.store.write() as session:
        bury(session, held, "broken")
    with hub.store.read() as session:
        assert [(found.subject, found.error) for found in dead(session)] == [("a", "broken")]
    add(hub)
    assert take(hub).tries == 1


def test_parked_work_waits_for_its_connection_and_costs_no_try(hub: Hub) -> None:
    add(hub)
    held = take(hub)
    with hub.store.write() as session:
        park(session, held, "the shop is switched off")
    assert claim(hub.store, "fast", "w1") == []
    with hub.store.write() as session:
        assert unpark(session, "toy", ["a"]) == 1
    assert take(hub).tries == 1


def test_a_dead_workers_leases_are_freed_by_its_name(hub: Hub) -> None:
    add(hub, "a")
    add(hub, "b")
    take(hub, "w1")
    take(hub, "w2")
    with hub.store.write() as session:
        assert forfeit(session, "w1") == 1
    found = take(hub, "w1")
    assert (found.subject, found.lost) == ("a", True)


def test_the_backlog_counts_what_is_due_by_queue(hub: Hub) -> None:
    add(hub, "a")
    add(hub, "b")
    add(hub, "c", "heavy")
    take(hub)
    with hub.store.read() as session:
        found = backlog(session)
    assert {queue: one.count for queue, one in found.items()} == {"fast": 1, "heavy": 1}
    assert found["heavy"].oldest == row(hub, "c").not_before


def test_rows_of_work_done_long_ago_are_swept(hub: Hub) -> None:
    add(hub, "a")
    add(hub, "b")
    held = take(hub)
    with hub.store.write() as session:
        finish(session, held)
    with hub.store.write() as session:
        assert sweep(session, session.wall - timedelta(days=1)) == 0
        assert sweep(session, session.wall + timedelta(days=1)) == 1
    assert row(hub, "b").state == "ready"


def test_work_asked_for_by_many_at_once_is_one_row_and_due(hub: Hub) -> None:
    start = threading.Barrier(6)

    def ask() -> None:
        start.wait()
        for _ in range(5):
            add(hub)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert row(hub).state == "ready"
