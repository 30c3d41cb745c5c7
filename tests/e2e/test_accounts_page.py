"""Somebody is invited, comes in, sets a second factor up and signs in with it; in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from sqlmodel import col, select, update

from hub.hub import Hub
from hub.store import AuditRow, FactorRow
from hub.testing.fixtures import World

pytestmark = pytest.mark.e2e

PASSWORD = "seven green bicycles"


def actions(hub: Hub) -> list[str]:
    """Return what the log says was done, oldest first."""
    with hub.store.read() as session:
        return list(session.exec(select(AuditRow.action).order_by(AuditRow.id)))


def invite(page: Any, email: str) -> str:
    """Invite somebody on the page of people and return the link that it shows."""
    page.get_by_label("E-mail").fill(email)
    page.locator("#role").select_option("ops")
    page.get_by_role("button", name="Make an invitation").click()
    return str(page.get_by_label("Link").input_value())


def accept(page: Any, link: str) -> None:
    """Choose name and password behind an invitation's link."""
    page.goto(link)
    page.get_by_label("Your name").fill("Mara Vogt")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Accept the invitation").click()
    page.get_by_text("Welcome, Mara Vogt.").wait_for()


def set_up(page: Any) -> pyotp.TOTP:
    """Set a second factor up from the page's head on, and return the app that makes its codes."""
    from playwright.sync_api import expect

    page.get_by_role("link", name="My account: Mara Vogt").click()
    page.get_by_role("link", name="Set it up").click()
    page.get_by_role("button", name="Set it up").click()
    assert page.locator("svg.qr").bounding_box()["width"] > 100
    app = pyotp.TOTP(page.locator("code.secret").inner_text().replace(" ", ""))
    page.get_by_label("Code", exact=True).fill(app.now())
    page.get_by_role("button", name="Turn it on").click()
    codes = page.locator(".codes code")
    expect(codes).to_have_count(10)
    assert len(set(codes.all_inner_texts())) == 10
    page.get_by_role("link", name="I have kept them").click()
    return app


def test_from_an_invitation_to_a_sign_in_with_a_code(
    desk: Callable[..., Any], hub: Hub, world: World
) -> None:
    owner = desk("owner", "/admin/people")
    origin = owner.url.removesuffix("/admin/people")
    link = invite(owner, "mara@example.com")
    mara = owner.context.browser.new_context().new_page()
    accept(mara, origin + link.removeprefix(hub.settings.public_url))
    app = set_up(mara)
    mara.get_by_role("button", name="Sign out").click()

    # The code that turned it on counts no second time, and no test waits for the next one.
    with hub.store.write() as session:
        session.exec(update(FactorRow).values(last_step=col(FactorRow.last_step) - 2))
    mara.get_by_label("E-mail").fill("mara@example.com")
    mara.get_by_label("Password").fill(PASSWORD)
    mara.get_by_role("button", name="Sign in").click()
    mara.get_by_label("Code").fill(app.now())
    mara.get_by_role("button", name="Sign in").click()
    mara.get_by_role("link", name="My account: Mara Vogt").wait_for()
    mara.context.close()

    owner.goto(origin + "/admin/audit")
    text = owner.locator("main").inner_text()
    for said in (
        "owner invited mara@example.com as ops",
        "Mara Vogt accepted the invitation as ops",
        "Mara Vogt turned their second factor on",
        "Mara Vogt signed in with a password",
    ):
        assert said in text
    assert actions(hub)[-3:] == ["factor.set_up", "session.ended", "session.began"]


PAGES = {
    "/admin/settings": "h1",
    "/admin/people": ".person",
    "/admin/keys": "h1",
    "/admin/audit": ".entry",
    "/account": ".person",
    "/account/second-factor": "h1",
}


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_have_no_barriers(
    desk: Callable[..., Any], hub: Hub, world: World, scheme: str, width: int
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = desk("owner", "/admin/people", color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    origin = page.url.removesuffix("/admin/people")
    invite(page, "a.rather.long.address.of.somebody@a-rather-long-domain.example.com")
    found: dict[str, Any] = {"made": Axe().run(page).response["violations"]}
    for path, ready in PAGES.items():
        page.goto(origin + path)
        page.locator(ready).first.wait_for()
        for one in page.locator("summary").all():
            one.click()
        found[path] = Axe().run(page).response["violations"]
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{path} scrolls sideways by {wide} px at {width} px"
    told = {
        path: [(one["id"], one["nodes"][0]["html"][:120]) for one in violations]
        for path, violations in found.items()
        if violations
    }
    assert told == {}
