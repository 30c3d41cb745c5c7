"""The ShipStation connector: the shared checks, and its answers against the specification."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import responses
from hub_shipstation import Config, Reading, ShipStation
from hub_shipstation.orders import instant

from hub import Cursor, Order, RefusedRow, Rejected
from hub.testing.conformance import SECRET, ConnectorTests

SPEC = Path(__file__).parents[4] / "shared" / "peers" / "shipstation-v1" / "openapi-ballerina.yaml"
specified = pytest.mark.skipif(
    not SPEC.exists(), reason="no specification in ../shared/peers/shipstation-v1"
)
API = "https://1.1.1.1"
"""An address that is public and needs no name server; nothing is sent to it."""
RECORD = {
    "orderId": 987654321,
    "orderNumber": "1001",
    "modifyDate": "2026-11-22T08:46:27.0000000",
    "customerEmail": "a@example.com",
    "shipTo": {
        "name": "Anna Beck",
        "company": None,
        "street1": "Main Street 1",
        "street2": "Apt 2",
        "street3": None,
        "city": "Austin",
        "state": "TX",
        "postalCode": "78701",
        "country": "US",
        "phone": "512-555-0101",
    },
    "items": [
        {"orderItemId": 1, "name": "Tea", "sku": "T1", "quantity": 3, "adjustment": False},
        {"orderItemId": 2, "name": "Discount", "sku": None, "quantity": 1, "adjustment": True},
    ],
    "orderTotal": 24.1,
    "customerNotes": None,
}


OTHER = {**RECORD, "orderId": 987654322, "modifyDate": "2026-11-22T09:00:00.0000000"}
LAST = {**RECORD, "orderId": 987654323, "modifyDate": "2026-11-22T09:30:00.0000000"}


def page(*records: Any, pages: int = 1) -> dict[str, Any]:
    return {"orders": list(records), "total": len(records), "page": 1, "pages": pages}


class TestShipStation(ConnectorTests):
    connector = ShipStation
    config = {"key": SECRET, "secret": SECRET}
    answers = {"pull": [page(RECORD, pages=2), page(OTHER, LAST, pages=2), page()]}


def account() -> ShipStation:
    return ShipStation(Config.model_validate({"url": API, "key": "k", "secret": SECRET}))


def answers(*records: Any, pages: int = 1) -> None:
    responses.get(f"{API}/orders", json=page(*records, pages=pages))


@responses.activate
def test_an_order_is_read_and_a_discount_is_nothing_to_deliver() -> None:
    answers(RECORD)
    order, cursor = account().pull(Cursor())
    assert isinstance(order, Order)
    assert order.ref == "987654321"
    assert order.address.text() == "Main Street 1, Apt 2, 78701 Austin, TX, US"
    assert [(line.name, line.quantity) for line in order.lines] == [("Tea", 3)]
    assert order.total is not None
    assert (order.total.amount, order.total.currency) == (Decimal("24.1"), "USD")
    assert cursor == Cursor(value="2026-11-22T08:46:27|1")


@responses.activate
def test_one_bad_order_never_stops_a_page() -> None:
    answers({**RECORD, "shipTo": None}, RECORD, 7)
    found = list(account().pull(Cursor()))
    assert [type(one) for one in found] == [RefusedRow, Order, RefusedRow, Cursor]


@responses.activate
def test_the_query_goes_back_over_the_hour_that_autumn_repeats() -> None:
    answers()
    list(account().pull(Cursor(value="2026-11-01T01:30:00|1")))
    sent = responses.calls[0].request
    assert sent.params["modifyDateStart"] == "2026-11-01 00:28:00"  # type: ignore[attr-defined]
    assert sent.headers["Authorization"].startswith("Basic ")


def test_a_page_without_a_newer_change_turns_only_where_there_is_another() -> None:
    place = Reading("2026-11-22T10:00:00")
    assert place.after_page([], more=True).page == 2
    assert place.after_page([], more=False) == place
    assert place.after_page(["2026-11-22T10:00:01"], more=True) == Reading("2026-11-22T10:00:01")


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("2015-06-29T08:46:27.0000000", "2015-06-29T08:46:27"),
        ("8/17/2015 9:24:16 PM", "2015-08-17T21:24:16"),
        ("soon", ""),
    ],
)
def test_both_ways_of_writing_a_time_are_read(said: str, read: str) -> None:
    assert instant({"modifyDate": said}) == read


@responses.activate
def test_an_answer_without_orders_is_rejected() -> None:
    responses.get(f"{API}/orders", json={"hello": 1})
    with pytest.raises(Rejected, match="no orders"):
        list(account().pull(Cursor()))


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    told: dict[str, Any] = yaml.load(SPEC.read_text(), loader)
    return told


@specified
@responses.activate
def test_the_query_uses_only_parameters_of_the_specification(spec: dict[str, Any]) -> None:
    answers()
    list(account().pull(Cursor(value="2026-11-01T01:30:00|1")))
    known = {p["name"]: p["schema"] for p in spec["paths"]["/orders"]["get"]["parameters"]}
    sent = responses.calls[0].request.params  # type: ignore[attr-defined]
    assert set(sent) <= set(known)
    for name in ("orderStatus", "sortBy", "sortDir"):
        schema = spec["components"]["schemas"][known[name]["$ref"].rsplit("/", 1)[1]]
        assert sent[name] in schema["enum"]
    assert "get" in spec["paths"]["/accounts/listtags"]


@specified
@responses.activate
def test_the_order_of_the_specification_is_read(spec: dict[str, Any]) -> None:
    answers(example(spec, "Order"))
    order, _ = account().pull(Cursor())
    assert isinstance(order, Order), order
    assert order.ref == "987654321"
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
