"""Our requests and our peer against what a real WooCommerce 10.9 said about itself.

What the connector sends fits the recorded schemas and routes, and the peer answers in the recorded
shapes, so that tests against it say something about real shops.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema
import pytest
import requests
from hub_woocommerce import WooCommerce

from hub import Cursor, DeliveryStatus, Hook
from hub.testing.patience import PATIENCE
from hub.testing.peers import Reply, Request
from hub.testing.peers.woocommerce import ROOT, WooCommercePeer

PEERS = os.environ.get("HUB_PEERS") or Path(__file__).parents[4] / "shared" / "peers"
RECORDED = Path(PEERS) / "woocommerce"
pytestmark = pytest.mark.skipif(
    not RECORDED.exists(), reason="no recordings of a shop in ../shared/peers/woocommerce"
)
Connect = Callable[..., WooCommerce]
Sell = Callable[..., dict[str, Any]]
HOOK = Hook(url="https://hub.example.com/hooks/con_1/s", secret="whsec-1")
TYPES = {"mixed": None, "date-time": ["string", "null"]}
"""Types that WooCommerce made up, as JSON Schema has them."""


def recorded(name: str) -> Any:
    """Return a recording."""
    return json.loads((RECORDED / name).read_text())


def plain(schema: Any) -> Any:
    """Return a schema without what only WordPress understands."""
    if isinstance(schema, list):
        return [plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {k: plain(v) for k, v in schema.items() if k not in ("required", "default", "context")}
    if isinstance(schema.get("type"), str) and schema["type"] in TYPES:
        kept.pop("type")
        if TYPES[schema["type"]]:
            kept["type"] = TYPES[schema["type"]]
    return kept


def arguments(route: str, method: str) -> dict[str, Any]:
    """Return the arguments that a route takes."""
    routes = recorded("wc-v3-index.json")["routes"]
    for endpoint in routes[f"/wc/v3{route}"]["endpoints"]:
        if method in endpoint["methods"]:
            found: dict[str, Any] = endpoint["args"]
            return found
    raise AssertionError(f"{route} takes no {method}")


def route_of(path: str) -> str:
    """Return the recorded name of the route that a path takes."""
    inner = path.removeprefix(ROOT)
    routes = recorded("wc-v3-index.json")["routes"]
    fit = [name for name in routes if re.fullmatch(name.removeprefix("/wc/v3"), inner)]
    assert fit, f"a real shop has no route for {path}"
    return str(min(fit, key=len)).removeprefix("/wc/v3")


def demand_body(route: str, method: str, body: dict[str, Any]) -> None:
    """Fail where a body holds what the route does not take, or in another form."""
    known = arguments(route, method)
    needed = [name for name, told in known.items() if told.get("required")]
    schema = {
        "type": "object", "properties": plain(known), "required": needed,
        "additionalProperties": False,
    }  # fmt: skip
    jsonschema.Draft4Validator(schema).validate(body)


def demand_batch(route: str, method: str, body: dict[str, Any]) -> None:
    """Fail where an item of a batch is not what the single call would take."""
    schema = plain(recorded("wc-v3-options-schemas.json")["orders/batch"]["schema"])
    jsonschema.Draft4Validator({**schema, "additionalProperties": False}).validate(body)
    single = route.removesuffix("/batch") + r"/(?P<id>[\d]+)"
    for item in body.get("update", []):
        demand_body(single, "PUT", item)


@pytest.fixture
def sent(peer: WooCommercePeer, monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Return the list of all requests that the shop has got."""
    found: list[Request] = []
    genuine = peer.answer

    def answer(request: Request) -> Reply:
        found.append(request)
        return genuine(request)

    monkeypatch.setattr(peer, "answer", answer)
    return found


def everything(connector: WooCommerce, peer: WooCommercePeer, sell: Sell) -> None:
    """Let a connector do all that it can."""
    connector.check()
    order = sell()
    peer.refund(order["id"], order["line_items"][0]["id"], 1, "12.50")
    *_, cursor = connector.pull(Cursor())
    list(connector.pull(cursor if isinstance(cursor, Cursor) else Cursor()))
    for number, status in enumerate(("dispatched", "attempted", "partial", "delivered")):
        told = {"key": f"k{number}", "order": str(order["id"]), "status": status,
                "at": "2026-11-23T09:00:00Z", "tracking_url": "https://hub.example/t",
                "eta": "2026-11-23T10:00:00Z", "proof_url": "https://hub.example/p"}  # fmt: skip
        connector.tell(DeliveryStatus.model_validate(told))
    connector.subscribe(HOOK)
    next(iter(peer.hooks.known.values()))["status"] = "disabled"
    connector.subscribe(HOOK)
    connector.unsubscribe(HOOK)


def test_every_request_fits_what_a_real_shop_takes(
    connect: Connect, peer: WooCommercePeer, sell: Sell, sent: list[Request]
) -> None:
    everything(connect(), peer, sell)
    kinds = {(request.method, route_of(request.path)) for request in sent}
    assert len(kinds) == 9
    for request in sent:
        route = route_of(request.path)
        known = arguments(route, request.method)
        assert set(request.query) - {"_fields"} <= set(known)
        for name, value in request.query.items():
            allowed = known.get(name, {}).get("items", known.get(name, {})).get("enum")
            assert not allowed or set(value.split(",")) <= set(allowed), name
        if request.method not in ("POST", "PUT"):
            continue
        body = request.json()
        check = demand_batch if route.endswith("/batch") else demand_body
        check(route, request.method, body)


def test_a_request_that_does_not_fit_is_seen() -> None:
    for body in ({"status": "delivered"}, {"meta_data": [{"id": "x"}]}, {"colour": "red"}):
        with pytest.raises(jsonschema.ValidationError):
            demand_body(r"/orders/(?P<id>[\d]+)", "PUT", body)
    with pytest.raises(jsonschema.ValidationError):
        demand_body("/webhooks", "POST", {"topic": "order.created"})


def ask(peer: WooCommercePeer, connector: WooCommerce, path: str) -> Any:
    """Return what the peer answers to a question that the connector signs."""
    parts = urlsplit(path)
    asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    header = {"Authorization": connector._shop._signed("GET", parts.path, asked)}
    with requests.Session() as session:
        session.trust_env = False
        return session.get(peer.url + ROOT + path, headers=header, timeout=PATIENCE)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/orders", "orders"),
        ("/orders/{id}", "orders"),
        ("/orders/{id}/notes", "orders/11/notes"),
        ("/orders/{id}/refunds", "orders/11/refunds"),
        ("/webhooks", "webhooks"),
    ],
)
def test_the_peers_answers_have_the_recorded_shape(
    connect: Connect, peer: WooCommercePeer, sell: Sell, path: str, name: str
) -> None:
    order = sell(status="completed", meta_data=[{"key": "_delivery_date", "value": "2026-11-23"}])
    peer.refund(order["id"], order["line_items"][0]["id"], 1, "12.50")
    peer.add_note(order["id"], "Ring twice")
    connect().subscribe(HOOK)
    schema = plain(recorded("wc-v3-options-schemas.json")[name]["schema"])
    told = ask(peer, connect(), path.format(id=order["id"])).json()
    records = told if isinstance(told, list) else [told]
    assert records
    for record in records:
        # a real shop answers null for some dates and names that its schema calls texts
        full = {key: value for key, value in record.items() if value is not None}
        for item in full.get("line_items", []):
            item.pop("parent_name", None)
            item.pop("image", None)
        jsonschema.Draft4Validator(schema).validate(full)


def test_the_peers_orders_and_notes_have_the_recorded_fields(
    peer: WooCommercePeer, sell: Sell
) -> None:
    order = sell(meta_data=[{"key": "a", "value": "b"}])
    example = recorded("order-example.json")
    assert set(order) == set(example)
    for part in ("billing", "shipping"):
        assert set(order[part]) == set(example[part])
    for part in ("line_items", "meta_data"):
        assert set(order[part][0]) == set(example[part][0])
    kinds = {name: type(value) for name, value in example.items() if value is not None}
    assert {n: type(v) for n, v in order.items() if v is not None}.items() <= kinds.items()
    (note,) = recorded("order-notes-example.json")[:1]
    assert set(peer.add_note(order["id"], "x")) == set(note)


def test_the_peer_refuses_in_the_recorded_words(
    connect: Connect, peer: WooCommercePeer, sell: Sell
) -> None:
    unknown, bad_status, bad_page = recorded("errors-example.json")
    found = ask(peer, connect(), "/orders/99999999")
    assert (found.status_code, found.json()) == (unknown["status"], unknown["body"])
    found = ask(peer, connect(), "/orders?per_page=101")
    assert (found.status_code, found.json()) == (bad_page["status"], bad_page["body"])
    found = ask(peer, connect(), "/orders?status=nonsense")
    assert found.status_code == bad_status["status"]
    assert found.json()["code"] == bad_status["body"]["code"]
    assert found.json()["message"] == bad_status["body"]["message"]
    assert set(found.json()["data"]) == set(bad_status["body"]["data"])


def test_the_peer_counts_in_headers_and_leaves_out_the_second_asked_for(
    connect: Connect, peer: WooCommercePeer, sell: Sell, clock: Any
) -> None:
    for _ in range(3):
        sell()
    at = clock.at.replace(tzinfo=None).isoformat()
    found = ask(peer, connect(), "/orders?per_page=2")
    assert (found.headers["X-WP-Total"], found.headers["X-WP-TotalPages"]) == ("3", "2")
    found = ask(peer, connect(), f"/orders?modified_after={at}&dates_are_gmt=true")
    assert found.json() == []


def test_the_peer_takes_a_nonce_once_and_no_basic_credentials_over_http(
    connect: Connect, peer: WooCommercePeer
) -> None:
    header = {"Authorization": connect()._shop._signed("GET", "/orders", {})}
    with requests.Session() as session:
        session.trust_env = False
        url = f"{peer.url}{ROOT}/orders"
        first, again = (session.get(url, headers=header, timeout=PATIENCE) for _ in range(2))
        basic = session.get(url, auth=(peer.key, peer.secret), timeout=PATIENCE)
        bare = session.get(url, timeout=PATIENCE)
    assert (first.status_code, again.status_code) == (200, 401)
    assert "nonce" in again.json()["message"]
    assert basic.json() == bare.json()
    assert bare.json()["code"] == "woocommerce_rest_cannot_view"


def test_the_peers_deliveries_have_the_recorded_headers(
    connect: Connect, peer: WooCommercePeer, sell: Sell
) -> None:
    got: list[tuple[dict[str, str], bytes]] = []

    def take(headers: dict[str, str], body: bytes) -> int:
        got.append((headers, body))
        return 200

    peer.hooks.taker = take
    connect().subscribe(HOOK)
    order = sell()
    peer.work_off()
    lines = (RECORDED / "webhooks-captured.jsonl").read_text().splitlines()
    theirs = json.loads(lines[0])
    by_transport = {"Host", "Accept", "Accept-Encoding", "Connection", "Content-Length"}
    deliveries = [one for one in got if not one[1].startswith(b"webhook_id=")]
    for headers, body in deliveries:
        assert set(headers) == set(theirs["headers"]) - by_transport
        assert set(json.loads(body)) == set(json.loads(theirs["body"]))
        assert json.loads(body)["id"] == order["id"]
    ping = json.loads((RECORDED / "webhook-pings.jsonl").read_text().splitlines()[0])
    headers, body = got[0]
    assert re.fullmatch(r"webhook_id=\d+", body.decode())
    assert headers["Content-Type"] == ping["headers"]["Content-Type"]
    assert headers["User-Agent"] == ping["headers"]["User-Agent"]


def test_the_peer_counts_what_went_wrong_in_a_batch_item_by_item(
    connect: Connect, peer: WooCommercePeer, sell: Sell
) -> None:
    order = sell()
    told = [{"id": order["id"], "status": "completed"}, {"id": 999, "status": "completed"}]
    done = connect()._shop.post("/orders/batch", {"update": told})["update"]
    assert (done[0]["status"], done[1]["id"]) == ("completed", 999)
    assert done[1]["error"]["code"] == "woocommerce_rest_shop_order_invalid_id"
