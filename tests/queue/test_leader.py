"""The lead: one at a time, with a token that only grows."""

import threading
from datetime import timedelta

from sqlmodel import select

from hub.hub import Hub
from hub.queue.leader import lead, resign
from hub.store import LeaderRow


def expire(hub: Hub) -> None:
    with hub.store.write() as session:
        row = session.exec(select(LeaderRow)).one()
        row.lease_until = session.wall - timedelta(seconds=1)


def test_the_first_leads_and_the_second_stands_by(hub: Hub) -> None:
    assert lead(hub.store, "x", "a") == 1
    assert lead(hub.store, "x", "b") is None


def test_the_leader_keeps_its_token_while_it_renews(hub: Hub) -> None:
    assert [lead(hub.store, "x", "a") for _ in range(3)] == [1, 1, 1]


def test_a_takeover_raises_the_token(hub: Hub) -> None:
    lead(hub.store, "x", "a")
    expire(hub)
    assert lead(hub.store, "x", "b") == 2
    assert lead(hub.store, "x", "a") is None


def test_a_leader_that_resigns_is_followed_at_once(hub: Hub) -> None:
    lead(hub.store, "x", "a")
    assert resign(hub.store, "x", "a")
    assert not resign(hub.store, "x", "a")
    assert lead(hub.store, "x", "b") == 2


def test_of_many_that_ask_at_once_one_leads(hub: Hub) -> None:
    found: list[int | None] = []
    start = threading.Barrier(5)

    def ask(holder: str) -> None:
        start.wait()
        found.append(lead(hub.store, "x", holder))

    threads = [threading.Thread(target=ask, args=(name,)) for name in "abcde"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found, key=str) == [1, None, None, None, None]
