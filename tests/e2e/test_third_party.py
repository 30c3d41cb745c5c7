"""Somebody else's channel: a wheel of 40 lines beside a running hub, and a message through it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlmodel import select

from hub.access import tokens, users
from hub.cli import up
from hub.cli.ports import free_port
from hub.fleet.roster import add_depot, add_merchant
from hub.hub import Hub, open_hub
from hub.nouns import Location
from hub.settings import Settings
from hub.simulate.caller import Caller
from hub.store import UserRow
from hub.testing.patience import PATIENCE, until
from hub.testing.peers.sms import SmsPeer
from hub.testing.running import Run, install, layered, service_pids

pytestmark = [pytest.mark.e2e, pytest.mark.demo]
SOURCE = Path(__file__).parent / "third_party" / "ping"
TOLD = """
workflow: order-told
on:
  - event: order.received
steps:
  - id: sms
    use: notify.sms
    with: {to: "{{ event.customer.phone }}", text: "Order {{ event.order.ref }} has arrived"}
"""


def test_the_plugin_is_short_and_has_types() -> None:
    text = (SOURCE / "hub_ping.py").read_text()
    assert len(text.splitlines()) <= 40
    typed = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "hub_ping.py"], cwd=SOURCE,
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert typed.returncode == 0, typed.stdout


class Site:
    """A hub in an environment of its own, its gateway, and its owner at a desk."""

    def __init__(self, place: Path, peer: SmsPeer) -> None:
        self.peer = peer
        self.python = layered(place / "venv")
        self.directory = place / "hub-data"
        self.port = free_port(26_000 + os.getpid() % 3000)
        root = f"http://127.0.0.1:{self.port}"
        self.environ = {"HUB_ALLOW_ADDRESSES": f"127.0.0.1:{peer.port}", "HUB_PUBLIC_URL": root}
        settings = Settings.read({"HUB_DIRECTORY": str(self.directory), **self.environ})
        (self.directory / "workflows").mkdir(parents=True)
        (self.directory / "workflows" / "order-told.yaml").write_text(TOLD)
        up.prepare(settings)
        self.hub: Hub = open_hub(settings, patience=PATIENCE)
        with self.hub.store.write() as session:
            users.add_user(session, "owner@example.com", "owner")
            self.merchant = add_merchant(session, "Alpenkraut").id
            add_depot(session, "Vaduz", Location(lat=47.14, lon=9.52))
            key = tokens.issue_key(session, "shop", ["orders:write"], None)
        self.api = Caller(root, key)
        self.run: Run | None = None

    def start(self) -> None:
        """Start the hub and wait until its pages answer."""
        where = self.directory
        self.run = Run(where, "up", port=self.port, python=self.python, environ=self.environ)
        os.environ["HUB_WEB_PORT"] = str(self.port)
        self.run.wait_for(lambda: up.answers(self.hub.settings.public_url))

    def stop(self) -> None:
        """Stop the hub."""
        if self.run is not None:
            self.run.end()

    def sign_in(self, chromium: Any) -> Any:
        """Return the owner's page, signed in."""
        with self.hub.store.write() as session:
            user = session.exec(select(UserRow).where(UserRow.email == "owner@example.com")).one()
            token = tokens.issue(session, "sign_in", user.id)
        page = chromium.new_context(viewport={"width": 1280, "height": 800}).new_page()
        page.goto(f"{self.hub.settings.public_url}/sign-in/{token}")
        page.get_by_role("button", name="Sign in as").click()
        return page

    def order(self, ref: str) -> None:
        """Send an order over the API."""
        body = {
            "ref": ref, "merchant": self.merchant, "location": {"lat": 47.139, "lon": 9.522},
            "recipient": {"name": "Ida Büchel", "phone": "+4237912345"},
            "address": {"line1": f"Städtle {ref}", "postcode": "9490", "city": "Vaduz"},
            "lines": [{"name": "Box", "quantity": 1}], "service_date": "2026-11-30",
        }  # fmt: skip
        self.api.post("/api/v1/orders", body, key=ref)

    def sent(self) -> list[str]:
        """Return the texts that the gateway took, in order."""
        return [entry.sent["text"] for entry in self.peer.sent]


class Desk:
    """What the owner does on the pages of connections: all that this test knows of them."""

    def __init__(self, page: Any, root: str) -> None:
        self.page, self.root = page, root

    def open(self) -> None:
        """Open the page of connections."""
        self.page.goto(f"{self.root}/admin/connections")

    def offered(self) -> Any:
        """Return the link that begins a connection through Ping."""
        return self.page.get_by_role("link", name="Ping SMS").first

    def add(self, url: str, token: str) -> None:
        """Set a connection up: settings, a real call, into use."""
        self.offered().click()
        self.page.get_by_label(re.compile("^Address")).fill(url)
        self.page.get_by_label("API token").fill(token)
        self.page.get_by_role("button", name="Save and test").click()
        works = self.page.get_by_role("heading", name="It works")
        expect(works).to_be_visible()
        self.page.get_by_role("button", name="Go on").click()
        self.page.get_by_role("button", name="Enable Ping SMS").click()
        self.open()
        expect(self.page.get_by_role("switch", name=re.compile("Ping SMS"))).to_be_visible()

    def switch(self, *, on: bool) -> None:
        """Turn the connection on or off."""
        found = self.page.get_by_role("switch", name=re.compile("Ping SMS"))
        found.click()
        expect(found).to_have_attribute("aria-checked", "true" if on else "false")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Return a hub that knows nothing of Ping, stopped."""
    monkeypatch.setenv("HUB_WEB_PORT", "0")
    peer = SmsPeer(tmp_path / "peer")
    peer.start()
    made = Site(tmp_path, peer)
    yield made
    made.stop()
    made.hub.close()
    peer.stop()


def wheel(place: Path) -> Path:
    """Return the plugin's wheel, built as its author would."""
    words = ["wheel", "-q", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [sys.executable, "-m", "pip", *words, "-w", str(place), str(SOURCE)], check=True,
        timeout=240,
    )  # fmt: skip
    (found,) = place.glob("hub_ping-*.whl")
    return found


def test_a_wheel_is_installed_set_up_switched_and_sends_through_a_workflow(
    site: Site, chromium: Any, tmp_path: Path
) -> None:
    site.start()
    desk = Desk(site.sign_in(chromium), site.hub.settings.public_url)
    desk.open()
    expect(desk.page.get_by_role("heading", name="Connections", exact=True)).to_be_visible()
    expect(desk.offered()).to_have_count(0)
    install(site.python, wheel(tmp_path / "dist"))
    site.stop()
    site.start()
    desk.open()
    desk.add(site.peer.url, site.peer.token)
    before = service_pids(site.run.process.pid) if site.run else {}
    site.order("1001")
    until(lambda: site.sent() == ["Order 1001 has arrived"], 2 * PATIENCE)
    desk.open()
    desk.switch(on=False)
    site.order("1002")
    waits = desk.page.get_by_text(re.compile("1 record waits"))
    ends = time.monotonic() + 2 * PATIENCE
    while time.monotonic() < ends:
        desk.open()
        if waits.count():
            break
        desk.page.wait_for_timeout(500)
    expect(waits.first).to_be_visible()
    assert site.sent() == ["Order 1001 has arrived"]
    desk.switch(on=True)
    until(lambda: len(site.sent()) == 2, 2 * PATIENCE)
    assert site.sent() == ["Order 1001 has arrived", "Order 1002 has arrived"]
    keys = [entry.key for entry in site.peer.sent]
    assert len(set(keys)) == 2
    assert all(keys)
    assert before
    assert service_pids(site.run.process.pid if site.run else 0) == before, "something restarted"
