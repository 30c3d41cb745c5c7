"""The SMS connector: the shared checks, and what the gateway is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_sms import Config, Sms, e164

from hub import Message, Rejected, Retry, Unauthorized, Unknown
from hub.testing.conformance import SECRET, ConnectorTests, ScriptedPeer
from hub.testing.peers import Reply, duplicates
from hub.testing.peers.log import entries
from hub.testing.peers.sms import SmsPeer


class TestSms(ConnectorTests):
    connector = Sms
    config = {"url": "https://gateway.example/v1", "token": SECRET, "sender": "Hub"}

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


def sms(gateway: SmsPeer, token: str = SmsPeer.token) -> Sms:
    told = {"url": gateway.url, "token": token, "sender": "Hub", "country": "LI"}
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
