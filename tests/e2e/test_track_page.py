"""A recipient watches the delivery come, in a phone-sized browser, over the real live channel."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import uvicorn
from werkzeug.serving import make_server

from hub.access import tokens
from hub.hub import Hub
from hub.nouns import Fix
from hub.settings import Settings
from hub.store import RouteRow, StopRow
from hub.testing.fixtures import MORNING, set_time
from hub.testing.patience import PATIENCE, until
from hub.testing.road import Road, road
from hub.tracking import positions
from hub.web import create_app
from hub.web.live import make_gateway

__all__ = ["road"]

pytestmark = pytest.mark.e2e

PHONE = {"width": 390, "height": 844}
SLOW = """(() => {
  const fetched = window.fetch, channel = window.EventSource;
  Object.assign(window, { asked: 0, shown: 0, heard: 0, held: 0 });
  window.fetch = async (where, options) => {
    if (!String(where).endsWith("/state")) return fetched(where, options);
    const mine = ++asked;
    const answer = await fetched(where, options);
    if (mine === held) await new Promise((go) => (window.release = go));
    setTimeout(() => (shown = mine), 50);
    return answer;
  };
  window.EventSource = class extends channel {
    constructor(address) {
      super(address);
      this.addEventListener("message", () => setTimeout(() => (heard += 1)));
    }
  };
})()"""
"""Counts what the page asks and hears, and holds back the answer to question number `held`."""


@pytest.fixture
def doors() -> Iterator[list[socket.socket]]:
    """Hold a port for the pages and one for the live channel from the start."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    yield held
    for door in held:
        door.close()


@pytest.fixture
def settings(settings: Settings, doors: list[socket.socket]) -> Settings:
    """Let the pages name both ports."""
    pages, live = (f"http://127.0.0.1:{door.getsockname()[1]}" for door in doors)
    return settings.model_copy(update={"public_url": pages, "live_url": live})


@pytest.fixture
def gateway(settings: Settings) -> Any:
    """The application of the live channel."""
    return make_gateway(settings)


@pytest.fixture
def link(
    hub: Hub, settings: Settings, road: Road, gateway: Any, doors: list[socket.socket]
) -> Iterator[str]:
    """Serve pages and live channel; return the link of the first stop, whose driver sets off."""
    with hub.store.write() as session:
        route = session.get_one(RouteRow, road.route)
        route.state, route.started_at = "in_progress", MORNING
        token = tokens.open_tracking(session, hub.keys, road.stops[0])
    where = doors[0].getsockname()
    pages = make_server(*where, create_app(hub), threaded=True, fd=doors[0].fileno())
    live = uvicorn.Server(uvicorn.Config(gateway, log_level="error"))
    threads = [
        threading.Thread(target=pages.serve_forever),
        threading.Thread(target=live.run, args=([doors[1]],)),
    ]
    for thread in threads:
        thread.start()
    until(lambda: gateway.state.gateway.connected)
    yield f"{settings.public_url}/t/{token}"
    pages.shutdown()
    gateway.state.gateway.close()
    live.should_exit = True
    for thread in threads:
        thread.join(PATIENCE)


def tell(hub: Hub, road: Road, **values: object) -> None:
    """Change the first stop and ring its page, as the dispatcher does after an event."""
    with hub.store.write() as session:
        stop = session.get_one(StopRow, road.stops[0])
        for name, value in values.items():
            setattr(stop, name, value)
    hub.redis.publish(f"live:stop:{road.stops[0]}", '{"t":"changed"}')


def test_the_page_follows_the_delivery_without_reloading(
    hub: Hub, road: Road, chromium: Any, link: str, gateway: Any
) -> None:
    from playwright.sync_api import expect

    errors: list[str] = []
    context = chromium.new_context(viewport=PHONE)
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.add_init_script("window.setInterval = () => 0")  # it never asks by itself
    page.goto(link)
    expect(page.get_by_role("heading")).to_contain_text("Arrives today between")
    expect(page.get_by_text("Lea is on the road.")).to_be_visible()
    expect(page.locator("#map-box")).to_be_hidden()
    until(gateway.state.gateway.count)  # the live channel is open

    set_time(hub, MORNING + timedelta(minutes=5))
    at = MORNING + timedelta(minutes=5)
    positions.accept(hub, road.driver, [Fix(lat=47.144, lon=9.52, at=at, accuracy=5)])
    tell(hub, road, state="en_route")
    expect(page.get_by_text("Lea is on the way to you.")).to_be_visible()
    expect(page.locator("#map .map-pin")).to_have_count(2)

    tell(hub, road, state="completed", arrived_at=at, ended_at=at)
    expect(page.get_by_role("heading")).to_contain_text("08:05")
    expect(page.locator("#map-box")).to_be_hidden()
    expect(page.get_by_text("This page will not change any more.")).to_be_visible()
    context.close()
    assert errors == []


def test_an_answer_that_comes_late_does_not_overwrite_a_newer_one(
    hub: Hub, road: Road, chromium: Any, link: str, gateway: Any
) -> None:
    from playwright.sync_api import expect

    context = chromium.new_context(viewport=PHONE)
    page = context.new_page()
    page.add_init_script("window.setInterval = () => 0")  # it never asks by itself
    page.add_init_script(SLOW)
    page.goto(link)
    expect(page.get_by_text("Lea is on the road.")).to_be_visible()
    until(gateway.state.gateway.count)
    until(lambda: page.evaluate("shown > 0 && shown === asked"))

    page.evaluate("held = asked + 1")
    tell(hub, road, state="en_route")
    until(
        lambda: page.evaluate("!!window.release")
    )  # the answer is made, and on its way to the page
    heard = page.evaluate("heard")
    tell(hub, road, state="completed", arrived_at=MORNING, ended_at=MORNING)
    until(lambda: page.evaluate(f"heard > {heard} && (asked === held || shown > held)"))
    page.evaluate("release()")
    until(lambda: page.evaluate("shown >= held"))
    expect(page.get_by_text("This page will not change any more.")).to_be_visible()
    expect(page.get_by_role("heading")).to_contain_text("08:00")
    context.close()


def test_without_scripts_the_page_says_the_same(chromium: Any, link: str) -> None:
    context = chromium.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    page.goto(link)
    assert "08:15–08:25" in page.locator("h1").inner_text()
    assert page.locator(".track-steps li").count() == 4
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_has_no_barriers(
    hub: Hub, road: Road, chromium: Any, link: str, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    context = chromium.new_context(viewport=PHONE, color_scheme=scheme)
    page = context.new_page()
    found = {}
    for state in ("dispatched", "en_route", "failed"):
        tell(hub, road, state=state, reason="not_home", ended_at=MORNING)
        page.goto(link)
        page.wait_for_timeout(500)
        found[state] = [v["id"] for v in Axe().run(page).response["violations"]]
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    context.close()
    assert found == {"dispatched": [], "en_route": [], "failed": []}
