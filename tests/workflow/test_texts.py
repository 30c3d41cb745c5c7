"""A text on its whole way: a workflow sends it, its report and its reply come back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from hub import notify
from hub.store import ConnectionRow, MessageRow, OptOutRow, ReplyRow, System
from hub.testing.peers.twilio import ACCOUNT, Posted, TwilioPeer
from hub.testing.peers.vonage import KEY, VonagePeer
from hub.web import create_app
from hub.workflow import incoming
from tests import needs

from .conftest import Toys

pytestmark = needs.plugins("sms")
TEXT = """
workflow: texts
version: 1
on:
  - event: order.received
steps:
  - id: sms
    use: notify.sms
    with: {to: "{{ event.customer.phone }}", text: "Order {{ event.order.ref }} is here"}
"""
ANSWER = """
workflow: answers
version: 1
on:
  - event: message.received
steps:
  - id: note
    use: toy.write
    with: {text: "{{ event.customer.wrote }} / {{ event.message.medium }}"}
"""
PHONE = "+4232345678"


class Line:
    """A connection to a provider, with the hub's address for it set up."""

    def __init__(self, toys: Toys, settings: dict[str, Any]) -> None:
        notify.register(toys.hub)
        self.toys, self.hub = toys, toys.hub
        with self.hub.store.write(System()) as session:
            row = self.hub.connections.save(session, "sms", settings)
            url = incoming.open_address(self.hub, session, row)
        with self.hub.store.write(System()) as session:
            told = {**settings, "callback_url": url}
            self.id = self.hub.connections.save(session, "sms", told, id=row.id).id
        self.url = url
        self.client: FlaskClient = create_app(self.hub).test_client()
        toys.save(TEXT)

    def post(self, posted: Posted) -> int:
        """Take what the provider posts to where it goes, and let the workers take it in."""
        parts = urlsplit(posted.url)
        address = f"{parts.path}?{parts.query}" if parts.query else parts.path
        answer = self.client.post(address, data=posted.body, headers=posted.headers)
        self.toys.tick()  # takes it in
        self.toys.tick()  # does what that sets off
        return answer.status_code

    @property
    def messages(self) -> list[MessageRow]:
        return self.toys.rows(MessageRow)

    def order_comes(self) -> None:
        self.toys.order_comes()
        self.toys.work()


@pytest.fixture
def twilio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TwilioPeer]:
    made = TwilioPeer(tmp_path / "peers")
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


@pytest.fixture
def line(toys: Toys, twilio: TwilioPeer) -> Line:
    made = Line(
        toys,
        {
            "provider": "twilio", "url": twilio.url, "account": ACCOUNT, "token": twilio.token,
            "sender": twilio.number, "country": "LI",
        },
    )  # fmt: skip
    twilio.sms_url = made.url
    return made


def test_a_report_finds_its_message(line: Line, twilio: TwilioPeer) -> None:
    line.order_comes()
    (row,) = line.messages
    assert (row.state, row.to, row.segments) == ("sent", PHONE, 1)
    assert line.post(twilio.report(row.ref, "delivered")) == 200
    assert [row.state for row in line.messages] == ["delivered"]
    assert len(line.toys.events("message.delivered")) == 1
    assert line.post(twilio.report(row.ref, "delivered")) == 200
    assert len(line.toys.events("message.delivered")) == 1


def test_a_reply_starts_a_workflow_with_its_text(line: Line, twilio: TwilioPeer) -> None:
    line.toys.save(ANSWER)
    line.order_comes()
    assert line.post(twilio.write(PHONE, "Bitte beim Nachbarn", "SM7")) == 200
    assert line.toys.texts() == ["Bitte beim Nachbarn / sms"]
    assert line.post(twilio.write(PHONE, "Bitte beim Nachbarn", "SM7")) == 200
    assert len(line.toys.rows(ReplyRow)) == 1
    assert line.toys.texts() == ["Bitte beim Nachbarn / sms"]


def test_after_stop_nothing_is_sent_and_no_run_fails_until_start(
    line: Line, twilio: TwilioPeer
) -> None:
    line.order_comes()
    line.post(twilio.write(PHONE, "Stop"))
    assert [row.address for row in line.toys.rows(OptOutRow)] == [PHONE]
    line.order_comes()
    assert len(twilio.sent) == 1
    assert [row.state for row in line.messages] == ["sent", "withheld"]
    assert line.toys.run_named("texts") == ["succeeded", "succeeded"]
    assert line.toys.steps()["sms"].output["state"] == "opted_out"
    line.post(twilio.write(PHONE, "Start"))
    line.order_comes()
    assert len(twilio.sent) == 2


def test_an_opt_out_that_only_twilio_knows_of_comes_onto_the_hubs_list(
    line: Line, twilio: TwilioPeer
) -> None:
    twilio.stopped.add(PHONE)
    line.order_comes()
    assert line.toys.run_named("texts") == ["succeeded"]
    (entry,) = line.toys.rows(OptOutRow)
    assert (entry.address, entry.merchant) == (PHONE, line.toys.merchant)
    assert "21610" in entry.reason
    assert len(line.toys.events("recipient.opted_out")) == 1


def test_a_text_whose_reply_was_lost_is_never_sent_again_and_its_report_settles_it(
    line: Line, twilio: TwilioPeer
) -> None:
    twilio.mutes = 1
    line.order_comes()
    line.toys.wait()
    line.toys.wait()
    assert len(twilio.sent) == 1
    assert [row.state for row in line.messages] == ["unknown"]
    assert line.toys.outcomes() == ["unknown"]
    assert [effect.state for effect in line.toys.effects()] == ["unknown"]
    sid = twilio.sent[0].answer["sid"]
    assert line.post(twilio.report(sid, "delivered")) == 200
    assert [(row.state, row.ref) for row in line.messages] == [("delivered", sid)]


def test_a_forged_callback_is_turned_away(line: Line, twilio: TwilioPeer) -> None:
    line.order_comes()
    posted = twilio.report(line.messages[0].ref, "delivered")
    forged = Posted(posted.url, posted.body.replace(b"delivered", b"failed"), posted.headers)
    assert line.post(forged) == 401
    assert [row.state for row in line.messages] == ["sent"]


def test_a_limit_of_the_provider_sends_the_text_later(line: Line, twilio: TwilioPeer) -> None:
    twilio.failures = [(429, 30)]
    line.order_comes()
    assert twilio.sent == []
    line.toys.wait()
    assert [row.state for row in line.messages] == ["sent"]


def test_a_refused_token_parks_the_text_until_somebody_reconnects(
    line: Line, twilio: TwilioPeer
) -> None:
    twilio.accepted.clear()
    line.order_comes()
    (row,) = line.toys.rows(ConnectionRow)
    assert row.state == "action_needed"
    assert [effect.state for effect in line.toys.effects()] == ["parked"]


def test_vonage_goes_the_same_way(
    toys: Toys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vonage = VonagePeer(tmp_path / "peers")
    vonage.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{vonage.port}")
    line = Line(
        toys,
        {
            "provider": "vonage", "url": vonage.url, "account": KEY, "token": vonage.secret,
            "sender": "Alpenkraut", "signing": "sha256", "signing_secret": vonage.signing,
        },
    )  # fmt: skip
    vonage.webhook = line.url
    line.order_comes()
    (row,) = line.messages
    assert line.post(vonage.report(row.ref, "failed", "9")) == 200
    assert [entry.reason for entry in toys.rows(OptOutRow)] == ["Vonage's err-code 9"]
    assert [row.state for row in line.messages] == ["undelivered"]
    line.order_comes()
    assert len(vonage.sent) == 1
    assert line.post(vonage.write(PHONE.removeprefix("+"), "START")) == 200
    assert toys.rows(OptOutRow) == []
    vonage.stop()
