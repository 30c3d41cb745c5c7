"""The way to a consent page and back, over the pages, with a worker in between."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sqlmodel import SQLModel, select, update

from hub.connections import consent
from hub.hub import Hub
from hub.queue import entry
from hub.store import ConsentRow, System, WorkRow
from hub.testing.fixtures import World
from hub.testing.patience import PATIENCE
from hub.testing.peers.consent import ConsentPeer
from tests.consenting import Shop, add_shop, consents_of, open_shop, row_of, tokens_of, work_rows

PUBLIC = "http://127.0.0.1:8000/admin/connections/callback"


@pytest.fixture
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ConsentPeer]:
    made = ConsentPeer(tmp_path / "peer")
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


@pytest.fixture
def shop(hub: Hub, world: World, peer: ConsentPeer) -> str:
    """Return the id of a shop that nobody has connected yet."""
    add_shop(hub)
    return open_shop(hub, peer)


@pytest.fixture
def ops(sign_in: Callable[..., Any], shop: str) -> Any:
    return sign_in("ops")


def work(hub: Hub) -> None:
    while sum(entry.run(hub, queue, "test") for queue in ("fast", "outward")):
        pass


def leave(hub: Hub, browser: Any, shop: str) -> str:
    """Press Connect and return the address of the service's page."""
    pressed = browser.post(f"/admin/connections/{shop}/consent")
    assert pressed.status_code == 303
    assert "Opening Shop" in browser.get(pressed.location).text
    work(hub)
    gone = browser.get(f"{pressed.location}/go")
    assert gone.status_code == 302
    assert gone.headers["Referrer-Policy"] == "no-referrer"
    return str(gone.location)


def say_yes(address: str) -> str:
    """Say yes at the service; return the path on which it sends back."""
    answer = requests.get(address, allow_redirects=False, timeout=PATIENCE)
    assert answer.status_code == 302, answer.text
    back = answer.headers["Location"]
    assert back.startswith(PUBLIC + "?")
    return back.removeprefix("http://127.0.0.1:8000")


def connect(hub: Hub, browser: Any, shop: str) -> str:
    """Connect, and return the path of the way back, used up by now."""
    back = say_yes(leave(hub, browser, shop))
    came = browser.get(back)
    assert (came.status_code, came.location) == (303, f"/admin/connections/{shop}/connection")
    work(hub)
    return back


def page(browser: Any, shop: str) -> str:
    answer = browser.get(f"/admin/connections/{shop}/connection")
    assert answer.status_code == 200
    return str(answer.text)


def expect_400(browser: Any, path: str, said: str) -> None:
    answer = browser.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 400
    assert said in answer.text


def test_a_shop_is_connected_in_a_worker_and_its_page_says_whose_account_it_is(
    hub: Hub, ops: Any, shop: str, peer: ConsentPeer
) -> None:
    assert "Connect Shop" in page(ops, shop)
    assert f'value="{PUBLIC}"' in page(ops, shop)
    back = say_yes(leave(hub, ops, shop))
    assert ops.get(back).status_code == 303
    assert peer.counters.exchanges == 0, "the web process shows no code to anybody"
    assert "Connecting to Shop" in page(ops, shop)
    work(hub)
    assert peer.counters.exchanges == 1
    told = page(ops, shop)
    assert "Connected to Alpenkraut AG" in told
    assert "in 29 min" in told
    access, renews = tokens_of(hub, shop)
    assert access in peer.access
    assert renews in peer.renews
    row = row_of(hub, shop)
    assert (row.state, row.scopes, row.account) == ("healthy", ["orders", "offline"], row.account)
    assert row.checked_at is not None, "the first call is made at once"


def test_the_address_of_the_page_carries_a_challenge_that_the_service_checks(
    hub: Hub, ops: Any, shop: str, peer: ConsentPeer
) -> None:
    asked = parse_qs(urlsplit(leave(hub, ops, shop)).query)
    assert asked["code_challenge_method"] == ["S256"]
    (row,) = consents_of(hub)
    carried = consent.opened(hub.keys, row)
    assert consent.challenge(carried["verifier"]) == asked["code_challenge"][0]
    with hub.store.write(System()) as session:
        found = session.get_one(ConsentRow, row.id)
        consent.seal(hub.keys, found, {**carried, "verifier": "somebody else's"})
    back = say_yes(carried["address"])
    ops.get(back)
    work(hub)
    assert peer.counters.refused == ["the code_verifier does not fit"]
    assert "was not connected" in page(ops, shop)
    assert tokens_of(hub, shop) == ("", "")


def test_a_forged_state_is_refused(hub: Hub, ops: Any, shop: str) -> None:
    back = say_yes(leave(hub, ops, shop))
    forged = re.sub(r"state=[^&]+", "state=forged", back)
    expect_400(ops, forged, "not begun here")
    expect_400(ops, re.sub(r"&?state=[^&]+", "", back), "not begun here")
    assert ops.get(back).status_code == 303, "the real one still works"


def test_the_way_back_works_once(hub: Hub, ops: Any, shop: str, peer: ConsentPeer) -> None:
    back = connect(hub, ops, shop)
    expect_400(ops, back, "was used already")
    work(hub)
    assert peer.counters.exchanges == 1
    assert tokens_of(hub, shop)[0] in peer.access


def test_a_state_that_a_worker_has_not_sent_out_yet_is_refused(
    hub: Hub, ops: Any, shop: str
) -> None:
    ops.post(f"/admin/connections/{shop}/consent")
    (row,) = consents_of(hub)
    state = consent.opened(hub.keys, row)["state"]
    expect_400(ops, f"/admin/connections/callback?code=x&state={state}", "not begun here")


def test_after_ten_minutes_the_way_back_is_closed(hub: Hub, ops: Any, shop: str) -> None:
    back = say_yes(leave(hub, ops, shop))
    with hub.store.write(System()) as session:
        past = session.wall - timedelta(seconds=1)
        session.exec(update(ConsentRow).values(expires_at=past))
    expect_400(ops, back, "took longer than ten minutes")


def test_another_browser_of_the_same_user_cannot_come_back(hub: Hub, ops: Any, shop: str) -> None:
    back = say_yes(leave(hub, ops, shop))
    with ops.client.session_transaction() as cookie:
        kept = cookie.pop("consent")
    expect_400(ops, back, "not begun here")
    with ops.client.session_transaction() as cookie:
        cookie["consent"] = "another browser"
    expect_400(ops, back, "not begun here")
    with ops.client.session_transaction() as cookie:
        cookie["consent"] = kept
    assert ops.get(back).status_code == 303


def test_another_user_in_the_same_browser_cannot_come_back(
    hub: Hub, ops: Any, shop: str, sign_in: Callable[..., Any]
) -> None:
    back = say_yes(leave(hub, ops, shop))
    other = sign_in("owner")
    with ops.client.session_transaction() as cookie:
        kept = cookie["consent"]
    with other.client.session_transaction() as cookie:
        cookie["consent"] = kept
    expect_400(other, back, "not begun here")
    assert consents_of(hub)[0].state == "open"


def test_nobody_comes_back_without_having_signed_in(hub: Hub, ops: Any, shop: str) -> None:
    back = say_yes(leave(hub, ops, shop))
    stranger = ops.client.application.test_client()
    answer = stranger.get(back, headers={"Accept": "text/html"})
    assert answer.status_code == 400
    assert "code=" not in answer.text


def test_who_says_no_reads_that_access_was_not_granted(
    hub: Hub, ops: Any, shop: str, peer: ConsentPeer
) -> None:
    peer.says = "deny"
    back = say_yes(leave(hub, ops, shop))
    assert ops.get(back).status_code == 303
    assert "access was not granted (access_denied: not today)" in page(ops, shop)
    assert consents_of(hub)[0].sealed == ""
    assert work_rows(hub, "consent")[0].state == "done"


def test_an_overlong_answer_is_refused(hub: Hub, ops: Any, shop: str) -> None:
    back = say_yes(leave(hub, ops, shop))
    expect_400(ops, back + "&more=" + "x" * consent.LARGEST_ANSWER, "more than fits")


def test_another_account_is_asked_about_before_anything_changes(
    hub: Hub, ops: Any, shop: str, peer: ConsentPeer
) -> None:
    connect(hub, ops, shop)
    before = tokens_of(hub, shop)
    peer.account = "Bergblick GmbH"
    connect(hub, ops, shop)
    told = page(ops, shop)
    assert "So far this connection was for <strong>Alpenkraut AG</strong>" in told
    assert tokens_of(hub, shop) == before
    made = consents_of(hub)[-1]
    ops.post(f"/admin/connections/{shop}/consent/{made.id}/answer", {"keep": ""})
    assert tokens_of(hub, shop) == before
    assert "Bergblick GmbH was not taken" in page(ops, shop)
    assert consents_of(hub)[-1].sealed == ""
    connect(hub, ops, shop)
    made = consents_of(hub)[-1]
    ops.post(f"/admin/connections/{shop}/consent/{made.id}/answer", {"keep": "yes"})
    assert row_of(hub, shop).account == "Bergblick GmbH"
    assert tokens_of(hub, shop) != before


def test_only_who_was_asked_may_answer(
    hub: Hub, ops: Any, shop: str, peer: ConsentPeer, sign_in: Callable[..., Any]
) -> None:
    connect(hub, ops, shop)
    peer.account = "Bergblick GmbH"
    connect(hub, ops, shop)
    made = consents_of(hub)[-1]
    other = sign_in("owner")
    path = f"/admin/connections/{shop}/consent/{made.id}"
    assert other.post(f"{path}/answer", {"keep": "yes"}).status_code == 404
    assert other.get(path).status_code == 404
    assert row_of(hub, shop).account == "Alpenkraut AG"


def test_reconnecting_keeps_name_and_settings_and_takes_new_tokens(
    hub: Hub, ops: Any, shop: str, peer: ConsentPeer
) -> None:
    with hub.store.write(System()) as session:
        told = {"url": peer.url, "note": "kept"}
        hub.connections.save(session, "shop", told, title="Our shop", id=shop)
    connect(hub, ops, shop)
    before = tokens_of(hub, shop)
    with hub.store.write(System()) as session:
        hub.connections.expire(session, shop, "the consent is gone")
    assert "Reconnect Our shop" in page(ops, shop)
    connect(hub, ops, shop)
    row = row_of(hub, shop)
    assert (row.state, row.title, row.config["note"]) == ("healthy", "Our shop", "kept")
    assert tokens_of(hub, shop) != before


def test_saving_the_settings_keeps_the_tokens(
    hub: Hub, ops: Any, shop: str, peer: ConsentPeer
) -> None:
    connect(hub, ops, shop)
    before = tokens_of(hub, shop)
    form = ops.get(f"/admin/connections/{shop}/settings").text
    assert "Renewal" not in form, "no form asks for what a consent fills in"
    sent = {"config.url": peer.url, "config.note": "new", "config.access_token": "typed"}
    assert ops.post(f"/admin/connections/{shop}/settings", sent).status_code == 302
    assert tokens_of(hub, shop) == before
    assert row_of(hub, shop).config["note"] == "new"


def test_disconnecting_forgets_the_tokens_and_nothing_else(
    hub: Hub, ops: Any, shop: str, peer: ConsentPeer
) -> None:
    connect(hub, ops, shop)
    assert ops.post(f"/admin/connections/{shop}/disconnect").status_code == 303
    assert tokens_of(hub, shop) == ("", "")
    row = row_of(hub, shop)
    assert (row.state, row.account, row.scopes) == ("action_needed", "", [])
    assert row.config["url"] == peer.url
    assert ops.post(f"/admin/connections/{shop}/disconnect").status_code == 422
    peer.account = "Bergblick GmbH"
    connect(hub, ops, shop)
    assert row_of(hub, shop).account == "Bergblick GmbH", "after that nobody is asked"


def test_scopes_that_were_not_granted_are_named(
    hub: Hub, ops: Any, shop: str, peer: ConsentPeer
) -> None:
    peer.scopes = "orders"
    connect(hub, ops, shop)
    assert "offline: not granted" in page(ops, shop)
    assert "1 scope is missing" in page(ops, shop)


@pytest.mark.parametrize(
    ("url", "said"),
    [("http://hub.example", "https addresses only"), ("https://hub.example", "You are on")],
)
def test_the_page_says_why_a_service_may_refuse_the_way_back(
    hub: Hub, ops: Any, shop: str, url: str, said: str
) -> None:
    hub.settings = hub.settings.model_copy(update={"public_url": url})
    told = page(ops, shop)
    assert said in told
    assert f'value="{url}/admin/connections/callback"' in told


def test_a_merchants_user_connects_its_own_and_sees_no_other(
    hub: Hub, world: World, peer: ConsentPeer, sign_in: Callable[..., Any]
) -> None:
    add_shop(hub)
    own, operators = open_shop(hub, peer, world.merchant), open_shop(hub, peer)
    merchant = sign_in("merchant", world.merchant)
    connect(hub, merchant, own)
    assert row_of(hub, own).account == "Alpenkraut AG"
    for path in ("connection", "connection/state"):
        assert merchant.get(f"/admin/connections/{operators}/{path}").status_code == 404
    for path in ("consent", "disconnect"):
        assert merchant.post(f"/admin/connections/{operators}/{path}").status_code == 404


def test_a_connector_without_consent_says_how_it_is_authenticated(
    hub: Hub, ops: Any, tmp_path: Path
) -> None:
    with hub.store.write(System()) as session:
        id = hub.connections.save(session, "folder", {"path": str(tmp_path)}).id
    assert "needs no credentials" in page(ops, id)
    assert ops.post(f"/admin/connections/{id}/consent").status_code == 422


def test_an_address_that_cannot_be_made_is_told_on_the_way(
    hub: Hub, ops: Any, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pressed = ops.post(f"/admin/connections/{shop}/consent")
    monkeypatch.setattr(Shop, "authorize", lambda self, connect: "https://shop.example/?state=x")
    work(hub)
    assert "does not hand the state on" in ops.get(f"{pressed.location}/go").text
    assert "was not connected" in page(ops, shop)


def test_secrets_are_in_no_page_no_work_no_event_and_no_text_of_the_database(
    hub: Hub, ops: Any, shop: str, peer: ConsentPeer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "hub")
    address = leave(hub, ops, shop)
    verifier = consent.opened(hub.keys, consents_of(hub)[0])["verifier"]
    back = say_yes(address)
    answers = [ops.get(back).text, page(ops, shop), ops.get(back).text]
    in_between = everything(hub)
    work(hub)
    answers += [page(ops, shop), ops.get("/admin/connections").text]
    query = parse_qs(urlsplit(back).query)
    secrets = [verifier, query["code"][0], query["state"][0], *tokens_of(hub, shop)]
    assert all(secrets)
    haystack = "\n".join([*answers, in_between, everything(hub), caplog.text])
    assert [secret for secret in secrets if secret in haystack] == []
    assert consents_of(hub)[0].sealed == ""


def everything(hub: Hub) -> str:
    """Return every value of every table as text."""
    found = []
    with hub.store.read(System()) as session:
        for table in SQLModel.metadata.sorted_tables:
            found += [str(row) for row in session.exec(select(table)).all()]
    return "\n".join(found)


def test_a_way_that_nobody_came_back_from_is_emptied(hub: Hub, ops: Any, shop: str) -> None:
    leave(hub, ops, shop)
    (row,) = consents_of(hub)
    assert row.sealed
    with hub.store.write(System()) as session:
        session.exec(update(ConsentRow).values(expires_at=session.wall))
        session.exec(update(WorkRow).values(not_before=session.wall))
    work(hub)
    (row,) = consents_of(hub)
    assert (row.state, row.sealed, row.reason) == ("failed", "", "nobody came back in time")
