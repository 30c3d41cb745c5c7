"""A route's way along the streets: asked for, found by a worker, shown in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

import pytest

from hub.dispatch.publish import unpublish
from hub.dispatch.sequence import resequence
from hub.errors import Missing, Retry
from hub.hub import Hub
from hub.nouns import Maneuver, Way, WayLeg
from hub.planning import ways
from hub.planning.drafts import discard
from hub.planning.travel import Point
from hub.queue.work import claim
from hub.store import (
    DriverRow,
    Merchant,
    Operator,
    RouteWayRow,
    System,
    VehicleRow,
    WorkRow,
)
from hub.testing.town import Town

BOSS = Operator("dispatcher", user="test")


class Streets:
    """Plays who knows the way: a corner half way to each point."""

    def __init__(self) -> None:
        self.asked: list[list[Point]] = []
        self.error: Exception | None = None
        self.profile = ""

    def __call__(self, hub: Hub, points: Sequence[Point], profile: str, departs: datetime) -> Way:
        self.asked.append(list(points))
        self.departs = departs
        self.profile = profile
        if self.error is not None:
            raise self.error
        return Way(
            legs=tuple(leg(here, there) for here, there in pairwise(points)),
            credit="map of the test",
        )


def leg(here: Point, there: Point) -> WayLeg:
    corner = (here[0], there[1])
    turn = Maneuver(kind="turn", heading="left", street="Lettstrasse", lat=corner[0], lon=corner[1])
    return WayLeg(seconds=60, metres=500, line=(here, corner, there), maneuvers=(turn,))


@pytest.fixture
def streets(monkeypatch: pytest.MonkeyPatch) -> Streets:
    made = Streets()
    monkeypatch.setattr(ways, "directions", made)
    return made


def work(hub: Hub) -> int:
    """Do the ways that are due; return how many."""
    held = [one for one in claim(hub.store, "outward", "test", limit=50) if one.kind == ways.KIND]
    for one in held:
        ways.work(hub, one)
    return len(held)


def way(hub: Hub, route: str, language: str = "en") -> ways.RouteWay | None:
    with hub.store.read(BOSS) as session:
        return ways.way_of(session, route, language)


def test_publishing_asks_for_the_way_and_it_leads_along_the_stops(
    hub: Hub, town: Town, streets: Streets
) -> None:
    town.stops(3)
    (route,) = town.published()
    assert way(hub, route) is None
    assert work(hub) == 1
    found = way(hub, route)
    assert found is not None
    assert [leg.stop for leg in found.legs] == [*(stop.id for stop in town.on(route)), None]
    first = town.on(route)[0]
    assert found.legs[0].line[-1] == (first.lat, first.lon)
    assert found.legs[0].line[0] == found.legs[-1].line[-1] == (47.1410, 9.5209)
    assert found.credit == "map of the test"


def test_the_turns_are_in_the_readers_language(hub: Hub, town: Town, streets: Streets) -> None:
    town.stops(1)
    (route,) = town.published()
    work(hub)
    told = {tag: way(hub, route, tag) for tag in ("en", "de-CH")}
    texts = {tag: one.legs[0].steps[0].text for tag, one in told.items() if one}
    assert "Lettstrasse" in texts["en"]
    assert texts["en"] != texts["de-CH"]


def test_a_new_order_asks_again_and_the_same_order_does_not(
    hub: Hub, town: Town, streets: Streets
) -> None:
    town.stops(3)
    (route,) = town.published()
    work(hub)
    with hub.store.write(System()) as session:
        ways.ask(session, route)
    assert work(hub) == 1
    assert len(streets.asked) == 1
    order = [stop.id for stop in town.on(route)]
    resequence(hub, BOSS, route, order[::-1])
    work(hub)
    assert len(streets.asked) == 2
    found = way(hub, route)
    assert found is not None
    assert [leg.stop for leg in found.legs[:-1]] == order[::-1]


def test_the_way_begins_where_the_driver_does_and_is_for_what_drives(
    hub: Hub, town: Town, streets: Streets
) -> None:
    with hub.store.write(System()) as session:
        driver = session.get_one(DriverRow, town.world.driver)
        driver.start_place, driver.home_lat, driver.home_lon = "home", 47.2, 9.5
        session.get_one(VehicleRow, driver.vehicle).profile = "bike"
    town.stops(1)
    town.published()
    work(hub)
    (points,) = streets.asked
    assert (points[0], points[-1]) == ((47.2, 9.5), (47.1410, 9.5209))
    assert streets.profile == "bike"


def test_a_map_that_does_not_answer_is_asked_some_times_and_then_left(
    hub: Hub, town: Town, streets: Streets
) -> None:
    town.stops(1)
    (route,) = town.published()
    streets.error = Retry("the map is busy")
    (held,) = (one for one in claim(hub.store, "outward", "test") if one.kind == ways.KIND)
    ways.work(hub, held)
    assert state(hub, route) == "ready"
    with hub.store.write(System()) as session:
        row = session.get_one(WorkRow, held.id)
        row.tries, row.not_before = ways.TRIES, session.wall
    work(hub)
    assert state(hub, route) == "done"
    assert way(hub, route) is None
    with hub.store.read(BOSS) as session:
        found = ways.search_for(session, route)
    assert (found[0], "could not be found" in found[1]) == (False, True)


def test_it_is_known_whether_a_way_is_looked_for(hub: Hub, town: Town, streets: Streets) -> None:
    town.stops(1)
    (route,) = town.published()
    with hub.store.read(BOSS) as session:
        assert ways.search_for(session, route) == (True, "")
    work(hub)
    assert streets.departs == town.routes()[0].starts_at
    with hub.store.write(BOSS) as session:
        unpublish(session, route)
        asked, why = ways.search_for(session, route)
    assert (asked, "is cancelled" in why) == (False, True)


def state(hub: Hub, route: str) -> str:
    from sqlmodel import select

    with hub.store.read(System()) as session:
        query = select(WorkRow.state).where(WorkRow.kind == ways.KIND, WorkRow.subject == route)
        return session.exec(query).one()


def test_without_a_map_the_way_is_straight_lines_without_turns(hub: Hub, town: Town) -> None:
    town.stops(2)
    (route,) = town.published()
    work(hub)
    found = way(hub, route)
    assert found is not None
    assert found.approximate
    assert [len(leg.line) for leg in found.legs] == [2, 2, 2]


def test_straight_lines_become_streets_once_a_map_is_there(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.stops(2)
    (route,) = town.published()
    work(hub)
    monkeypatch.setattr(ways, "directions", Streets())
    assert ways.ask_again(hub) == 1
    assert work(hub) == 1
    found = way(hub, route)
    assert found is not None
    assert not found.approximate
    assert ways.ask_again(hub) == 0


def test_a_draft_that_is_thrown_away_takes_its_way_with_it(
    hub: Hub, town: Town, streets: Streets
) -> None:
    town.stops(2)
    town.plan()
    (row,) = town.routes()
    with hub.store.write(System()) as session:
        ways.ask(session, row.id)
    work(hub)
    with hub.store.write(System()) as session:
        assert session.get(RouteWayRow, row.id) is not None
        discard(session, row.id)
    with hub.store.read(System()) as session:
        assert session.get(RouteWayRow, row.id) is None


def test_a_merchant_sees_no_way_of_a_route_without_own_stops(
    hub: Hub, town: Town, streets: Streets
) -> None:
    town.stops(1)
    (route,) = town.published()
    work(hub)
    with hub.store.read(Merchant("mer_other")) as session:
        assert ways.ways_of(session, [route]) == []
        with pytest.raises(Missing):
            ways.way_of(session, route)
