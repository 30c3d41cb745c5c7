"""Every request that the connector makes, held against ShipStation's published descriptions.

Known faults of the descriptions, which are let pass by name:

- Version 1 is made from examples: `store_id` of a subscription is a text that may be null, and
  every field of an order is required when one is changed; a company may not be null there, although
  orders are told with one that is, and `residential` is a flag in one address and a text in the
  other. An order is sent back as it was told, so that the one here avoids the two.
- Version 2 knows neither `/v2/fulfillments` nor the event `shipment_created_v2`, and no allowed
  field for the name of a webhook; what is sent there follows ShipStation's documentation pages.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hub_shipstation import ShipStation

from hub import Cursor, DeliveryStatus, Hook, Incoming, Order
from hub.testing.peers import Request
from hub.testing.peers.shipstation import ShipStationPeer, an_order

Account = Callable[..., ShipStation]
News = Callable[..., DeliveryStatus]
FILES = {"v1": "shipstation-v1/openapi-ballerina.yaml", "v2": "shipstation-v2/openapi.yaml"}
HOOK = Hook(url="https://hub.example/hooks/con_1/secret", secret="unused-secret")
UNKNOWN = {"v1": frozenset(), "v2": frozenset({"/v2/fulfillments"})}


@cache
def read(path: Path) -> dict[str, Any]:
    import yaml

    found: dict[str, Any] = yaml.load(
        path.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    )
    return found


@pytest.fixture
def described(peers: Path) -> Callable[[str], dict[str, Any]]:
    """Return what gives the description of a version."""

    def load(api: str) -> dict[str, Any]:
        if not (peers / FILES[api]).exists():
            pytest.skip(f"no description in ../shared/peers/{FILES[api]}")
        return read(peers / FILES[api])

    return load


def plain(schema: Any) -> Any:
    """Return a schema as JSON Schema writes it: what may be null says so in its type."""
    if isinstance(schema, list):
        return [plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: plain(value) for name, value in schema.items()}
    if schema.get("nullable") or schema.get("x-nullable"):
        return {"anyOf": [made, {"type": "null"}]}
    return made


def faults(spec: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    """Return what a schema of a description has against a value."""
    from jsonschema import Draft202012Validator

    whole = {**plain(schema), "components": plain(spec["components"])}
    found = Draft202012Validator(whole).iter_errors(value)
    return [f"{'.'.join(map(str, one.absolute_path))}: {one.message[:200]}" for one in found]


def operation(spec: dict[str, Any], request: Request) -> dict[str, Any]:
    """Return the operation of a request; fail where the description has none."""
    for path, methods in spec["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), request.path):
            found: dict[str, Any] | None = methods.get(request.method.lower())
            if found is not None:
                return found
    raise AssertionError(f"{request.method} {request.path} is in no description")


def resolved(spec: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter or schema behind its reference."""
    while "$ref" in told:
        found: Any = spec
        for part in told["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        told = found
    return told


def judge(spec: dict[str, Any], request: Request) -> list[str]:
    """Return what a description has against a request."""
    found = operation(spec, request)
    known = {one["name"]: one for one in (resolved(spec, p) for p in found.get("parameters", []))}
    wrong = [f"the parameter {name} is not known" for name in request.query if name not in known]
    for name, text in request.query.items():
        if name in known:
            schema = resolved(spec, known[name]["schema"])
            value = int(text) if schema.get("type") == "integer" else text
            wrong += faults(spec, schema, value)
    if request.body:
        body = found["requestBody"]["content"]["application/json"]["schema"]
        wrong += faults(spec, body, request.json())
    return wrong


def exercise(station: ShipStationPeer, made: ShipStation, status: News, api: str) -> None:
    """Make every call that a version can make."""
    to, bill = an_order(1)["shipTo"] | {"company": ""}, an_order(1)["billTo"]
    bill |= {"residential": None}
    id = station.add(shipTo=to, billTo=bill) if api == "v1" else station.ship()
    made.check()
    found = [one for one in made.pull(Cursor()) if isinstance(one, Cursor)]
    list(made.pull(found[-1]))
    made.subscribe(HOOK)
    made.unsubscribe(HOOK)
    path = f"/orders/{id}" if api == "v1" else f"/v2/shipments/{id}"
    event = "ORDER_NOTIFY" if api == "v1" else "SHIPMENT_CREATED_V2"
    list(made.unpack(Incoming(body=station.hook(event, path), at=station.clock)))
    made.tell(status(id, "dispatched"))
    made.tell(status(id))


@pytest.mark.parametrize(("api", "least"), [("v1", 11), ("v2", 10)])
def test_every_request_keeps_to_the_description(
    station: ShipStationPeer,
    account: Account,
    status: News,
    described: Callable[[str], dict[str, Any]],
    api: str,
    least: int,
) -> None:
    spec = described(api)
    exercise(station, account(api=api), status, api)
    wrong = {}
    for request in station.requests:
        if request.path not in UNKNOWN[api] and request.path != "/jwks":
            found = judge(spec, request)
            found = [one for one in found if "'shipment_created_v2' is not one of" not in one]
            if found:
                wrong[f"{request.method} {request.path} {request.query}"] = found
    assert wrong == {}
    assert len(station.requests) >= least
    written = {(one.method, one.path) for one in station.requests if one.method != "GET"}
    wanted = {
        "v1": {("POST", "/orders/markasshipped"), ("POST", "/orders/createorder"),
               ("POST", "/webhooks/subscribe"), ("DELETE", "/webhooks/501")},
        "v2": {("POST", "/v2/fulfillments"), ("POST", "/v2/environment/webhooks"),
               ("DELETE", "/v2/environment/webhooks/se-501")},
    }  # fmt: skip
    assert written == wanted[api]


@pytest.mark.parametrize(
    ("api", "method", "path", "body", "told"),
    [
        ("v1", "POST", "/orders/markasshipped", b'{"orderId": "x"}', "not of type 'integer'"),
        ("v1", "GET", "/orders/markasshipped/7", b"", "in no description"),
        ("v2", "POST", "/v2/environment/webhooks", b'{"event": "track"}', "'url' is a required"),
    ],
)
def test_the_description_would_find_a_wrong_request(
    described: Callable[[str], dict[str, Any]],
    api: str,
    method: str,
    path: str,
    body: bytes,
    told: str,
) -> None:
    from email.message import Message

    request = Request(method, path, {}, Message(), body)
    try:
        found = " ".join(judge(described(api), request))
    except AssertionError as error:
        found = str(error)
    assert told in found


def test_version_2_still_lacks_what_the_documentation_pages_describe(
    described: Callable[[str], dict[str, Any]],
) -> None:
    spec = described("v2")
    assert "/v2/fulfillments" not in spec["paths"]
    assert "shipment_created_v2" not in spec["components"]["schemas"]["webhook_event"]["enum"]


def test_the_order_of_the_description_is_read(
    station: ShipStationPeer, account: Account, described: Callable[[str], dict[str, Any]]
) -> None:
    told = example(described("v1"), "Order")
    station.add(**{**an_order(1), **told})
    order, *_ = account().pull(Cursor())
    assert isinstance(order, Order), order
    assert order.ref == "987654321"
    assert order.number == "Test-International-API-DOCS"
    assert order.recipient.email == "sholmes1854@methodsofdetection.com"


def example(spec: dict[str, Any], name: str) -> Any:
    """Return the example of a schema, put together from its fields."""
    schema = spec["components"]["schemas"][name]
    return {field: value(spec, told) for field, told in schema["properties"].items()}


def value(spec: dict[str, Any], told: dict[str, Any]) -> Any:
    if "$ref" in told:
        return example(spec, told["$ref"].rsplit("/", 1)[1])
    if told.get("type") == "array":
        return [value(spec, told["items"])]
    return told.get("example")
