"""The SMS connector: the shared checks, and what the gateway is sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hub_sms import Sms
from hub_sms.config import Config
from hub_sms.senders import e164
from pydantic import ValidationError

from hub import (
    DeliveryReport,
    Hook,
    InboundText,
    Incoming,
    Message,
    Rejected,
    Retry,
    Unauthorized,
    Unknown,
)
from hub.testing.conformance import SECRET, ConnectorTests, ScriptedPeer
from hub.testing.peers import Reply, duplicates
from hub.testing.peers.log import entries
from hub.testing.peers.sms import SmsPeer

SIGNED_BY = "webhook-secret-of-the-gateway"
REPORT = {"type": "report", "id": "sms-1", "state": "delivered", "at": "2026-11-23T09:30:00Z"}


def signed(body: bytes, secret: str = SIGNED_BY, at: datetime | None = None) -> Incoming:
    """Return a webhook as the gateway signs it (Standard Webhooks)."""
    now = at or datetime.now(UTC)
    said = f"msg_1.{int(now.timestamp())}.".encode() + body
    mac = base64.b64encode(hmac.new(secret.encode(), said, hashlib.sha256).digest()).decode()
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": f"v1,{mac}",
    }
    return Incoming(body=body, headers=headers, at=now)


class TestSms(ConnectorTests):
    connector = Sms
    config = {
        "url": "https://gateway.example/v1",
        "token": SECRET,
        "sender": "Hub",
        "signing_secret": SIGNED_BY,
        "callback_url": "https://hub.example/hooks/con_1/address",
    }
    event = REPORT

    def signed(self, body: bytes, secret: str = SIGNED_BY) -> Incoming:
        return signed(body, secret)

    def test_unpack_yields_nouns(self) -> None:
        """What a channel is told are reports and texts."""
        (report,) = self.call("unpack", self.signed(self.body))
        assert isinstance(report, DeliveryReport)

    @pytest.mark.parametrize("given", [{"hello": "I am a printer"}, {"id": ""}, {"id": None}])
    def test_an_accepted_text_without_an_id_is_unknown(
        self, peer: ScriptedPeer, given: dict[str, str | None]
    ) -> None:
        peer.reply = lambda _: Reply(200, given)
        with pytest.raises(Unknown, match="no message id"):
            self.built(peer.url).send(self.message)  # type: ignore[attr-defined]


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmsPeer]:
    made = SmsPeer(tmp_path)
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


def sms(gateway: SmsPeer, token: str = SmsPeer.token, **more: str) -> Sms:
    told = {"url": gateway.url, "token": token, "sender": "Hub", "country": "LI", **more}
    return Sms(Config.model_validate(told))


def message(**values: str) -> Message:
    told = {"key": "run:step:-", "to": "792 00 01", "text": "Grüezi", "reference": "stp_1"}
    return Message(**{**told, "kind": "near", **values})


def test_a_national_number_is_sent_as_e164_with_sender_text_and_stop(gateway: SmsPeer) -> None:
    receipt = sms(gateway).send(message())
    (entry,) = [e for e in entries(gateway.log.path) if e.kind]
    assert receipt.ref == entry.answer["id"]
    assert entry.sent == {"to": "+4237920001", "from": "Hub", "text": "Grüezi"}
    assert (entry.stop, entry.kind, entry.key) == ("stp_1", "near", "run:step:-")


def test_the_merchants_sender_goes_before_the_connections(gateway: SmsPeer) -> None:
    sms(gateway).send(message(sender="Alpenkraut"))
    assert gateway.sent[0].sent["from"] == "Alpenkraut"


def test_the_same_key_twice_is_one_text(gateway: SmsPeer) -> None:
    first, second = sms(gateway).send(message()), sms(gateway).send(message())
    assert first == second
    assert len(gateway.sent) == 1
    assert duplicates(gateway.log.path) == 0


def test_a_lost_reply_is_unknown_and_sending_again_sends_nothing_more(gateway: SmsPeer) -> None:
    gateway.mutes = 1
    with pytest.raises(Unknown):
        sms(gateway).send(message())
    sms(gateway).send(message())
    assert len(gateway.sent) == 1


def test_a_gateway_that_fails_may_have_sent_the_text(gateway: SmsPeer) -> None:
    gateway.failures = [(502, 0)]
    with pytest.raises(Unknown):
        sms(gateway).send(message())


@pytest.mark.parametrize("phone", ["", "call me", "12", "+999", "0" * 30])
def test_what_is_no_number_is_rejected_without_a_call(gateway: SmsPeer, phone: str) -> None:
    with pytest.raises(Rejected) as caught:
        sms(gateway).send(message(to=phone))
    assert caught.value.field == "to"
    assert list(entries(gateway.log.path)) == []


def test_an_error_never_repeats_the_number() -> None:
    with pytest.raises(Rejected) as caught:
        e164("079 123 45 67 89 10 11", "CH")
    assert "079" not in str(caught.value)


def test_a_number_that_the_gateway_refuses_is_rejected(gateway: SmsPeer) -> None:
    with pytest.raises(Rejected, match="does not exist"):
        sms(gateway).send(message(to="+41791230000"))


def test_an_expired_token_is_unauthorized_until_it_is_accepted_again(gateway: SmsPeer) -> None:
    sms(gateway).check()
    gateway.accepted.clear()
    with pytest.raises(Unauthorized):
        sms(gateway).check()


def test_a_rate_limit_says_when_to_come_back(gateway: SmsPeer) -> None:
    gateway.failures = [(429, 30)]
    with pytest.raises(Retry) as caught:
        sms(gateway).send(message())
    assert caught.value.after == 30


@pytest.mark.parametrize("url", ["http://gateway.example", "ftp://x", "https://a:b@c", "gateway"])
def test_an_address_that_would_leak_the_token_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        Config.model_validate({"url": url, "token": SECRET})


def test_settings_that_an_earlier_release_saved_are_those_of_a_gateway() -> None:
    made = Sms(Config.model_validate({"url": "https://gateway.example/v1", "token": SECRET}))
    assert made.config.provider == "generic"
    assert made.keyed


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"provider": "generic"}, "url"),
        ({"provider": "twilio"}, "account"),
        ({"provider": "vonage", "account": "a/b"}, "account"),
        ({"provider": "carrier-pigeon"}, "provider"),
        ({"provider": "twilio", "account": "AC1", "service": "my service"}, "service"),
    ],
)
def test_settings_that_a_provider_cannot_work_with_are_refused_by_field(
    told: dict[str, str], field: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({**told, "token": SECRET})
    assert {error["loc"][0] for error in caught.value.errors()} == {field}


@pytest.mark.parametrize("sender", ["A name that is long", "12", "Hub!", "+12", "Ümläut"])
def test_a_sender_that_networks_refuse_is_rejected_without_a_call(
    gateway: SmsPeer, sender: str
) -> None:
    with pytest.raises(Rejected, match="cannot be the sender") as caught:
        sms(gateway).send(message(sender=sender))
    assert caught.value.field == "sender"
    assert list(entries(gateway.log.path)) == []


@pytest.mark.parametrize(
    ("sender", "sent"), [("+41 79 123 45 67", "+41791234567"), ("72720", "72720"), ("3M", "3M")]
)
def test_a_number_a_short_code_and_a_name_can_be_the_sender(
    gateway: SmsPeer, sender: str, sent: str
) -> None:
    sms(gateway).send(message(sender=sender))
    assert gateway.sent[0].sent["from"] == sent


def test_reports_and_texts_come_back_each_as_its_noun(gateway: SmsPeer) -> None:
    at = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    told: list[dict[str, Any]] = [
        REPORT,
        {"type": "report", "id": "sms-2", "state": "accepted"},
        {"type": "report", "id": "sms-3", "state": "opted_out", "key": "run:step:-"},
        {"type": "text", "id": "t1", "from": "+4237920001", "to": "+423100", "text": "STOP"},
    ]
    request = signed(json.dumps(told).encode())
    made = sms(gateway, signing_secret=SIGNED_BY)
    assert made.receive(request).id == "msg_1"
    assert list(made.unpack(request)) == [
        DeliveryReport(ref="sms-1", state="delivered", at=at),
        DeliveryReport(ref="sms-3", state="opted_out", key="run:step:-"),
        InboundText(sender="+4237920001", to="+423100", text="STOP", ref="t1"),
    ]


def test_without_a_secret_no_webhook_is_believed(gateway: SmsPeer) -> None:
    with pytest.raises(Unauthorized, match="no secret for its webhooks"):
        sms(gateway).receive(signed(b"{}", ""))


def test_subscribing_keeps_the_new_address_before_the_last_one(gateway: SmsPeer) -> None:
    made = sms(gateway, callback_url="https://hub/b https://hub/a")
    told = made.subscribe(Hook(url="https://hub/c", secret="s"))
    assert told.settings == {"callback_url": "https://hub/c https://hub/b"}
    again = made.subscribe(Hook(url="https://hub/b", secret="s"))
    assert again.settings == {"callback_url": "https://hub/b https://hub/a"}
