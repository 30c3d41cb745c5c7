"""The recipient's page over HTTP."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from hub.access import tokens
from hub.hub import Hub
from hub.store import AttemptRow, MerchantRow, ProofFileRow, RouteRow, StopRow
from hub.testing.fixtures import MORNING, set_time
from hub.testing.road import Road, road
from hub.tracking import brand
from hub.web import create_app

__all__ = ["road"]

PAGE = {"Accept": "text/html"}


@pytest.fixture
def client(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """A browser; what the bundle's files are called does not matter here."""
    monkeypatch.setattr("hub.web.assets.Bundle.file", lambda _bundle, name: name)
    return create_app(hub).test_client()


@pytest.fixture
def link(hub: Hub, road: Road) -> str:
    """The tracking link of the first stop, whose driver is on the way."""
    with hub.store.write() as session:
        route = session.get_one(RouteRow, road.route)
        route.state, route.started_at = "in_progress", MORNING
        session.get_one(StopRow, road.stops[0]).state = "en_route"
        return "/t/" + tokens.open_tracking(session, hub.keys, road.stops[0])


def test_the_page_says_when_it_comes_without_any_script(client: FlaskClient, link: str) -> None:
    answer = client.get(link, headers=PAGE)
    assert answer.status_code == 200
    assert "08:15–08:25" in answer.text
    assert "Lea is on the way to you" in answer.text
    assert '<noscript><meta http-equiv="refresh" content="30"></noscript>' in answer.text
    assert "/brand/alpenkraut.css" in answer.text


def test_the_page_is_kept_out_of_search_engines_and_its_address_out_of_referrers(
    client: FlaskClient, link: str
) -> None:
    for path in (link, f"{link}/state"):
        answer = client.get(path, headers=PAGE)
        assert "noindex" in answer.headers["X-Robots-Tag"]
        assert answer.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"


def test_unknown_and_expired_links_get_the_same_page(
    hub: Hub, client: FlaskClient, link: str
) -> None:
    unknown = client.get("/t/" + "A" * 22, headers=PAGE)
    set_time(hub, MORNING + timedelta(days=40))
    expired = client.get(link, headers=PAGE)
    assert unknown.status_code == expired.status_code == 404
    assert "not valid" in expired.text
    assert without_clock(unknown.text) == without_clock(expired.text)
    assert client.get(f"{link}/state").status_code == 404


def without_clock(text: str) -> list[str]:
    return [line for line in text.splitlines() if "data-now" not in line]


def test_the_state_answers_304_until_something_changes(
    hub: Hub, road: Road, client: FlaskClient, link: str
) -> None:
    first = client.get(f"{link}/state")
    assert first.json is not None
    assert first.json["told"]["headline"] == "08:15–08:25"
    again = {"If-None-Match": first.headers["ETag"]}
    assert client.get(f"{link}/state", headers=again).status_code == 304
    with hub.store.write() as session:
        stop = session.get_one(StopRow, road.stops[0])
        stop.state, stop.arrived_at = "arrived", session.now
    changed = client.get(f"{link}/state", headers=again)
    assert changed.status_code == 200
    assert changed.json is not None
    assert changed.json["told"]["headline"] == "Now"


def test_after_the_handover_its_pictures_can_be_seen_through_this_link_alone(
    hub: Hub, road: Road, client: FlaskClient, link: str
) -> None:
    sha256 = hub.files.put(b"\xff\xd8 a photo")
    with hub.store.write() as session:
        stop = session.get_one(StopRow, road.stops[0])
        stop.state, stop.ended_at = "completed", session.now
        attempt = AttemptRow(
            merchant=stop.merchant, stop=stop.id, number=1, route=road.route, driver=road.driver,
            outcome="completed", occurred_at=session.now, recorded_at=session.now,
        )  # fmt: skip
        session.add(attempt)
        session.flush()
        session.add(
            ProofFileRow(
                attempt=attempt.id, kind="photo", sha256=sha256, media_type="image/jpeg", size=10
            )
        )
        other = "/t/" + tokens.open_tracking(session, hub.keys, road.stops[1])
    assert f"{link}/picture/{sha256}" in client.get(link, headers=PAGE).text
    picture = client.get(f"{link}/picture/{sha256}")
    assert (picture.status_code, picture.mimetype) == (200, "image/jpeg")
    assert picture.data == b"\xff\xd8 a photo"
    assert client.get(f"{other}/picture/{sha256}").status_code == 404
    assert client.get(f"{link}/picture/{'0' * 64}").status_code == 404


def test_a_shops_name_is_text_and_never_markup(hub: Hub, client: FlaskClient, link: str) -> None:
    with hub.store.write() as session:
        session.exec(select(MerchantRow)).one().name = "<script>alert(1)</script>"
    assert "<script>alert" not in client.get(link, headers=PAGE).text


def test_the_shops_colours_are_a_style_sheet(client: FlaskClient, link: str) -> None:
    answer = client.get("/brand/alpenkraut.css")
    assert answer.mimetype == "text/css"
    assert "--brand: #1f6feb;" in answer.text
    assert client.get("/brand/unknown.css").status_code == 404


@pytest.mark.parametrize("accent", ["#ffe600", "#101010", "#1f6feb", "#e2001a", "#8bc34a"])
def test_every_colour_can_be_read_in_light_and_in_dark(accent: str) -> None:
    assert brand.contrast(brand.ink(accent), accent) >= 4.5
    for ground, towards in ((brand.LIGHT_GROUND, brand.BLACK), (brand.DARK_GROUND, brand.WHITE)):
        assert brand.contrast(brand.readable(accent, ground, towards), ground) >= 4.5


def test_a_colour_that_can_be_read_stays_as_it_is_and_nonsense_never_reaches_the_sheet() -> None:
    assert brand.readable("#b3261e", brand.LIGHT_GROUND, brand.BLACK) == "#b3261e"
    assert brand.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert "url(" not in brand.style("url(https://example.com/x)")


def test_upload_of_anything_to_the_page_is_refused(client: FlaskClient, link: str) -> None:
    answer = client.post(link, data={"file": (io.BytesIO(b"x"), "x.txt")})
    assert answer.status_code in (400, 403, 405)
