"""The Shopify connector: the shared checks, its documents against Shopify's schemas, its orders."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hub_shopify import VERSION, Config, Shopify
from hub_shopify.orders import ORDERS, SCOPES

from hub import Cursor, Order, RefusedRow, Rejected, Retry, Unauthorized
from hub.testing.conformance import SECRET, ConnectorTests, ScriptedPeer
from hub.testing.peers import Reply, Request

SCHEMAS = Path(__file__).parents[4] / "shared" / "peers" / "shopify"

LINE = {
    "id": "gid://shopify/FulfillmentOrderLineItem/31",
    "sku": "TEA-1",
    "productTitle": "Herb tea",
    "variantTitle": "100 g",
    "remainingQuantity": 2,
    "requiresShipping": True,
}
PART = {
    "id": "gid://shopify/FulfillmentOrder/21",
    "status": "OPEN",
    "deliveryMethod": {
        "methodType": "LOCAL",
        "minDeliveryDateTime": "2026-11-23T13:00:00Z",
        "maxDeliveryDateTime": "2026-11-23T15:00:00Z",
        "additionalInformation": {"instructions": "Ring twice", "phone": "+4237920001"},
    },
    "lineItems": {"pageInfo": {"hasNextPage": False}, "nodes": [LINE]},
}
NODE = {
    "id": "gid://shopify/Order/11",
    "name": "#1001",
    "note": "For Anna",
    "email": "a@example.com",
    "phone": None,
    "updatedAt": "2026-11-22T10:00:00Z",
    "cancelledAt": None,
    "paymentGatewayNames": ["Cash on Delivery (COD)"],
    "currentTotalPriceSet": {"shopMoney": {"amount": "24.50", "currencyCode": "CHF"}},
    "totalOutstandingSet": {"shopMoney": {"amount": "24.50", "currencyCode": "CHF"}},
    "shippingAddress": {
        "name": "Anna Beck",
        "company": None,
        "address1": "Städtle 49",
        "address2": "",
        "zip": "9490",
        "city": "Vaduz",
        "province": None,
        "countryCodeV2": "LI",
        "phone": None,
        "latitude": 47.1389,
        "longitude": 9.5225,
    },
    "fulfillmentOrders": {"pageInfo": {"hasNextPage": False}, "nodes": [PART]},
}


def node(**values: Any) -> dict[str, Any]:
    return {**copy.deepcopy(NODE), **values}


def page(*nodes: Any, more: str = "") -> dict[str, Any]:
    told = {"hasNextPage": bool(more), "endCursor": more or None}
    return {"data": {"orders": {"pageInfo": told, "nodes": list(nodes)}}}


def granted(*scopes: str) -> dict[str, Any]:
    told = {"accessScopes": [{"handle": scope} for scope in scopes]}
    return {"data": {"currentAppInstallation": told}}


def another(number: int) -> dict[str, Any]:
    parts = copy.deepcopy(NODE["fulfillmentOrders"])
    parts["nodes"][0]["id"] = f"gid://shopify/FulfillmentOrder/{number}"
    return node(id=f"gid://shopify/Order/{number}", fulfillmentOrders=parts)


class TestShopify(ConnectorTests):
    connector = Shopify
    config = {"url": "https://alpenkraut.myshopify.com", "token": SECRET}
    answers = {
        "check": [granted("read_orders", "read_merchant_managed_fulfillment_orders")],
        "pull": [page(node(), more="c1"), page(another(31), another(32)), page()],
    }


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedPeer]:
    made = ScriptedPeer(tmp_path)
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


def shopify(shop: ScriptedPeer, **values: Any) -> Shopify:
    return Shopify(Config.model_validate({"url": shop.url, "token": SECRET, **values}))


def pulled(shop: ScriptedPeer, *nodes: Any, **values: Any) -> list[Any]:
    shop.reply = lambda _: Reply(200, page(*nodes))
    return list(shopify(shop, **values).pull(Cursor()))


def asked(request: Request) -> dict[str, Any]:
    told: dict[str, Any] = request.json()["variables"]
    return told


def test_a_local_delivery_is_an_order_keyed_by_its_fulfilment_order(
    shop: ScriptedPeer,
) -> None:
    order, _ = pulled(shop, node())
    assert isinstance(order, Order)
    assert order.ref == PART["id"]
    assert (order.recipient.name, order.recipient.phone) == ("Anna Beck", "+4237920001")
    assert order.address.text() == "Städtle 49, 9490 Vaduz, LI"
    assert order.location is not None
    assert (order.location.lat, order.location.lon) == (47.1389, 9.5225)
    assert [(one.name, one.quantity, one.sku) for one in order.lines] == [
        ("Herb tea - 100 g", 2, "TEA-1")
    ]
    assert order.window is not None
    assert order.window.start.isoformat() == "2026-11-23T13:00:00+00:00"
    assert order.notes == "Ring twice\nFor Anna"
    assert order.cash_due is not None
    assert order.cash_due.amount == Decimal("24.50")


def test_cash_is_collected_once_when_an_order_is_split(shop: ScriptedPeer) -> None:
    second = {**PART, "id": "gid://shopify/FulfillmentOrder/22"}
    parts = {"pageInfo": {"hasNextPage": False}, "nodes": [PART, second]}
    first, other, _ = pulled(shop, node(fulfillmentOrders=parts))
    assert first.cash_due is not None
    assert other.cash_due is None


def test_a_paid_order_collects_nothing(shop: ScriptedPeer) -> None:
    order, _ = pulled(shop, node(paymentGatewayNames=["shopify_payments"]))
    assert order.cash_due is None


@pytest.mark.parametrize("status", ["CLOSED", "CANCELLED", "ON_HOLD", "SCHEDULED", "INCOMPLETE"])
def test_what_is_not_open_is_left_alone(shop: ScriptedPeer, status: str) -> None:
    parts = {"pageInfo": {"hasNextPage": False}, "nodes": [{**PART, "status": status}]}
    assert len(pulled(shop, node(fulfillmentOrders=parts))) == 1


def test_orders_for_a_carrier_come_only_where_they_are_wanted(shop: ScriptedPeer) -> None:
    part = {**PART, "deliveryMethod": {"methodType": "SHIPPING"}}
    shipped = node(fulfillmentOrders={"pageInfo": {"hasNextPage": False}, "nodes": [part]})
    assert len(pulled(shop, shipped)) == 1
    assert len(pulled(shop, shipped, shipped_too=True)) == 2


def test_a_withheld_address_imports_an_order_without_one(shop: ScriptedPeer) -> None:
    denied = {"message": "not approved", "extensions": {"code": "ACCESS_DENIED"}}
    hidden = node(shippingAddress=None, email=None)
    shop.reply = lambda _: Reply(200, {**page(hidden), "errors": [denied]})
    order, _ = shopify(shop).pull(Cursor())
    assert isinstance(order, Order)
    assert order.address.text() == ""
    assert order.location is None


def test_a_shop_that_withholds_all_orders_is_unauthorized(shop: ScriptedPeer) -> None:
    denied = {"message": "needs read_orders", "extensions": {"code": "ACCESS_DENIED"}}
    shop.reply = lambda _: Reply(200, {"data": {"orders": None}, "errors": [denied]})
    with pytest.raises(Unauthorized, match="read_orders"):
        list(shopify(shop).pull(Cursor()))


def test_one_bad_order_never_stops_a_page(shop: ScriptedPeer) -> None:
    broken = node(name="#1002", currentTotalPriceSet=None)
    endless = {"pageInfo": {"hasNextPage": True}, "nodes": [LINE]}
    long = {"pageInfo": {"hasNextPage": False}, "nodes": [{**PART, "lineItems": endless}]}
    found = pulled(shop, broken, node(), node(name="#1003", fulfillmentOrders=long), None)
    assert [type(one) for one in found] == [RefusedRow, Order, RefusedRow, RefusedRow, Cursor]
    assert (found[0].line, found[2].line) == (1, 3)
    assert "#1002" in found[0].reason


def test_pages_follow_each_other_and_then_the_last_change(shop: ScriptedPeer) -> None:
    shop.reply = lambda _: Reply(200, page(node(), more="abc"))
    *_, first = shopify(shop).pull(Cursor())
    assert isinstance(first, Cursor)
    shop.reply = lambda _: Reply(200, page(node(updatedAt="2026-11-22T11:00:00Z")))
    *_, second = shopify(shop).pull(first)
    assert isinstance(second, Cursor)
    list(shopify(shop).pull(second))
    assert [asked(request)["after"] for request in shop.requests] == [None, "abc", None]
    assert asked(shop.requests[2])["query"].startswith("updated_at:>='2026-11-22T11:00:00Z' ")
    assert "updated_at" not in asked(shop.requests[0])["query"]


def test_an_empty_page_keeps_the_place(shop: ScriptedPeer) -> None:
    place = Cursor(value=json.dumps({"since": "2026-11-22T11:00:00Z", "after": ""}))
    shop.reply = lambda _: Reply(200, page())
    assert list(shopify(shop).pull(place)) == [place]


def test_a_throttled_query_waits_until_the_bucket_has_refilled(shop: ScriptedPeer) -> None:
    status = {"currentlyAvailable": 100, "restoreRate": 50}
    cost = {"requestedQueryCost": 700, "throttleStatus": status}
    error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
    shop.reply = lambda _: Reply(200, {"errors": [error], "extensions": {"cost": cost}})
    with pytest.raises(Retry) as caught:
        list(shopify(shop).pull(Cursor()))
    assert caught.value.after == 12


def test_a_query_that_costs_too_much_is_asked_for_fewer(shop: ScriptedPeer) -> None:
    error = {"message": "cost", "extensions": {"code": "MAX_COST_EXCEEDED"}}

    def answer(request: Request) -> Reply:
        return Reply(200, page() if asked(request)["first"] < 10 else {"errors": [error]})

    shop.reply = answer
    list(shopify(shop).pull(Cursor()))
    assert [asked(request)["first"] for request in shop.requests] == [25, 12, 6]


def test_errors_of_the_query_are_rejected_in_the_shops_words(shop: ScriptedPeer) -> None:
    shop.reply = lambda _: Reply(200, {"errors": [{"message": "Field 'x' does not exist"}]})
    with pytest.raises(Rejected, match="does not exist"):
        list(shopify(shop).pull(Cursor()))


def test_a_lost_reply_to_a_query_is_a_retry(shop: ScriptedPeer) -> None:
    shop.reply = lambda _: Reply(200, page(), kind="query")
    shop.mutes = 1
    with pytest.raises(Retry):
        list(shopify(shop).pull(Cursor()))


def test_an_address_that_is_no_shop_is_rejected(shop: ScriptedPeer) -> None:
    shop.reply = lambda _: Reply(200, content=b"<html>", headers={"Content-Type": "text/html"})
    with pytest.raises(Rejected, match="check its address"):
        shopify(shop).check()


@pytest.mark.parametrize(
    ("scopes", "missing"),
    [(["read_products"], "read_orders"), (["read_orders"], "read_merchant_managed")],
)
def test_check_names_the_scope_that_is_missing(
    shop: ScriptedPeer, scopes: list[str], missing: str
) -> None:
    shop.reply = lambda _: Reply(200, granted(*scopes))
    with pytest.raises(Unauthorized, match=missing):
        shopify(shop).check()


def test_the_token_goes_in_the_header_of_the_pinned_version(shop: ScriptedPeer) -> None:
    pulled(shop)
    (request,) = shop.requests
    assert request.path == f"/admin/api/{VERSION}/graphql.json"
    assert request.headers["X-Shopify-Access-Token"] == SECRET


def test_two_shops_never_share_a_token(shop: ScriptedPeer) -> None:
    shop.reply = lambda _: Reply(200, page())
    first, second = shopify(shop), shopify(shop, token="other")
    for connector in (first, second, first):
        list(connector.pull(Cursor()))
    sent = [request.headers["X-Shopify-Access-Token"] for request in shop.requests]
    assert sent == [SECRET, "other", SECRET]


@pytest.mark.skipif(not SCHEMAS.exists(), reason="no Shopify schemas in ../shared/peers/shopify")
@pytest.mark.parametrize("version", [VERSION, "2026-10"])
def test_the_documents_are_valid_and_use_nothing_deprecated(version: str) -> None:
    from graphql import (
        NoDeprecatedCustomRule,
        build_client_schema,
        parse,
        specified_rules,
        validate,
    )

    with gzip.open(SCHEMAS / f"admin_{version}.json.gz", "rt", encoding="utf-8") as file:
        told = json.load(file)
    schema = build_client_schema(told.get("data", told), assume_valid=True)
    for document in (ORDERS, SCOPES):
        found = validate(schema, parse(document), [*specified_rules, NoDeprecatedCustomRule])
        assert [error.message for error in found] == []
