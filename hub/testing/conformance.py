"""The checks that every connector has to pass: subclass the classes that fit, name the connector.

class TestPing(ConnectorTests, ChannelTests):
    connector = Ping
    config = {"url": "https://ping.example", "token": SECRET}
"""

from __future__ import annotations

import http.client
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr

from hub.connections.book import secret_fields
from hub.connector import Connector
from hub.contract import CAPABILITY
from hub.errors import Rejected, Retry, Unauthorized
from hub.nouns import Message, Proof, ProofFile
from hub.plugins import Plugins
from hub.testing.peers import Peer, Reply, Request

SECRET = "s3cret-that-nobody-may-see"  # noqa: S105 - the value that the checks look for


class ScriptedPeer(Peer):
    """Answers every request with what `reply` returns, and keeps the requests."""

    service = "scripted"

    def __init__(self, directory: Path, port: int = 0) -> None:
        self.requests: list[Request] = []
        self.reply: Callable[[Request], Reply] = lambda _: Reply(200, {})
        super().__init__(directory, port)

    def answer(self, request: Request) -> Reply:
        """Return the scripted reply."""
        self.requests.append(request)
        return self.reply(request)


class ConnectorTests:
    """What holds for every connector; `place` is the setting that holds the service's address."""

    connector: ClassVar[type[Connector[Any]]]
    config: ClassVar[dict[str, Any]]
    place: ClassVar[str] = "url"
    path: ClassVar[str] = ""
    """What follows the host in the address."""

    @pytest.fixture
    def peer(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedPeer]:
        """Return a peer on loopback that connectors may call."""
        made = ScriptedPeer(tmp_path / "peer")
        made.start()
        monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
        yield made
        made.stop()

    def built(self, url: str = "") -> Connector[Any]:
        """Return the connector, pointed at `url` where one is given."""
        settings = {**self.config, **({self.place: url + self.path} if url else {})}
        return self.connector(self.connector.Config.model_validate(settings))

    def test_its_plugin_is_installed_and_loads(self) -> None:
        plugin = Plugins().owner(self.connector.name)
        assert plugin is not None, f"{self.connector.name} is not installed"
        assert plugin.error == ""
        assert plugin.kinds[self.connector.name] <= set(CAPABILITY)

    def test_every_setting_has_a_title(self) -> None:
        untitled = [n for n, f in self.connector.Config.model_fields.items() if not f.title]
        assert untitled == []

    def test_secrets_are_hidden(self) -> None:
        made = self.built()
        assert secret_fields(self.connector.Config), "a service has credentials: use SecretStr"
        assert SECRET not in repr(made) + repr(made.config) + str(made.config)
        assert SECRET not in made.config.model_dump_json()

    def test_no_other_setting_looks_like_a_secret(self) -> None:
        for name, field in self.connector.Config.model_fields.items():
            if any(word in name for word in ("token", "secret", "password", "key")):
                assert field.annotation in (SecretStr, SecretStr | None), f"{name} is no SecretStr"

    def test_importing_it_is_light(self) -> None:
        module = self.connector.__module__
        heavy = {name.split(".")[0] for name in self.connector.sdk} - {module}
        code = f"import sys, {module}; sys.exit(str(set(sys.modules) & {heavy!r} or '') or None)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, f"importing {module} imported {done.stderr}"

    @pytest.mark.parametrize("status", [401, 403])
    def test_refused_credentials_are_unauthorized(self, peer: ScriptedPeer, status: int) -> None:
        peer.reply = lambda _: Reply(status, {"error": "no"})
        with pytest.raises(Unauthorized):
            self.built(peer.url).check()

    def test_a_rate_limit_is_a_retry_after_the_time_it_names(self, peer: ScriptedPeer) -> None:
        peer.reply = lambda _: Reply(429, {"error": "slowly"}, {"Retry-After": "7"})
        with pytest.raises(Retry) as caught:
            self.built(peer.url).check()
        assert caught.value.after == 7
        assert len(peer.requests) == 1, "a 429 is never repeated inside a call"

    @pytest.mark.parametrize("status", [500, 503])
    def test_a_broken_service_is_a_retry(self, peer: ScriptedPeer, status: int) -> None:
        peer.reply = lambda _: Reply(status, {"error": "broken"})
        with pytest.raises(Retry) as caught:
            self.built(peer.url).check()
        assert SECRET not in str(caught.value)
        assert len(peer.requests) == 1

    def test_a_dead_network_is_a_retry(self, peer: ScriptedPeer) -> None:
        peer.server.server_close()
        with pytest.raises(Retry):
            self.built(peer.url).check()

    def test_a_private_address_is_refused(
        self, peer: ScriptedPeer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = self.built(peer.url)
        monkeypatch.delenv("HUB_ALLOW_ADDRESSES")
        with pytest.raises(Rejected, match="private address"):
            made.check()
        assert peer.requests == []

    def test_a_redirect_is_not_followed(self, peer: ScriptedPeer) -> None:
        peer.reply = lambda _: Reply(302, {}, {"Location": f"{peer.url}/elsewhere"})
        with pytest.raises((Rejected, Retry)):
            self.built(peer.url).check()
        assert len(peer.requests) == 1

    def test_every_call_has_a_time_limit(
        self, peer: ScriptedPeer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        limits: list[float | None] = []
        genuine = http.client.HTTPConnection.getresponse

        def watched(connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
            limits.append(connection.sock.gettimeout())
            return genuine(connection)

        monkeypatch.setattr(http.client.HTTPConnection, "getresponse", watched)
        peer.reply = lambda _: Reply(500, {})
        with pytest.raises(Retry):
            self.built(peer.url).check()
        assert limits
        assert all(limit is not None and 0 < limit <= 60 for limit in limits)


class ChannelTests:
    """What holds for a connector that sends messages over HTTP and says that it is keyed."""

    message: ClassVar[Message] = Message(key="run_1:ste_1:-", to="+41791234567", text="Soon there")

    def test_sending_carries_the_key(self, peer: ScriptedPeer) -> None:
        peer.reply = lambda _: Reply(201, {"id": "1"})
        self.built(peer.url).send(self.message)  # type: ignore[attr-defined]
        assert [request.key for request in peer.requests] == [self.message.key]


def a_proof(**values: Any) -> Proof:
    """Return a proof of one completed stop, with a PDF."""
    document = ProofFile(
        name="proof.pdf", media_type="application/pdf", sha256="ab" * 32, content=b"%PDF-1.7 \xff"
    )
    told = {
        "key": "run_1:ste_2:con_1",
        "id": "prf_1",
        "order": "ord_1",
        "stop": "stp_1",
        "invoice": "INV-1001",
        "outcome": "completed",
        "at": datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
        "summary": "Delivered 23 Nov 2026 10:30 to M. Beck",
        "record": b"{}",
        "sha256": "cd" * 32,
        "files": (document,),
        "tracking_url": "https://hub.example/t/abc",
        **values,
    }
    return Proof.model_validate(told)
