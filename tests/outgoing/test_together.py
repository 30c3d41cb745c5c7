"""Everything at the same time: events come, two workers send, a person switches and replays."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

from hub.events import append
from hub.outgoing import endpoints, replay
from hub.queue import entry
from hub.store import Operator
from tests.outgoing.conftest import Post, Receiver, arrival

OWNER = Operator("owner")
ROUNDS, SUBJECTS = 12, 5


def test_nothing_is_lost_and_every_subject_keeps_its_order(post: Post, receiver: Receiver) -> None:
    ids = [post.add(receiver.url), post.add(receiver.url, merchant=post.world.merchant)]
    over, errors = threading.Event(), list[BaseException]()

    def keep(what: Callable[[], object]) -> threading.Thread:
        def loop() -> None:
            try:
                while not over.is_set():
                    what()
            except BaseException as error:  # told below, where the test sees it
                errors.append(error)

        thread = threading.Thread(target=loop)
        thread.start()
        return thread

    def meddle() -> None:
        with post.hub.store.write(OWNER) as session:
            endpoints.switch(session, ids[0], False)
        with post.hub.store.write(OWNER) as session:
            endpoints.switch(session, ids[0], True)
        replay.events(post.hub, OWNER, ids[0], 0, 2)

    threads = [
        keep(lambda: entry.run(post.hub, "outward", "w1")),
        keep(lambda: entry.run(post.hub, "outward", "w2")),
        keep(meddle),
    ]
    for _ in range(ROUNDS):
        with post.hub.store.write() as session:
            for number in range(SUBJECTS):
                append(session, arrival(f"stp_{number}", post.world.merchant))
        post.give()
    over.set()
    for thread in threads:
        thread.join()
    post.give()
    post.send()
    assert errors == []
    assert set(post.states()) == {"delivered"}
    first: dict[tuple[str, str], list[int]] = {}
    for headers, body in receiver.requests:
        mine = "merchant" if b'"route"' not in body else "operator"
        said = json.loads(body)
        numbers = first.setdefault((mine, said["data"]["subject"]), [])
        assert headers["webhook-id"] == said["data"]["id"]
        if said["data"]["seq"] not in numbers:
            numbers.append(said["data"]["seq"])
    assert len(first) == 2 * SUBJECTS
    for numbers in first.values():
        assert numbers == sorted(numbers)
        assert len(numbers) == ROUNDS
