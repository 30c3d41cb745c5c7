"""An own system is set up in a real browser: its record is looked at, mapped, and comes in."""

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

pytestmark = pytest.mark.e2e


def record(number: int, **more: Any) -> dict[str, Any]:
    """Return an order as an ERP tells it."""
    return {
        "orderNo": f"A-{number}", "status": "open",
        "customer": {"fullName": f"Anna Beck {number}", "phone": "+4237920001"},
        "delivery": {"street": "Städtle", "houseNumber": str(number), "zip": "9490",
                     "city": "Vaduz", "slot": "9:00-12:00"},
        "positions": [{"text": "Herb tea", "qty": 2, "title": "Herb tea"}], "remark": "Ring twice",
        **more,
    }  # fmt: skip


@pytest.fixture
def erp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedPeer]:
    """Run an ERP on loopback with three orders, one of them without a customer."""
    made = ScriptedPeer(tmp_path / "peer")
    orders = [record(1), record(2, customer={}), record(3)]
    made.reply = lambda _: Reply(content=json.dumps({"data": {"orders": orders}}).encode())
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


def worker(hub: Hub) -> None:
    """Do what is due for the worker that calls other systems."""
    while entry.run(hub, "outward", "test"):
        hub.connections.spoilt = ""  # the ERP answers in threads of this very process


def begin(page: Any, erp: ScriptedPeer, hub: Hub) -> None:
    """Go through the first two steps."""
    page.get_by_label("Name", exact=True).fill("ERP")
    page.get_by_label("Address", exact=False).first.fill(f"{erp.url}/api/orders")
    page.get_by_label("Where the records are").fill("data.orders")
    page.get_by_role("button", name="Save and test").click()
    page.get_by_text("Calling Own system").wait_for()
    worker(hub)
    page.get_by_role("heading", name="It works").wait_for()


def test_an_own_system_is_mapped_on_its_sample_and_its_orders_arrive(
    desk: Callable[..., Any], hub: Hub, world: World, erp: ScriptedPeer
) -> None:
    from playwright.sync_api import expect

    page = desk("owner", "/admin/connections/new/generic")
    begin(page, erp, hub)
    page.get_by_role("link", name="Map the fields").first.click()
    expect(page.get_by_role("heading", name="The record")).to_be_visible()
    expect(page.locator("#raw")).to_contain_text("customer.fullName")
    page.get_by_role("button", name="Suggest").click()
    expect(page.get_by_label("Recipient", exact=True)).to_have_value("customer.fullName")
    expect(page.locator("#gives-address-line1")).to_have_text("Städtle 1")
    name = page.get_by_label("Recipient", exact=True)
    name.fill("customer.nobody")
    expect(page.locator("#gives-recipient-name")).to_contain_text("has no customer.nobody")
    name.fill("customer.fullName")
    expect(page.locator("#gives-recipient-name")).to_have_text("Anna Beck 1")
    expect(page.locator("#sum")).to_contain_text("2 of 3 records make an order")
    page.get_by_label("Record", exact=True).select_option("2")
    expect(page.locator("#gives-recipient-name")).to_have_text("Anna Beck 3")
    page.get_by_role("button", name="Save and see what would come in").first.click()
    expect(page.get_by_text("Looking at the orders")).to_be_visible()
    worker(hub)
    expect(page.get_by_text("Out of 3 records")).to_be_visible()
    assert page.locator(".counts-of dd").all_inner_texts() == ["2", "0", "0", "1"]
    page.get_by_role("button", name="Enable ERP").click()
    expect(page.get_by_text("Its first orders are being read")).to_be_visible()
    worker(hub)
    with hub.store.read() as session:
        found = session.exec(select(OrderRow)).all()
    assert sorted(row.ref for row in found) == ["A-1", "A-3"]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_mapping_has_no_barrier(
    desk: Callable[..., Any], hub: Hub, world: World, erp: ScriptedPeer, scheme: str, width: int
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = desk("owner", "/admin/connections/new/generic", color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    begin(page, erp, hub)
    with hub.store.read() as session:
        id = session.exec(select(ConnectionRow.id)).one()
    origin = page.url.partition("/admin")[0]
    found = {}
    for path in ("new/generic", f"{id}/setup/test", f"{id}/setup/map", f"{id}/mapping"):
        page.goto(f"{origin}/admin/connections/{path}")
        if path.endswith("map"):
            page.get_by_role("button", name="Suggest").click()
            page.get_by_text("were suggested").wait_for()
        violations = Axe().run(page).response["violations"]
        found[path] = [(v["id"], v["nodes"][0]["html"][:120]) for v in violations]
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{path} is {wide} px wide"
    assert not any(found.values()), found
