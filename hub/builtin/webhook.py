"""Send every proof to an address of one's own, signed as https://www.standardwebhooks.com says."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from hub import Connector, Http, Proof, Receipt, Url, hookimpl
from hub.builtin.paths import safe
from hub.capabilities import PodSink
from hub.nouns import Json

PREFIX = "whsec_"


class WebhookConfig(BaseModel):
    """Where it goes, and what it is signed with."""

    model_config = ConfigDict(extra="forbid")

    url: Url = Field(title="Address", description="It gets a POST for every proof.")
    secret: SecretStr = Field(
        title="Signing secret",
        description="whsec_ and 24 to 64 bytes in base64, the same at the other end.",
    )
    files: bool = Field(
        default=True,
        title="Send PDF and pictures along",
        description="In base64, so a request may have some megabytes. Off sends their hashes only.",
    )

    @field_validator("secret")
    @classmethod
    def long_enough(cls, secret: SecretStr) -> SecretStr:
        """Refuse what is no secret of Standard Webhooks."""
        text = secret.get_secret_value().removeprefix(PREFIX)
        try:
            size = len(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
        except binascii.Error:
            raise ValueError("it is whsec_ and then base64") from None
        if not 24 <= size <= 64:
            raise ValueError(f"it has {size} bytes; 24 to 64 are wanted")
        return secret


class Webhook(Connector[WebhookConfig]):
    """Posts the record with its files; `webhook-id` is the key, the same when it is repeated."""

    name = "webhook"
    title = "Webhook for proofs"
    Config = WebhookConfig
    sdk = ("standardwebhooks",)

    def check(self) -> None:
        """Send a signed `ping`, which the other end answers with 2xx and ignores."""
        now = datetime.now(UTC)
        body = dump({"type": "ping", "timestamp": now.isoformat(), "data": {}})
        headers = self._signed(f"ping_{int(now.timestamp())}", now, body)
        Http(self.config.url).read("", data=body, headers=headers)

    def store(self, proof: Proof) -> Receipt:
        """Post the proof."""
        data = told(proof, files=self.config.files)
        body = dump({"type": "proof.recorded", "timestamp": proof.at.isoformat(), "data": data})
        headers = self._signed(proof.key, datetime.now(UTC), body)
        Http(self.config.url).post("", data=body, headers=headers)
        return Receipt(ref=proof.key, detail=f"{len(body):,} bytes sent")

    def _signed(self, id: str, at: datetime, body: bytes) -> dict[str, str]:
        from standardwebhooks.webhooks import Webhook as Signer

        signer = Signer(self.config.secret.get_secret_value())
        return {
            "Content-Type": "application/json",
            "webhook-id": id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signer.sign(id, at, body.decode()),
        }


def told(proof: Proof, *, files: bool) -> Json:
    """Return what is said of a proof.

    `record` is the record's own text, because `sha256` is that of its bytes.
    """
    made = proof.model_dump(mode="json", exclude={"record", "files"})
    listed: list[Json] = []
    for file in proof.files:
        one: dict[str, Any] = {
            "name": safe(file.name, "file"),
            "media_type": file.media_type,
            "sha256": file.sha256,
            "size": len(file.content),
        }
        if files:
            one["content"] = base64.b64encode(file.content).decode()
        listed.append(one)
    return {**made, "record": proof.record.decode(), "files": listed}


def dump(value: Json) -> bytes:
    """Return a value as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@hookimpl
def pod_sinks() -> list[type[PodSink]]:
    """Return the webhook."""
    return [Webhook]
