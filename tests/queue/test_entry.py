"""What a worker does for a ticket: all that is due, each piece once, whatever handlers do."""

import threading
from datetime import timedelta

import pytest
from sqlmodel import select

from hub.errors import Retry
from hub.hub import Hub
from hub.queue import Claim, backlog, enqueue, finish, work
from hub.queue.entry import LOSSES, run, wait
from hub.queue.work import LEASE, claim, hold
from hub.store import MerchantRow, WorkRow
from hub.testing.patience import until


def note(hub: Hub, claim: Claim) -> None:
    """Write one row per piece of work, which a second time would double."""
    with hub.store.write() as session:
        session.add(MerchantRow(name=claim.subject, slug=claim.id))
        finish(session, claim)


def add(hub: Hub, *subjects: str) -> None:
    with hub.store.write() as session:
        for subject in subjects:
            enqueue(session, "toy", subject)


def row(hub: Hub) -> WorkRow:
    with hub.store.read() as session:
        return session.exec(select(WorkRow)).one()


def done(hub: Hub) -> list[str]:
    with hub.store.read() as session:
        return sorted(session.exec(select(MerchantRow.name)).all())


def make_due(hub: Hub) -> None:
    with hub.store.write() as session:
        for found in session.exec(select(WorkRow)):
            found.not_before = session.wall


def test_one_ticket_does_all_that_is_due(hub: Hub) -> None:
    hub.handlers["toy"] = note
    add(hub, "a", "b", "c")
    assert run(hub, "fast", "w1") == 3
    assert done(hub) == ["a", "b", "c"]


def test_a_duplicate_ticket_finds_nothing_to_do(hub: Hub) -> None:
    hub.handlers["toy"] = note
    add(hub, "a")
    assert [run(hub, "fast", "w1"), run(hub, "fast", "w2")] == [1, 0]


def test_two_workers_with_many_tickets_do_each_piece_once(hub: Hub) -> None:
    hub.handlers["toy"] = note
    subjects = [f"{number:02}" for number in range(30)]
    add(hub, *subjects)
    threads = [
        threading.Thread(target=run, args=(hub, "fast", f"w{number}")) for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done(hub) == subjects


def test_work_beyond_the_budget_rings_for_another_worker(hub: Hub) -> None:
    hub.handlers["toy"] = note
    add(hub, "a", "b")
    hub.redis.flushall()
    assert run(hub, "fast", "w1", budget=0) == 0
    assert hub.redis.llen("rq:queue:fast") == 1


def test_a_worker_that_is_to_stop_takes_no_further_work(hub: Hub) -> None:
    hub.handlers["toy"] = note
    add(hub, "a", "b")
    assert run(hub, "fast", "w1", stop=lambda: bool(done(hub))) == 1


def test_a_handler_that_raises_is_tried_again_later_and_the_error_kept(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = hub.store.clock.wall()
    monkeypatch.setattr(hub.store.clock, "wall", lambda: at)

    def fail(hub: Hub, claim: Claim) -> None:
        raise ValueError("no such street")

    hub.handlers["toy"] = fail
    add(hub, "a")
    run(hub, "fast", "w1")
    found = row(hub)
    assert (found.state, found.losses) == ("ready", 1)
    assert found.error == "ValueError: no such street"
    assert found.not_before > found.created_at


def test_one_bad_handler_does_not_stop_the_others(hub: Hub) -> None:
    def fail(hub: Hub, claim: Claim) -> None:
        if claim.subject == "a":
            raise ValueError
        note(hub, claim)

    hub.handlers["toy"] = fail
    add(hub, "a", "b")
    run(hub, "fast", "w1")
    assert done(hub) == ["b"]


def test_work_that_keeps_failing_ends_as_a_dead_letter(hub: Hub) -> None:
    def fail(hub: Hub, claim: Claim) -> None:
        raise ValueError("never")

    hub.handlers["toy"] = fail
    add(hub, "a")
    for _ in range(LOSSES):
        make_due(hub)
        run(hub, "fast", "w1")
    assert (row(hub).state, row(hub).error) == ("dead", "ValueError: never")


def test_work_that_keeps_killing_its_worker_is_buried_untried(hub: Hub) -> None:
    hub.handlers["toy"] = note
    add(hub, "a")
    for _ in range(LOSSES):
        with hub.store.write() as session:
            found = session.exec(select(WorkRow)).one()
            hold(session, found, "w1")
            found.lease_until = session.wall - timedelta(seconds=1)
    run(hub, "fast", "w2")
    assert (row(hub).state, done(hub)) == ("dead", [])
    assert "its worker died 8 times" in row(hub).error


def test_work_deferred_by_its_handler_never_counts_as_failing(hub: Hub) -> None:
    def later(hub: Hub, claim: Claim) -> None:
        with hub.store.write() as session:
            work.defer(session, claim, session.wall, "closed today")

    hub.handlers["toy"] = later
    add(hub, "a")
    for _ in range(LOSSES + 2):
        (found,) = claim(hub.store, "fast", "w1")
        later(hub, found)
    assert (row(hub).state, row(hub).losses) == ("ready", 0)


def test_a_handler_that_says_nothing_is_told_so(hub: Hub) -> None:
    hub.handlers["toy"] = lambda hub, claim: None
    add(hub, "a")
    run(hub, "fast", "w1")
    assert "neither ended nor deferred" in row(hub).error


def test_work_that_nobody_can_do_says_so(hub: Hub) -> None:
    add(hub, "a")
    run(hub, "fast", "w1")
    assert "does work of kind toy" in row(hub).error


def test_a_long_piece_of_work_keeps_its_lease(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.queue.entry.LEASE", timedelta(seconds=0.3))  # renewed every tenth
    wall = [hub.store.clock.wall()]
    monkeypatch.setattr(hub.store.clock, "wall", lambda: wall[0])
    others: list[list[Claim]] = []

    def slow(hub: Hub, found: Claim) -> None:
        for _ in range(3):
            wall[0] += LEASE * 0.9
            until(lambda: row(hub).lease_until == wall[0] + LEASE)
            others.append(claim(hub.store, "fast", "w2"))
        note(hub, found)

    hub.handlers["toy"] = slow
    add(hub, "a")
    assert run(hub, "fast", "w1") == 1
    assert (others, done(hub)) == ([[], [], []], ["a"])


def test_a_wake_up_during_the_work_is_served_by_the_same_ticket(hub: Hub) -> None:
    seen: list[int] = []

    def once_more(hub: Hub, claim: Claim) -> None:
        seen.append(claim.tries)
        if len(seen) == 1:
            add(hub, "a")
        with hub.store.write() as session:
            finish(session, claim)

    hub.handlers["toy"] = once_more
    add(hub, "a")
    run(hub, "fast", "w1")
    assert len(seen) == 2
    with hub.store.read() as session:
        assert backlog(session) == {}


def test_the_wait_doubles_and_obeys_what_the_other_side_asked_for() -> None:
    assert all(1 <= wait(1, ValueError()).total_seconds() <= 2 for _ in range(20))
    assert all(4 <= wait(3, ValueError()).total_seconds() <= 8 for _ in range(20))
    assert wait(99, ValueError()) <= timedelta(seconds=300)
    assert wait(3, Retry("slow down", after=77)) == timedelta(seconds=77)
