"""The driver's API over HTTP: what a phone sends, and what it may not."""

from __future__ import annotations

import hashlib
import json
import re
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlmodel import select

from hub.access import users
from hub.driving import links
from hub.hub import Hub
from hub.store import MerchantRow, ProofRow, StopRow
from hub.testing.fixtures import World
from hub.testing.road import Road, road
from hub.web import create_app

__all__ = ["road"]

PASSWORD = "correct horse"


@pytest.fixture
def client(hub: Hub) -> FlaskClient:
    return create_app(hub).test_client()


@pytest.fixture
def phone(client: FlaskClient, hub: Hub, road: Road) -> dict[str, str]:
    """Sign a phone in by its link and return its headers."""
    with hub.store.write() as session:
        url = links.driver_link(hub, session, road.driver)
    answer = client.post("/api/v1/driver/session", json={"link": url.rsplit("/", 1)[1]})
    assert answer.status_code == 201
    assert answer.json["driver"] == {"id": road.driver, "name": "Lea Frick"}
    return {"Authorization": f"Bearer {answer.json['token']}"}


def picture(form: str = "JPEG") -> bytes:
    file = BytesIO()
    Image.new("RGB", (80, 60), (90, 90, 20)).save(file, form)
    return file.getvalue()


def send(client: FlaskClient, phone: dict[str, str], content: bytes, **more: Any) -> Any:
    data = {"file": (BytesIO(content), "photo.jpg"), "kind": "photo", **more}
    return client.post("/api/v1/driver/files", data=data, headers=phone)


def report(client: FlaskClient, phone: dict[str, str], kind: str, **more: Any) -> Any:
    said = {"id": str(uuid4()), "kind": kind, **more}
    return client.post("/api/v1/driver/reports", json=said, headers=phone)


def test_a_link_is_spent_by_the_first_phone(client: FlaskClient, hub: Hub, road: Road) -> None:
    with hub.store.write() as session:
        link = links.driver_link(hub, session, road.driver).rsplit("/", 1)[1]
    assert client.post("/api/v1/driver/session", json={"link": link}).status_code == 201
    assert client.post("/api/v1/driver/session", json={"link": link}).status_code == 401


def test_the_route_needs_a_phone(client: FlaskClient) -> None:
    assert client.get("/api/v1/driver/route").status_code == 401


def test_the_route_holds_all_that_the_contract_names(
    client: FlaskClient, phone: dict[str, str], road: Road
) -> None:
    said = client.get("/api/v1/driver/route", headers=phone).json
    assert set(said) >= {"now", "driver", "route", "stops", "reasons"}
    assert set(said["route"]) == {
        "id", "state", "service_date", "depot", "start", "end", "pauses", "loading"
    }  # fmt: skip
    assert set(said["route"]["depot"]) == {"name", "lat", "lon", "timezone"}
    assert [stop["id"] for stop in said["stops"]] == list(road.stops)
    assert set(said["stops"][0]) >= {
        "id", "position", "state", "kind", "ref", "name", "phone", "address", "lat", "lon",
        "window_start", "window_end", "notes", "cash_due", "currency", "lines", "eta_at",
        "planned_at", "arrived_at", "ended_at", "reason",
    }  # fmt: skip
    assert set(said["reasons"][0]) == {"code", "label"}


def test_an_unchanged_route_is_not_sent_again(client: FlaskClient, phone: dict[str, str]) -> None:
    first = client.get("/api/v1/driver/route", headers=phone)
    again = client.get(
        "/api/v1/driver/route", headers={**phone, "If-None-Match": first.headers["ETag"]}
    )
    assert again.status_code == 304


def test_a_day_that_is_no_date_is_told(client: FlaskClient, phone: dict[str, str]) -> None:
    answer = client.get("/api/v1/driver/route?date=tomorrow", headers=phone)
    assert answer.status_code == 400
    assert "YYYY-MM-DD" in answer.json["detail"]


def test_a_stop_is_delivered_with_photo_and_signature(
    client: FlaskClient, phone: dict[str, str], road: Road, hub: Hub
) -> None:
    photo = send(client, phone, picture())
    signature = send(client, phone, picture("PNG"), kind="signature")
    assert (photo.status_code, signature.status_code) == (201, 201)
    assert set(photo.json) == {"sha256", "size", "media_type"}
    answer = report(
        client, phone, "complete", stop=road.stops[0], lat=47.1416, lon=9.5215, accuracy=5,
        received_by="Rosa Beck", cash_taken="12.50", quantities={road.lines[0][0]: 2},
        files=[
            {"kind": "photo", "sha256": photo.json["sha256"]},
            {"kind": "signature", "sha256": signature.json["sha256"]},
        ],
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert answer.json["stop"] == {"id": road.stops[0], "state": "completed"}
    assert answer.json["next"] == road.stops[1]
    with hub.store.read() as session:
        proof = session.exec(select(ProofRow)).one()
    kinds = [file["kind"] for file in json.loads(proof.record)["files"]]
    assert kinds == ["photo", "signature"]


def test_the_record_names_the_hash_of_the_report_as_it_was_sent(
    client: FlaskClient, phone: dict[str, str], road: Road, hub: Hub
) -> None:
    raw = json.dumps({"kind": "complete", "id": str(uuid4()), "stop": road.stops[0]}, indent=3)
    answer = client.post(
        "/api/v1/driver/reports", data=raw, headers=phone, content_type="application/json"
    )
    assert answer.status_code == 200
    with hub.store.read() as session:
        said = json.loads(session.exec(select(ProofRow)).one().record)
    assert said["capture"]["sha256"] == hashlib.sha256(raw.encode()).hexdigest()
    assert len(said["device"]) == 32


def test_the_same_report_again_gets_the_same_answer(
    client: FlaskClient, phone: dict[str, str], road: Road
) -> None:
    said = {"id": str(uuid4()), "kind": "complete", "stop": road.stops[0]}
    first, again = (
        client.post("/api/v1/driver/reports", json=said, headers=phone) for _ in range(2)
    )
    assert (first.status_code, first.json) == (again.status_code, again.json) == (200, first.json)


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"kind": "fail"}, 422),
        ({"kind": "fly"}, 422),
        ({"id": "not-a-uuid"}, 422),
        ({"lat": 91}, 422),
        ({"note": "a\0b"}, 422),
        ({"stop": "stp_x\0"}, 422),
        ({"stop": "stp_nowhere"}, 404),
        ({"stop": ["a"]}, 422),
        ({"cash_taken": "much"}, 422),
        ({"cash_taken": "1e400"}, 422),
        ({"quantities": {"lin_x": 1}}, 422),
        ({"quantities": {"lin_x": -1}}, 422),
        ({"files": [{"kind": "photo", "sha256": "../../etc/passwd"}]}, 422),
        ({"files": [{"kind": "photo", "sha256": "0" * 64}]}, 422),
        ({"at": "2026-11-23T07:00:00"}, 422),
        ({"at": "0001-01-01T00:00:00+14:00"}, 422),
        ({"at": "9999-12-31T23:59:59-12:00"}, 422),
        ({"at": "1970-01-01T00:00:00Z"}, 200),
        ({"path": "/etc/passwd"}, 422),
    ],
)
def test_bad_reports_are_problems_and_change_nothing(
    client: FlaskClient, phone: dict[str, str], road: Road, hub: Hub, more: Any, status: int
) -> None:
    said = {"id": str(uuid4()), "kind": "complete", "stop": road.stops[0], **more}
    answer = client.post("/api/v1/driver/reports", json=said, headers=phone)
    assert answer.status_code == status, answer.text
    if status != 200:
        assert answer.mimetype == "application/problem+json"
        with hub.store.read() as session:
            assert session.get_one(StopRow, road.stops[0]).state == "dispatched"


def test_positions_are_taken_in_batches(client: FlaskClient, phone: dict[str, str]) -> None:
    fixes = [{"lat": 47.1, "lon": 9.5, "at": "2026-11-23T07:00:00Z", "accuracy": 5}] * 3
    answer = client.post("/api/v1/driver/positions", json={"fixes": fixes}, headers=phone)
    assert (answer.status_code, answer.json) == (202, {"accepted": 3})
    many = client.post("/api/v1/driver/positions", json={"fixes": fixes * 201}, headers=phone)
    assert many.status_code == 422


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"plain text", 422), (b"", 422), (picture()[:300], 422), (picture() + bytes(10_000_001), 413),
     (bytes(12_000_000), 413)],
    ids=["text", "empty", "cut", "large", "larger"],
)  # fmt: skip
def test_an_upload_that_is_no_picture_is_a_problem(
    client: FlaskClient, phone: dict[str, str], content: bytes, status: int
) -> None:
    answer = send(client, phone, content)
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"


def test_a_json_body_is_no_upload(client: FlaskClient, phone: dict[str, str]) -> None:
    said = {"file": {"filepath": "/etc/passwd"}, "kind": "photo"}
    answer = client.post("/api/v1/driver/files", json=said, headers=phone)
    assert answer.status_code == 415


@pytest.mark.parametrize("form", [{"kind": "selfie"}, {"kind": ""}, {"kind": "photo\0"}])
def test_an_upload_says_what_it_is(
    client: FlaskClient, phone: dict[str, str], form: dict[str, str]
) -> None:
    assert send(client, phone, picture(), **form).status_code == 422


@pytest.fixture
def staff(client: FlaskClient, hub: Hub, world: World) -> dict[str, str]:
    """Sign a dispatcher in and return the header that forms carry."""
    hashed = users.hash_password(PASSWORD)
    with hub.store.write() as session:
        users.add_user(session, "mara@example.com", "dispatcher", hashed=hashed)
    token = csrf(client, "/sign-in")
    form = {"email": "mara@example.com", "password": PASSWORD, "csrf_token": token}
    assert client.post("/sign-in", data=form).status_code == 302
    return {"X-CSRFToken": token}


def csrf(client: FlaskClient, path: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    return found[1] if found else ""


def test_a_dispatcher_gets_a_link_and_its_qr_code(
    client: FlaskClient, hub: Hub, world: World, staff: dict[str, str]
) -> None:
    with hub.store.write() as session:
        page = links.driver_link(hub, session, world.driver)
    headers = {"X-CSRFToken": csrf(client, page.removeprefix(hub.settings.public_url))}
    answer = client.post(f"/api/v1/drivers/{world.driver}/link", headers=headers)
    assert answer.status_code == 201, answer.text
    assert "/driver/start/" in answer.json["url"]
    assert answer.json["svg"].startswith("<svg")


def test_a_phone_cannot_make_links(client: FlaskClient, phone: dict[str, str], road: Road) -> None:
    answer = client.post(f"/api/v1/drivers/{road.driver}/link", headers=phone)
    assert answer.status_code == 403


def test_a_phone_that_was_signed_out_is_out_at_once(
    client: FlaskClient, phone: dict[str, str], road: Road, hub: Hub
) -> None:
    with hub.store.write() as session:
        links.sign_out(session, road.driver)
    assert client.get("/api/v1/driver/route", headers=phone).status_code == 401


def test_the_phone_of_a_driver_who_is_switched_off_is_refused_with_what_to_do(
    client: FlaskClient, phone: dict[str, str], road: Road, hub: Hub
) -> None:
    with hub.store.write() as session:
        links.switch_off(session, road.driver)
    for answer in (
        client.get("/api/v1/driver/route", headers=phone),
        report(client, phone, "start"),
        client.post("/api/v1/driver/positions", json={"fixes": []}, headers=phone),
    ):
        assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
        assert answer.json["detail"] == (
            "Lea Frick is switched off; ask the dispatcher to switch the driver on "
            "and to send a new link"
        )


def test_the_app_on_the_phone_of_a_driver_who_is_switched_off_says_so_and_takes_the_next_link(
    client: FlaskClient, road: Road, hub: Hub
) -> None:
    def sign_in() -> None:
        with hub.store.write() as session:
            url = links.driver_link(hub, session, road.driver)
        path = url.removeprefix(hub.settings.public_url)
        form = {"csrf_token": csrf(client, path)}
        assert client.post(path, data=form).status_code == 303

    sign_in()
    with hub.store.write() as session:
        links.switch_off(session, road.driver)
    page = client.get("/driver")
    assert page.status_code == 403
    assert "Lea Frick is switched off; ask the dispatcher" in page.text
    told = client.get("/api/v1/driver/route")
    assert (told.status_code, "switched off" in told.json["detail"]) == (401, True)
    with hub.store.write() as session:
        links.switch_on(session, road.driver)
    sign_in()
    assert client.get("/api/v1/driver/route").status_code == 200


def test_the_start_page_shows_a_button_and_only_the_button_spends_the_link(
    client: FlaskClient, hub: Hub, road: Road
) -> None:
    with hub.store.write() as session:
        path = links.driver_link(hub, session, road.driver).removeprefix(hub.settings.public_url)
    assert "Hello Lea" in client.get(path).text
    form = {"csrf_token": csrf(client, path)}
    answer = client.post(path, data=form)
    assert (answer.status_code, answer.location) == (303, "/driver")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Route of Lea Frick" in client.get("/driver").text
    assert client.get("/api/v1/driver/route").status_code == 200
    assert "not valid" in client.get(path).text


def test_the_app_says_how_to_get_in(client: FlaskClient) -> None:
    answer = client.get("/driver")
    assert answer.status_code == 403
    assert "not signed in" in answer.text


def test_a_proof_can_be_read_by_its_merchant_and_no_other(
    client: FlaskClient, phone: dict[str, str], road: Road, hub: Hub
) -> None:
    from hub.access import tokens

    photo = send(client, phone, picture()).json["sha256"]
    report(
        client, phone, "complete", stop=road.stops[0], files=[{"kind": "photo", "sha256": photo}]
    )
    with hub.store.write() as session:
        proof = session.exec(select(ProofRow)).one()
        other = MerchantRow(name="Other", slug="other")
        session.add(other)
        session.flush()
        own_key = tokens.issue_key(session, "own", ["proofs:read"], road.world.merchant)
        other_key = tokens.issue_key(session, "other", ["proofs:read"], other.id)
    own, foreign = ({"Authorization": f"Bearer {key}"} for key in (own_key, other_key))
    path = f"/api/v1/proofs/{proof.id}"
    assert client.get(path, headers=own).data == proof.record.encode()
    assert client.get(f"{path}/pdf", headers=own).data.startswith(b"%PDF-")
    assert client.get(f"{path}/files/{photo}", headers=own).mimetype == "image/jpeg"
    assert client.get(f"{path}/files/{'0' * 64}", headers=own).status_code == 404
    for tail in ("", "/pdf", f"/files/{photo}"):
        assert client.get(path + tail, headers=foreign).status_code == 404
        assert client.get(path + tail, headers=phone).status_code == 403
