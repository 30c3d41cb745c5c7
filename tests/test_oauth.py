"""The token client: what it sends, what it makes of answers, and that it lets nothing out."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from hub import Connect, Rejected, Retry, TokenClient, Unauthorized, Unknown
from hub.http import LARGEST_REPLY
from hub.nouns import Callback
from hub.testing.conformance import ScriptedPeer
from hub.testing.peers import Reply
from hub.testing.peers.consent import ConsentPeer

CODE, VERIFIER, TOKEN, SECRET = "c0de-value", "ver1fier-value", "t0ken-value", "s3cret-value"
CALLBACK = Callback(code=CODE, verifier=VERIFIER, redirect_url="https://hub.example/back")


@pytest.fixture
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedPeer]:
    made = ScriptedPeer(tmp_path / "peer")
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ConsentPeer]:
    made = ConsentPeer(tmp_path / "peer")
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


def client(peer: ScriptedPeer | ConsentPeer, secret: str = "") -> TokenClient:
    return TokenClient(
        authorize_url=f"{peer.url}/authorize", token_url=f"{peer.url}/token", client_id="client-1",
        client_secret=SecretStr(secret), scopes=("orders", "offline"), more={"prompt": "consent"},
    )  # fmt: skip


def test_the_address_of_the_consent_page_carries_state_challenge_and_scopes(
    peer: ScriptedPeer,
) -> None:
    connect = Connect(redirect_url="https://hub.example/back", state="st", challenge="ch")
    parts = urlsplit(client(peer, SECRET).address(connect))
    assert parts.path == "/authorize"
    assert parse_qs(parts.query) == {
        "response_type": ["code"], "client_id": ["client-1"], "state": ["st"],
        "redirect_uri": ["https://hub.example/back"], "scope": ["orders offline"],
        "code_challenge": ["ch"], "code_challenge_method": ["S256"], "prompt": ["consent"],
    }  # fmt: skip
    assert peer.requests == []


def test_a_code_becomes_a_grant_with_its_end_counted_from_the_request(
    service: ConsentPeer,
) -> None:
    began = datetime.now(UTC)
    grant = client(service).exchange(service.give())
    assert set(grant.settings) == {"access_token", "refresh_token"}
    assert grant.settings["access_token"] in service.access
    assert began + timedelta(seconds=1795) < grant.expires_at < began + timedelta(seconds=1805)
    assert grant.scopes == ("orders",)


def test_the_service_really_checks_the_verifier(service: ConsentPeer) -> None:
    back = service.give().model_copy(update={"verifier": "another"})
    with pytest.raises(Unauthorized, match="code_verifier does not fit"):
        client(service).exchange(back)
    assert service.access == {}


def test_a_public_client_names_itself_in_the_body_and_one_with_a_secret_in_the_header(
    peer: ScriptedPeer,
) -> None:
    peer.reply = lambda _: Reply(200, {"access_token": "a"})
    client(peer).exchange(CALLBACK)
    client(peer, SECRET).exchange(CALLBACK)
    public, private = peer.requests
    sent = parse_qs(public.body.decode())
    assert sent["client_id"] == ["client-1"]
    assert (sent["code"], sent["code_verifier"]) == ([CODE], [VERIFIER])
    assert sent["redirect_uri"] == ["https://hub.example/back"]
    told = base64.b64encode(f"client-1:{SECRET}".encode()).decode()
    assert private.headers["Authorization"] == f"Basic {told}"
    assert SECRET not in private.body.decode()


def test_a_secret_goes_into_the_form_where_the_service_wants_it_there(peer: ScriptedPeer) -> None:
    peer.reply = lambda _: Reply(200, {"access_token": "a"})
    made = replace(client(peer, SECRET), in_form=True, told={"expiring": "1"})
    made.exchange(CALLBACK)
    made.refresh(SecretStr(TOKEN))
    exchanged, renewed = (parse_qs(request.body.decode()) for request in peer.requests)
    for sent in (exchanged, renewed):
        assert (sent["client_id"], sent["client_secret"]) == (["client-1"], [SECRET])
    assert (exchanged["code"], exchanged["expiring"]) == ([CODE], ["1"])
    assert "expiring" not in renewed
    assert all("Authorization" not in request.headers for request in peer.requests)


def test_id_and_secret_alone_give_access(peer: ScriptedPeer) -> None:
    peer.reply = lambda _: Reply(200, {"access_token": TOKEN, "expires_in": 60})
    grant = client(peer, SECRET).credentials()
    sent = parse_qs(peer.requests[0].body.decode())
    assert sent["grant_type"] == ["client_credentials"]
    assert grant.settings["access_token"] == TOKEN
    assert grant.expires_at is not None


def test_a_renewal_hands_the_old_token_in_and_takes_the_new_one(service: ConsentPeer) -> None:
    first = client(service).exchange(service.give())
    second = client(service).refresh(SecretStr(first.settings["refresh_token"]))
    assert second.settings["refresh_token"] != first.settings["refresh_token"]
    assert second.settings["access_token"] in service.access


def test_without_a_new_refresh_token_the_old_one_stays(peer: ScriptedPeer) -> None:
    peer.reply = lambda _: Reply(200, {"access_token": "a", "expires_in": "60"})
    grant = client(peer).refresh(SecretStr(TOKEN))
    assert grant.settings == {"access_token": "a", "refresh_token": TOKEN}
    assert grant.scopes == ("orders", "offline"), "what is not told is what was asked for"


def test_nothing_to_renew_with_is_unauthorized_without_a_call(peer: ScriptedPeer) -> None:
    with pytest.raises(Unauthorized, match="connect anew"):
        client(peer).refresh(SecretStr(""))
    assert peer.requests == []


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(400, {"error": "invalid_grant"}), Unauthorized),
        (Reply(401, {"error": "invalid_client"}), Unauthorized),
        (Reply(200, {"error": "invalid_grant"}), Unauthorized),
        (Reply(403, {}), Unauthorized),
        (Reply(400, {"error": "invalid_scope"}), Rejected),
        (Reply(200, {"error": "bad_verification_code"}), Rejected),
        (Reply(302, {}, {"Location": "/elsewhere"}), Rejected),
        (Reply(200, {"no": "token"}), Rejected),
        (Reply(200, {"access_token": {"a": 1}}), Rejected),
        (Reply(200, {"access_token": "a", "expires_in": "soon"}), Rejected),
        (Reply(200, content=b"<html>", headers={"Content-Type": "text/html"}), Rejected),
        (Reply(200, content=b"[]"), Rejected),
        (Reply(500, {}), Retry),
        (Reply(503, content=b"down"), Retry),
        (Reply(429, {}, {"Retry-After": "7"}), Retry),
    ],
)
def test_every_answer_means_one_of_the_hubs_words(
    peer: ScriptedPeer, reply: Reply, kind: type[Exception]
) -> None:
    peer.reply = lambda _: reply
    with pytest.raises(kind) as caught:
        client(peer).refresh(SecretStr(TOKEN))
    assert type(caught.value) is kind
    assert len(peer.requests) == 1


def test_a_limit_says_how_long_to_wait(peer: ScriptedPeer) -> None:
    peer.reply = lambda _: Reply(429, {}, {"Retry-After": "7"})
    with pytest.raises(Retry) as caught:
        client(peer).refresh(SecretStr(TOKEN))
    assert caught.value.after == 7


def test_a_lost_answer_is_unknown(service: ConsentPeer) -> None:
    service.deaf = 1
    back = service.give()
    with pytest.raises(Unknown, match="closed the connection before it answered"):
        client(service).exchange(back)
    assert service.counters.exchanges == 1


def test_a_service_that_cannot_be_reached_is_a_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", "127.0.0.1:9")
    nowhere = TokenClient("http://127.0.0.1:9/a", "http://127.0.0.1:9/token", "client-1")
    with pytest.raises(Retry, match="cannot be reached"):
        nowhere.refresh(SecretStr(TOKEN))


def test_an_endless_answer_is_not_read(peer: ScriptedPeer) -> None:
    peer.reply = lambda _: Reply(200, content=b" " * (LARGEST_REPLY + 1))
    with pytest.raises(Unknown, match="more than the hub reads"):
        client(peer).refresh(SecretStr(TOKEN))


def test_a_private_address_is_refused(peer: ScriptedPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUB_ALLOW_ADDRESSES")
    with pytest.raises(Rejected, match="private address"):
        client(peer).exchange(CALLBACK)
    assert peer.requests == []


def test_what_a_service_says_back_is_covered(
    peer: ScriptedPeer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = f"no {CODE} {VERIFIER} {TOKEN} {SECRET}"
    answers = [
        Reply(400, {"error": "invalid_grant", "error_description": echo}),
        Reply(400, {"error": "strange", "error_description": echo}),
        Reply(400, {"detail": echo}), Reply(500, content=echo.encode()),
        Reply(200, content=echo.encode()), Reply(200, {"error": "x", "error_description": echo}),
    ]  # fmt: skip
    calls = (
        ((CODE, VERIFIER, SECRET), lambda: client(peer, SECRET).exchange(CALLBACK)),
        ((TOKEN, SECRET), lambda: client(peer, SECRET).refresh(SecretStr(TOKEN))),
    )
    for reply in answers:
        peer.reply = lambda _, reply=reply: reply
        for sent, call in calls:
            with pytest.raises((Unauthorized, Rejected, Retry)) as caught:
                call()
            said = repr(caught.value) + str(caught.value)
            assert [secret for secret in sent if secret in said] == []
    peer.reply = lambda _: Reply(200, {"access_token": TOKEN, "refresh_token": TOKEN})
    said = repr(client(peer, SECRET).exchange(CALLBACK)) + repr(client(peer, SECRET)) + caplog.text
    for secret in (CODE, VERIFIER, TOKEN, SECRET):
        assert secret not in said + repr(CALLBACK)
