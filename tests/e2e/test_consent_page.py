"""Connect and reconnect in a real browser, with another origin that plays the service."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.hub import Hub
from hub.queue import entry
from hub.store import System
from hub.testing.peers.consent import ConsentPeer
from tests.consenting import add_shop, open_shop, row_of, tokens_of

pytestmark = pytest.mark.e2e


@pytest.fixture
def peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ConsentPeer]:
    made = ConsentPeer(tmp_path / "peer")
    made.asks = True
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


@pytest.fixture
def shop(served: str, hub: Hub, peer: ConsentPeer) -> Iterator[str]:
    """Return a shop that nobody has connected, in a hub whose work is done as it comes."""
    hub.settings = hub.settings.model_copy(update={"public_url": served})
    add_shop(hub)
    id, over = open_shop(hub, peer), threading.Event()

    def work() -> None:
        while not over.wait(0.05):
            for queue in ("fast", "outward"):
                entry.run(hub, queue, "test")

    worker = threading.Thread(target=work)
    worker.start()
    yield id
    over.set()
    worker.join()


def wait_for(page: Any, text: str) -> None:
    page.get_by_text(text).first.wait_for()


@pytest.mark.parametrize("script", [True, False], ids=["htmx", "no script"])
def test_a_shop_is_connected_and_later_reconnected(
    desk: Callable[..., Any], hub: Hub, peer: ConsentPeer, shop: str, served: str, script: bool
) -> None:
    path = f"/admin/connections/{shop}/connection"
    page = desk("owner", path, java_script_enabled=script)
    page.get_by_role("button", name="Connect Shop").click()
    page.get_by_role("button", name="Allow access").wait_for()
    assert page.url.startswith(peer.url), "the browser let the way lead to another origin"
    page.get_by_role("button", name="Allow access").click()
    wait_for(page, "Connected to Alpenkraut AG")
    assert page.url == served + path, "neither code nor state stay in the address"
    first = tokens_of(hub, shop)

    peer.revoke()
    with hub.store.write(System()) as session:
        hub.connections.expire(session, shop, "the consent was taken back")
    page.goto(f"{served}/admin/connections")
    page.get_by_role("link", name="Reconnect").first.click()
    wait_for(page, "the consent was taken back")
    page.get_by_role("button", name="Reconnect", exact=True).click()
    page.get_by_role("button", name="Allow access").click()
    wait_for(page, "Connected to Alpenkraut AG")
    assert row_of(hub, shop).state == "healthy"
    assert set(first).isdisjoint(tokens_of(hub, shop))


def test_back_from_the_service_leads_to_the_connection_and_not_out_again(
    desk: Callable[..., Any], peer: ConsentPeer, shop: str, served: str
) -> None:
    path = f"/admin/connections/{shop}/connection"
    page = desk("owner", path)
    page.get_by_role("button", name="Connect Shop").click()
    page.get_by_role("button", name="Allow access").wait_for()
    page.go_back()
    page.get_by_role("button", name="Connect Shop").wait_for()
    assert page.url == served + path


def test_who_cancels_at_the_service_reads_that_and_may_try_again(
    desk: Callable[..., Any], peer: ConsentPeer, shop: str
) -> None:
    page = desk("owner", f"/admin/connections/{shop}/connection")
    page.get_by_role("button", name="Connect Shop").click()
    page.get_by_role("button", name="Cancel").click()
    wait_for(page, "access was not granted")
    page.get_by_role("button", name="Connect Shop").click()
    page.get_by_role("button", name="Allow access").click()
    wait_for(page, "Connected to Alpenkraut AG")


def test_another_account_is_asked_about_and_disconnecting_is_two_clicks(
    desk: Callable[..., Any], hub: Hub, peer: ConsentPeer, shop: str
) -> None:
    page = desk("owner", f"/admin/connections/{shop}/connection")
    for account in ("Alpenkraut AG", "Bergblick GmbH"):
        peer.account = account
        page.get_by_role("button", name=re.compile("^(Connect Shop|Reconnect)$")).click()
        page.get_by_role("button", name="Allow access").click()
        wait_for(page, account)
    page.get_by_role("button", name="Use Bergblick GmbH").click()
    wait_for(page, "Connected to Bergblick GmbH")
    page.get_by_text("Disconnect …").click()
    page.get_by_role("button", name="Disconnect Bergblick GmbH").click()
    wait_for(page, "Its tokens are deleted here")
    assert tokens_of(hub, shop) == ("", "")
