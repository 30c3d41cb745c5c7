"""Play back, in a plugin's tests, what `hub plugin dev --call` has recorded.

from hub.testing.recorded import Replay, replay  # noqa: F401 - a fixture

def test_orders_are_read(replay: Replay) -> None:
    shop = Acme(Config(url=replay("pull").url, token="any"))
    assert [order.ref for order in shop.pull(Cursor()) if isinstance(order, Order)] == ["1001"]
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from hub.exchange import Exchange
from hub.redaction import HIDDEN, cover
from hub.testing.peers import Peer, Reply, Request

CREDENTIALS = ("authorization", "cookie", "key", "secret", "session", "signature", "token")
"""A header is covered whose name holds one of these, save those that say how often to call."""
DROPPED = ("connection", "content-encoding", "content-length", "date", "transfer-encoding")
"""Headers of a reply that say how it was sent, not what."""
HARMLESS = ("idempotency-key",)


def save(path: Path, exchanges: Iterable[Exchange], secrets: Iterable[str]) -> None:
    """Write exchanges as JSON, without any of `secrets` and without what carries credentials."""
    hidden = frozenset(secrets)
    found = [written(exchange, hidden) for exchange in exchanges]
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"exchanges": found}, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def written(exchange: Exchange, secrets: frozenset[str]) -> dict[str, Any]:
    """Return one exchange as it is kept."""
    parts = urlsplit(exchange.url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return {
        "request": {
            "method": exchange.method,
            "origin": cover(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", secrets),
            "path": cover(path, secrets),
            "headers": headers(exchange.headers, secrets),
            **body(exchange.body, secrets),
        },
        "reply": {
            "status": exchange.status,
            "headers": headers(exchange.reply_headers, secrets, DROPPED),
            **body(exchange.reply, secrets),
        },
    }


def headers(
    found: dict[str, str], secrets: frozenset[str], without: tuple[str, ...] = ()
) -> dict[str, str]:
    """Return headers with the values covered that carry credentials."""
    kept = {name: value for name, value in found.items() if name.lower() not in without}
    return {
        name: HIDDEN if is_credential(name) else cover(str(value), secrets)
        for name, value in kept.items()
    }


def is_credential(name: str) -> bool:
    """Say whether a header of that name opens something."""
    low = name.lower()
    return low not in HARMLESS and any(word in low for word in CREDENTIALS)


def body(content: bytes, secrets: frozenset[str]) -> dict[str, str]:
    """Return a body as text, or in base64 where it is none."""
    try:
        return {"body": covered(content.decode(), secrets)} if content else {}
    except UnicodeDecodeError:
        for secret in secrets:
            content = content.replace(secret.encode(), HIDDEN.encode())
        return {"base64": base64.b64encode(content).decode()}


def covered(text: str, secrets: frozenset[str]) -> str:
    """Return a text without secrets; the values that JSON names like a credential go, too."""
    try:
        found = json.loads(text)
    except ValueError:
        return cover(text, secrets)
    clean = json.dumps(without_tokens(found), ensure_ascii=False)
    return cover(clean if without_tokens(found) != found else text, secrets)


def without_tokens(value: Any) -> Any:
    """Return a value of JSON with what token endpoints answer covered."""
    if isinstance(value, dict):
        return {
            name: HIDDEN
            if isinstance(inner, str) and name.endswith(("_token", "_secret", "password"))
            else without_tokens(inner)
            for name, inner in value.items()
        }
    return [without_tokens(inner) for inner in value] if isinstance(value, list) else value


class Recorded(Peer):
    """Answers as the recorded service did: to the same request, in the order of the recording.

    The addresses of that service in its replies become this peer's, so that pages that name the
    next one go on here. A request that was not recorded is answered 501 and kept in `strange`.
    """

    service = "recorded"

    def __init__(self, recording: Path, directory: Path, port: int = 0) -> None:
        self.recording = recording
        self.left: list[dict[str, Any]] = json.loads(recording.read_text("utf-8"))["exchanges"]
        self.origins = {one["request"]["origin"] for one in self.left}
        self.strange: list[str] = []
        super().__init__(directory, port)

    def answer(self, request: Request) -> Reply:
        """Return the next recorded reply to a request of this method, path and query."""
        wanted = (request.method, request.path, request.query)
        for exchange in self.left:
            sent = exchange["request"]
            parts = urlsplit(sent["path"])
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            path = quote(request.path, safe="/%:@!$&'()*+,;=~")
            if (sent["method"], query) == (wanted[0], hidden_as(request.query, query)) and (
                parts.path in (request.path, path)
            ):
                self.left.remove(exchange)
                return self.reply(exchange["reply"])
        self.strange.append(f"{request.method} {request.path}")
        return Reply(501, {"error": f"{self.recording.name} has no {request.method} {wanted[1:]}"})

    def reply(self, kept: dict[str, Any]) -> Reply:
        """Return a recorded reply, with the recorded service's addresses replaced."""
        content = base64.b64decode(kept["base64"]) if "base64" in kept else b""
        content = content or self.here(kept.get("body", "")).encode()
        # What covers a secret is no letter of HTTP.
        plain = {name: value.replace(HIDDEN, "hidden") for name, value in kept["headers"].items()}
        named = {name: self.here(value) for name, value in plain.items()}
        return Reply(kept["status"], headers=named, content=content)

    def here(self, text: str) -> str:
        """Return a text with the recorded service's addresses replaced by this peer's."""
        for origin in self.origins:
            text = text.replace(origin, self.url)
            text = text.replace(origin.replace("/", "\\/"), self.url.replace("/", "\\/"))
        return text


def hidden_as(query: dict[str, str], recorded: dict[str, str]) -> dict[str, str]:
    """Return a query with the values covered that were covered when it was recorded."""
    return {
        name: HIDDEN if recorded.get(name) == HIDDEN else value for name, value in query.items()
    }


Replay = Callable[[str], Recorded]


@pytest.fixture
def replay(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Replay]:
    """Return a function that plays `recorded/<name>.json`, beside the test, on loopback.

    The test fails where the connector asked for something that was not recorded.
    """
    peers: list[Recorded] = []

    def play(name: str) -> Recorded:
        path = request.path.parent / "recorded" / f"{name}.json"
        assert path.exists(), f"{path} is not there; record it: hub plugin dev --call {name}"
        made = Recorded(path, tmp_path / f"recorded-{len(peers)}")
        made.start()
        peers.append(made)
        opened = ",".join(f"127.0.0.1:{peer.port}" for peer in peers)
        monkeypatch.setenv("HUB_ALLOW_ADDRESSES", opened)
        return made

    yield play
    for peer in peers:
        peer.stop()
    strange = [f"{peer.recording.name}: {one}" for peer in peers for one in peer.strange]
    assert strange == [], f"asked for, but not recorded: {', '.join(strange)}"
