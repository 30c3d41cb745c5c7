"""A proof is posted with a signature that the other end can verify, and the same id every time."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from pydantic import ValidationError
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from hub.builtin.webhook import Webhook, WebhookConfig
from hub.errors import Unknown
from hub.testing.conformance import ConnectorTests, ScriptedPeer, a_proof
from hub.testing.peers import Reply, Request

KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()
RECORD = b'{"outcome":"completed","who":"M\xc3\xbcller"}'


def verified(request: Request, key: str = KEY) -> Any:
    """Return what a receiver makes of a request."""
    return Verifier(key).verify(request.body, dict(request.headers.items()))


class TestWebhook(ConnectorTests):
    connector = Webhook
    config = {"url": "https://example.com/proofs", "secret": KEY}  # noqa: RUF012
    path = "/proofs"

    def sent(self, peer: ScriptedPeer, **changed: Any) -> tuple[Request, Any]:
        """Return the request that storing makes, and what it says."""
        proof = a_proof(record=RECORD, sha256=hashlib.sha256(RECORD).hexdigest())
        config = {"url": peer.url + "/proofs", "secret": KEY, **changed}
        Webhook(WebhookConfig.model_validate(config)).store(proof)
        request = peer.requests[-1]
        return request, verified(request)

    def test_record_hash_and_files_can_be_checked_by_the_receiver(self, peer: ScriptedPeer) -> None:
        request, told = self.sent(peer)
        assert (request.method, request.path) == ("POST", "/proofs")
        assert told["type"] == "proof.recorded"
        data = told["data"]
        assert data["record"].encode() == RECORD
        assert hashlib.sha256(data["record"].encode()).hexdigest() == data["sha256"]
        (file,) = data["files"]
        assert base64.b64decode(file["content"]) == b"%PDF-1.7 \xff"
        assert (data["order"], data["outcome"], data["invoice"]) == (
            "ord_1", "completed", "INV-1001",
        )  # fmt: skip

    def test_a_repetition_carries_the_same_id(self, peer: ScriptedPeer) -> None:
        ids = {self.sent(peer)[0].headers["webhook-id"] for _ in range(2)}
        assert ids == {"run_1:ste_2:con_1"}
        assert Webhook.keyed

    def test_another_secret_or_a_changed_byte_is_seen(self, peer: ScriptedPeer) -> None:
        request, _ = self.sent(peer)
        other = "whsec_" + base64.b64encode(b"x" * 32).decode()
        with pytest.raises(WebhookVerificationError):
            verified(request, other)
        with pytest.raises(WebhookVerificationError):
            Verifier(KEY).verify(request.body + b" ", dict(request.headers.items()))

    def test_files_may_stay_away_but_their_hashes_come(self, peer: ScriptedPeer) -> None:
        _, told = self.sent(peer, files=False)
        (file,) = told["data"]["files"]
        assert file == {
            "name": "proof.pdf", "media_type": "application/pdf", "sha256": "ab" * 32, "size": 10,
        }  # fmt: skip

    def test_check_is_a_signed_ping(self, peer: ScriptedPeer) -> None:
        self.built(peer.url).check()
        (request,) = peer.requests
        assert verified(request)["type"] == "ping"

    def test_a_receiver_that_breaks_after_it_took_it_leaves_doubt(self, peer: ScriptedPeer) -> None:
        peer.reply = lambda _: Reply(500, {"error": "broken"})
        with pytest.raises(Unknown):
            self.sent(peer)


@pytest.mark.parametrize("secret", ["", "whsec_", "short", "whsec_!!!", KEY[:20]])
def test_a_weak_secret_is_refused_without_being_repeated(secret: str) -> None:
    with pytest.raises(ValidationError) as caught:
        WebhookConfig.model_validate({"url": "https://example.com", "secret": secret})
    assert not secret or secret not in str(caught.value.errors(include_input=False))
