"""Xero by consent: the address, the organisation that is chosen, and the renewal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hub_xero import Config, Xero
from hub_xero.settings import SCOPES

from hub import Connect, Rejected, Unauthorized
from hub.testing.conformance import a_proof
from hub.testing.peers.consent import ConsentPeer
from hub.testing.peers.log import effects
from hub.testing.peers.xero import ROOT, XeroPeer

BOTH = [("tenant-1", "Alpenkraut AG"), ("tenant-2", "Bergblick GmbH")]


@pytest.fixture
def identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ConsentPeer]:
    made = ConsentPeer(tmp_path / "identity")
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


@pytest.fixture
def accounts(
    tmp_path: Path, identity: ConsentPeer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[XeroPeer]:
    made = XeroPeer(tmp_path / "accounts")
    made.start()
    opened = f"127.0.0.1:{identity.port},127.0.0.1:{made.port}"
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", opened)
    yield made
    made.stop()


def xero(identity: ConsentPeer, **settings: Any) -> Xero:
    told = {
        "client_id": identity.client, "client_secret": identity.secret,
        "login_url": f"{identity.url}/authorize", "identity_url": f"{identity.url}/token",
        "connections_url": f"{identity.url}/connections", **settings,
    }  # fmt: skip
    return Xero(Config.model_validate(told))


def connected(identity: ConsentPeer, **settings: Any) -> dict[str, Any]:
    """Return the settings that a consent leaves."""
    return xero(identity, **settings).exchange(identity.give()).settings


def test_the_consent_page_is_xeros_own_unless_told_otherwise() -> None:
    made = Xero(Config.model_validate({"client_id": "app-1"}))
    address = made.authorize(Connect(redirect_url="https://hub/cb", state="s", challenge="c"))
    parts = urlsplit(address)
    assert parts.netloc + parts.path == "login.xero.com/identity/connect/authorize"
    asked = parse_qs(parts.query)
    assert asked["scope"] == [" ".join(SCOPES)]
    assert (asked["client_id"], asked["state"]) == (["app-1"], ["s"])
    assert (asked["code_challenge"], asked["code_challenge_method"]) == (["c"], ["S256"])


def test_without_an_app_the_field_is_named() -> None:
    with pytest.raises(Rejected, match="client id") as caught:
        Xero(Config()).authorize(Connect(redirect_url="https://h", state="s", challenge="c"))
    assert caught.value.field == "client_id"


def test_the_scopes_are_a_setting(identity: ConsentPeer) -> None:
    old = ["offline_access", "accounting.transactions"]
    made = xero(identity, scopes=old)
    asked = made.authorize(Connect(redirect_url="https://h", state="s", challenge="c"))
    assert parse_qs(urlsplit(asked).query)["scope"] == [" ".join(old)]


@pytest.mark.parametrize("secret", ["", "app-secret"])
def test_an_app_with_and_without_a_secret_gets_in(identity: ConsentPeer, secret: str) -> None:
    identity.secret = secret
    grant = xero(identity).exchange(identity.give())
    assert grant.settings["access_token"] in identity.access
    assert grant.settings["tenant"] == "tenant-1"
    assert grant.account == "Alpenkraut AG"
    assert grant.expires_at is not None


def test_of_several_organisations_the_one_in_the_settings_is_taken(identity: ConsentPeer) -> None:
    identity.tenants = BOTH
    grant = xero(identity, tenant="tenant-2").exchange(identity.give())
    assert (grant.settings["tenant"], grant.account) == ("tenant-2", "Bergblick GmbH")


def test_of_several_and_none_in_the_settings_the_connection_asks_in_words(
    identity: ConsentPeer, accounts: XeroPeer
) -> None:
    identity.tenants = BOTH
    settings = connected(identity, tenant="one that was not opened")
    assert settings["tenant"] == ""
    made = xero(identity, url=accounts.url + ROOT, **settings)
    with pytest.raises(Unauthorized, match=r"Alpenkraut AG .tenant-1., Bergblick GmbH .tenant-2."):
        made.check()
    xero(identity, url=accounts.url + ROOT, **{**settings, "tenant": "tenant-2"}).check()


def test_where_the_organisations_cannot_be_read_the_tokens_are_kept(
    identity: ConsentPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hub_xero import sign_in

    from hub import Retry

    def fall(config: Config, token: str) -> None:
        raise Retry("Xero answered 503")

    monkeypatch.setattr("hub_xero.organisations", fall)
    grant = xero(identity, tenant="tenant-2").exchange(identity.give())
    assert grant.settings["access_token"] in identity.access
    assert "tenant" not in grant.settings
    assert sign_in.chosen([], "tenant-2") is None


def test_an_answer_that_lists_no_organisations_keeps_the_tokens_and_is_told_by_the_check(
    identity: ConsentPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = f"{identity.url}/account"
    grant = xero(identity, connections_url=broken).exchange(identity.give())
    assert grant.settings["access_token"] in identity.access
    with pytest.raises(Rejected, match="did not answer with organisations") as caught:
        xero(identity, connections_url=broken, **grant.settings).check()
    assert caught.value.field == "connections_url"


def test_a_renewal_gives_new_tokens_and_leaves_the_organisation(identity: ConsentPeer) -> None:
    settings = connected(identity)
    grant = xero(identity, **settings).refresh()
    assert set(grant.settings) == {"access_token", "refresh_token"}
    assert grant.settings["refresh_token"] != settings["refresh_token"]
    identity.revoke()
    with pytest.raises(Unauthorized, match="consent as ended"):
        xero(identity, **settings).refresh()


def test_a_proof_is_stored_with_access_by_consent(
    identity: ConsentPeer, accounts: XeroPeer
) -> None:
    made = xero(identity, url=accounts.url + ROOT, **connected(identity))
    assert made.store(a_proof()).detail == "PDF attached and note added"
    assert len(list(effects(accounts.log.path))) == 2


def test_nothing_at_all_says_what_to_do(identity: ConsentPeer) -> None:
    with pytest.raises(Unauthorized, match="press Connect, or give the token"):
        xero(identity).check()
