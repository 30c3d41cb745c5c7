"""The stream of events: resumable, in order, without a gap, nobody else's."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from hub.access import tokens
from hub.events import append
from hub.events.log import number
from hub.fleet.roster import add_merchant
from hub.hub import Hub
from hub.ledgers import impatient
from hub.queue.dispatcher import publish
from hub.queue.leader import lead
from hub.settings import Settings
from hub.store import ApiKeyRow, System
from hub.testing.fixtures import World
from hub.testing.patience import PATIENCE, until
from hub.web import create_app, live, stream
from tests.outgoing.conftest import arrival, update_of
from tests.web.test_live import door as door  # fixtures, shared
from tests.web.test_live import gateway as gateway
from tests.web.test_live import settings as settings


class Stream:
    """A client of the stream: what it was sent, message by message."""

    def __init__(self, settings: Settings, key: str, **more: Any) -> None:
        headers = {"Authorization": f"Bearer {key}", **more.pop("headers", {})}
        self.answer = requests.get(
            settings.live_url + stream.PATH,
            params=more,
            headers=headers,
            stream=True,
            timeout=PATIENCE,
        )
        self.lines = self.answer.iter_lines(chunk_size=1)

    def next(self) -> dict[str, Any]:
        """Return the next event; its id and type are those of its data."""
        said: dict[str, str] = {}
        for line in self.lines:
            name, _, value = line.decode().partition(": ")
            if name in ("id", "event", "data"):
                said[name] = value
            elif not line and said:
                sheet: dict[str, Any] = json.loads(said["data"])
                assert (said["id"], said["event"]) == (str(sheet["seq"]), sheet["type"])
                return sheet
        raise EOFError

    def take(self, count: int) -> list[int]:
        """Return the numbers of the next events."""
        return [self.next()["seq"] for _ in range(count)]

    def ended(self) -> bool:
        """Read to the end and say that it came."""
        return not any(line.startswith(b"data") for line in self.lines)


@pytest.fixture
def open_stream(settings: Settings, gateway: live.Gateway) -> Iterator[Callable[..., Stream]]:
    opened: list[Stream] = []

    def begin(key: str, **more: Any) -> Stream:
        opened.append(Stream(settings, key, **more))
        return opened[-1]

    yield begin
    for one in opened:
        one.answer.close()


def key(hub: Hub, merchant: str | None = None, scope: str = "events:read") -> str:
    with hub.store.write() as session:
        return tokens.issue_key(session, "stream", [scope], merchant)


def happen(hub: Hub, merchant: str, *subjects: str) -> None:
    """Let things happen, and do what the dispatcher does: number them and tell."""
    with hub.store.write() as session:
        for subject in subjects:
            append(session, arrival(subject, merchant))
    dispatch(hub)


def dispatch(hub: Hub) -> None:
    token = lead(hub.store, "dispatcher", "test")
    assert token is not None
    with hub.store.write() as session:
        batch = number(session, token)
    publish(impatient(hub.redis), batch)


def other_merchant(hub: Hub) -> str:
    with hub.store.write(System("")) as session:
        return add_merchant(session, "Bergblick").id


def test_what_was_missed_comes_first_and_then_what_happens(
    hub: Hub, world: World, gateway: live.Gateway, open_stream: Callable[..., Stream]
) -> None:
    happen(hub, world.merchant, "stp_1", "stp_2", "stp_3")
    reader = open_stream(key(hub), after=1)
    assert reader.take(2) == [2, 3]
    until(lambda: len(gateway.tail.abreast) == 1)
    happen(hub, world.merchant, "stp_4")
    sheet = reader.next()
    assert (sheet["seq"], sheet["subject"]) == (4, "stp_4")
    assert sheet["data"]["route"]["stops"] == 9
    assert reader.answer.headers["Content-Type"] == "text/event-stream"


def test_a_reader_that_comes_again_goes_on_behind_its_last_event(
    hub: Hub, world: World, open_stream: Callable[..., Stream]
) -> None:
    happen(hub, world.merchant, "stp_1", "stp_2", "stp_3")
    reader = open_stream(key(hub), after=0, headers={"Last-Event-ID": "2"})
    assert reader.take(1) == [3]


def test_a_long_absence_is_caught_up_page_by_page(
    hub: Hub, world: World, open_stream: Callable[..., Stream], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "PAGE", 7)
    happen(hub, world.merchant, *[f"stp_{n}" for n in range(50)])
    assert open_stream(key(hub)).take(50) == list(range(1, 51))


def test_under_concurrent_writers_nothing_is_left_out_and_nothing_comes_twice(
    hub: Hub, world: World, gateway: live.Gateway, open_stream: Callable[..., Stream]
) -> None:
    def write(name: str) -> None:
        for count in range(25):
            with hub.store.write() as session:
                append(session, arrival(f"stp_{name}{count}", world.merchant))

    writers = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    over = threading.Event()

    def keep_numbering() -> None:
        while not over.is_set():
            dispatch(hub)

    numbering = threading.Thread(target=keep_numbering)
    for thread in [*writers, numbering]:
        thread.start()
    readers = [open_stream(key(hub)) for _ in range(3)]
    seen = [reader.take(100) for reader in readers]
    for thread in writers:
        thread.join()
    over.set()
    numbering.join()
    assert seen == [list(range(1, 101))] * 3


def test_a_merchant_sees_its_own_numbered_without_a_gap_and_without_what_is_the_operators(
    hub: Hub, world: World, gateway: live.Gateway, open_stream: Callable[..., Stream]
) -> None:
    other = other_merchant(hub)
    happen(hub, world.merchant, "stp_1")
    happen(hub, other, "stp_2")
    reader = open_stream(key(hub, other))
    first = reader.next()
    until(lambda: len(gateway.tail.abreast) == 1)
    happen(hub, world.merchant, "stp_3")
    happen(hub, other, "stp_4")
    second = reader.next()
    assert [(one["seq"], one["subject"]) for one in (first, second)] == [(1, "stp_2"), (2, "stp_4")]
    for one in (first, second):
        assert sorted(one["data"]) == ["merchant", "order", "stop"]


def test_only_the_chosen_types_come(
    hub: Hub, world: World, gateway: live.Gateway, open_stream: Callable[..., Stream]
) -> None:
    reader = open_stream(key(hub), types="order.updated")
    until(lambda: len(gateway.tail.abreast) == 1)
    happen(hub, world.merchant, "stp_1")
    with hub.store.write() as session:
        append(session, update_of("ord_1", world.merchant))
    dispatch(hub)
    assert reader.next()["type"] == "order.updated"


def test_a_revoked_key_ends_its_stream_and_no_other(
    hub: Hub, world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    monkeypatch.setattr(stream, "CHECK", 0.1)
    gateway: live.Gateway = request.getfixturevalue("gateway")
    open_stream = request.getfixturevalue("open_stream")
    keys = [key(hub), key(hub)]
    revoked, kept = [open_stream(one) for one in keys]
    until(lambda: len(gateway.tail.abreast) == 2)
    with hub.store.write() as session:
        tokens.revoke_key(session, tokens.check_key(session, keys[0]).id)
    assert revoked.ended()
    happen(hub, world.merchant, "stp_1")
    assert kept.take(1) == [1]


def test_without_redis_events_come_all_the_same(
    hub: Hub, world: World, settings: Settings, request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    async def silent(self: live.Gateway) -> None:
        self.connected = True  # what the fixture waits for; no message ever comes
        import asyncio

        await asyncio.Event().wait()

    monkeypatch.setattr(live.Gateway, "listen", silent)
    gateway: live.Gateway = request.getfixturevalue("gateway")
    reader = request.getfixturevalue("open_stream")(key(hub))
    until(lambda: len(gateway.tail.abreast) == 1)
    happen(hub, world.merchant, "stp_1")
    assert reader.take(1) == [1]


def test_many_readers_at_the_tail_share_one_reading(
    hub: Hub, world: World, gateway: live.Gateway, open_stream: Callable[..., Stream],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(stream, "LOOK", 10 * PATIENCE)  # nobody looks without being told
    readers = [open_stream(key(hub)) for _ in range(8)]
    until(lambda: len(gateway.tail.abreast) == 8)
    reads: list[int] = []
    inner = gateway.tail._read

    def counted() -> Any:
        reads.append(gateway.tail.seq)
        return inner()

    monkeypatch.setattr(gateway.tail, "_read", counted)
    happen(hub, world.merchant, "stp_1")
    assert [reader.take(1) for reader in readers] == [[1]] * 8
    assert len(reads) <= 2


def test_a_reader_that_does_not_read_is_dropped(hub: Hub, world: World) -> None:
    reader = stream.Reader("key_1", None, frozenset(), 0)
    happen(hub, world.merchant, "stp_1")
    with hub.store.read() as session:
        from hub.events.log import after

        (row,) = after(session, 0)
    for count in range(stream.MOST_WAITING + 1):
        row.seq = count + 1
        reader.offer(row)
    assert not reader.open


@pytest.mark.parametrize(("query", "status"), [
    ({"after": "-1"}, 422), ({"after": "x"}, 422), ({"types": "stop.exploded"}, 422),
    ({"since": "1"}, 422),
])  # fmt: skip
def test_a_question_that_makes_no_sense_is_refused(
    hub: Hub, open_stream: Callable[..., Stream], query: dict[str, str], status: int
) -> None:
    answer = open_stream(key(hub), **query).answer
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_only_a_key_with_the_scope_is_let_in(
    hub: Hub, settings: Settings, open_stream: Callable[..., Stream]
) -> None:
    assert open_stream("hub_unknown").answer.status_code == 401
    assert open_stream(key(hub, scope="orders:read")).answer.status_code == 403
    assert requests.get(settings.live_url + stream.PATH, timeout=PATIENCE).status_code == 401


def test_a_key_has_so_many_streams_and_no_more(
    hub: Hub, gateway: live.Gateway, open_stream: Callable[..., Stream],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(stream, "MOST_PER_KEY", 1)
    one = key(hub)
    open_stream(one)
    assert open_stream(one).answer.status_code == 429


def test_the_use_of_a_key_is_noted(hub: Hub, open_stream: Callable[..., Stream]) -> None:
    open_stream(key(hub))
    with hub.store.read() as session:
        from sqlmodel import select

        (row,) = session.exec(select(ApiKeyRow))
    assert row.last_used_at is not None


def test_the_web_origin_says_where_the_stream_is(hub: Hub) -> None:
    answer = create_app(hub).test_client().get("/api/v1/events/stream")
    assert answer.status_code == 421
    assert answer.json is not None
    assert answer.json["stream"] == hub.settings.live_url + "/api/v1/events/stream"


def test_a_stream_at_rest_beats(
    hub: Hub, open_stream: Callable[..., Stream], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT", 0.05)
    reader = open_stream(key(hub))
    assert b": beat" in [next(reader.lines) for _ in range(6)]
