"""An own system is told what happens to its orders: signed, chosen, and known again by its key."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from hub import Receipt, Retry, Unauthorized, Unknown
from hub.builtin.generic import Generic
from hub.builtin.generic.settings import Config
from hub.nouns import DeliveryStatus, HandedLine
from hub.testing.conformance import ScriptedPeer
from hub.testing.peers import Reply

KEY = "whsec_" + base64.b64encode(b"n" * 32).decode()
NEWS = DeliveryStatus(
    key="run_1:ste_2:ord_3", order="A-00001", number="#1001", status="partial", stop="stp_1",
    at=datetime(2026, 11, 23, 9, 30, tzinfo=UTC), received_by="Müller",
    tracking_url="https://hub.example/t/x", proof_url="https://hub.example/p/x",
    lines=(HandedLine(name="Tea", ordered=2, handed_over=1, sku="TEA"),),
)  # fmt: skip


@pytest.fixture
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a system that takes news."""
    made = ScriptedPeer(tmp_path / "news")
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


def sink(peer: ScriptedPeer, **changed: Any) -> Generic:
    told = {"news_url": f"{peer.url}/news", "news_secret": KEY, **changed}
    return Generic(Config.model_validate(told))


def test_news_are_signed_and_hold_what_happened(peer: ScriptedPeer) -> None:
    receipt = sink(peer).tell(NEWS)
    [request] = peer.requests
    told = Webhook(KEY).verify(request.body, dict(request.headers.items()))
    assert told == json.loads(request.body)
    assert (told["type"], told["timestamp"]) == ("delivery.partial", "2026-11-23T09:30:00+00:00")
    data = told["data"]
    assert (data["order"], data["status"], data["received_by"]) == ("A-00001", "partial", "Müller")
    assert data["lines"][0]["handed_over"] == 1
    assert receipt.ref == NEWS.key


def test_the_same_news_have_the_same_id_when_they_are_repeated(peer: ScriptedPeer) -> None:
    sink(peer).tell(NEWS)
    sink(peer).tell(NEWS)
    assert {one.headers["webhook-id"] for one in peer.requests} == {NEWS.key}


@pytest.mark.parametrize(("auth", "header", "value"), [
    ("bearer", "Authorization", f"Bearer {KEY}"), ("header", "X-Hub", KEY),
])  # fmt: skip
def test_a_token_may_prove_the_hub(peer: ScriptedPeer, auth: str, header: str, value: str) -> None:
    sink(peer, news_auth=auth, news_header="X-Hub").tell(NEWS)
    assert peer.requests[0].headers[header] == value


def test_nothing_is_told_without_an_address_or_what_nobody_asked_for(peer: ScriptedPeer) -> None:
    assert Generic(Config()).tell(NEWS) == Receipt(detail="no address for news")
    sink(peer, news_statuses=["delivered"]).tell(NEWS)
    assert peer.requests == []
    sink(peer, news_statuses=["partial"]).tell(NEWS)
    assert len(peer.requests) == 1


@pytest.mark.parametrize(("reply", "error"), [
    (Reply(401), Unauthorized), (Reply(429, {}, {"Retry-After": "5"}), Retry),
    (Reply(500), Unknown), (None, Unknown),
])  # fmt: skip
def test_what_goes_wrong_comes_out_in_our_words(
    peer: ScriptedPeer, reply: Reply | None, error: type[Exception]
) -> None:
    peer.reply = lambda _: reply
    with pytest.raises(error):
        sink(peer).tell(NEWS)
