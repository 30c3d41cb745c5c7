"""Connections in a real browser: set one up by keyboard, look at every tab, without any barrier."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from hub.hub import Hub
from hub.queue import entry
from hub.store import ConnectionRow, OrderRow
from hub.testing.conformance import ScriptedPeer
from hub.testing.fixtures import World
from hub.testing.peers import Reply
from hub.workflow import previews

pytestmark = pytest.mark.e2e


def record(number: int, **values: Any) -> dict[str, Any]:
    """Return an order as a shop answers it."""
    place = {
        "first_name": "Anna", "last_name": f"Beck {number}", "company": "",
        "address_1": f"Städtle {number}", "address_2": "", "city": "Vaduz", "state": "",
        "postcode": "9490", "country": "LI", "phone": "+4237920001",
    }  # fmt: skip
    return {
        "id": number, "number": str(number), "currency": "CHF", "total": "24.50",
        "billing": {**place, "email": "anna@example.com"}, "shipping": place,
        "payment_method": "cod", "date_paid_gmt": None,
        "date_modified_gmt": f"2026-11-22T10:00:{number % 60:02}", "customer_note": "Ring twice",
        "line_items": [{"id": 7, "name": "Herb tea", "quantity": 2, "sku": "TEA-1"}], **values,
    }  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedPeer]:
    """Run a shop on loopback that has three orders, one of which makes no sense."""
    made = ScriptedPeer(tmp_path / "peer")
    orders = [record(1041), record(1042, total="free"), record(1043)]

    def answer(request: Any) -> Reply:
        found = orders if "modified_after" not in request.query else []
        return Reply(
            content=json.dumps(found).encode(), headers={"Content-Type": "application/json"}
        )

    made.reply = answer
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


def worker(hub: Hub) -> None:
    """Do what is due for the worker that calls other systems."""
    while entry.run(hub, "outward", "test"):
        # The shop's server answers in threads of this very process, which look like left behind.
        hub.connections.spoilt = ""


def only(hub: Hub) -> ConnectionRow:
    with hub.store.read() as session:
        return session.exec(select(ConnectionRow)).one()


def press(page: Any, role: str, name: str) -> None:
    """Go to a control with the Tab key alone and press Enter."""
    wanted = page.get_by_role(role, name=name, exact=True)
    wanted.wait_for()
    for _ in range(60):
        page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"{name} cannot be reached by keyboard")


def test_a_shop_is_set_up_by_keyboard_from_an_empty_list_to_its_first_orders(
    desk: Callable[..., Any], hub: Hub, world: World, shop: ScriptedPeer
) -> None:
    from playwright.sync_api import expect

    page = desk("owner", "/admin/connections")
    expect(page.get_by_text("No connections yet")).to_be_visible()
    press(page, "link", "WooCommerce")
    expect(page.get_by_role("heading", name="Set up WooCommerce")).to_be_visible()
    page.get_by_label("Name").focus()
    page.keyboard.type("Kräuterladen")
    page.get_by_label("Address of the shop").focus()
    page.keyboard.type(shop.url)
    page.get_by_label("Consumer key").focus()
    page.keyboard.type("ck_1")
    page.get_by_label("Consumer secret").focus()
    page.keyboard.type("cs_1")
    press(page, "button", "Save and test")
    expect(page.get_by_text("Calling WooCommerce")).to_be_visible()
    assert (only(hub).state, only(hub).enabled) == ("not_set_up", False)
    worker(hub)
    expect(page.get_by_role("heading", name="It works")).to_be_visible()
    expect(page.get_by_text("Anna Beck 1041")).to_be_visible()
    press(page, "button", "See what would come in")
    expect(page.get_by_text("Looking at the orders")).to_be_visible()
    worker(hub)
    expect(page.get_by_text("Out of 3 records")).to_be_visible()
    assert page.locator(".counts-of dd").all_inner_texts() == ["2", "0", "0", "1"]
    with hub.store.read() as session:
        assert session.exec(select(OrderRow)).all() == [], "a dry run takes nothing in"
    press(page, "button", "Enable Kräuterladen")
    expect(page.get_by_text("Its first orders are being read")).to_be_visible()
    worker(hub)
    with hub.store.read() as session:
        assert sorted(session.exec(select(OrderRow.ref))) == ["1041", "1043"]
    assert (only(hub).state, only(hub).enabled) == ("healthy", True)


def test_a_refused_key_says_what_to_do_and_the_set_up_goes_on_later(
    desk: Callable[..., Any], hub: Hub, world: World, shop: ScriptedPeer
) -> None:
    from playwright.sync_api import expect

    shop.reply = lambda _: Reply(401, {"message": "no"})
    page = desk("merchant", "/admin/connections/new/woocommerce", merchant=world.merchant)
    page.get_by_label("Address of the shop").fill(shop.url)
    page.get_by_label("Consumer key").fill("ck_1")
    page.get_by_label("Consumer secret").fill("wrong")
    page.get_by_role("button", name="Save and test").click()
    expect(page.get_by_text("Calling WooCommerce")).to_be_visible()
    worker(hub)
    expect(page.get_by_text("refused the credentials")).to_be_visible()
    page.get_by_role("navigation").get_by_role("link", name="Connections").click()
    expect(page.get_by_text("Its set-up was begun and is not finished")).to_be_visible()
    page.get_by_role("link", name="Finish the set-up of WooCommerce").first.click()
    expect(page.get_by_role("link", name="Change the settings")).to_be_visible()


def test_a_removed_connection_is_brought_back(
    desk: Callable[..., Any], hub: Hub, tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    with hub.store.write() as session:
        id = hub.connections.save(session, "folder", {"path": str(tmp_path)}, title="Proofs").id
    page = desk("owner", f"/admin/connections/{id}/advanced")
    page.get_by_role("link", name="Remove …").click()
    expect(page.get_by_text("deleted after 24 hours")).to_be_visible()
    page.get_by_role("button", name="Remove Proofs").click()
    expect(page.get_by_role("switch", name="Proofs: on")).to_have_count(0)
    page.get_by_role("button", name="Bring Proofs back").click()
    expect(page.get_by_role("switch", name="Proofs: on")).to_have_attribute("aria-checked", "true")


@pytest.fixture
def many(hub: Hub, world: World, shop: ScriptedPeer, tmp_path: Path) -> dict[str, str]:
    """Have connections in every state; return their ids by name."""
    given = {"url": shop.url, "key": "ck_1", "secret": "cs_1"}
    with hub.store.write() as session:
        save = hub.connections.save
        shops = save(session, "woocommerce", given, merchant=world.merchant, title="Kräuterladen")
        draft = save(
            session, "woocommerce", given, merchant=world.merchant, title="Hofladen", draft=True
        )
        folder = save(session, "folder", {"path": str(tmp_path)}, title="Proof folder")
        sms = save(session, "sms", {"url": "https://sms.example.com", "token": "t" * 20})
        rows = [shops, draft, folder, sms]
        shops.state, shops.reason = "action_needed", "the shop refused the key (401)"
        shops.troubled_at = session.wall
        sms.state, sms.reason = "degraded", "The last check failed: the gateway does not answer"
        hub.connections.set_enabled(session, folder.id, False, "Ida Keller")
        for stage in ("test", "dry_run"):
            previews.request(session, draft.id, stage)  # type: ignore[arg-type]
        previews.request(session, shops.id, "test")
    worker(hub)
    return {row.title: row.id for row in rows}


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_of_a_connection_has_a_barrier(
    desk: Callable[..., Any], many: dict[str, str], scheme: str, width: int
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    shop, draft, sms = many["Kräuterladen"], many["Hofladen"], many["SMS"]
    page = desk("owner", color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    origin = page.url.rstrip("/")
    found = {}
    for path in (
        "", "/new/woocommerce", f"/{shop}", f"/{shop}/settings", f"/{shop}/mapping",
        f"/{sms}/usage", f"/{shop}/usage", f"/{shop}/advanced?remove=yes", f"/{sms}",
        f"/{draft}/setup/connect", f"/{draft}/setup/test", f"/{draft}/setup/review",
    ):  # fmt: skip
        page.goto(f"{origin}/admin/connections{path}")
        page.locator("h1").first.wait_for()
        violations = Axe().run(page).response["violations"]
        found[path] = [(v["id"], v["nodes"][0]["html"][:120]) for v in violations]
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{path} scrolls sideways by {wide} px at {width} px"
    assert {path: errors for path, errors in found.items() if errors} == {}


def test_rules_show_on_the_sample_while_they_are_typed(
    desk: Callable[..., Any], hub: Hub, many: dict[str, str]
) -> None:
    from playwright.sync_api import expect

    shop = many["Kräuterladen"]
    page = desk("owner", f"/admin/connections/{shop}/mapping")
    page.get_by_label("Before the notes").press_sequentially("Fresh.")
    expect(page.get_by_role("cell", name="Fresh. Ring twice")).to_be_visible()
    page.get_by_label("Kind").select_option("collection")
    expect(page.get_by_role("row", name="Kind delivery collection")).to_be_visible()
    with hub.store.read() as session:
        assert session.get_one(ConnectionRow, shop).mapping == {}, "nothing is kept before Save"
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Orders that are read from now on get this")).to_be_visible()
    with hub.store.read() as session:
        kept = session.get_one(ConnectionRow, shop).mapping
    assert kept == {"prefix": "Fresh.", "kind": "collection"}
