"""A simulated phone: along the streets where they are known, at the pace of the plan."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from hub.planning.times import seconds_between
from hub.simulate.course import Place, along, located, metres, straight
from hub.simulate.phone import Phone
from hub.simulate.script import Day

HOME, CORNER, DOOR = (47.1400, 9.5200), (47.1400, 9.5300), (47.1450, 9.5300)
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LEG = {"stop": "stp_1", "seconds": 120, "line": [HOME, CORNER, DOOR]}


class Hub:
    """Answers a phone as the hub does and keeps what it sends."""

    token = "t"

    def __init__(self, way: dict[str, Any]) -> None:
        self.way = way
        self.fixes: list[dict[str, Any]] = []
        self.reports: list[str] = []
        self.stop = {
            "id": "stp_1", "state": "en_route", "lat": DOOR[0], "lon": DOOR[1], "ref": "#1001",
            "planned_at": None, "window_start": None, "ended_at": None, "cash_due": None,
            "name": "Ida", "lines": [],
        }  # fmt: skip
        self.state = "in_progress"

    def get(self, path: str, **params: Any) -> Any:
        if path.endswith("/way"):
            return self.way
        start = {"lat": HOME[0], "lon": HOME[1]}
        depot = {"lat": 47.0, "lon": 9.0}
        route = {"id": "rte_1", "state": self.state, "depot": depot, "start": start}
        return {"route": route, "stops": [self.stop]}

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        if path.endswith("/positions"):
            self.fixes += body["fixes"]
        if path.endswith("/reports"):
            self.reports.append(body["kind"])
        return {"sha256": "0" * 64}


def known() -> dict[str, Any]:
    """Return the way of the route."""
    return {"route": "rte_1", "legs": [LEG, {"stop": None, "seconds": 1, "line": []}]}


def driven(hub: Hub, seconds: int) -> list[Place]:
    """Return where a phone was every ten seconds."""
    phone = Phone(hub, Day(date(2026, 11, 23)))  # type: ignore[arg-type]
    for step in range(0, seconds + 1, 10):
        phone.advance(NOW + timedelta(seconds=step))
    return [(fix["lat"], fix["lon"]) for fix in hub.fixes]


def test_a_phone_follows_the_streets() -> None:
    hub = Hub(known())
    places = driven(hub, 60)
    assert min(metres(place, CORNER) for place in places) < 120
    middle = ((HOME[0] + DOOR[0]) / 2, (HOME[1] + DOOR[1]) / 2)
    assert min(metres(place, middle) for place in places) > 200


def test_without_a_way_it_drives_straight() -> None:
    places = driven(Hub({}), 400)
    middle = ((HOME[0] + DOOR[0]) / 2, (HOME[1] + DOOR[1]) / 2)
    assert min(metres(place, middle) for place in places) < 60


def test_it_takes_as_long_as_the_way_says() -> None:
    hub = Hub(known())
    places = driven(hub, 180)
    reached = next(n for n, place in enumerate(places) if metres(place, DOOR) < 30)
    assert 100 <= reached * 10 <= 150  # 120 s, by a driver up to a tenth faster or slower


def test_nobody_is_served_before_the_window_opens() -> None:
    hub = Hub(known())
    hub.stop["window_start"] = (NOW + timedelta(minutes=20)).isoformat()
    driven(hub, 20 * 60)
    assert hub.reports == []
    hub.fixes.clear()
    driven(hub, 25 * 60)
    assert "complete" in hub.reports


def test_it_starts_from_where_the_driver_does_in_time_for_the_first_stop() -> None:
    hub = Hub(known())
    hub.state = "ready"
    hub.stop["planned_at"] = (NOW + timedelta(seconds=200)).isoformat()
    phone = Phone(hub, Day(date(2026, 11, 23)))  # type: ignore[arg-type]
    phone.advance(NOW)
    assert (hub.reports, phone.place) == ([], HOME)
    phone.advance(NOW + timedelta(seconds=90))
    assert hub.reports == ["start"]


def test_a_phone_that_was_switched_off_goes_on_from_the_middle_of_the_leg() -> None:
    course = along((47.14001, 9.5299), DOOR, [HOME, CORNER, DOOR], 120)
    whole = along(HOME, DOOR, [HOME, CORNER, DOOR], 120)
    assert course.points[1] == CORNER
    assert 0 < course.seconds < whole.seconds == 120


def test_from_far_away_a_leg_is_no_help() -> None:
    far = (47.3, 9.6)
    assert along(far, DOOR, [HOME, DOOR], 120).points == (far, DOOR)


@pytest.mark.parametrize("seconds", [0, 1e9])
def test_a_course_ends_at_its_ends(seconds: float) -> None:
    course = straight(HOME, DOOR)
    assert course.seconds == seconds_between(located(HOME), located(DOOR))
    assert course.at(seconds) == (DOOR if seconds else HOME)
    assert straight(DOOR, DOOR).at(0) == DOOR
