"""A served hub and desks in front of it, for tests in a real browser."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.serving import make_server

from hub.access import tokens, users
from hub.hub import Hub
from hub.testing.patience import PATIENCE
from hub.web import create_app
from hub.workflow.parts import assemble
from tests.workflow.conftest import toys as toys  # a fixture, shared

SWITCHES = [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

LONGEST = PATIENCE * 1000
"""Milliseconds that a page may take, on a machine that stands still at times; what is there is seen
at once."""
STAY = """(() => {
  const real = window.setTimeout;
  window.setTimeout = (act, after, ...more) =>
    real(act, after === 6000 || after === 10000 ? 10 * after : after, ...more);
})()"""
"""The board takes its notes away after 6 or 10 seconds, which may pass while nobody looks."""


@pytest.fixture
def served(hub: Hub) -> Iterator[str]:
    """Serve the hub, with all its parts, on a free port of this machine; return its origin."""
    assemble(hub)
    server = make_server("127.0.0.1", 0, create_app(hub), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Start the browser once per module."""
    from playwright.sync_api import expect, sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no browser; install it with: apt-get install chromium")
    expect.set_options(timeout=LONGEST)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=SWITCHES, timeout=LONGEST)
        browser.new_context = patient(browser.new_context)
        yield browser
        browser.close()


def patient(new_context: Callable[..., Any]) -> Callable[..., Any]:
    """Return what makes contexts in which everything may take long, and notes stay to be read."""

    def made(**more: Any) -> Any:
        context = new_context(**more)
        context.set_default_timeout(LONGEST)
        context.add_init_script(STAY)
        return context

    return made


@pytest.fixture
def desk(chromium: Any, served: str, hub: Hub) -> Iterator[Callable[..., Any]]:
    """Return a function that signs somebody in and opens a page: `desk("owner", "/admin/plugins")`.

    The test fails on any error of a script and on anything the Content-Security-Policy blocked.
    """
    opened: list[Any] = []
    errors: list[str] = []

    def sit(role: str, path: str = "/", merchant: str | None = None, **more: Any) -> Any:
        with hub.store.write() as session:
            user = users.add_user(session, f"{role}@example.com", role, merchant=merchant)
            session.flush()
            token = tokens.issue(session, "sign_in", user.id)
        context = chromium.new_context(viewport={"width": 1280, "height": 800}, **more)
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if blocked(said.text) else None)
        page.goto(f"{served}/sign-in/{token}")
        page.get_by_role("button", name="Sign in as").click()
        page.goto(served + path)
        return page

    yield sit
    for context in opened:
        context.close()
    assert errors == []


def blocked(text: str) -> bool:
    """Say whether a message of the console tells of a violated policy."""
    return "Content Security Policy" in text or "Content-Security-Policy" in text
