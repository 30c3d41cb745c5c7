"""A peer: an HTTP server that remembers its keys across restarts and can misbehave on request."""

from __future__ import annotations

import json
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message as Headers
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from hub.testing.patience import PATIENCE
from hub.testing.peers.log import Entry, RawLog, entries

LARGEST_BODY = 25_000_000


@dataclass(frozen=True)
class Request:
    """One request as it came; `path` is decoded and has no query."""

    method: str
    path: str
    query: dict[str, str]
    headers: Headers[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body as JSON; raise `ValueError` where it is none."""
        return json.loads(self.body or b"null")

    @property
    def key(self) -> str:
        """The Idempotency-Key, or nothing."""
        return self.headers.get("Idempotency-Key", "") or ""

    @property
    def bearer(self) -> str:
        """The token of `Authorization: Bearer ...`, or nothing."""
        kind, _, token = (self.headers.get("Authorization", "") or "").partition(" ")
        return token if kind == "Bearer" else ""


@dataclass(frozen=True)
class Reply:
    """What is answered, and what the log says about it."""

    status: int = 200
    data: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    stop: str = ""
    kind: str = ""
    sent: dict[str, Any] = field(default_factory=dict)
    """The part of the request that the log keeps: enough to build the state again."""
    content: bytes = b""
    """Sent instead of `data`, with the Content-Type of `headers`."""


class Peer(ABC):
    """Answer on a loopback port; a subclass says how in `answer` and `remember`.

    `POST /control` takes JSON: `{"expire": token}` and `{"accept": token}` change which tokens
    work, `{"fail": 429, "times": 2, "after": 7}` fails the next requests with Retry-After, and
    `{"mute": 1}` does what the next request asks and then hangs up without a word.
    """

    service: ClassVar[str] = "peer"
    token: ClassVar[str] = ""
    """The token that works from the start; empty where none is asked for."""
    shows: ClassVar[bool] = False
    """Whether `/` is a page for people, without a token."""

    def __init__(self, directory: Path, port: int = 0) -> None:
        self.directory = directory
        self.accepted = {self.token} - {""}
        self.expired: set[str] = set()
        self.failures: list[tuple[int, int]] = []
        self.mutes = 0
        self._answers: dict[str, Reply] = {}
        self._lock = threading.Lock()
        path = directory / f"{self.service}.jsonl"
        for entry in entries(path):
            self._restore(entry)
        self.log = RawLog(path)
        self.server = ThreadingHTTPServer(("127.0.0.1", port), handler(self))
        self.server.daemon_threads = True
        self._serving = threading.Event()
        self.server.service_actions = self._serving.set  # type: ignore[method-assign]

    @abstractmethod
    def answer(self, request: Request) -> Reply:
        """Return the reply to a request; called one at a time, with a token that works."""

    def remember(self, entry: Entry) -> None:  # noqa: B027 - most have nothing to remember
        """Take over what an accepted, non-repeated entry changed; also called at a restart."""

    def admits(self, request: Request) -> bool:
        """Say whether the request's credentials work."""
        return not self.token or request.bearer in self.accepted

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        return int(self.server.server_address[1])

    @property
    def url(self) -> str:
        """The address without a final slash."""
        return f"http://127.0.0.1:{self.port}"

    def serve(self) -> None:
        """Answer until `stop`."""
        self.server.serve_forever(poll_interval=0.02)

    def start(self) -> None:
        """Answer in a thread; return once it does, so that `stop` has something to stop."""
        threading.Thread(target=self.serve, name=self.service, daemon=True).start()
        self._serving.wait(PATIENCE)

    def stop(self) -> None:
        """Stop answering and close the port and the log."""
        self.server.shutdown()
        self.server.server_close()
        self.log.close()

    def handle(self, request: Request) -> Reply | None:
        """Answer one request and log it; `None` means: hang up."""
        with self._lock:
            if request.path == "/control" and request.method == "POST":
                return self._control(request)
            reply, repeat = self._decide(request)
            if not self._is_shown(request):
                self._record(request, reply, repeat)
            if self.mutes and reply.kind:
                self.mutes -= 1
                return None
            return reply

    def _decide(self, request: Request) -> tuple[Reply, bool]:
        if self._is_shown(request):
            return self.show(request), False
        if self.failures:
            status, after = self.failures.pop(0)
            return Reply(status, {"error": "on request"}, {"Retry-After": str(after)}), False
        if not self.admits(request):
            return Reply(401, {"error": "the token is not known"}), False
        known = self._answers.get(f"{request.method} {request.key}") if request.key else None
        return (known, True) if known else (self.answer(request), False)

    def _is_shown(self, request: Request) -> bool:
        return self.shows and (request.path == "/" or request.path.startswith("/show/"))

    def show(self, request: Request) -> Reply:
        """Return what people look at, where `shows` is true: `/` and everything under `/show/`."""
        return Reply(404, {"error": "nothing to show"})

    def _record(self, request: Request, reply: Reply, repeat: bool) -> None:
        entry = Entry(
            at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            service=self.service,
            method=request.method,
            path=request.path,
            status=reply.status,
            key=request.key,
            stop=reply.stop,
            kind=reply.kind,
            repeat=repeat,
            sent=reply.sent,
            answer=reply.data if reply.kind else {},
        )
        self.log.write(entry)
        if not repeat:
            self._restore(entry)

    def _restore(self, entry: Entry) -> None:
        if entry.method == "CONTROL":
            self._set_tokens(entry.sent)
        elif 200 <= entry.status < 300 and entry.kind and not entry.repeat:
            if entry.key:
                self._answers[f"{entry.method} {entry.key}"] = Reply(
                    entry.status, entry.answer, stop=entry.stop, kind=entry.kind
                )
            self.remember(entry)

    def _control(self, request: Request) -> Reply:
        wanted = request.json()
        if not isinstance(wanted, dict):
            return Reply(400, {"error": "send an object"})
        if "fail" in wanted:
            failure = (int(wanted["fail"]), int(wanted.get("after", 1)))
            self.failures += [failure] * int(wanted.get("times", 1))
        self.mutes += int(wanted.get("mute", 0))
        tokens = {name: wanted[name] for name in ("expire", "accept") if name in wanted}
        self._set_tokens(tokens)
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.log.write(Entry(now, self.service, "CONTROL", "/control", 200, sent=tokens))
        return Reply(200, {"accepted": len(self.accepted)})

    def _set_tokens(self, wanted: dict[str, Any]) -> None:
        if "expire" in wanted:
            self.accepted.discard(str(wanted["expire"]))
            self.expired.add(str(wanted["expire"]))
        if "accept" in wanted:
            self.accepted.add(str(wanted["accept"]))
            self.expired.discard(str(wanted["accept"]))


def handler(peer: Peer) -> type[BaseHTTPRequestHandler]:
    """Return the handler class that hands everything to `peer`."""

    class Handler(BaseHTTPRequestHandler):
        """Reads a request, writes a reply."""

        protocol_version = "HTTP/1.1"
        timeout = PATIENCE

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: the raw log says it."""

        def handle_any(self) -> None:
            """Answer one request, whatever its method."""
            request = read(self)
            reply = peer.handle(request) if request else Reply(413, {"error": "too large"})
            if reply is None:
                self.close_connection = True
                return
            write(self, reply)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any

    return Handler


def read(handler: BaseHTTPRequestHandler) -> Request | None:
    """Return the request at hand, or `None` for one that is too large."""
    length = int(handler.headers.get("Content-Length") or 0)
    if length > LARGEST_BODY:
        return None
    parts = urlsplit(handler.path)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return Request(
        method=handler.command,
        path=unquote(parts.path),
        query=query,
        headers=handler.headers,
        body=handler.rfile.read(length),
    )


def write(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    """Send a reply."""
    content = reply.content or json.dumps(reply.data, ensure_ascii=False).encode()
    handler.send_response(reply.status)
    headers = {"Content-Type": "application/json; charset=utf-8", **reply.headers}
    for name, value in {**headers, "Content-Length": str(len(content))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    if handler.command == "HEAD":  # its answer is that of GET without the content
        return
    handler.wfile.write(content)
