"""A channel of the tests' own, so that the core's messages need no installed plugin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from hub.connector import Connector
from hub.http import Http, Url
from hub.hub import Hub
from hub.nouns import Message, Receipt
from hub.plugins import Plugin
from hub.testing.peers.sms import SmsPeer
from hub.testing.road import road as road  # a fixture, shared


class Settings(BaseModel):
    """Where the gateway is."""

    url: Url
    token: SecretStr
    sender: str = ""


class Texts(Connector[Settings]):
    """Sends each text once: the gateway answers a repeated key with its first reply."""

    name = "texts"
    title = "Texts"
    Config = Settings

    def send(self, message: Message) -> Receipt:
        """Send one text, to a number of Liechtenstein where it has no country."""
        digits = message.to.replace(" ", "")
        told = {
            "to": digits if digits.startswith("+") else f"+423{digits}",
            "from": message.sender or self.config.sender,
            "text": message.text,
            "reference": message.reference,
            "kind": message.kind,
        }
        bearer = f"Bearer {self.config.token.get_secret_value()}"
        reply = Http(self.config.url, Authorization=bearer).post(
            "/messages", json=told, headers={"Idempotency-Key": message.key}
        )
        return Receipt(ref=reply.json()["id"])


@pytest.fixture
def gateway(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmsPeer]:
    """Return a recording gateway; `texts` is the connector that reaches it."""
    plugin = Plugin(name="texts", distribution="", version="")
    plugin.connectors["texts"] = Texts
    plugin.kinds["texts"] = {"notification_channels"}
    hub.plugins.plugins["texts"] = plugin
    made = SmsPeer(tmp_path / "peers")
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()
