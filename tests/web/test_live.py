"""The live gateway, served by uvicorn and listened to over HTTP."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import requests
import uvicorn

from hub.hub import Hub
from hub.settings import Settings
from hub.testing.patience import PATIENCE, until
from hub.tracking.live import live_url
from hub.web import live

ORIGIN = "http://127.0.0.1:8000"


@pytest.fixture
def door() -> Iterator[socket.socket]:
    """Hold the gateway's port from the start, so that nobody takes it in between."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        yield held


@pytest.fixture
def settings(settings: Settings, door: socket.socket) -> Settings:
    port = door.getsockname()[1]
    return settings.model_copy(
        update={"public_url": ORIGIN, "live_url": f"http://127.0.0.1:{port}"}
    )


@pytest.fixture
def gateway(hub: Hub, settings: Settings, door: socket.socket) -> Iterator[live.Gateway]:
    app = live.make_gateway(settings)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, args=([door],))
    thread.start()
    made: live.Gateway = app.state.gateway
    try:
        until(lambda: server.started and made.connected)
        yield made
    finally:
        made.close()
        server.should_exit = True
        thread.join(PATIENCE)
    assert not thread.is_alive()


class Listener:
    """A browser's EventSource, cut to what the tests need."""

    def __init__(self, url: str) -> None:
        self.answer = requests.get(url, stream=True, timeout=PATIENCE, headers={"Origin": ORIGIN})
        self.lines = self.answer.iter_lines(chunk_size=1)

    def next(self) -> object:
        """Return the data of the next message."""
        for line in self.lines:
            if line.startswith(b"data: "):
                return json.loads(line[6:])
        raise AssertionError("the stream ended")

    def close(self) -> None:
        self.answer.close()


@pytest.fixture
def listener(hub: Hub, gateway: live.Gateway) -> Iterator[Listener]:
    made = Listener(live_url(hub, ["live:stop:stp_1"]))
    until(lambda: gateway.count() == 1)
    yield made
    made.close()


def test_a_message_reaches_the_page_within_a_second(hub: Hub, listener: Listener) -> None:
    took = []
    for _ in range(5):  # on a busy machine one of them may be late
        began = time.monotonic()
        hub.redis.publish("live:stop:stp_1", '{"t":"changed"}')
        assert listener.next() == {"t": "changed"}
        took.append(time.monotonic() - began)
    assert min(took) < 1
    assert listener.answer.headers["Content-Type"] == "text/event-stream"


def test_a_page_hears_its_own_channels_only(hub: Hub, listener: Listener) -> None:
    hub.redis.publish("live:stop:stp_2", '{"t":"moved"}')
    hub.redis.publish("live:board", '{"t":"fix","driver":"drv_1"}')
    hub.redis.publish("live:stop:stp_1", '{"t":"moved"}')
    assert listener.next() == {"t": "moved"}


def test_without_our_signature_nothing_is_heard(
    hub: Hub, gateway: live.Gateway, settings: Settings
) -> None:
    forged = hub.keys.signer("other").dumps(["live:board"])
    for token in (forged, "", "nonsense"):
        answer = requests.get(
            f"{settings.live_url}/live", params={"token": token}, timeout=PATIENCE
        )
        assert answer.status_code == 403
        assert "load the page again" in answer.text


def test_only_our_own_origin_may_read(hub: Hub, gateway: live.Gateway, listener: Listener) -> None:
    assert listener.answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    url = live_url(hub, ["live:board"])
    other = requests.get(url, timeout=PATIENCE, headers={"Origin": "https://example.com"})
    assert other.status_code == 403
    assert "Access-Control-Allow-Origin" not in other.headers


def test_a_page_that_hangs_up_is_forgotten(gateway: live.Gateway, listener: Listener) -> None:
    listener.close()
    until(lambda: gateway.count() == 0)
    assert gateway.clients == {}


def test_when_redis_comes_back_every_page_is_told_to_look_again(
    hub: Hub, gateway: live.Gateway, listener: Listener
) -> None:
    hub.redis.client_kill_filter(_type="pubsub")
    assert listener.next() == {"t": "changed"}
    until(lambda: gateway.connected)
    hub.redis.publish("live:stop:stp_1", '{"t":"moved"}')
    assert listener.next() == {"t": "moved"}


def test_health_says_who_listens(
    gateway: live.Gateway, settings: Settings, listener: Listener
) -> None:
    assert requests.get(f"{settings.live_url}/healthz", timeout=PATIENCE).json() == {
        "alive": True, "redis": True, "clients": 1,
    }  # fmt: skip


def test_a_driver_who_moves_fast_fills_nobodys_queue() -> None:
    client = live.Client(frozenset({"live:board"}))
    for number in range(1000):
        data = json.dumps({"t": "fix", "driver": "drv_1", "lat": number}).encode()
        client.offer(live.subject("live:board", data), data)
    assert list(client.frames.values()) == [data]
    assert client.open


def test_a_client_that_does_not_read_is_dropped() -> None:
    client = live.Client(frozenset({"live:board"}))
    for number in range(live.MOST_WAITING + 1):
        client.offer(f"event {number}", b"x")
    assert not client.open
