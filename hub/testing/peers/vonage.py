"""Vonage's SMS API: 200 for everything, the truth in `status`, and signed JSON webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from hub.testing.peers.log import Entry
from hub.testing.peers.server import Peer, Reply, Request
from hub.testing.peers.twilio import Posted

KEY = "abcd1234"


class VonagePeer(Peer):
    """Takes texts of one account; refuses numbers that end in 0000, throttles on request."""

    service = "vonage"
    secret = "vonage-demo-secret"  # noqa: S105 - opens nothing but this peer
    signing = "vonage-signature-secret-of-the-demo"
    """Signs webhooks, by HMAC-SHA256."""

    def __init__(self, directory: Path, port: int = 0) -> None:
        self.sent: list[Entry] = []
        self.refusals: list[tuple[str, str]] = []
        """Status and error-text of the next answers."""
        self.webhook = ""
        """Where replies go, as it is set in the dashboard."""
        super().__init__(directory, port)

    def answer(self, request: Request) -> Reply:
        """Answer the balance and texts."""
        basic = base64.b64encode(f"{KEY}:{self.secret}".encode()).decode()
        if (request.method, request.path) == ("GET", "/account/get-balance"):
            if request.headers.get("Authorization") != f"Basic {basic}":
                return Reply(
                    401, {"error-code": "401", "error-code-label": "authentication failed"}
                )
            return Reply(200, {"value": 10.5, "autoReload": False})
        if (request.method, request.path) != ("POST", "/sms/json"):
            return Reply(404, {"title": "Not Found"})
        return self._take(request.json())

    def _take(self, told: dict[str, Any]) -> Reply:
        if (told.get("api_key"), told.get("api_secret")) != (KEY, self.secret):
            return refusal("4", "Bad Credentials")
        if self.refusals:
            return refusal(*self.refusals.pop(0))
        missing = [name for name in ("to", "from", "text") if not told.get(name)]
        if missing:
            return refusal("2", f"Missing {missing[0]} param")
        to = str(told["to"])
        if not to.isdigit() or to.endswith("0000"):
            return refusal("3", f"Invalid to address {to}")
        id, key = str(uuid4()), str(told.get("client-ref", ""))
        one = {"to": to, "message-id": id, "status": "0", "client-ref": key}
        sent = {
            "to": to, "from": told["from"], "text": told["text"], "type": told.get("type"),
            "callback": told.get("callback", ""), "ref": key,
        }  # fmt: skip
        data = {"message-count": "1", "messages": [one], "id": id}
        return Reply(200, data, stop=key or to, kind="sms", sent=sent)

    def remember(self, entry: Entry) -> None:
        """Keep an accepted text."""
        self.sent.append(entry)

    def report(self, id: str, state: str, error: str = "0") -> Posted:
        """Return the signed receipt that tells what became of a text."""
        (entry,) = [entry for entry in self.sent if entry.answer["id"] == id]
        told = {
            "msisdn": entry.sent["to"], "to": entry.sent["from"], "network-code": "22801",
            "messageId": id, "price": "0.05", "status": state, "scts": "2611230930",
            "err-code": error, "api-key": KEY, "client-ref": entry.sent["ref"],
            "message-timestamp": "2026-11-23 08:30:00", "timestamp": "1795422600", "nonce": "n1",
        }  # fmt: skip
        return self._posted(entry.sent["callback"], told)

    def write(self, sender: str, text: str, id: str = "") -> Posted:
        """Return the signed webhook of a text that somebody wrote; `sender` has no plus."""
        told = {
            "api-key": KEY, "msisdn": sender, "to": "447700900000", "messageId": id or str(uuid4()),
            "text": text, "type": "text", "keyword": text.split(" ")[0].upper(),
            "message-timestamp": "2026-11-23 08:31:00", "timestamp": "1795422660", "nonce": "n2",
        }  # fmt: skip
        return self._posted(self.webhook, told)

    def _posted(self, url: str, told: dict[str, str]) -> Posted:
        def clean(value: str) -> str:
            return value.replace("&", "_").replace("=", "_")

        said = "".join(f"&{name}={clean(told[name])}" for name in sorted(told))
        sig = hmac.new(self.signing.encode(), said.encode(), hashlib.sha256).hexdigest()
        body = json.dumps({**told, "sig": sig.upper()}).encode()
        return Posted(url, body, {"content-type": "application/json"})


def refusal(status: str, text: str) -> Reply:
    """Return an answer that refuses a text: with 200, as Vonage does."""
    one = {"status": status, "error-text": text}
    return Reply(200, {"message-count": "1", "messages": [one]})
