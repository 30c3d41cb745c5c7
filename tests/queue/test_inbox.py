"""The inbox: whatever arrives is kept once."""

import threading

import pytest
from sqlmodel import select

from hub.errors import Refused
from hub.hub import Hub
from hub.queue.inbox import answer, receive
from hub.store import InboxRow


def test_the_first_request_is_new_and_a_repeat_gets_the_same_answer(hub: Hub) -> None:
    with hub.store.write() as session:
        row, new = receive(session, "key_1", "k", "order", b"{}")
        assert new
        answer(session, row, 201, {"id": "ord_1"})
    with hub.store.write() as session:
        again, new = receive(session, "key_1", "k", "order", b"{}")
        assert (new, again.status, again.answer) == (False, 201, {"id": "ord_1"})


def test_what_is_kept_can_be_read_and_changed_in_the_same_transaction(hub: Hub) -> None:
    with hub.store.write() as session:
        row, _ = receive(session, "key_1", "k", "order", b"{}")
        assert session.exec(select(InboxRow)).all() == [row]
        answer(session, row, 202, {"id": "ord_1"})
        session.flush()
        session.expire(row)
        assert (row.key, row.body, row.status) == ("k", b"{}", 202)


@pytest.mark.parametrize(("kind", "body"), [("order", b"other"), ("import", b"{}")])
def test_a_key_used_for_another_request_is_refused(hub: Hub, kind: str, body: bytes) -> None:
    with hub.store.write() as session:
        receive(session, "key_1", "k", "order", b"{}")
    with pytest.raises(Refused, match="Idempotency-Key"), hub.store.write() as session:
        receive(session, "key_1", "k", kind, body)


def test_two_senders_may_use_the_same_key(hub: Hub) -> None:
    with hub.store.write() as session:
        assert receive(session, "key_1", "k", "order", b"a")[1]
        assert receive(session, "key_2", "k", "order", b"b")[1]


def test_a_request_that_failed_leaves_its_key_free(hub: Hub) -> None:
    def fail() -> None:
        with hub.store.write() as session:
            receive(session, "key_1", "k", "order", b"{}")
            raise Refused("no")

    with pytest.raises(Refused):
        fail()
    with hub.store.write() as session:
        assert receive(session, "key_1", "k", "order", b"{}")[1]


def test_equal_requests_at_the_same_instant_are_done_once(hub: Hub) -> None:
    done: list[str] = []
    seen: list[int] = []
    start = threading.Barrier(6)

    def send() -> None:
        start.wait()
        with hub.store.write() as session:
            row, new = receive(session, "key_1", "k", "order", b"{}")
            if new:
                done.append(row.id)
                answer(session, row, 201, {"id": row.id})
            seen.append(row.status)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 1
    assert seen == [201] * 6
    with hub.store.read() as session:
        assert len(session.exec(select(InboxRow)).all()) == 1
