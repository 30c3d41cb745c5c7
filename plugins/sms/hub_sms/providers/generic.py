"""A gateway that speaks plain HTTP, sends each key once and signs as Standard Webhooks do."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar

from pydantic import ValidationError

from hub import (
    Delivery,
    DeliveryReport,
    Http,
    InboundText,
    Incoming,
    Receipt,
    Rejected,
    Unauthorized,
    Unknown,
)
from hub_sms.config import Config
from hub_sms.providers import Text


class Generic:
    """Posts JSON; the gateway answers a repeated key with its first reply."""

    keyed: ClassVar[bool] = True

    def __init__(self, config: Config) -> None:
        self.config = config

    @property
    def http(self) -> Http:
        """The gateway, with the token in every call."""
        token = self.config.token.get_secret_value()
        return Http(self.config.url, Authorization=f"Bearer {token}")

    def check(self) -> None:
        """Ask for the account."""
        self.http.get("/account")

    def send(self, text: Text) -> Receipt:
        """Send one text under its key."""
        told = {
            "to": text.to,
            "from": text.sender,
            "text": text.text,
            "reference": text.reference,
            "kind": text.kind,
        }
        if self.config.callbacks:
            told["callback"] = self.config.callbacks[0]
        reply = self.http.post("/messages", json=told, headers={"Idempotency-Key": text.key})
        return Receipt(ref=reference(reply.text))

    def receive(self, request: Incoming) -> Delivery:
        """Verify `webhook-signature` over id, time and body."""
        secret = self.config.signing_secret.get_secret_value()
        if not secret:
            raise Unauthorized("this connection has no secret for its webhooks; set one first")
        id, at = (request.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp"))
        signed = f"{id}.{at}.".encode() + request.body
        wanted = base64.b64encode(hmac.new(key_of(secret), signed, hashlib.sha256).digest())
        given = request.headers.get("webhook-signature", "").split(" ")
        holds = [hmac.compare_digest(one.encode(), b"v1," + wanted) for one in given]
        if not any(holds) or not id or not at.isascii() or not at.isdigit() or len(at) > 11:
            raise Unauthorized("the signature of the gateway does not hold")
        return Delivery(
            id=id[:200], topic="messages", signed_at=datetime.fromtimestamp(int(at), UTC)
        )

    def unpack(self, request: Incoming) -> Iterator[DeliveryReport | InboundText]:
        """Yield what each object says: `type` is report or text."""
        for one in records(request.body):
            found = noun(one)
            if found is not None:
                yield found

    def listen(self, url: str) -> str:
        """Say that the address goes out with every text."""
        return "the gateway is told the hub's address with every text"

    def leave(self, url: str) -> None:
        """Do nothing: it was told with each text alone."""


def reference(answer: str) -> str:
    """Return the gateway's own id of a message.

    Raise `Unknown` where none was given: what answered took the text, and nobody can tell whether
    it is a gateway that sends it.
    """
    try:
        found = json.loads(answer)["id"]
    except (ValueError, KeyError, TypeError):
        found = None
    if not isinstance(found, str | int) or not str(found).strip():
        raise Unknown("the gateway's reply has no message id; check its address")
    return str(found)


def key_of(secret: str) -> bytes:
    """Return the key of a secret: the bytes in `whsec_...`, else the secret itself."""
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"))
        except ValueError:
            pass  # somebody's own secret that only begins like one
    return secret.encode()


def records(body: bytes) -> list[dict[str, Any]]:
    """Return the objects of a webhook: one, or a list; raise `Rejected` for anything else."""
    try:
        found = json.loads(body)
    except ValueError as error:
        raise Rejected("the gateway sent what is no JSON") from error
    listed = found if isinstance(found, list) else [found]
    if not all(isinstance(one, dict) for one in listed):
        raise Rejected("the gateway sent JSON that is no object and no list of them")
    return listed


def noun(one: dict[str, Any]) -> DeliveryReport | InboundText | None:
    """Return what an object says, None for news that changes nothing, such as `accepted`."""
    kind, state = one.get("type"), one.get("state")
    try:
        if kind == "report" and state in ("delivered", "undelivered", "opted_out"):
            names = ("state", "detail", "at", "key")
            told = {name: one[name] for name in names if one.get(name)}
            return DeliveryReport.model_validate({"ref": str(one.get("id") or ""), **told})
        if kind == "text":
            told = {name: one[name] for name in ("text", "to", "at") if one.get(name)}
            ref, sender = str(one.get("id") or ""), one.get("from")
            return InboundText.model_validate({"sender": sender, "ref": ref, **told})
    except ValidationError as error:
        field = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise Rejected(f"the gateway sent a {kind} whose {field} cannot be read", field) from None
    return None
