"""The way to the next door in words, on the driver's page."""

from __future__ import annotations

from typing import Any

import pytest

from hub.hub import Hub
from hub.nouns import Maneuver, Way, WayLeg
from hub.store import RouteWayRow
from hub.testing.road import Road, road
from tests.e2e.test_driver_page import context, origin, page

__all__ = ["context", "origin", "page", "road"]

pytestmark = pytest.mark.e2e


def leg(*turns: Maneuver) -> WayLeg:
    metres = sum(turn.metres for turn in turns)
    return WayLeg(seconds=metres // 8, metres=metres, maneuvers=turns)


def turn(kind: Any, street: str, metres: int, heading: Any = "") -> Maneuver:
    return Maneuver(kind=kind, street=street, metres=metres, heading=heading, lat=47.14, lon=9.52)


@pytest.fixture
def walked(hub: Hub, road: Road) -> Road:
    """Let the hub know the way of the route."""
    there = leg(
        turn("depart", "Zollstrasse", 420),
        turn("turn", "Im Bretscha", 1350, "left"),
        turn("arrive", "", 0, "right"),
    )
    way = Way(legs=(there,) * (len(road.stops) + 1), credit="© OpenStreetMap contributors")
    with hub.store.write() as session:
        stops = list(road.stops)
        session.add(
            RouteWayRow(
                route=road.route, stops=stops, way=way.model_dump(mode="json"), made_at=session.now
            )
        )
    return road


def test_the_way_to_the_next_door_is_told_in_words(walked: Road, page: Any) -> None:
    page.get_by_text("Way in words").click()
    told = page.locator(".turns li").all_inner_texts()
    assert len(told) == 3
    assert "Zollstrasse" in told[0]
    assert "420 m" in told[0] or "400 m" in told[0]
    assert "left" in told[1]
    assert "1.4 km" in told[1] or "1.3 km" in told[1]
    assert page.get_by_text("OpenStreetMap contributors").is_visible()


def test_the_map_names_who_made_the_way(walked: Road, page: Any) -> None:
    page.get_by_role("button", name="Map", exact=True).click()
    credit = page.locator(".leaflet-control-attribution a")
    credit.wait_for()
    assert credit.inner_text() == "© OpenStreetMap contributors"
    assert credit.get_attribute("href") == "https://www.openstreetmap.org/copyright"


def test_at_the_door_the_way_is_put_away_and_the_next_leg_follows(walked: Road, page: Any) -> None:
    page.get_by_role("button", name="I am here").click()
    page.get_by_text("You are here").wait_for()
    assert page.locator(".turns").count() == 0


def test_without_a_map_the_page_says_nothing_of_turns(page: Any) -> None:
    page.get_by_role("button", name="I am here").wait_for()
    assert page.locator(".turns").count() == 0
