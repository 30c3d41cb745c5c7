"""Every page for everyone: no violation that axe can find, in light and dark, small and large."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.hub import Hub
from hub.testing.days import NOW, fill_day
from hub.testing.fixtures import World, set_time

pytestmark = pytest.mark.e2e

PAGES = {
    "/": ".route",
    "/admin/connections": "h1",
    "/admin/connections/new/sms": "h1",
    "/admin/plugins": "h1",
    "/admin/imports": "h1",
    "/admin/dead-letters": "h1",
    "/admin/messages": "h1",
    "/there-is-no-such-page": "h1",
}


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_have_no_barriers(
    desk: Callable[..., Any], hub: Hub, world: World, scheme: str, width: int
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    set_time(hub, NOW)
    fill_day(hub, world)
    page = desk("owner", color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    origin = page.url.rstrip("/")
    found = {}
    for path, ready in PAGES.items():
        page.goto(origin + path)
        page.locator(ready).first.wait_for()
        violations = Axe().run(page).response["violations"]
        found[path] = [(v["id"], v["nodes"][0]["html"][:120]) for v in violations]
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{path} scrolls sideways by {wide} px at {width} px"
    assert {path: errors for path, errors in found.items() if errors} == {}
