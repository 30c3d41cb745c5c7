"""The Shopify connector: the shared checks, and how its orders become orders of the hub."""

from __future__ import annotations

import base64
import copy
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hub_shopify import VERSION, Config, Shopify
from hub_shopify.orders import NO_ADDRESS, NOT_APPROVED

from hub import Cancelled, Cursor, Incoming, Order, RefusedRow, Rejected, Retry, Unauthorized
from hub.testing.conformance import SECRET, ConnectorTests, ScriptedPeer
from hub.testing.peers import Reply, Request
from hub.testing.peers.shopify import ShopifyPeer

LINE = {
    "id": "gid://shopify/FulfillmentOrderLineItem/31",
    "sku": "TEA-1",
    "productTitle": "Herb tea",
    "variantTitle": "100 g",
    "remainingQuantity": 2,
    "requiresShipping": True,
    "financialSummaries": [
        {
            "approximateDiscountedUnitPriceSet": {
                "shopMoney": {"amount": "12.25", "currencyCode": "CHF"}
            }
        }
    ],
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
    "fulfillments": {"nodes": []},
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


def with_parts(*parts: Any, **values: Any) -> dict[str, Any]:
    return node(
        fulfillmentOrders={"pageInfo": {"hasNextPage": False}, "nodes": list(parts)}, **values
    )


def granted(*scopes: str) -> dict[str, Any]:
    told = {"accessScopes": [{"handle": scope} for scope in scopes]}
    return {"data": {"currentAppInstallation": told}}


def another(number: int) -> dict[str, Any]:
    parts = copy.deepcopy(NODE["fulfillmentOrders"])
    parts["nodes"][0]["id"] = f"gid://shopify/FulfillmentOrder/{number}"
    return node(id=f"gid://shopify/Order/{number}", fulfillmentOrders=parts)


class TestShopify(ConnectorTests):
    connector = Shopify
    config = {
        "url": "https://alpenkraut.myshopify.com",
        "token": SECRET,
        "client_id": "app-1",
        "client_secret": SECRET,
        "refresh_token": SECRET,
    }
    event = {"id": 11, "admin_graphql_api_id": "gid://shopify/Order/11"}
    answers = {
        "check": [granted("read_orders", "read_merchant_managed_fulfillment_orders")],
        "pull": [page(node(), more="c1"), page(another(31), another(32)), page()],
        "unpack": [{"data": {"order": node()}}],
    }

    @pytest.fixture(autouse=True)
    def behind(self, tmp_path: Path) -> Iterator[None]:
        """Stand a shop behind what is told, which remembers."""
        self.shop = ShopifyPeer(tmp_path / "behind")
        self.shop.rate = self.shop.maximum = self.shop.points = 1e9
        part = self.shop.add_order()["_parts"][0]
        self.status = type(self).status.model_copy(update={"order": part["id"]})
        yield
        self.shop.server.server_close()
        self.shop.log.close()

    def serve(self, request: Request) -> Reply | None:
        if self.doing not in ("tell", "subscribe", "unsubscribe"):
            return super().serve(request)
        return self.shop.answer(request)

    def signed(self, body: bytes, secret: str = SECRET) -> Incoming:
        made = base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
        shop = self.settings()["url"].removeprefix("https://")
        headers = {
            "x-shopify-hmac-sha256": made, "x-shopify-topic": "orders/updated",
            "x-shopify-shop-domain": shop, "x-shopify-event-id": "98880550-7158-44d4",
        }  # fmt: skip
        return Incoming(body=body, headers=headers, at=datetime.now(UTC))


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
    assert (order.number, order.parent) == ("#1001", NODE["id"])


def test_a_line_has_the_fulfilment_lines_id_and_the_price_of_one_piece(shop: ScriptedPeer) -> None:
    order, _ = pulled(shop, node())
    (line,) = order.lines
    assert line.ref == LINE["id"]
    assert line.price is not None
    assert (line.price.amount, line.price.currency) == (Decimal("12.25"), "CHF")


def test_pieces_at_different_prices_have_none(shop: ScriptedPeer) -> None:
    summary = {"shopMoney": {"amount": "9.00", "currencyCode": "CHF"}}
    both = [*LINE["financialSummaries"], {"approximateDiscountedUnitPriceSet": summary}]
    line = {**LINE, "financialSummaries": both}
    items = {"pageInfo": {"hasNextPage": False}, "nodes": [line]}
    order, _ = pulled(shop, with_parts({**PART, "lineItems": items}))
    assert order.lines[0].price is None


def test_cash_is_collected_once_when_an_order_is_split(shop: ScriptedPeer) -> None:
    second = {**PART, "id": "gid://shopify/FulfillmentOrder/22"}
    parts = {"pageInfo": {"hasNextPage": False}, "nodes": [PART, second]}
    first, other, _ = pulled(shop, node(fulfillmentOrders=parts))
    assert first.cash_due is not None
    assert other.cash_due is None


def test_a_paid_order_collects_nothing(shop: ScriptedPeer) -> None:
    order, _ = pulled(shop, node(paymentGatewayNames=["shopify_payments"]))
    assert order.cash_due is None


@pytest.mark.parametrize("status", ["ON_HOLD", "SCHEDULED", "INCOMPLETE"])
def test_what_is_not_open_yet_is_left_alone(shop: ScriptedPeer, status: str) -> None:
    assert len(pulled(shop, with_parts({**PART, "status": status}))) == 1


def closed(number: str, status: str = "SUCCESS") -> dict[str, Any]:
    made = {"status": status, "trackingInfo": [{"number": number}]}
    return {**PART, "status": "CLOSED", "fulfillments": {"nodes": [made]}}


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ({**PART, "status": "CANCELLED"}, "cancelled its fulfilment"),
        ({**PART, "status": "CLOSED"}, "moved or merged"),
        (closed("1Z999"), "fulfilled it in another way"),
        (closed("stp_1", "CANCELLED"), "moved or merged"),
    ],
)
def test_what_the_shop_ended_is_called_off(
    shop: ScriptedPeer, part: dict[str, Any], why: str
) -> None:
    found, _ = pulled(shop, with_parts(part))
    assert isinstance(found, Cancelled)
    assert found.ref == PART["id"]
    assert why in found.reason


def test_what_the_hub_itself_fulfilled_is_not_called_off(shop: ScriptedPeer) -> None:
    assert len(pulled(shop, with_parts(closed("stp_06f1")))) == 1


def test_a_cancelled_order_calls_every_part_of_it_off(shop: ScriptedPeer) -> None:
    second = {**PART, "id": "gid://shopify/FulfillmentOrder/22", "status": "CANCELLED"}
    *found, _ = pulled(shop, with_parts(PART, second, cancelledAt="2026-11-22T11:00:00Z"))
    assert [type(one) for one in found] == [Cancelled, Cancelled]
    assert "#1001" in found[0].reason


def test_an_order_that_ships_is_none_of_the_hubs_business_when_it_ends(shop: ScriptedPeer) -> None:
    part = {**closed("1Z999"), "deliveryMethod": {"methodType": "SHIPPING"}}
    assert len(pulled(shop, with_parts(part))) == 1


def test_orders_for_a_carrier_come_only_where_they_are_wanted(shop: ScriptedPeer) -> None:
    part = {**PART, "deliveryMethod": {"methodType": "SHIPPING"}}
    shipped = node(fulfillmentOrders={"pageInfo": {"hasNextPage": False}, "nodes": [part]})
    assert len(pulled(shop, shipped)) == 1
    assert len(pulled(shop, shipped, shipped_too=True)) == 2


def test_a_withheld_address_imports_an_order_that_says_why(shop: ScriptedPeer) -> None:
    denied = {
        "message": "not approved", "path": ["orders", "nodes", 1, "shippingAddress"],
        "extensions": {"code": "ACCESS_DENIED"},
    }  # fmt: skip
    hidden = {**another(31), "shippingAddress": None, "email": None}
    shop.reply = lambda _: Reply(200, {**page(node(), hidden), "errors": [denied]})
    whole, order, _ = shopify(shop).pull(Cursor())
    assert isinstance(order, Order)
    assert isinstance(whole, Order)
    assert order.address.text() == ""
    assert order.location is None
    assert NOT_APPROVED in order.notes
    assert NOT_APPROVED not in whole.notes


def test_a_missing_address_says_what_may_be_the_reason(shop: ScriptedPeer) -> None:
    order, _ = pulled(shop, node(shippingAddress=None))
    assert order.address.text() == ""
    assert NO_ADDRESS in order.notes


def test_a_shop_that_withholds_all_orders_is_unauthorized(shop: ScriptedPeer) -> None:
    denied = {"message": "needs read_orders", "extensions": {"code": "ACCESS_DENIED"}}
    shop.reply = lambda _: Reply(200, {"data": {"orders": None}, "errors": [denied]})
    with pytest.raises(Unauthorized, match="read_orders"):
        list(shopify(shop).pull(Cursor()))


def test_one_bad_order_never_stops_a_page(shop: ScriptedPeer) -> None:
    broken = node(name="#1002", currentTotalPriceSet=None)
    bare = node(name="#1003")
    del bare["totalOutstandingSet"]
    found = pulled(shop, broken, node(), bare, None)
    assert [type(one) for one in found] == [RefusedRow, Order, RefusedRow, RefusedRow, Cursor]
    assert [one.line for one in found if isinstance(one, RefusedRow)] == [1, 3, 4]
    assert "#1002" in found[0].reason
    assert found[0].ref == PART["id"]
    assert found[2].field == "totalOutstandingSet"


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
    assert [asked(request)["first"] for request in shop.requests] == [50, 25, 12, 6]


def test_a_page_stays_as_small_as_shopify_once_wanted_it(shop: ScriptedPeer) -> None:
    error = {"message": "cost", "extensions": {"code": "MAX_COST_EXCEEDED"}}

    def answer(request: Request) -> Reply:
        few = asked(request)["first"] <= 25
        return Reply(200, page(node(), more="c1") if few else {"errors": [error]})

    shop.reply = answer
    *_, cursor = shopify(shop).pull(Cursor())
    assert isinstance(cursor, Cursor)
    list(shopify(shop).pull(cursor))
    assert [asked(request)["first"] for request in shop.requests] == [50, 25, 25]


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


def test_the_version_is_a_setting(shop: ScriptedPeer) -> None:
    shop.reply = lambda _: Reply(200, page())
    list(shopify(shop, version="2026-10").pull(Cursor()))
    assert shop.requests[0].path == "/admin/api/2026-10/graphql.json"
