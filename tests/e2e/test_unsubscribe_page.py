"""A recipient ends the mails in a real browser, in both schemes, on a phone and at a desk."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlmodel import select

from hub.hub import Hub
from hub.notify import unsubscribe
from hub.store import MerchantRow, OptOutRow, System
from hub.testing.fixtures import World

pytestmark = pytest.mark.e2e

SIZES = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1280, "height": 800}}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_one_button_ends_the_mails_and_another_undoes_it(
    hub: Hub, world: World, served: str, chromium: Any, size: str, scheme: str, tmp_path: Any
) -> None:
    from playwright.sync_api import expect

    with hub.store.write(System()) as session:
        merchant = session.get_one(MerchantRow, world.merchant)
        merchant.phone, merchant.email = "+423 230 00 00", "hallo@alpenkraut.example"
        url = unsubscribe.link(hub, session, world.merchant, "beck@kunde.example")
    context = chromium.new_context(
        viewport=SIZES[size], color_scheme=scheme, java_script_enabled=False
    )
    page = context.new_page()
    page.goto(served + url.removeprefix(hub.settings.public_url.rstrip("/")))
    assert page.get_by_role("heading").inner_text().endswith("Stop e-mails from Alpenkraut?")
    page.screenshot(path=tmp_path / f"ask-{size}-{scheme}.png")
    button = page.get_by_role("button", name="No more e-mails")
    assert button.bounding_box()["height"] >= 48
    button.click()
    expect(page.get_by_role("heading")).to_have_text(
        re.compile(r"No more e-mails from Alpenkraut\s*$")
    )
    page.screenshot(path=tmp_path / f"done-{size}-{scheme}.png")
    with hub.store.read(System()) as session:
        assert len(session.exec(select(OptOutRow)).all()) == 1
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="No more e-mails").wait_for()
    with hub.store.read(System()) as session:
        assert len(session.exec(select(OptOutRow)).all()) == 0
    width = page.locator("html").bounding_box()["width"]
    assert width <= SIZES[size]["width"]
    assert context.cookies() == []
    context.close()
