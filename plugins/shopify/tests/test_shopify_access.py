"""The three ways into a Shopify shop: a fixed token, an app's credentials, somebody's consent."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from hub_shopify import Config, Shopify
from hub_shopify.sign_in import SCOPES, signed_text

from hub import Connect, Cursor, Grant, Rejected, Retry, Unauthorized, Unknown
from hub.testing.patience import PATIENCE
from hub.testing.peers.shopify import DAY, ShopifyPeer

CONNECT = Connect(redirect_url="https://hub.example/back", state="s-1", challenge="c-1")


def app(peer: ShopifyPeer, **settings: Any) -> Shopify:
    told = {"url": peer.url, "client_id": peer.client, "client_secret": peer.secret, **settings}
    return Shopify(Config.model_validate(told))


def connected(peer: ShopifyPeer) -> Grant:
    return app(peer).exchange(peer.give())


def test_a_fixed_token_of_an_earlier_release_still_works(peer: ShopifyPeer) -> None:
    Shopify(Config.model_validate({"url": peer.url, "token": peer.token})).check()
    assert peer.counters.credentials == 0


def test_an_apps_own_credentials_give_a_token_once_for_many_calls(peer: ShopifyPeer) -> None:
    connector = app(peer)
    connector.check()
    list(connector.pull(Cursor()))
    assert peer.counters.credentials == 1


def test_a_token_by_credentials_is_asked_for_anew_before_its_day_is_over(
    peer: ShopifyPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    connector = app(peer)
    connector.check()
    now = time.monotonic
    monkeypatch.setattr("hub_shopify.sign_in.time.monotonic", lambda: now() + DAY - 60)
    connector.check()
    assert peer.counters.credentials == 2


def test_a_token_that_ended_early_is_replaced_in_the_same_call(
    peer: ShopifyPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    connector = app(peer)
    connector.check()
    peer.end_access()
    now = time.monotonic
    monkeypatch.setattr("hub_shopify.sign_in.time.monotonic", lambda: now() + 600)
    connector.check()
    assert peer.counters.credentials == 2


def test_a_token_that_is_refused_at_once_is_not_asked_for_again(peer: ShopifyPeer) -> None:
    connector = app(peer)
    connector.check()
    peer.end_access()
    with pytest.raises(Unauthorized):
        connector.check()
    assert peer.counters.credentials == 1


def test_an_app_that_is_not_installed_says_what_to_do(peer: ShopifyPeer) -> None:
    peer.installed = False
    with pytest.raises(Unauthorized, match="Install the app in the shop"):
        app(peer).check()


def test_a_wrong_secret_is_unauthorized_and_does_not_show(peer: ShopifyPeer) -> None:
    with pytest.raises(Unauthorized) as caught:
        app(peer, client_secret="shpss_wrong-one").check()
    assert "shpss_wrong-one" not in str(caught.value)


def test_a_busy_token_address_is_a_retry(peer: ShopifyPeer) -> None:
    peer.failures.append((429, 9))
    with pytest.raises(Retry) as caught:
        app(peer).check()
    assert caught.value.after == 9


def test_without_any_way_in_somebody_is_told_where_to_begin() -> None:
    connector = Shopify(Config.model_validate({"url": "https://a.myshopify.com"}))
    with pytest.raises(Unauthorized, match="client id and client secret"):
        connector.check()


def test_the_consent_page_is_the_shops_own() -> None:
    config = {"url": "https://a.myshopify.com", "client_id": "app-1", "client_secret": "shpss-1"}
    parts = urlsplit(Shopify(Config.model_validate(config)).authorize(CONNECT))
    assert parts.netloc + parts.path == "a.myshopify.com/admin/oauth/authorize"
    asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    assert asked["scope"] == ",".join(SCOPES)
    assert (asked["client_id"], asked["state"]) == ("app-1", "s-1")
    assert "shpss-1" not in parts.query


@pytest.mark.parametrize("missing", ["client_id", "client_secret"])
def test_without_an_app_the_field_is_named(missing: str) -> None:
    config = {
        "url": "https://a.myshopify.com",
        "client_id": "app-1",
        "client_secret": "s",
        missing: "",
    }
    with pytest.raises(Rejected) as caught:
        Shopify(Config.model_validate(config)).authorize(CONNECT)
    assert caught.value.field == missing


def test_a_consent_gives_an_expiring_token_and_what_renews_it(peer: ShopifyPeer) -> None:
    grant = connected(peer)
    assert grant.expires_at is not None
    assert grant.settings["refresh_token"]
    assert grant.account == peer.name
    assert set(SCOPES) <= set(grant.scopes)  # reading is implied where writing is granted
    app(peer, **grant.settings).check()
    assert peer.counters.credentials == 0


def test_the_way_from_the_page_and_back_works_as_a_browser_goes_it(peer: ShopifyPeer) -> None:
    connector = app(peer)
    reply = requests.get(connector.authorize(CONNECT), allow_redirects=False, timeout=PATIENCE)
    query = {n: v[-1] for n, v in parse_qs(urlsplit(reply.headers["Location"]).query).items()}
    callback = peer.give().model_copy(update={"code": query["code"], "query": query})
    assert connector.exchange(callback).settings["access_token"] in peer.tokens


@pytest.mark.parametrize("changed", ["code", "state", "timestamp", "hmac"])
def test_a_way_back_that_was_tampered_with_is_refused(peer: ShopifyPeer, changed: str) -> None:
    callback = peer.give()
    query = {**callback.query, changed: callback.query[changed] + "0"}
    with pytest.raises(Rejected, match="not signed by Shopify"):
        app(peer).exchange(callback.model_copy(update={"query": query}))
    assert peer.counters.exchanges == 0


def test_a_way_back_without_a_signature_is_refused(peer: ShopifyPeer) -> None:
    callback = peer.give()
    query = {name: value for name, value in callback.query.items() if name != "hmac"}
    with pytest.raises(Rejected, match="not signed"):
        app(peer).exchange(callback.model_copy(update={"query": query}))


def test_a_consent_for_another_shop_is_refused(peer: ShopifyPeer) -> None:
    callback = peer.give()
    other = app(peer, url=f"http://localhost:{peer.port}")
    with pytest.raises(Rejected, match="this consent is for") as caught:
        other.exchange(callback)
    assert caught.value.field == "url"


def test_no_part_of_a_way_back_can_pass_for_two() -> None:
    assert signed_text({"b": "1&c=2", "a": "x", "hmac": "h"}) == "a=x&b=1%26c=2"
    assert signed_text({"b": "1", "c": "2", "a": "x"}) != signed_text({"b": "1&c=2", "a": "x"})


def test_a_code_works_once(peer: ShopifyPeer) -> None:
    callback = peer.give()
    app(peer).exchange(callback)
    with pytest.raises((Rejected, Unauthorized)):
        app(peer).exchange(callback)


def test_renewing_rotates_both_tokens(peer: ShopifyPeer) -> None:
    first = connected(peer)
    second = app(peer, **first.settings).refresh()
    assert second.settings["refresh_token"] != first.settings["refresh_token"]
    assert second.settings["access_token"] != first.settings["access_token"]
    app(peer, **second.settings).check()
    with pytest.raises(Unauthorized):  # its successor is in use now
        app(peer, **first.settings).refresh()


def test_a_renewal_whose_answer_was_lost_can_be_repeated(peer: ShopifyPeer) -> None:
    first = connected(peer)
    app(peer, **first.settings).refresh()  # and nobody ever used what it gave
    app(peer, **app(peer, **first.settings).refresh().settings).check()


def test_an_ended_consent_token_is_unauthorized_and_not_taken_for_credentials(
    peer: ShopifyPeer,
) -> None:
    grant = connected(peer)
    peer.end_access()
    with pytest.raises(Unauthorized):
        app(peer, **grant.settings).check()
    assert peer.counters.credentials == 0


def test_a_token_address_that_never_answers_is_no_refusal(peer: ShopifyPeer) -> None:
    peer.failures.append((500, 1))
    with pytest.raises((Retry, Unknown)):
        connected(peer)


@pytest.mark.parametrize("version", ["2026-13", "unstable", "26-07", "2026-7"])
def test_a_version_that_cannot_be_is_refused(version: str) -> None:
    with pytest.raises(ValueError, match="version"):
        Config.model_validate({"url": "https://a.myshopify.com", "version": version})
