"""A driver delivers by hand in a phone-sized browser, with and without the network."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from sqlmodel import select
from werkzeug.serving import make_server

from hub.driving import links
from hub.hub import Hub
from hub.settings import Settings
from hub.store import AttemptLineRow, AttemptRow, ProofFileRow, StopRow
from hub.testing.patience import until
from hub.testing.road import Road, road
from hub.web import create_app

__all__ = ["road"]

pytestmark = pytest.mark.e2e

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def origin(hub: Hub) -> Iterator[str]:
    """Serve the hub on a free port of this machine."""
    server = make_server("127.0.0.1", 0, create_app(hub), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def context(chromium: Any) -> Iterator[Any]:
    """Open a phone-sized window that stands at the first door; fail on any error of a page."""
    opened = chromium.new_context(
        viewport=PHONE,
        has_touch=True,
        is_mobile=True,
        permissions=["geolocation"],
        geolocation={"latitude": 47.1417, "longitude": 9.5216, "accuracy": 8},
    )
    yield opened
    opened.close()


@pytest.fixture
def page(context: Any, origin: str, hub: Hub, road: Road) -> Iterator[Any]:
    """Sign the phone in by its link and show the route."""
    with hub.store.write() as session:
        path = links.driver_link(hub, session, road.driver).removeprefix(hub.settings.public_url)
    errors: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if "Security" in said.text else None)
    page.goto(origin + path)
    page.get_by_role("button", name="Start on this phone").click()
    page.get_by_role("button", name="Start the route").click()
    page.get_by_role("button", name="I am here").wait_for()  # the phone has kept the start
    yield page
    assert errors == []


SLOW_PHOTO = """(() => {
  const made = HTMLCanvasElement.prototype.toBlob;
  HTMLCanvasElement.prototype.toBlob = function (...how) {
    if (how[1] === "image/jpeg") window.develop = () => made.apply(this, how);
    else made.apply(this, how);
  };
})()"""
"""Holds a photo back until `develop` is called."""


def photo() -> bytes:
    file = BytesIO()
    Image.new("RGB", (2400, 1800), (120, 140, 90)).save(file, "JPEG")
    return file.getvalue()


def sign(page: Any) -> None:
    """Draw a stroke on the signature's field."""
    page.get_by_role("button", name="Let them sign").click()
    canvas = page.locator("dialog canvas")
    canvas.wait_for()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] + 90, steps=8)
    page.mouse.up()
    page.get_by_role("button", name="Use it").click()


def sent(page: Any) -> None:
    """Wait until nothing waits on the phone."""
    from playwright.sync_api import expect

    expect(page.get_by_text("to send")).to_have_count(0)


def attempts(hub: Hub) -> list[AttemptRow]:
    with hub.store.read() as session:
        return list(session.exec(select(AttemptRow).order_by(AttemptRow.id)))


def test_a_photo_that_takes_long_to_make_keeps_the_signature_and_the_report_waits(
    page: Any, road: Road
) -> None:
    from playwright.sync_api import expect

    page.get_by_role("button", name="I am here").click()
    page.get_by_role("button", name="Delivered", exact=True).click()
    confirm = page.get_by_role("button", name="Confirm: delivered")
    expect(confirm).to_be_enabled()
    page.evaluate(SLOW_PHOTO)
    page.locator("input[type=file]").set_input_files(
        {"name": "door.jpg", "mimeType": "image/jpeg", "buffer": photo()}
    )
    expect(confirm).to_be_disabled()
    sign(page)
    expect(page.get_by_alt_text("Signature")).to_be_visible()
    until(lambda: page.evaluate("!!window.develop"))
    page.evaluate("develop()")
    expect(page.get_by_alt_text("Photo")).to_be_visible()
    expect(page.get_by_alt_text("Signature")).to_be_visible()
    expect(confirm).to_be_enabled()


def test_a_stop_is_delivered_with_photo_signature_name_and_cash(
    page: Any, hub: Hub, road: Road
) -> None:
    page.get_by_role("button", name="I am here").click()
    page.get_by_role("button", name="Delivered", exact=True).click()
    page.locator("input[type=file]").set_input_files(
        {"name": "door.jpg", "mimeType": "image/jpeg", "buffer": photo()}
    )
    sign(page)
    page.locator("form img").nth(1).wait_for()  # until then the pad lies over the form
    page.get_by_label("Received by").fill("Rosa Beck")
    page.get_by_role("button", name="Confirm: delivered").click()
    page.get_by_role("heading", name="Städtle 2").wait_for()
    sent(page)
    until(lambda: attempts(hub))
    made = attempts(hub)[0]
    assert (made.outcome, made.received_by, str(made.cash_taken)) == (
        "completed", "Rosa Beck", "12.50",
    )  # fmt: skip
    assert made.lat == pytest.approx(47.1417)
    with hub.store.read() as session:
        kinds = sorted(row.kind for row in session.exec(select(ProofFileRow)))
        assert kinds == ["photo", "signature"]
        assert session.get_one(StopRow, road.stops[0]).state == "completed"


def test_partly_and_not_delivered_ask_what_and_why(page: Any, hub: Hub, road: Road) -> None:
    page.get_by_role("button", name="I am here").click()
    page.get_by_role("button", name="Only part of it").click()
    page.get_by_role("button", name="One less of Pine oil").click()
    page.get_by_role("button", name="Confirm: partly delivered").click()
    page.get_by_role("alert").get_by_text("Choose a reason").wait_for()
    page.get_by_label("Goods are damaged").check()
    page.get_by_role("button", name="Confirm: partly delivered").click()
    page.get_by_role("button", name="I am here").click()
    page.get_by_role("button", name="Not delivered").click()
    page.get_by_label("Nobody at home").check()
    page.get_by_role("button", name="Confirm: not delivered").click()
    page.get_by_role("heading", name="Städtle 3").wait_for()
    sent(page)
    until(lambda: len(attempts(hub)) == 2)
    assert [(row.outcome, row.reason) for row in attempts(hub)] == [
        ("partial", "damaged"), ("failed", "not_home"),
    ]  # fmt: skip
    with hub.store.read() as session:
        given = {row.line: row.quantity for row in session.exec(select(AttemptLineRow))}
    assert given[road.lines[0][0]] == 1


def test_without_network_the_driver_goes_on_and_nothing_is_lost(
    page: Any, context: Any, hub: Hub, road: Road
) -> None:
    sent(page)
    context.set_offline(True)
    page.get_by_role("button", name="I am here").click()
    page.get_by_role("button", name="Delivered", exact=True).click()
    page.locator("input[type=file]").set_input_files(
        {"name": "door.jpg", "mimeType": "image/jpeg", "buffer": photo()}
    )
    page.get_by_role("button", name="Confirm: delivered").click()
    page.get_by_role("heading", name="Städtle 2").wait_for()
    page.get_by_text("2 to send").wait_for()
    assert attempts(hub) == []
    context.set_offline(False)
    sent(page)
    until(lambda: attempts(hub))
    assert [row.outcome for row in attempts(hub)] == ["completed"]


def test_what_waits_outlives_the_page(
    page: Any, context: Any, hub: Hub, road: Road, origin: str
) -> None:
    sent(page)
    page.route("**/api/v1/driver/reports", lambda route: route.abort())
    page.get_by_role("button", name="I am here").click()
    page.get_by_text("1 to send").wait_for()
    page.close()
    again = context.new_page()
    again.goto(origin + "/driver")
    again.get_by_role("button", name="Delivered", exact=True).wait_for()
    sent(again)
    with hub.store.read() as session:
        assert session.get_one(StopRow, road.stops[0]).state == "arrived"


def test_a_report_that_the_hub_refuses_is_shown_and_kept_until_read(
    page: Any, hub: Hub, road: Road
) -> None:
    def call_off(route: Any) -> None:
        """Call the stop off while the driver's word about it is under way."""
        if '"arrive"' in route.request.post_data:
            with hub.store.write() as session:
                session.get_one(StopRow, road.stops[0]).state = "cancelled"
        route.continue_()

    page.route("**/api/v1/driver/reports", call_off)
    page.get_by_role("button", name="I am here").click()
    page.get_by_text("Not taken by the hub").wait_for()
    page.get_by_role("heading", name="Städtle 2").wait_for()
    page.get_by_role("button", name="I have told them").click()
    page.get_by_text("Not taken by the hub").wait_for(state="detached")


def test_targets_are_large_enough_for_a_thumb(page: Any) -> None:
    page.get_by_role("button", name="I am here").wait_for()
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, a.button, label.button')]
            .map((e) => [e.textContent, e.getBoundingClientRect().height])
            .filter(([, height]) => height > 0 && height < 48)"""
    )
    assert small == []


def test_an_address_that_is_not_secure_says_so(
    context: Any, origin: str, hub: Hub, road: Road, settings: Settings
) -> None:
    page = context.new_page()
    page.add_init_script("Object.defineProperty(window, 'isSecureContext', { value: false })")
    with hub.store.write() as session:
        path = links.driver_link(hub, session, road.driver).removeprefix(settings.public_url)
    page.goto(origin + path)
    page.get_by_role("button", name="Start on this phone").click()
    page.get_by_role("button", name="Start the route").click()
    page.get_by_text("secure addresses (https) only").wait_for()
    page.get_by_text("HUB_PUBLIC_URL").wait_for()
