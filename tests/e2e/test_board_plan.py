"""Plans on the board in a real browser: what comes first, what came of one, what it left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hub.hub import Hub
from hub.store import DepotRow, PlanRow
from hub.testing.days import DAY, NOW, BusyDay, fill_day
from hub.testing.fixtures import World, set_time
from hub.testing.town import Town, town

__all__ = ["town"]

pytestmark = pytest.mark.e2e


@pytest.fixture
def filled(hub: Hub, world: World) -> BusyDay:
    set_time(hub, NOW)
    return fill_day(hub, world)


def test_a_plan_is_looked_at_with_its_reasons_and_its_clock(
    hub: Hub, world: World, filled: BusyDay, desk: Callable[..., Any]
) -> None:
    from playwright.sync_api import expect

    left = {
        "stop": filled.unassigned, "rule": "capacity", "vehicle": world.driver,
        "reason": "no room for it; it fits if a driver's vehicle takes 3 more",
        "relaxations": [{"rule": "capacity", "amount": 3}],
    }  # fmt: skip
    moment = {"stop": filled.stops[0], "begins": 30000, "leaves": 30180, "driving": 600,
              "waiting": 300, "slack": 1200, "loads": [4]}  # fmt: skip
    line = {"vehicle": world.driver, "starts": 29100, "ends": 30780, "metres": 9000, "cost": 1,
            "driving": 1200, "waiting": 300, "service": 180, "slack": 1200, "loads": [5],
            "moments": [moment]}  # fmt: skip
    with hub.store.write() as session:
        session.add(
            PlanRow(
                depot=world.depot, service_date=DAY, state="done", created_at=session.now,
                why="PyVRP", unserved=[left],
                outcome={"timelines": [line], "metres": 9000, "seconds": 1680},
            )
        )  # fmt: skip
    page = desk("dispatcher")
    page.get_by_role("button", name="Look at the plan").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("1 route, 9.0 km, 28 min of work")).to_be_visible()
    expect(dialog.get_by_text("No room for it. It fits if Lea Frick's vehicle")).to_be_visible()
    expect(dialog.get_by_text("could begin 20 min later")).to_be_visible()
    dialog.get_by_text("Lea Frick", exact=True).click()
    expect(dialog.get_by_role("cell", name="5 min", exact=True)).to_be_visible()
    row = dialog.get_by_role("row").filter(has=page.get_by_role("cell", name="5 min", exact=True))
    expect(row.get_by_role("cell")).to_contain_text(  # it is there before it opens
        ["", "10 min", "08:15", "5 min", "08:23", "20 min", "4"]
    )


def test_whoever_begins_is_led_to_the_fleet(hub: Hub, desk: Callable[..., Any]) -> None:
    from playwright.sync_api import expect

    page = desk("dispatcher")
    expect(page.get_by_text("There is no depot yet")).to_be_visible()
    page.get_by_role("link", name="Set up the fleet").click()
    expect(page.get_by_text("No depot yet")).to_be_visible()
    with hub.store.write() as session:
        session.add(DepotRow(name="Vaduz", lat=47.141, lon=9.5209))
    page.get_by_role("link", name="Board").click()
    expect(page.get_by_text("Nobody drives from here yet")).to_be_visible()


def test_a_plan_that_failed_is_told_beside_the_one_whose_drafts_are_left(
    hub: Hub, world: World, filled: BusyDay, desk: Callable[..., Any]
) -> None:
    from playwright.sync_api import expect

    shared = {"depot": world.depot, "service_date": DAY, "why": "PyVRP"}
    with hub.store.write() as session:
        session.add(PlanRow(**shared, state="done", created_at=NOW, outcome={}))
        later = NOW + timedelta(minutes=5)
        session.add(PlanRow(**shared, state="failed", created_at=later, reason="no engine foo"))
    page = desk("dispatcher")
    expect(page.get_by_text("The last plan failed: No engine foo.")).to_be_visible()
    expect(page.get_by_role("button", name="Look at the plan")).to_be_visible()


def test_a_stop_of_a_draft_says_when_it_is_planned(
    hub: Hub, town: Town, desk: Callable[..., Any]
) -> None:
    from playwright.sync_api import expect

    town.stops(1)
    town.plan()
    page = desk("dispatcher", f"/?date={DAY}")
    page.get_by_role("button", name="Lea Frick", exact=False).first.click()
    page.locator(".stops .stop").first.click()
    planned = page.get_by_role("dialog").locator("dt", has_text="Planned")
    expect(planned).to_be_visible()
