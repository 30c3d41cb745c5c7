"""Everything at the same time: events come, two workers send, a person switches and replays."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hub.events import append
from hub.outgoing import endpoints, replay
from hub.queue import entry
from hub.store import Operator
from tests.outgoing.conftest import Post, Receiver, arrival

OWNER = Operator("owner")
ROUNDS, SUBJECTS = 12, 5


@contextmanager
def meanwhile(*doing: Callable[[], object]) -> Iterator[None]:
    """Do things over and over, each in a thread, until the block ends; their errors fail it."""
    over, errors = threading.Event(), list[BaseException]()

    def loop(what: Callable[[], object]) -> None:
        try:
            while not over.is_set():
                what()
        except BaseException as error:  # told below, where the test sees it
            errors.append(error)

    threads = [threading.Thread(target=loop, args=(what,)) for what in doing]
    for thread in threads:
        thread.start()
    yield
    over.set()
    for thread in threads:
        thread.join()
    assert errors == []


def switch_and_replay(post: Post, id: str) -> None:
    for enabled in (False, True):
        with post.hub.store.write(OWNER) as session:
            endpoints.switch(session, id, enabled)
    replay.events(post.hub, OWNER, id, 0, 2)


def test_nothing_is_lost_and_every_subject_keeps_its_order(post: Post, receiver: Receiver) -> None:
    id = post.add(receiver.url)
    post.add(receiver.url, merchant=post.world.merchant)
    with meanwhile(
        lambda: entry.run(post.hub, "outward", "w1"),
        lambda: entry.run(post.hub, "outward", "w2"),
        lambda: switch_and_replay(post, id),
    ):
        for _ in range(ROUNDS):
            with post.hub.store.write() as session:
                for number in range(SUBJECTS):
                    append(session, arrival(f"stp_{number}", post.world.merchant))
            post.give()
    post.give()
    post.send()
    assert set(post.states()) == {"delivered"}
    found = first_come(receiver)
    assert len(found) == 2 * SUBJECTS
    for numbers in found.values():
        assert numbers == sorted(numbers)
        assert len(numbers) == ROUNDS


def first_come(receiver: Receiver) -> dict[tuple[bool, str], list[int]]:
    """Return the numbers by endpoint and subject in the order in which each came first."""
    found: dict[tuple[bool, str], list[int]] = {}
    for headers, body in receiver.requests:
        sheet = json.loads(body)["data"]
        assert headers["webhook-id"] == sheet["id"]
        numbers = found.setdefault(("route" in sheet["data"], sheet["subject"]), [])
        if sheet["seq"] not in numbers:
            numbers.append(sheet["seq"])
    return found
