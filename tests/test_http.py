"""Outgoing calls: private addresses are refused, failures speak our words."""

from __future__ import annotations

import gzip
import http.server
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import requests
import urllib3

from hub.errors import HubError, Rejected, Retry, Unauthorized, Unknown
from hub.http import GuardedPool, Http, calling, guard, judge, lost, redact, sentence, session
from hub.testing.patience import PATIENCE


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost/", "http://127.1/", "http://2130706433/",
        "http://0/", "http://0.0.0.0/", "http://[::1]/", "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:169.254.169.254]/", "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.8/", "http://192.168.1.1/", "http://172.20.0.1/", "http://100.64.0.1/",
        "http://[64:ff9b::7f00:1]/", "http://[fd00::1]/", "http://[fe80::1]/",
        "http://224.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1/", "http:///x",
        "http://1.1.1.1:99999/", "http://[/", f"http://{'a' * 70}.example/",
    ],
)  # fmt: skip
def test_private_addresses_in_any_dress_are_refused(url: str) -> None:
    with pytest.raises(Rejected):
        guard(url)
    with pytest.raises(Rejected):
        Http(url).get("/")


def test_a_private_address_is_called_once_it_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", "127.0.0.1:9, 127.0.0.1:8765")
    assert guard("http://127.0.0.1:8765/x") == "127.0.0.1"
    with pytest.raises(Rejected, match="HUB_ALLOW_ADDRESSES"):
        guard("http://127.0.0.1:8766/x")


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers with the status that the path names, /drop with nothing, /zip with a large text."""

    def do_GET(self) -> None:
        """Answer."""
        self.server.seen.append(self.path)  # type: ignore[attr-defined]
        if self.path == "/drop":
            self.connection.close()
            return
        if self.path == "/endless":
            self.endless()
            return
        self.send_response(200 if self.path == "/zip" else int(self.path[1:]))
        body = gzip.compress(b"x" * 5000) if self.path == "/zip" else b""
        if body:
            self.send_header("Content-Encoding", "gzip")
        else:
            self.send_header("Retry-After", "7")
            self.send_header("Location", "http://169.254.169.254/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def endless(self) -> None:
        """Write until the caller has had enough."""
        self.send_response(200)
        self.end_headers()
        with suppress(OSError):
            while True:
                self.wfile.write(b"x" * 10_000)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def server() -> Iterator[http.server.ThreadingHTTPServer]:
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    made.seen = []  # type: ignore[attr-defined]
    threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def service(server: Any, monkeypatch: pytest.MonkeyPatch) -> Http:
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{server.server_port}")
    return Http(f"http://127.0.0.1:{server.server_port}")


@pytest.mark.parametrize(
    ("status", "after", "reading", "writing"),
    [
        (301, "", Rejected, Rejected), (400, "", Rejected, Rejected),
        (401, "", Unauthorized, Unauthorized), (403, "", Unauthorized, Unauthorized),
        (404, "", Rejected, Rejected), (408, "", Retry, Retry), (409, "", Rejected, Rejected),
        (422, "", Rejected, Rejected), (425, "", Retry, Retry), (429, "", Retry, Retry),
        (429, "7", Retry, Retry), (500, "", Retry, Unknown), (500, "7", Retry, Unknown),
        (502, "", Retry, Unknown), (503, "", Retry, Unknown), (503, "7", Retry, Retry),
        (503, "Wed, 21 Oct 2026 07:28:00 GMT", Retry, Retry), (504, "", Retry, Unknown),
        (507, "", Retry, Unknown), (524, "", Retry, Unknown),
    ],
)  # fmt: skip
def test_what_a_status_means(
    status: int, after: str, reading: type[HubError], writing: type[HubError]
) -> None:
    read = judge("shop.example", status, "why", reads=True, after=after)
    write = judge("shop.example", status, "why", reads=False, after=after)
    assert (type(read), type(write)) == (reading, writing)
    for found in (read, write):
        assert "shop.example" in str(found)
        assert str(status) in str(found)
        if isinstance(found, Retry):
            assert found.after == (7 if after == "7" else None)


NEVER = urllib3.exceptions.NewConnectionError(None, "refused")  # type: ignore[arg-type]
SLOW = urllib3.exceptions.ConnectTimeoutError("slow")
SILENT = urllib3.exceptions.ReadTimeoutError(None, "/", "silent")  # type: ignore[arg-type]
REFUSED = urllib3.exceptions.MaxRetryError(None, "/", NEVER)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "writing"),
    [
        (NEVER, Retry), (SLOW, Retry), (requests.ConnectionError(REFUSED), Retry),
        (requests.ConnectTimeout(urllib3.exceptions.MaxRetryError(None, "/", SLOW)), Retry),  # type: ignore[arg-type]
        (SILENT, Unknown), (requests.ReadTimeout(SILENT), Unknown),
        (requests.ConnectionError(SILENT), Unknown),
        (requests.ConnectionError("Connection reset by peer"), Unknown),
        (requests.exceptions.ChunkedEncodingError("cut off"), Unknown),
        (urllib3.exceptions.ProtocolError("cut off"), Unknown),
        (requests.exceptions.SSLError("bad record"), Unknown),
    ],
    ids=repr,
)  # fmt: skip
def test_what_a_broken_call_means(error: Exception, writing: type[HubError]) -> None:
    assert type(lost("shop.example", error, reads=False)) is writing
    assert type(lost("shop.example", error, reads=True)) is Retry
    with pytest.raises(writing), calling("shop.example"):
        raise error


@pytest.mark.parametrize("path", ["/500", "/502", "/504", "/drop"])
def test_a_write_that_may_have_happened_is_unknown_and_a_read_a_retry(
    service: Http, path: str
) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        with pytest.raises(Unknown):
            service.request(method, path)
    for read in (service.get, service.read):
        with pytest.raises(Retry):
            read(path)


@pytest.mark.parametrize("status", [429, 503])
def test_a_service_that_names_a_time_is_tried_again_then(service: Http, status: int) -> None:
    for call in (service.get, service.read, service.post, service.put):
        with pytest.raises(Retry) as caught:
            call(f"/{status}")
        assert caught.value.after == 7


def test_a_redirect_is_not_followed(service: Http) -> None:
    with pytest.raises(Rejected):
        service.get("/302")


def test_where_a_redirect_is_followed_its_address_is_checked(service: Http) -> None:
    with pytest.raises(Rejected, match=r"169\.254\.169\.254:80 is a private address"):
        session().get(f"{service.root}/302", timeout=PATIENCE)


def test_a_dead_service_is_a_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{port}")
    with pytest.raises(Retry):
        Http(f"http://127.0.0.1:{port}").post("/x")


def test_credentials_in_an_address_are_blotted_out() -> None:
    assert (
        redact("https://x/?consumer_secret=abc&page=2") == "https://x/?consumer_secret=•••&page=2"
    )


def test_a_token_that_no_header_can_hold_is_rejected_without_being_told(service: Http) -> None:
    with pytest.raises(Rejected) as caught:
        Http(service.root, Authorization="Bearer abc\nX: y").post("/200")
    assert "abc" not in str(caught.value)


@pytest.mark.parametrize("path", ["/zip", "/endless"])
def test_no_more_of_a_reply_is_read_than_the_limit(
    service: Http, server: Any, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.http.LARGEST_REPLY", 4999)
    for read in (service.get, service.read):
        with pytest.raises(Rejected, match=rf"127\.0\.0\.1:{server.server_port} .* 4,999 bytes"):
            read(path)
    with pytest.raises(Unknown, match="4,999 bytes"):
        service.post(path)
    with pytest.raises(Rejected, match="4,999 bytes"):
        GuardedPool().request("GET", service.root + path)


def test_a_reply_as_large_as_the_limit_is_read(
    service: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.http.LARGEST_REPLY", 5000)
    assert service.get("/zip").content == b"x" * 5000
    assert GuardedPool().request("GET", f"{service.root}/zip").data == b"x" * 5000


def test_a_pool_for_an_sdk_neither_repeats_nor_follows(service: Http, server: Any) -> None:
    for path in ("/429", "/503", "/302"):
        reply = GuardedPool().request("GET", service.root + path, retries=5, redirect=True)
        assert f"/{reply.status}" == path
        assert reply.data == b""
    assert server.seen == ["/429", "/503", "/302"]


@pytest.mark.parametrize(("body", "said"), [
    ('{"error": "this number does not exist"}', "this number does not exist"),
    ('{"error": {"code": 7, "message": "no such invoice"}}', "no such invoice"),
    ('{"title": "Bad Request", "detail": "the date is past"}', "the date is past"),
    ('{"code": 7}', '{"code": 7}'),
    ("[1]", "[1]"),
    ("  plain words\n", "plain words"),
])  # fmt: skip
def test_of_an_answer_the_sentence_for_people_is_taken(body: str, said: str) -> None:
    assert sentence(body) == said


def test_a_key_in_an_address_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    session()
    said = "/routing?page=2&key=tt-4711-secret"
    logging.getLogger("urllib3.connectionpool").debug('"%s %s" %s', "GET", said, 200)
    assert "/routing?page=2" in caplog.text
    assert "tt-4711-secret" not in caplog.text
