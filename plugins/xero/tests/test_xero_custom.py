"""Custom connections: access by client credentials, got and renewed without a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hub_xero import Xero

from hub import Connect, Rejected, Retry, Unauthorized
from hub.testing.conformance import a_proof
from hub.testing.peers.log import effects, entries
from hub.testing.peers.xero import CONNECTIONS, TOKEN, XeroPeer

Build = Callable[..., Xero]
CUSTOM: dict[str, Any] = {
    "custom": True, "client_id": "client-1", "client_secret": "client-secret", "token": "",
    "tenant": "",
}  # fmt: skip


def test_a_custom_connection_gets_its_access_and_its_organisation_by_itself(
    accounts: XeroPeer, build: Build
) -> None:
    assert build(**CUSTOM).store(a_proof()).detail == "PDF attached and note added"
    first, second, *_ = entries(accounts.log.path)
    assert [first.path, second.path] == [TOKEN, CONNECTIONS]
    assert len(list(effects(accounts.log.path))) == 2


def test_access_is_asked_for_once_while_it_holds(accounts: XeroPeer, build: Build) -> None:
    xero = build(**CUSTOM)
    for number in range(3):
        xero.store(a_proof(key=f"k{number}"))
    assert accounts.tokens_given == 1


def test_access_that_is_about_to_end_is_asked_for_anew(
    accounts: XeroPeer, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    xero, now = build(**CUSTOM), [1000.0]
    monkeypatch.setattr("hub_xero.sign_in.time.monotonic", lambda: now[0])
    xero.check()
    now[0] += 1800 - 121
    xero.check()
    assert accounts.tokens_given == 1
    now[0] += 2
    xero.check()
    assert accounts.tokens_given == 2


def test_the_scopes_are_asked_for_without_the_one_for_renewals(
    build: Build, accounts: XeroPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant = build(**CUSTOM).refresh()
    assert set(grant.settings) == {"access_token"}
    assert grant.expires_at is not None
    asked: list[str] = []
    answer = accounts.answer
    monkeypatch.setattr(accounts, "answer", lambda r: asked.append(r.body.decode()) or answer(r))
    build(**CUSTOM).refresh()
    assert "accounting.invoices" in asked[0]
    assert "offline_access" not in asked[0]


@pytest.mark.parametrize("wrong", [{"client_secret": "another"}, {"client_id": "client-9"}])
def test_a_wrong_secret_asks_a_person(build: Build, wrong: dict[str, str]) -> None:
    with pytest.raises(Unauthorized, match="does not know this client id") as caught:
        build(**{**CUSTOM, **wrong}).check()
    assert "another" not in str(caught.value)


@pytest.mark.parametrize("missing", ["client_id", "client_secret"])
def test_without_id_or_secret_the_connection_asks_for_them(build: Build, missing: str) -> None:
    with pytest.raises(Unauthorized, match="give the client id and the secret"):
        build(**{**CUSTOM, missing: ""}).check()


def test_a_limit_of_the_identity_service_is_a_retry(accounts: XeroPeer, build: Build) -> None:
    accounts.failures = [(429, 30)]
    with pytest.raises(Retry) as caught:
        build(**CUSTOM).check()
    assert caught.value.after == 30


def test_a_custom_connection_needs_no_consent(build: Build) -> None:
    with pytest.raises(Rejected, match="needs no consent") as caught:
        build(**CUSTOM).authorize(Connect(redirect_url="https://h", state="s", challenge="c"))
    assert caught.value.field == "custom"


def test_several_organisations_are_a_question(accounts: XeroPeer, build: Build) -> None:
    accounts.tenants = [("t-1", "Alpenkraut AG"), ("t-2", "Bergblick GmbH")]
    with pytest.raises(Unauthorized, match=r"Alpenkraut AG .t-1., Bergblick GmbH .t-2."):
        build(**CUSTOM).check()
