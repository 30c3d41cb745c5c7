"""The provider Vonage: what it is sent, what its 200s mean, whose webhooks are believed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote

import pytest
from hub_sms import Sms
from hub_sms.config import Config
from hub_sms.providers.vonage import signature

from hub import (
    DeliveryReport,
    Hook,
    HubError,
    InboundText,
    Incoming,
    Message,
    Rejected,
    Retry,
    Unauthorized,
    Unknown,
)
from hub.testing.conformance import SECRET, ConnectorTests, ScriptedPeer
from hub.testing.peers.twilio import Posted
from hub.testing.peers.vonage import KEY, VonagePeer

CALLBACK = "https://hub.example/hooks/con_1/secret-of-the-address"
SIGNED_BY = "signature-secret-of-the-account"
TEXT = {"msisdn": "4237920001", "to": "447700900000", "messageId": "m1", "text": "Hello"}


class TestVonage(ConnectorTests):
    connector = Sms
    config: ClassVar[dict[str, Any]] = {
        "provider": "vonage", "account": KEY, "token": SECRET, "sender": "447700900000",
        "url": "", "signing_secret": SIGNED_BY, "callback_url": CALLBACK,
    }  # fmt: skip
    answers = {"send": [{"messages": [{"status": "0", "message-id": "m1", "to": "4237920001"}]}]}
    event = TEXT
    saved = ({**config, "url": "https://rest.nexmo.com"},)

    def signed(self, body: bytes, secret: str = SIGNED_BY) -> Incoming:
        try:
            told = json.loads(body)
        except ValueError:
            return Incoming(body=body, at=datetime.now(UTC))
        if not isinstance(told, dict):
            return Incoming(body=body, at=datetime.now(UTC))
        known = {name: value for name, value in told.items() if name != "sig"}
        body = json.dumps({**known, "sig": signature(secret, "md5hash", known)}).encode()
        return Incoming(body=body, at=datetime.now(UTC))

    def test_sending_carries_the_key(self, peer: ScriptedPeer) -> None:
        """Vonage drops no repetition, and what depends on the provider says so."""
        assert not self.built(peer.url).keyed
        self.call("send", url=peer.url)
        assert self.message.key in unquote(unquote(peer.requests[-1].body.decode()))

    def test_unpack_yields_nouns(self) -> None:
        """What a channel is told are reports and texts."""
        (text,) = self.call("unpack", self.signed(self.body))
        assert isinstance(text, InboundText)

    def test_a_missing_signature_is_refused(self) -> None:
        """Vonage signs in the body."""
        self.refused(Incoming(body=self.body, at=datetime.now(UTC)), "no sig")

    def test_a_header_of_another_sort_is_told(self) -> None:
        """Vonage signs in the body."""
        for sig in ("x", "é", "=" * 5_000, None, 7):
            body = json.dumps({**TEXT, "sig": sig}).encode()
            self.refused(Incoming(body=body, at=datetime.now(UTC)), f"the sig {sig!r}")

    def test_a_changed_body_is_refused(self) -> None:
        """A field more, less or another one makes a signature worthless."""
        told = json.loads(self.signed(self.body).body)
        fewer = {name: value for name, value in told.items() if name != "to"}
        for changed in ({**told, "text": "STOP"}, {**told, "status": "delivered"}, fewer):
            self.refused(
                Incoming(body=json.dumps(changed).encode(), at=datetime.now(UTC)), "another body"
            )


@pytest.fixture
def vonage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VonagePeer]:
    made = VonagePeer(tmp_path)
    made.webhook = CALLBACK
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


def sms(vonage: VonagePeer, **more: str) -> Sms:
    told = {
        "provider": "vonage", "url": vonage.url, "account": KEY, "token": VonagePeer.secret,
        "sender": "Hub", "country": "LI", "callback_url": CALLBACK, "signing": "sha256",
        "signing_secret": VonagePeer.signing, **more,
    }  # fmt: skip
    return Sms(Config.model_validate(told))


def message(**values: str) -> Message:
    told = {"key": "run_1:sms:con_1", "to": "+4237920001", "text": "Grüezi", "reference": "stp_1"}
    return Message(**{**told, "kind": "near", **values})


def incoming(posted: Posted) -> Incoming:
    return Incoming(body=posted.body, headers=posted.headers, at=datetime.now(UTC))


def test_the_signature_is_the_one_of_vonages_own_libraries() -> None:
    told = {"a": "1", "b": "2", "timestamp": "1461605396"}
    assert signature("secret", "md5hash", told) == "6af838ef94998832dbfc29020b564830"
    assert signature("secret", "md5hash", {**told, "a": "x&y"}) == signature(
        "secret", "md5hash", {**told, "a": "x=y"}
    )


def test_a_text_goes_out_with_its_key_and_the_address_for_its_receipt(vonage: VonagePeer) -> None:
    made = sms(vonage)
    receipt = made.send(message())
    (entry,) = vonage.sent
    assert receipt.ref == entry.answer["id"]
    assert not made.keyed
    assert entry.sent == {
        "to": "4237920001", "from": "Hub", "text": "Grüezi", "type": "text",
        "callback": CALLBACK, "ref": "run_1:sms:con_1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "type"), [("Grüezi, 5 €", "text"), ("Zoë", "unicode"), ("😀", "unicode")]
)
def test_letters_that_are_not_in_the_alphabet_of_texts_go_as_unicode(
    vonage: VonagePeer, text: str, type: str
) -> None:
    sms(vonage).send(message(text=text))
    assert vonage.sent[0].sent["type"] == type


@pytest.mark.parametrize(
    ("status", "error", "field"),
    [
        ("1", Retry, None),
        ("9", Retry, None),
        ("4", Unauthorized, None),
        ("14", Unauthorized, None),
        ("5", Unknown, None),
        ("3", Rejected, "to"),
        ("15", Rejected, "sender"),
        ("29", Rejected, "to"),
        ("6", Rejected, None),
    ],
)
def test_the_status_in_a_200_says_what_happens_next(
    vonage: VonagePeer, status: str, error: type[HubError], field: str | None
) -> None:
    vonage.refusals = [(status, "Invalid address 4237920001")]
    with pytest.raises(error) as caught:
        sms(vonage).send(message())
    assert getattr(caught.value, "field", None) == field
    assert "4237920001" not in str(caught.value)
    assert vonage.sent == []


def test_wrong_credentials_ask_for_a_person(vonage: VonagePeer) -> None:
    sms(vonage).check()
    for verb in ("check", "send"):
        given = () if verb == "check" else (message(),)
        with pytest.raises(Unauthorized):
            getattr(sms(vonage, token="another-secret"), verb)(*given)


@pytest.mark.parametrize(
    ("state", "error", "told"),
    [
        ("delivered", "0", "delivered"),
        ("failed", "5", "undelivered"),
        ("expired", "1", "undelivered"),
        ("rejected", "9", "opted_out"),
        ("failed", "9", "opted_out"),
        ("buffered", "0", None),
        ("accepted", "0", None),
    ],
)
def test_a_receipt_tells_what_became_of_a_text(
    vonage: VonagePeer, state: str, error: str, told: str | None
) -> None:
    made = sms(vonage)
    ref = made.send(message()).ref
    request = incoming(vonage.report(ref, state, error))
    assert made.receive(request).id.startswith(f"{ref}:{state}")
    found = list(made.unpack(request))
    assert [report.state for report in found] == ([told] if told else [])  # type: ignore[union-attr]
    for report in found:
        assert isinstance(report, DeliveryReport)
        assert (report.ref, report.key) == (ref, "run_1:sms:con_1")
        assert report.at == datetime(2026, 11, 23, 8, 30, tzinfo=UTC)


def test_a_text_that_was_written_back_comes_with_its_sender(vonage: VonagePeer) -> None:
    made = sms(vonage)
    request = incoming(vonage.write("4237920001", "STOP", "m9"))
    made.receive(request)
    (text,) = made.unpack(request)
    assert text == InboundText(
        sender="+4237920001", to="447700900000", text="STOP", ref="m9",
        at=datetime(2026, 11, 23, 8, 31, tzinfo=UTC),
    )  # fmt: skip


def test_another_method_or_no_secret_makes_a_signature_worthless(vonage: VonagePeer) -> None:
    request = incoming(vonage.write("4237920001", "STOP"))
    for more in ({"signing": "sha512"}, {"signing_secret": ""}, {"signing_secret": "another"}):
        with pytest.raises(Unauthorized):
            sms(vonage, **more).receive(request)


def test_a_person_is_told_where_replies_are_set(vonage: VonagePeer) -> None:
    told = sms(vonage).subscribe(Hook(url=CALLBACK, secret="s"))
    assert told.settings == {"callback_url": CALLBACK}
    assert "POST-JSON" in told.detail
