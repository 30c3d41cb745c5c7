"""The API of orders, imports and fleet: what it takes, what it answers, what it refuses."""

import io
import json
import random
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlmodel import select
from werkzeug.test import TestResponse

from hub import orders
from hub.access import tokens
from hub.hub import Hub
from hub.queue.work import claim
from hub.store import EventRow, InboxRow, MerchantRow, OrderRow, StopRow
from hub.testing.fixtures import World
from hub.web import create_app

ORDER: dict[str, Any] = {
    "ref": "A1",
    "recipient": {"name": "Anna Beck", "phone": "+4232321111"},
    "address": {"line1": "Aeulestrasse 1", "postcode": "9490", "city": "Vaduz"},
    "location": {"lat": 47.14, "lon": 9.52},
    "lines": [{"name": "Käse", "quantity": 2}],
    "cash_due": {"amount": "25.50", "currency": "CHF"},
}


class Caller:
    """A program with an API key."""

    def __init__(self, client: FlaskClient, key: str) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {key}"}

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, headers=self.headers)

    def post(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        more = {name.replace("_", "-"): text for name, text in headers.items()}
        return self.client.post(path, json=body, headers={**self.headers, **more})


@pytest.fixture
def shop(hub: Hub, world: World) -> Caller:
    return caller(hub, world.merchant, "orders:write", "orders:read")


def caller(hub: Hub, merchant: str | None, *scopes: str) -> Caller:
    with hub.store.write() as session:
        key = tokens.issue_key(session, "test", list(scopes), merchant)
    return Caller(create_app(hub).test_client(), key)


def count(hub: Hub, table: Any) -> int:
    with hub.store.read() as session:
        return len(session.exec(select(table)).all())


def data(reply: TestResponse, status: int) -> Any:
    assert reply.status_code == status, reply.text
    return reply.json


def test_an_order_is_created_then_unchanged_then_updated(shop: Caller) -> None:
    first = data(shop.post("/api/v1/orders", ORDER), 201)
    assert (first["news"], first["state"]) == ("created", "ready")
    again = data(shop.post("/api/v1/orders", ORDER), 200)
    assert (again["news"], again["id"]) == ("unchanged", first["id"])
    changed = {**ORDER, "notes": "Ring twice"}
    assert data(shop.post("/api/v1/orders", changed), 200)["news"] == "updated"
    shown = data(shop.get(f"/api/v1/orders/{first['id']}"), 200)
    assert shown["notes"] == "Ring twice"
    assert shown["cash_due"] == "25.50"
    assert shown["lines"][0]["name"] == "Käse"
    assert shown["stop"] is None


def test_a_repeated_request_gets_the_answer_of_the_first(hub: Hub, shop: Caller) -> None:
    first = shop.post("/api/v1/orders", ORDER, Idempotency_Key="k-1")
    again = shop.post("/api/v1/orders", ORDER, Idempotency_Key="k-1")
    assert (first.status_code, first.json) == (again.status_code, again.json)
    assert first.status_code == 201
    assert (count(hub, InboxRow), count(hub, EventRow)) == (1, 1)


def test_a_key_that_was_used_for_another_body_is_refused(hub: Hub, shop: Caller) -> None:
    shop.post("/api/v1/orders", ORDER, Idempotency_Key="k-1")
    reply = shop.post("/api/v1/orders", {**ORDER, "ref": "A2"}, Idempotency_Key="k-1")
    assert "another request" in data(reply, 422)["detail"]
    assert count(hub, OrderRow) == 1


def test_a_refused_order_does_not_use_up_its_key(hub: Hub, shop: Caller) -> None:
    bad = {**ORDER, "depot": "Nowhere"}
    data(shop.post("/api/v1/orders", bad, Idempotency_Key="k-1"), 422)
    data(shop.post("/api/v1/orders", ORDER, Idempotency_Key="k-1"), 201)


def test_two_callers_may_use_the_same_key(hub: Hub, world: World, shop: Caller) -> None:
    other = caller(hub, None, "orders:write")
    data(shop.post("/api/v1/orders", ORDER, Idempotency_Key="k-1"), 201)
    theirs = {**ORDER, "ref": "A2", "merchant": world.merchant}
    data(other.post("/api/v1/orders", theirs, Idempotency_Key="k-1"), 201)


def test_the_operator_has_to_say_for_whom(hub: Hub, world: World) -> None:
    operator = caller(hub, None, "orders:write")
    errors = data(operator.post("/api/v1/orders", ORDER), 422)["errors"]
    assert errors[0]["field"] == "merchant"
    data(operator.post("/api/v1/orders", {**ORDER, "merchant": world.merchant}), 201)


def test_a_merchant_cannot_order_for_or_see_another(hub: Hub, world: World, shop: Caller) -> None:
    with hub.store.write() as session:
        other = MerchantRow(name="Other", slug="other")
        session.add(other)
    id = data(shop.post("/api/v1/orders", ORDER), 201)["id"]
    stranger = caller(hub, other.id, "orders:write", "orders:read")
    data(stranger.get(f"/api/v1/orders/{id}"), 404)
    data(stranger.post(f"/api/v1/orders/{id}/cancel"), 404)
    data(stranger.post("/api/v1/orders", {**ORDER, "merchant": world.merchant}), 404)
    assert data(stranger.get("/api/v1/orders"), 200)["orders"] == []


def test_a_key_without_the_scope_is_turned_away(hub: Hub, world: World) -> None:
    reader = caller(hub, world.merchant, "orders:read")
    data(reader.post("/api/v1/orders", ORDER), 403)
    data(reader.client.get("/api/v1/orders"), 401)


def test_a_listing_is_read_page_by_page_without_gaps_or_repeats(shop: Caller) -> None:
    for n in range(5):
        shop.post("/api/v1/orders", {**ORDER, "ref": f"A{n}"})
    seen, cursor = [], ""
    while True:
        page = data(shop.get(f"/api/v1/orders?limit=2&cursor={cursor}"), 200)
        seen += [order["ref"] for order in page["orders"]]
        if page["next"] is None:
            break
        cursor = page["next"]
    assert seen == ["A0", "A1", "A2", "A3", "A4"]


def test_a_listing_can_be_narrowed(shop: Caller) -> None:
    shop.post("/api/v1/orders", ORDER)
    shop.post("/api/v1/orders", {**ORDER, "ref": "A2", "location": None})
    shop.post("/api/v1/orders", {**ORDER, "ref": "A3", "service_date": "2026-11-25"})

    def refs(query: str) -> list[str]:
        return [one["ref"] for one in data(shop.get(f"/api/v1/orders?{query}"), 200)["orders"]]

    assert refs("state=needs_address") == ["A2"]
    assert refs("service_date=2026-11-25") == ["A3"]
    assert refs("ref=A1") == ["A1"]


def test_a_wrong_parameter_is_named(shop: Caller) -> None:
    wrong = "limit=0 limit=x cursor=abc cursor=%00 state=lost service_date=soon colour=red ref=%00"
    for query in wrong.split():
        errors = data(shop.get(f"/api/v1/orders?{query}"), 422)["errors"]
        assert errors[0]["field"] == query.split("=")[0]


def test_a_dispatcher_sets_the_pin(hub: Hub, shop: Caller, sign_in: Any) -> None:
    id = data(shop.post("/api/v1/orders", {**ORDER, "location": None}), 201)["id"]
    data(shop.post(f"/api/v1/orders/{id}/pin", {"lat": 47.1, "lon": 9.5}), 403)
    board = sign_in("dispatcher")
    reply = board.post(f"/api/v1/orders/{id}/pin", json={"lat": 47.1, "lon": 9.5})
    assert data(reply, 200)["state"] == "ready"
    wrong = board.post(f"/api/v1/orders/{id}/pin", json={"lat": 1000, "lon": 9.5})
    assert data(wrong, 422)["errors"][0]["field"] == "lat"


def test_cancelling_is_said_once(hub: Hub, shop: Caller) -> None:
    id = data(shop.post("/api/v1/orders", ORDER), 201)["id"]
    for _ in range(2):
        assert data(shop.post(f"/api/v1/orders/{id}/cancel"), 200)["state"] == "cancelled"
    with hub.store.read() as session:
        types = session.exec(select(EventRow.type)).all()
    assert sorted(types) == ["order.cancelled", "order.received"]
    assert count(hub, StopRow) == 0


BODIES: list[tuple[bytes, str, int]] = [
    (b"", "application/json", 400),
    (b"{", "application/json", 400),
    (b"[" * 100_000, "application/json", 400),
    (b"null", "application/json", 422),
    (b'{"ref": 7}', "application/json", 422),
    (b'{"ref": "A1", "colour": "red"}', "application/json", 422),
    (b'{"ref": "A\\u0000"}', "application/json", 422),
    (b'{"ref": "\\ud800"}', "application/json", 422),
    (b'{"ref": "A1", "location": {"lat": NaN, "lon": 1}}', "application/json", 400),
    (b"ref=A1", "application/x-www-form-urlencoded", 415),
    (b"{}", "text/plain", 415),
    (b" " * 1_000_001, "application/json", 413),
]


def test_a_body_that_is_no_order_is_a_clear_problem(shop: Caller) -> None:
    for body, mimetype, status in BODIES:
        reply = shop.client.post(
            "/api/v1/orders", data=body, headers=shop.headers, content_type=mimetype
        )
        assert reply.status_code == status, (body[:40], reply.text)
        assert reply.mimetype == "application/problem+json"
        assert reply.json is not None
        assert reply.json["detail"]


def test_a_thousand_malformed_orders_give_no_server_error(shop: Caller) -> None:
    dice = random.Random(7)
    odd: list[Any] = [None, -1, 10**30, 1.5, True, "", "x" * 6000, "\x00", [], {}, [[]], "NaN",
                      "2026-02-30", "9999-12-31", {"lat": 1e308, "lon": 0}, "0001-01-01T00:00:00Z",
                      {"amount": "1e999", "currency": "CHF"},
                      {"start": "0001-01-01T00:00:00+14:00", "end": "9999-12-31T23:59:59-12:00"},
                      [{"name": "x", "quantity": 10**9}]]  # fmt: skip
    names = [*ORDER, "kind", "service_date", "window", "window_start_local", "service_time",
             "depot", "notes", "total", "invoice", "merchant"]  # fmt: skip
    for _ in range(1000):
        body = dict(ORDER)
        for name in dice.sample(names, dice.randint(1, 3)):
            body[name] = dice.choice(odd)
        reply = shop.post("/api/v1/orders", body)
        assert reply.status_code < 500, (reply.text, json.dumps(body))


def upload(shop: Caller, content: bytes, **form: Any) -> TestResponse:
    return shop.client.post(
        "/api/v1/imports",
        data={"file": (io.BytesIO(content), "nov.csv"), **form},
        headers=shop.headers,
    )


def test_a_file_is_imported_and_followed(hub: Hub, shop: Caller) -> None:
    orders.register(hub)
    reply = upload(shop, b"ref,city,lat,lon\nA1,Vaduz,47.1,9.5\nA2,Vaduz,1000,9.5\n")
    where = reply.headers["Location"]
    assert data(reply, 202)["state"] == "waiting"
    assert data(shop.get(where), 200)["rows"] == 0
    (held,) = claim(hub.store, "heavy", "worker")
    hub.handlers[held.kind](hub, held)
    seen = data(shop.get(where), 200)
    assert (seen["state"], seen["created"], seen["refused"]) == ("done", 1, 1)
    assert seen["errors"] == [
        {"line": 3, "field": "lat",
         "reason": "'1000' is not between -90 and 90; write degrees like 47.14"}
    ]  # fmt: skip
    assert seen["bytes_done"] == seen["bytes_total"]


def test_an_upload_that_is_no_file_is_a_clear_problem(shop: Caller, world: World) -> None:
    data(shop.post("/api/v1/imports", {"file": "x"}), 415)
    assert data(upload(shop, b""), 422)["detail"] == "the file is empty"
    assert data(upload(shop, b"x", service_date="soon"), 422)["errors"][0]["field"] == (
        "service_date"
    )
    data(upload(shop, b"x", merchant="mer_other"), 404)
    no_file = shop.client.post("/api/v1/imports", data={"a": "b"}, headers=shop.headers,
                               content_type="multipart/form-data")  # fmt: skip
    assert data(no_file, 422)["errors"][0]["field"] == "file"


def test_a_fleet_is_built_and_read(sign_in: Any, hub: Hub) -> None:
    staff = sign_in("owner")

    def add(path: str, **body: Any) -> Any:
        return data(staff.post(f"/api/v1/{path}", json=body), 201)

    depot = add("depots", name="Eschen", lat=47.21, lon=9.52)
    vehicle = add("vehicles", name="Van 9", capacity=50)
    shifts = [{"weekday": 0, "starts": "08:00", "ends": "17:00"}]
    driver = add("drivers", name="Mia", depot=depot["id"], vehicle=vehicle["id"], shifts=shifts)
    assert driver["shifts"] == [{**shifts[0], "breaks": []}]
    assert add("merchants", name="Käserei Süd")["slug"] == "kaserei-sud"
    listed = data(staff.get("/api/v1/drivers"), 200)["drivers"]
    assert [one["name"] for one in listed] == ["Mia"]


WRONG_PARTS: list[tuple[str, dict[str, Any], str]] = [
    ("depots", {"name": "X", "lat": 91, "lon": 0}, "lat"),
    ("depots", {"name": "X", "lat": 1, "lon": 0, "timezone": "../etc"}, "timezone"),
    ("depots", {"name": " ", "lat": 1, "lon": 0}, "name"),
    ("vehicles", {"name": "X", "capacity": 0}, "capacity"),
    ("drivers", {"name": "X", "depot": "\x00", "vehicle": "y"}, "depot"),
    ("merchants", {"name": "X", "slug": "No Slug"}, "slug"),
    ("merchants", {"name": "X", "accent": "red"}, "accent"),
    ("merchants", {"name": "X", "currency": "chf"}, "currency"),
]


def test_a_wrong_part_of_the_fleet_is_named(sign_in: Any) -> None:
    owner = sign_in("owner")
    for path, body, field in WRONG_PARTS:
        errors = data(owner.post(f"/api/v1/{path}", json=body), 422)["errors"]
        assert errors[0]["field"] == field


def test_a_dispatcher_adds_no_merchants(sign_in: Any) -> None:
    data(sign_in("dispatcher").post("/api/v1/merchants", json={"name": "X"}), 403)
