"""One delivery through a running hub, as its people see it: driver, desk, customer, owner."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error, expect
from sqlmodel import select

from hub.access import tokens
from hub.cli import up
from hub.dispatch.publish import publish_plan
from hub.driving.links import driver_link
from hub.hub import Hub, open_hub
from hub.planning.plans import plan_now
from hub.settings import Settings
from hub.simulate.caller import Caller
from hub.simulate.pictures import photo
from hub.simulate.script import Day
from hub.simulate.seed import seed
from hub.store import (
    ClockRow,
    MerchantRow,
    Operator,
    RouteRow,
    RunRow,
    StopRow,
    UserRow,
)
from hub.testing.patience import PATIENCE, until
from hub.testing.running import Run
from hub.tracking.links import tracking_url
from hub.workflow.parts import assemble

pytestmark = [pytest.mark.e2e, pytest.mark.demo]
PLACES = {"E-1": (47.13905, 9.52216), "E-2": (47.14105, 9.52316)}


class Living:
    """A hub that runs in processes of its own, and a handle on its database."""

    def __init__(self, hub: Hub, key: str) -> None:
        self.hub = hub
        self.root = hub.settings.public_url
        self.api = Caller(self.root, key)

    def stops(self) -> list[StopRow]:
        """Return the stops along the route, once the workflow has made them."""
        rows: list[StopRow] = []

        def made() -> bool:
            with self.hub.store.read() as session:
                rows[:] = session.exec(select(StopRow).order_by(StopRow.position))
            return len(rows) == len(PLACES)

        until(made, 2 * PATIENCE, "the orders did not become stops")
        return rows

    def link_for(self, email: str) -> str:
        """Return a link that signs somebody in once."""
        with self.hub.store.write() as session:
            user = session.exec(select(UserRow).where(UserRow.email == email)).one()
            return f"{self.root}/sign-in/{tokens.issue(session, 'sign_in', user.id)}"


@pytest.fixture
def living(tmp_path: Path, start: Callable[..., Run]) -> Iterator[Living]:
    """Run a hub with the demo's fleet and one published route with one stop."""
    directory = tmp_path / "living"
    port = up.free_port(24_000 + os.getpid() % 3000)
    environ = {"HUB_DIRECTORY": str(directory), "HUB_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    settings = Settings.read(environ)
    up.prepare(settings)
    hub = open_hub(settings, patience=PATIENCE)
    seed(hub, speed=1, once=True)
    demo = json.loads((directory / "demo.json").read_text())
    day = date.fromisoformat(demo["date"])
    (directory / "demo.json").unlink()  # no simulated phones here: the driver is the test
    with hub.store.write() as session:
        row = session.get_one(ClockRow, 1)
        row.anchor = Day(day).at(8, 30)
        row.since, row.speed = time.time(), 1.0
    run = start("up", directory=directory, port=port)
    made = Living(hub, demo["key"])
    for ref in PLACES:
        made.api.post("/api/v1/orders", order(hub, ref, day), key=ref)
    assemble(hub)
    plan = plan_now(hub, made.stops()[0].depot, day, seconds=1)
    publish_plan(hub, Operator("dispatcher"), plan.id)
    yield made
    hub.close()
    run.end()


def order(hub: Hub, ref: str, day: date) -> dict[str, Any]:
    """Return the body of an order of the first shop, for a day."""
    with hub.store.read() as session:
        shop = session.exec(select(MerchantRow).where(MerchantRow.slug == "alpenkraut")).one()
    lat, lon = PLACES[ref]
    return {
        "ref": ref, "merchant": shop.id, "recipient": {"name": "Ida Büchel"},
        "address": {"line1": f"Städtle {ref}", "postcode": "9490", "city": "Vaduz"},
        "location": {"lat": lat, "lon": lon},
        "lines": [{"name": "Gemüsekiste klein", "quantity": 1}],
        "service_date": day.isoformat(),
    }  # fmt: skip


def test_a_delivery_by_hand_is_seen_everywhere_and_reaches_what_is_switched_on(
    living: Living, chromium: Any
) -> None:
    first, _ = living.stops()
    owner = sign_in(living, chromium, "owner@example.com", "/admin/connections")
    switch(owner, "Proof folder", on=False)
    desk = sign_in(living, chromium, "desk@example.com", "/")
    customer = chromium.new_context(viewport={"width": 390, "height": 844}).new_page()
    customer.goto(tracking_url(living.hub, first.id))
    for page in (desk, customer):
        page.evaluate("window.sameDocument = true")
    phone = sign_in_driver(living, chromium, first)
    deliver(phone)
    expect(customer.get_by_text("Delivered").first).to_be_visible()
    done = desk.get_by_role("progressbar", name="1 of 2 stops done")
    expect(done).to_be_visible()
    for page in (desk, customer):
        assert page.evaluate("window.sameDocument"), "the page was loaded again"
    until(lambda: ended_runs(living.hub) == 1, 2 * PATIENCE)
    assert kept_proofs(living.hub) == []
    switch(owner, "Proof folder", on=True)
    deliver(phone)
    until(lambda: len(kept_proofs(living.hub)) == 1, 2 * PATIENCE)


def ended_runs(hub: Hub) -> int:
    """Return how many deliveries the workflow has dealt with."""
    with hub.store.read() as session:
        rows = session.exec(select(RunRow).where(RunRow.workflow == "delivered")).all()
        return sum(row.state != "running" for row in rows)


def kept_proofs(hub: Hub) -> list[Path]:
    """Return the records that the folder holds."""
    return list((hub.settings.directory / "proofs").rglob("record.json"))


def sign_in(living: Living, chromium: Any, email: str, path: str) -> Any:
    """Sign a member of the staff in and open a page."""
    page = chromium.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(living.link_for(email))
    page.get_by_role("button", name="Sign in as").click()
    page.goto(living.root + path)
    return page


def switch(page: Any, title: str, *, on: bool) -> None:
    """Turn a connection on or off on the owner's page."""
    found = page.get_by_role("switch", name=re.compile(re.escape(title)))
    found.click()
    expect(found).to_have_attribute("aria-checked", "true" if on else "false")


def sign_in_driver(living: Living, chromium: Any, stop: StopRow) -> Any:
    """Open the driver's page by a one-time link in a phone-sized window, and start the route."""
    with living.hub.store.write() as session:
        route = session.exec(select(RouteRow).where(RouteRow.state == "ready")).one()
        link = driver_link(living.hub, session, route.driver)
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True,
        permissions=["geolocation"],
        geolocation={"latitude": stop.lat, "longitude": stop.lon, "accuracy": 8},
    )  # fmt: skip
    page = context.new_page()
    page.goto(link)
    page.get_by_role("button", name="Start on this phone").click()
    page.get_by_role("button", name="Start the route").click()
    return page


def deliver(page: Any) -> None:
    """Hand the parcel over: a photo, a name, done."""
    here = page.get_by_role("button", name="I am here")
    delivered = page.get_by_role("button", name="Delivered", exact=True)
    camera = page.locator("input[type=file]")
    ends = time.monotonic() + 2 * PATIENCE
    while not camera.count():  # the geofence may say "arrived" before the driver does
        assert time.monotonic() < ends, "the stop cannot be delivered"
        with suppress(Error):  # neither is there any more: the form has opened
            here.or_(delivered).first.click(timeout=2_000)
            camera.wait_for(state="attached", timeout=2_000)
    camera.set_input_files(
        {"name": "door.jpg", "mimeType": "image/jpeg", "buffer": photo("E-1", 1)}
    )
    page.get_by_label("Received by").fill("Ida Büchel")
    page.get_by_role("button", name="Confirm: delivered").click()
    page.get_by_role("button", name="Confirm: delivered").wait_for(state="detached")
    expect(page.get_by_text("to send")).to_have_count(0)
