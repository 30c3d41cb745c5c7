"""The API of the fleet for programs: an operator's key with the scope, and no other."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from hub.access import tokens
from hub.hub import Hub
from hub.store import ApiKeyRow
from hub.testing.fixtures import World
from hub.web import create_app

READ = ("depots", "vehicles", "drivers", "merchants")


@pytest.fixture
def client(hub: Hub) -> FlaskClient:
    return create_app(hub).test_client()


def bearer(hub: Hub, *scopes: str) -> dict[str, str]:
    with hub.store.write() as session:
        return {"Authorization": f"Bearer {tokens.issue_key(session, 'fleet', list(scopes), None)}"}


def test_an_operators_key_sets_a_fleet_up(client: FlaskClient, hub: Hub) -> None:
    headers = bearer(hub, "fleet:write")

    def add(path: str, **body: Any) -> Any:
        reply = client.post(f"/api/v1/{path}", json=body, headers=headers)
        assert reply.status_code == 201, reply.text
        return reply.json

    depot = add("depots", name="Eschen", lat=47.21, lon=9.52)
    vehicle = add("vehicles", name="Van 9")
    driver = add("drivers", name="Mia", depot=depot["id"], vehicle=vehicle["id"])
    shift = {"weekday": 5, "starts": "09:00", "ends": "12:00"}
    path = f"/api/v1/drivers/{driver['id']}/shifts"
    assert client.put(path, json=shift, headers=headers).json["shifts"] == [{**shift, "breaks": []}]
    for name in READ:
        assert client.get(f"/api/v1/{name}", headers=headers).status_code == 200


def test_hours_that_have_no_room_for_the_breaks_they_had_are_refused(
    client: FlaskClient, hub: Hub, world: World
) -> None:
    headers, path = bearer(hub, "fleet:write"), f"/api/v1/drivers/{world.driver}/shifts"
    hours = {"weekday": 0, "starts": "08:00", "ends": "17:00"}
    noon = {**hours, "breaks": [{"start": "12:00", "end": "13:30", "minutes": 30}]}
    assert client.put(path, json=noon, headers=headers).status_code == 200
    said = client.put(path, json={**hours, "ends": "11:00"}, headers=headers)
    assert said.status_code == 422
    assert "12:00-13:30 30 does not fit into the hours 08:00-11:00" in said.text
    off = client.put(path, json={"weekday": 0, "starts": "", "ends": ""}, headers=headers)
    assert off.status_code == 200


def test_what_is_wrong_is_told_in_words_of_ours(client: FlaskClient, hub: Hub) -> None:
    said = client.post(
        "/api/v1/vehicles",
        json={"name": "X", "skills": ["<b>"]},
        headers=bearer(hub, "fleet:write"),
    )
    (fault,) = said.json["errors"]
    assert (said.status_code, fault["field"]) == (422, "skills.0")
    assert fault["message"].startswith("'<b>' cannot be one; write up to 30 letters")


def test_a_drivers_phone_that_is_none_is_refused(
    client: FlaskClient, hub: Hub, world: World
) -> None:
    new = {"name": "Mia", "depot": world.depot, "vehicle": world.vehicle, "phone": "abc"}
    headers = bearer(hub, "fleet:write")
    path = f"/api/v1/drivers/{world.driver}"
    for reply in (
        client.post("/api/v1/drivers", json=new, headers=headers),
        client.patch(path, json={"phone": "abc"}, headers=headers),
    ):
        (fault,) = reply.json["errors"]
        assert (reply.status_code, fault["field"]) == (422, "phone")
        assert "like +41 79 123 45 67" in fault["message"]
    kept = client.patch(path, json={"phone": "+423 230 00 00"}, headers=headers)
    assert kept.json["phone"] == "+4232300000"


def test_a_key_adds_no_merchants(client: FlaskClient, hub: Hub) -> None:
    headers = bearer(hub, "fleet:write")
    reply = client.post("/api/v1/merchants", json={"name": "X"}, headers=headers)
    assert reply.status_code == 403


def test_a_key_without_the_scope_sees_no_fleet(client: FlaskClient, hub: Hub) -> None:
    headers = bearer(hub, "routes:write", "plans:write", "orders:write")
    for name in READ:
        assert client.get(f"/api/v1/{name}", headers=headers).status_code == 403


def test_a_merchants_key_sees_no_fleet_even_if_the_scope_stands_in_its_row(
    client: FlaskClient, hub: Hub, world: World
) -> None:
    headers = bearer(hub, "fleet:write")
    with hub.store.write() as session:
        session.exec(select(ApiKeyRow)).one().merchant = world.merchant
    for name in READ:
        assert client.get(f"/api/v1/{name}", headers=headers).status_code == 403
    body = {"name": "Van 9"}
    assert client.post("/api/v1/vehicles", json=body, headers=headers).status_code == 403


def test_a_vehicle_and_a_driver_get_all_that_they_can(
    client: FlaskClient, hub: Hub, world: World
) -> None:
    headers = bearer(hub, "fleet:write")
    loads = [{"name": "units"}, {"name": "kg", "unit": "kg"}]
    put = {"loads": loads, "currency": "EUR", "balance": 0}
    assert client.put("/api/v1/measures", json=put, headers=headers).status_code == 200
    assert client.get("/api/v1/measures", headers=headers).json["currency"] == "EUR"
    new = {"name": "Truck", "capacities": {"kg": 5000}, "profile": "truck", "skills": ["Lift"]}
    truck = client.post("/api/v1/vehicles", json=new, headers=headers).json
    assert (truck["capacities"], truck["skills"]) == ({"kg": 5000}, ["lift"])
    path = f"/api/v1/vehicles/{truck['id']}"
    said = client.patch(path, json={"cost_hour": "41.50", "most_stops": 30}, headers=headers).json
    assert (said["cost_hour"], said["most_stops"], said["profile"]) == ("41.50", 30, "truck")
    path = f"/api/v1/drivers/{world.driver}"
    said = client.patch(path, json={"vehicle": "Truck", "skills": ["adr"]}, headers=headers).json
    assert (said["vehicle"], said["skills"]) == (truck["id"], ["adr"])
    rest = {"start": "12:00", "end": "13:00", "minutes": 30}
    shift = {"weekday": 0, "starts": "08:00", "ends": "17:00"}
    for body in ({**shift, "breaks": [rest]}, shift):  # left out, they stay
        said = client.put(f"{path}/shifts", json=body, headers=headers).json
        assert said["shifts"][0]["breaks"] == [rest]
    said = client.put(f"{path}/active", json={"active": False}, headers=headers).json
    assert said["active"] is False


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"capacities": {"m3": 3}}, "capacities.m3"),
        ({"cost_km": -1}, "cost_km"),
        ({"profile": "ship"}, "profile"),
        ({"wheels": 4}, "wheels"),
    ],
)
def test_a_field_that_cannot_be_is_named(
    client: FlaskClient, hub: Hub, world: World, body: dict[str, Any], field: str
) -> None:
    path = f"/api/v1/vehicles/{world.vehicle}"
    reply = client.patch(path, json=body, headers=bearer(hub, "fleet:write"))
    assert reply.status_code == 422
    assert [one["field"] for one in reply.json["errors"]] == [field]


def test_two_shifts_of_one_weekday_are_refused(client: FlaskClient, hub: Hub, world: World) -> None:
    shifts = [{"weekday": 1, "starts": "08:00", "ends": "12:00"}] * 2
    new = {"name": "Mia", "depot": world.depot, "vehicle": world.vehicle, "shifts": shifts}
    reply = client.post("/api/v1/drivers", json=new, headers=bearer(hub, "fleet:write"))
    assert reply.status_code == 422
    assert reply.json["errors"][0]["field"] == "shifts"
