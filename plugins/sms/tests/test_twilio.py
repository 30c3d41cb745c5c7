"""The provider Twilio: what it is sent, what its refusals mean, whose callbacks are believed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, parse_qsl, unquote

import pytest
from hub_sms import Sms
from hub_sms.config import Config
from hub_sms.providers.twilio import signature

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
from hub.testing.peers import duplicates
from hub.testing.peers.twilio import ACCOUNT, Posted, TwilioPeer

CALLBACK = "https://hub.example/hooks/con_1/secret-of-the-address"
FORM = b"MessageSid=SM1&From=%2B4237920001&To=%2B14155550100&Body=Hello+you"
KEY = "run_1:sms:con_1"


class TestTwilio(ConnectorTests):
    connector = Sms
    config: ClassVar[dict[str, Any]] = {
        "provider": "twilio", "account": ACCOUNT, "token": SECRET, "sender": "+14155550100",
        "url": "", "callback_url": CALLBACK,
    }  # fmt: skip
    answers = {"check": [{"sid": ACCOUNT, "status": "active"}], "send": [{"sid": "SM1"}]}
    event = FORM
    saved = ({**config, "url": "https://api.twilio.com"},)

    def signed(self, body: bytes, secret: str = SECRET) -> Incoming:
        form = dict(parse_qsl(body.decode("ascii", "replace"), keep_blank_values=True))
        said = CALLBACK + "".join(name + form[name] for name in sorted(form))
        mac = base64.b64encode(hmac.new(secret.encode(), said.encode(), hashlib.sha1).digest())
        headers = {"x-twilio-signature": mac.decode()}
        return Incoming(body=body, headers=headers, at=datetime.now(UTC))

    def test_sending_carries_the_key(self, peer: ScriptedPeer) -> None:
        """Twilio drops no repetition, and what depends on the provider says so."""
        assert not self.built(peer.url).keyed
        self.call("send", url=peer.url)
        assert self.message.key in unquote(unquote(peer.requests[-1].body.decode()))

    def test_unpack_yields_nouns(self) -> None:
        """What a channel is told are reports and texts."""
        (text,) = self.call("unpack", self.signed(self.body))
        assert isinstance(text, InboundText)


@pytest.fixture
def twilio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TwilioPeer]:
    made = TwilioPeer(tmp_path)
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


def sms(twilio: TwilioPeer, **more: str) -> Sms:
    told = {
        "provider": "twilio", "url": twilio.url, "account": ACCOUNT, "token": TwilioPeer.token,
        "sender": twilio.number, "country": "LI", "callback_url": CALLBACK, **more,
    }  # fmt: skip
    return Sms(Config.model_validate(told))


def message(**values: str) -> Message:
    told = {"key": KEY, "to": "+4237920001", "text": "Grüezi", "reference": "stp_1"}
    return Message(**{**told, "kind": "near", **values})


def incoming(posted: Posted) -> Incoming:
    return Incoming(
        body=posted.body, headers=posted.headers, query=posted.query, at=datetime.now(UTC)
    )


def test_the_signature_is_the_one_that_twilio_documents() -> None:
    form = {
        "CallSid": "CA1234567890ABCDE", "Caller": "+12349013030", "Digits": "1234",
        "From": "+12349013030", "To": "+18005551212",
    }  # fmt: skip
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signature("12345", url, form) == "0/KCTR6DLpKmkAf8muzZqo1nDgQ="


def test_a_text_goes_out_as_a_form_with_the_address_for_its_report(twilio: TwilioPeer) -> None:
    receipt = sms(twilio).send(message())
    (entry,) = twilio.sent
    assert receipt.ref == entry.answer["sid"]
    assert entry.sent["callback"] == f"{CALLBACK}?key=run_1%3Asms%3Acon_1"
    assert (entry.sent["to"], entry.sent["from"]) == ("+4237920001", twilio.number)


def test_a_messaging_service_chooses_the_sender(twilio: TwilioPeer) -> None:
    sms(twilio, sender="", service="MG" + "0" * 32).send(message())
    assert twilio.sent[0].sent["from"] == ""
    with pytest.raises(Rejected, match="no sender"):
        sms(twilio, sender="").send(message())


def test_twilio_is_not_keyed_so_that_a_lost_reply_is_never_sent_again(twilio: TwilioPeer) -> None:
    made = sms(twilio)
    assert not made.keyed
    twilio.mutes = 1
    with pytest.raises(Unknown):
        made.send(message())
    assert len(twilio.sent) == 1
    made.send(message())
    assert duplicates(twilio.log.path) == 1, "Twilio itself would send it twice"


def test_who_wrote_stop_to_twilio_is_a_withheld_receipt(twilio: TwilioPeer) -> None:
    twilio.write("+4237920001", "Stop")
    receipt = sms(twilio).send(message())
    assert receipt.withheld
    assert "21610" in receipt.detail
    twilio.write("+4237920001", "START")
    assert not sms(twilio).send(message()).withheld


def test_a_number_that_twilio_refuses_is_rejected_without_repeating_it(twilio: TwilioPeer) -> None:
    with pytest.raises(Rejected, match=r"21211.*Invalid 'To'") as caught:
        sms(twilio).send(message(to="+41791230000"))
    assert caught.value.field == "to"
    assert "791230000" not in str(caught.value)


def test_a_limit_says_when_to_come_back_and_a_wrong_token_asks_for_a_person(
    twilio: TwilioPeer,
) -> None:
    twilio.failures = [(429, 11)]
    with pytest.raises(Retry) as caught:
        sms(twilio).send(message())
    assert caught.value.after == 11
    with pytest.raises(Unauthorized):
        sms(twilio, token="another-token-of-twilio").check()


def test_a_closed_account_asks_for_a_person(twilio: TwilioPeer) -> None:
    sms(twilio).check()
    twilio.status = "suspended"
    with pytest.raises(Unauthorized, match="suspended"):
        sms(twilio).check()


@pytest.mark.parametrize(
    ("state", "error", "told"),
    [
        ("delivered", None, "delivered"),
        ("undelivered", 30005, "undelivered"),
        ("failed", 21610, "opted_out"),
        ("sent", None, None),
        ("queued", None, None),
    ],
)
def test_a_callback_tells_what_became_of_a_text(
    twilio: TwilioPeer, state: str, error: int | None, told: str | None
) -> None:
    made = sms(twilio)
    ref = made.send(message()).ref
    request = incoming(twilio.report(ref, state, error))
    assert made.receive(request).id == f"{ref}:{state}"
    found = list(made.unpack(request))
    if told is None:
        assert found == []
        return
    (report,) = found
    assert isinstance(report, DeliveryReport)
    assert (report.ref, report.state, report.key) == (ref, told, KEY)
    assert (str(error) in report.detail) == (error is not None)


def test_a_callback_is_believed_at_the_address_that_it_was_signed_for_only(
    twilio: TwilioPeer,
) -> None:
    made = sms(twilio)
    good = incoming(twilio.report(made.send(message()).ref, "delivered"))
    made.receive(good)
    moved = sms(twilio, callback_url=f"https://hub.example/new {CALLBACK}")
    moved.receive(good)
    port = sms(twilio, callback_url=CALLBACK.replace("hub.example", "hub.example:443"))
    port.receive(good)
    elsewhere = sms(twilio, callback_url="https://hub.example/new")
    for connector, request in (
        (elsewhere, good),
        (made, good.model_copy(update={"query": {"key": "another"}})),
        (made, good.model_copy(update={"body": good.body.replace(b"delivered", b"failed")})),
        (sms(twilio, callback_url=""), good),
    ):
        with pytest.raises(Unauthorized):
            connector.receive(request)


def test_a_text_that_was_written_back_comes_with_its_sender(twilio: TwilioPeer) -> None:
    twilio.sms_url = CALLBACK
    request = incoming(twilio.write("+4237920001", "Grüezi & bis bald", "SM9"))
    made = sms(twilio)
    assert made.receive(request).id == "SM9:received"
    assert list(made.unpack(request)) == [
        InboundText(sender="+4237920001", to=twilio.number, text="Grüezi & bis bald", ref="SM9")
    ]


def test_replies_are_pointed_at_the_hub_where_they_go_nowhere_yet(twilio: TwilioPeer) -> None:
    told = sms(twilio).subscribe(Hook(url=CALLBACK, secret="s"))
    assert twilio.sms_url == CALLBACK
    assert "now come to the hub" in told.detail
    assert (
        "reports and replies come" in sms(twilio).subscribe(Hook(url=CALLBACK, secret="s")).detail
    )
    moved = f"{CALLBACK}-2"
    sms(twilio).subscribe(Hook(url=moved, secret="s"))
    assert twilio.sms_url == moved
    sms(twilio).unsubscribe(Hook(url=CALLBACK, secret="s"))
    assert twilio.sms_url == moved
    sms(twilio).unsubscribe(Hook(url=moved, secret="s"))
    assert twilio.sms_url == ""


def test_replies_that_go_somewhere_else_are_left_alone(twilio: TwilioPeer) -> None:
    twilio.sms_url = "https://help-desk.example/sms"
    told = sms(twilio).subscribe(Hook(url=CALLBACK, secret="s"))
    assert twilio.sms_url == "https://help-desk.example/sms"
    assert "help-desk.example" in told.detail
    assert (
        "nobody can answer"
        in sms(twilio, sender="Hub").subscribe(Hook(url=CALLBACK, secret="s")).detail
    )


def spec() -> dict[str, Any]:
    """Return Twilio's published description, or skip where it is not at hand."""
    here = Path(__file__).resolve().parents[3]
    folder = Path(os.environ.get("HUB_PEERS") or here.parent / "shared" / "peers")
    file = folder / "twilio" / "twilio_api_v2010.json"
    if not file.exists():
        pytest.skip(f"Twilio's description is in ../shared/peers/, and {file.name} is not there")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def test_what_is_sent_fits_twilios_published_description(twilio: TwilioPeer) -> None:
    from jsonschema import Draft202012Validator

    known = spec()
    seen: list[tuple[str, str, bytes]] = []
    genuine = twilio.answer

    def watched(request: Any) -> Any:
        seen.append((request.method, request.path, request.body))
        return genuine(request)

    twilio.answer = watched  # type: ignore[method-assign]
    made = sms(twilio, service="MG" + "0" * 32)
    made.check()
    made.send(message())
    sms(twilio).subscribe(Hook(url=CALLBACK, secret="s"))
    assert [method for method, _, _ in seen] == ["GET", "POST", "GET", "POST"]
    for method, path, body in seen:
        template = path.replace(ACCOUNT, "{AccountSid}")
        if "IncomingPhoneNumbers/" in path:
            template = "/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers/{Sid}.json"
        if path.endswith(f"/{ACCOUNT}.json"):
            template = "/2010-04-01/Accounts/{Sid}.json"
        operation = known["paths"][template][method.lower()]
        if method == "GET":
            continue
        schema = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
        form = {name: values[-1] for name, values in parse_qs(body.decode()).items()}
        strict = {**schema, "additionalProperties": False, "components": known["components"]}
        Draft202012Validator(strict).validate(form)
