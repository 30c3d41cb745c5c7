"""The owner's pages in a real browser, with scripts and without."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.hub import Hub
from hub.queue.work import claim
from hub.store import ConnectionRow
from hub.testing.patience import until

pytestmark = pytest.mark.e2e


@pytest.fixture
def folder(hub: Hub, tmp_path: Path) -> str:
    with hub.store.write() as session:
        return hub.connections.save(session, "folder", {"path": str(tmp_path)}, title="Proofs").id


def is_on(hub: Hub, id: str) -> bool:
    with hub.store.read() as session:
        return session.get_one(ConnectionRow, id).enabled


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_connection_is_switched_off_and_on(
    desk: Callable[..., Any], hub: Hub, folder: str, scripts: bool
) -> None:
    from playwright.sync_api import expect

    page = desk("owner", "/admin/connections", java_script_enabled=scripts)
    switch = page.get_by_role("switch", name="Proofs: on")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    assert not is_on(hub, folder)
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")
    assert is_on(hub, folder)


def test_a_check_shows_its_outcome_by_itself(
    desk: Callable[..., Any], hub: Hub, folder: str
) -> None:
    from playwright.sync_api import expect

    page = desk("owner", "/admin/connections")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("button", name="Checking")).to_be_visible()
    for one in claim(hub.store, "outward", "test", 10):
        hub.handlers[one.kind](hub, one)
    expect(page.locator(f"#{folder}").get_by_text("Healthy")).to_be_visible()


def test_what_is_typed_while_an_answer_is_on_its_way_stays(desk: Callable[..., Any]) -> None:
    from playwright.sync_api import expect

    held: list[Any] = []
    page = desk("owner", "/admin/merchants")
    page.route("**/admin/merchants/slug*", lambda one: held.append(one))
    page.get_by_label("Name", exact=True).fill("Alpenkraut")
    until(lambda: page.evaluate("1") and held)  # the hub is asked for a short name
    short = page.locator("#slug")
    short.fill("kraut")
    held[0].continue_()
    expect(page.locator("input[name=suggested]")).to_have_value("alpenkraut")  # it has come
    expect(short).to_have_value("kraut")


def test_an_answer_that_is_an_error_is_told_on_the_page(
    desk: Callable[..., Any], hub: Hub, folder: str
) -> None:
    from playwright.sync_api import expect

    page = desk("owner", "/admin/connections")
    page.locator(f"#{folder} form").first.evaluate(
        "form => form.querySelector('[name=csrf_token]').value = 'stale'"
    )
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was changed")
