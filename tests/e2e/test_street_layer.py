"""The street layer in a real browser: painted and credited where a map is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from hub.driving import links
from hub.hub import Hub
from hub.maps.load import load
from hub.testing.days import NOW, fill_day
from hub.testing.fixtures import World, set_time
from hub.testing.patience import PATIENCE
from hub.testing.road import Road, road
from tests.maps.town import write_town

__all__ = ["road"]

pytestmark = pytest.mark.e2e

PAINTED = """pane => {
  const painted = canvas => canvas.getContext('2d')
    .getImageData(0, 0, canvas.width, canvas.height).data.some((one, at) => at % 4 === 3 && one);
  return [...document.querySelectorAll(`.leaflet-${pane}-pane canvas`)].filter(painted).length;
}"""
"""How many canvases of a pane have anything on them."""


@pytest.fixture
def a_map(hub: Hub, tmp_path: Path) -> None:
    """Load the little town, in which the tests' depot stands."""
    extract = write_town(tmp_path / "neustadt.osm.pbf")
    load(hub.settings.maps, extract, now=NOW, profiles=())


def painted(page: Any, pane: str) -> int:
    """Return how many canvases of a pane are painted, once one is; 0 where none ever is."""
    ends = monotonic() + PATIENCE
    while not (count := int(page.evaluate(PAINTED, pane))) and monotonic() < ends:
        page.wait_for_timeout(100)
    return count


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_board_shows_streets_with_their_credit(
    a_map: None, desk: Callable[..., Any], hub: Hub, world: World, scheme: str
) -> None:
    from playwright.sync_api import expect

    set_time(hub, NOW)
    fill_day(hub, world)
    board = desk("dispatcher", color_scheme=scheme)
    expect(board.get_by_text("© OpenStreetMap contributors")).to_be_visible()
    assert painted(board, "streets") > 0
    assert painted(board, "names") == 1
    board.get_by_role("button", name="Zoom in").click()
    assert painted(board, "names") == 1


def test_without_a_map_the_ground_is_plain_and_nobody_is_credited(
    desk: Callable[..., Any], hub: Hub, world: World
) -> None:
    from playwright.sync_api import expect

    set_time(hub, NOW)
    fill_day(hub, world)
    board = desk("dispatcher")
    expect(board.locator(".map.no-tiles")).to_be_visible()
    expect(board.get_by_text("OpenStreetMap")).to_have_count(0)
    assert board.evaluate(PAINTED, "streets") == 0


@pytest.fixture
def phone(chromium: Any, served: str, hub: Hub, road: Road) -> Iterator[Any]:
    """A driver's phone on the road; fail on any error of the page."""
    with hub.store.write() as session:
        path = links.driver_link(hub, session, road.driver).removeprefix(hub.settings.public_url)
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    errors: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if "Security" in said.text else None)
    page.goto(served + path)
    page.get_by_role("button", name="Start on this phone").click()
    page.get_by_role("button", name="Start the route").click()
    page.get_by_role("button", name="I am here").wait_for()
    yield page
    context.close()
    assert errors == []


def test_a_driver_opens_the_map_of_the_route_and_goes_to_a_stop_by_its_pin(
    a_map: None, phone: Any
) -> None:
    from playwright.sync_api import expect

    phone.get_by_role("button", name="Map", exact=True).click()
    box = phone.locator(".route-map")
    expect(box.get_by_text("© OpenStreetMap contributors")).to_be_visible()
    assert painted(phone, "streets") > 0
    assert painted(phone, "lines") == 1
    box.locator(".map-pin > span", has_text="3").click()
    expect(phone.get_by_text("Stop 3 of 3")).to_be_visible()
    phone.get_by_role("button", name="Hide the map").click()
    expect(box).to_have_count(0)
