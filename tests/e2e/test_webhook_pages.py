"""The pages of webhooks in a real browser, with scripts and without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.hub import Hub
from hub.outgoing import endpoints
from hub.queue import entry
from hub.store import EndpointRow, Operator
from tests.outgoing.conftest import Receiver
from tests.outgoing.conftest import receiver as receiver  # a fixture, shared

pytestmark = pytest.mark.e2e


def only(hub: Hub) -> EndpointRow:
    with hub.store.read(Operator("owner")) as session:
        (row,) = endpoints.listed(session)
    return row


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_an_endpoint_is_added_tested_and_switched_off(
    desk: Callable[..., Any], hub: Hub, receiver: Receiver, scripts: bool
) -> None:
    from playwright.sync_api import expect

    page = desk("owner", "/admin/webhooks", java_script_enabled=scripts)
    page.get_by_role("link", name="Add an endpoint").click()
    page.get_by_role("textbox", name="Address").fill(receiver.url)
    page.get_by_role("textbox", name="Name").fill("Warehouse")
    page.get_by_text("Stop none of").click()
    page.get_by_label("stop.completed").check()
    page.get_by_role("button", name="Add and show its secret").click()
    assert page.get_by_role("textbox", name="Secret").input_value().startswith("whsec_")
    page.get_by_role("link", name="It is kept").click()
    assert only(hub).types == ["stop.completed"]
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_role("cell", name="Waits")).to_be_visible()
    entry.run(hub, "outward", "test")
    if not scripts:
        page.reload()
    expect(page.get_by_role("cell", name="Delivered")).to_be_visible()
    page.goto(page.url.rsplit("/", 1)[0])
    switch = page.get_by_role("switch", name="Warehouse: on")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    assert not only(hub).enabled
