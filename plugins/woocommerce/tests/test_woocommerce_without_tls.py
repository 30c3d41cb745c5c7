"""WooCommerce without TLS: a question is signed in a header, as the shop computes it."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from hub_woocommerce import Config, WooCommerce
from hub_woocommerce.shop import ROOT

from hub.testing.conformance import SECRET, ScriptedPeer
from hub.testing.peers import Reply


@pytest.fixture
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedPeer]:
    made = ScriptedPeer(tmp_path)
    made.reply = lambda _: Reply(200, content=b"[]")
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


def test_the_question_is_signed_once_and_neither_key_nor_secret_stands_in_the_address(
    peer: ScriptedPeer,
) -> None:
    told = {"url": peer.url, "key": "ck_1", "secret": SECRET}
    WooCommerce(Config.model_validate(told)).check()
    (request,) = peer.requests
    assert request.query == {"per_page": "1", "_fields": "id", "status": "processing,on-hold"}
    header = request.headers["Authorization"]
    assert header.startswith("OAuth ")
    signed = {n: unquote(v) for n, v in re.findall(r'(oauth_[a-z_]+)="([^"]*)"', header)}
    assert signed["oauth_consumer_key"] == "ck_1"
    made = signed.pop("oauth_signature")
    assert made == signature(f"{peer.url}{ROOT}/orders", request.query | signed)
    assert SECRET not in header


def signature(url: str, told: dict[str, str]) -> str:
    """Return the signature of a question (RFC 5849, 3.4), which covers the header's own values."""
    pairs = sorted((quote(name, "~"), quote(value, "~")) for name, value in told.items())
    text = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join(quote(part, "~") for part in ("GET", url, text)).encode()
    return base64.b64encode(hmac.digest(f"{SECRET}&".encode(), base, "sha256")).decode()
