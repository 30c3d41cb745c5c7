"""Outgoing calls: private addresses are refused, failures speak our words."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest

from hub.errors import Rejected, Retry, Unauthorized, Unknown
from hub.http import Http, guard, redact


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost/", "http://127.1/", "http://2130706433/",
        "http://0/", "http://0.0.0.0/", "http://[::1]/", "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:169.254.169.254]/", "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.8/", "http://192.168.1.1/", "http://172.20.0.1/", "http://100.64.0.1/",
        "http://[64:ff9b::7f00:1]/", "http://[fd00::1]/", "http://[fe80::1]/",
        "http://224.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1/", "http:///x",
    ],
)  # fmt: skip
def test_private_addresses_in_any_dress_are_refused(url: str) -> None:
    with pytest.raises(Rejected):
        guard(url)


def test_a_private_address_is_called_once_it_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", "127.0.0.1:9, 127.0.0.1:8765")
    assert guard("http://127.0.0.1:8765/x") == "127.0.0.1"
    with pytest.raises(Rejected, match="HUB_ALLOW_ADDRESSES"):
        guard("http://127.0.0.1:8766/x")


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers with the status that the path names; /drop closes without an answer."""

    def do_GET(self) -> None:
        """Answer."""
        if self.path == "/drop":
            self.connection.close()
            return
        self.send_response(int(self.path[1:]))
        self.send_header("Retry-After", "7")
        self.send_header("Location", "http://169.254.169.254/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Http]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{port}")
    yield Http(f"http://127.0.0.1:{port}")
    server.shutdown()
    server.server_close()


def test_what_a_status_means(service: Http) -> None:
    assert service.get("/200").status_code == 200
    for path, error in (
        ("/401", Unauthorized), ("/403", Unauthorized), ("/429", Retry), ("/503", Retry),
        ("/404", Rejected), ("/422", Rejected),
    ):  # fmt: skip
        with pytest.raises(error):
            service.post(path)


def test_retry_after_is_passed_on(service: Http) -> None:
    with pytest.raises(Retry) as caught:
        service.get("/429")
    assert caught.value.after == 7


def test_a_redirect_is_not_followed(service: Http) -> None:
    with pytest.raises(Rejected):
        service.get("/302")


def test_a_lost_reply_is_unknown_for_a_write_and_a_retry_for_a_read(service: Http) -> None:
    with pytest.raises(Unknown):
        service.post("/drop")
    with pytest.raises(Retry):
        service.get("/drop")


def test_a_dead_service_is_a_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{port}")
    with pytest.raises(Retry):
        Http(f"http://127.0.0.1:{port}").post("/x")


def test_credentials_in_an_address_are_blotted_out() -> None:
    assert (
        redact("https://x/?consumer_secret=abc&page=2") == "https://x/?consumer_secret=***&page=2"
    )
