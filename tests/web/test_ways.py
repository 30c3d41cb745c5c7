"""Who is told the way of a route: its driver, the desk and programs, each what they need of it."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from hub.driving import links
from hub.hub import Hub
from hub.nouns import Maneuver, Way, WayLeg
from hub.planning import ways
from hub.queue.work import claim
from hub.store import RouteRow, RouteWayRow, StopRow, System
from hub.testing.days import DAY, NOW
from hub.testing.fixtures import World, set_time
from hub.testing.road import Road, road
from hub.web import create_app

__all__ = ["road"]

TURN = Maneuver(kind="turn", heading="left", street="Lettstrasse", lat=47.1, lon=9.5, metres=80)
LEG = WayLeg(seconds=60, metres=80, line=((47.14, 9.52), (47.15, 9.53)), maneuvers=(TURN,))


@pytest.fixture
def known(hub: Hub, road: Road) -> Road:
    """Let the hub know the way of the route."""
    way = Way(legs=(LEG,) * 4, credit="a map").model_dump(mode="json")
    with hub.store.write() as session:
        stops = list(road.stops)
        session.add(RouteWayRow(route=road.route, stops=stops, way=way, made_at=session.now))
    return road


@pytest.fixture
def phone(hub: Hub, road: Road) -> Any:
    """Return a function that asks as the driver's phone."""
    client = create_app(hub).test_client()
    with hub.store.write() as session:
        url = links.driver_link(hub, session, road.driver)
    answer = client.post("/api/v1/driver/session", json={"link": url.rsplit("/", 1)[1]})
    bearer = {"Authorization": f"Bearer {answer.json['token']}"}
    return lambda **more: client.get("/api/v1/driver/way", headers={**bearer, **more})


def test_a_phone_is_told_nothing_until_the_way_is_found(phone: Any) -> None:
    assert phone().json == {}


def test_a_phone_is_told_the_turns_in_its_language_and_once(known: Road, phone: Any) -> None:
    said = phone(**{"Accept-Language": "de-CH, en;q=0.5"})
    assert [leg["stop"] for leg in said.json["legs"]] == [*known.stops, None]
    german = said.json["legs"][0]["steps"][0]["text"]
    english = phone(**{"Accept-Language": "en"}).json["legs"][0]["steps"][0]["text"]
    assert "Lettstrasse" in german
    assert german != english
    again = {"Accept-Language": "de-CH, en;q=0.5", "If-None-Match": said.headers["ETag"]}
    assert phone(**again).status_code == 304


def test_the_desk_gets_the_lines_of_the_day(sign_in, hub: Hub, known: Road) -> None:
    client: FlaskClient = sign_in("dispatcher")
    (way,) = client.get(f"/board/ways?date={DAY}").json["ways"]
    assert way["route"] == known.route
    assert way["legs"][0] == {"stop": known.stops[0], "line": [[47.14, 9.52], [47.15, 9.53]]}
    set_time(hub, NOW)
    assert len(client.get("/board/ways").json["ways"]) == 1
    assert client.get("/board/ways?date=2020-01-01").json["ways"] == []


def test_looking_at_a_draft_has_its_way_found(sign_in, hub: Hub, road: Road) -> None:
    client: FlaskClient = sign_in("dispatcher")
    assert client.get(f"/board/ways?date={DAY}").json["ways"] == []
    assert claim(hub.store, "outward", "test") == []
    with hub.store.write() as session:
        session.get_one(RouteRow, road.route).state = "draft"
    client.get(f"/board/ways?date={DAY}")
    (held,) = claim(hub.store, "outward", "test")
    ways.work(hub, held)
    (way,) = client.get(f"/board/ways?date={DAY}").json["ways"]
    assert [leg["stop"] for leg in way["legs"]] == [*road.stops, None]
    assert claim(hub.store, "outward", "test") == []


def test_a_draft_in_another_order_has_its_way_found_anew(sign_in, hub: Hub, known: Road) -> None:
    client: FlaskClient = sign_in("dispatcher")
    with hub.store.write() as session:
        session.get_one(RouteRow, known.route).state = "draft"
        session.get_one(StopRow, known.stops[0]).position = 9
    client.get(f"/board/ways?date={DAY}")
    assert [held.subject for held in claim(hub.store, "outward", "test")] == [known.route]


def test_a_program_that_asks_for_an_unknown_way_has_it_found(sign_in, hub: Hub, road: Road) -> None:
    client: FlaskClient = sign_in("dispatcher")
    waiting = client.get(f"/api/v1/routes/{road.route}/way")
    assert (waiting.status_code, waiting.headers["Retry-After"]) == (202, "2")
    (held,) = claim(hub.store, "outward", "test")
    ways.work(hub, held)
    found = client.get(f"/api/v1/routes/{road.route}/way")
    assert (found.status_code, found.json["approximate"]) == (200, True)


def test_a_program_is_told_that_a_route_leads_nowhere(sign_in, hub: Hub, road: Road) -> None:
    client: FlaskClient = sign_in("dispatcher")
    with hub.store.write(System()) as session:
        session.get_one(RouteRow, road.route).state = "cancelled"
    said = client.get(f"/api/v1/routes/{road.route}/way")
    assert (said.status_code, "leads nowhere" in said.json["detail"]) == (404, True)
    assert claim(hub.store, "outward", "test") == []


def test_a_merchant_is_told_no_way(sign_in, world: World, known: Road) -> None:
    client: FlaskClient = sign_in("merchant", world.merchant)
    assert client.get("/board/ways").status_code == 403
    assert client.get(f"/api/v1/routes/{known.route}/way").status_code == 403
