"""The WooCommerce connector: the shared checks, and answers recorded from a real shop."""

from __future__ import annotations

import base64
import hmac
import json
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import responses
from hub_woocommerce import Config, WooCommerce

from hub import (
    Cancelled,
    Cursor,
    Incoming,
    Order,
    RefusedRow,
    Rejected,
    Retry,
    Unauthorized,
)
from hub.testing.conformance import SECRET, ConnectorTests
from hub.testing.peers import Reply, Request
from hub.testing.peers.woocommerce import ROOT, WooCommercePeer
from hub.testing.peers.woocommerce_access import Refusal

PEERS = os.environ.get("HUB_PEERS") or Path(__file__).parents[4] / "shared" / "peers"
RECORDED = Path(PEERS) / "woocommerce"
recorded = pytest.mark.skipif(
    not RECORDED.exists(), reason="no recordings of a shop in ../shared/peers/woocommerce"
)
SHOP = "https://1.1.1.1"
"""An address that is public and needs no name server; nothing is sent to it."""
PLACE = {
    "first_name": "Anna",
    "last_name": "Beck",
    "company": "",
    "address_1": "Städtle 49",
    "address_2": "2. Stock",
    "city": "Vaduz",
    "state": "",
    "postcode": "9490",
    "country": "LI",
    "phone": "+4237920001",
}
RECORD = {
    "id": 42,
    "number": "1042",
    "currency": "CHF",
    "total": "24.50",
    "billing": {**PLACE, "email": "a@example.com", "address_1": "Bahnhofstrasse 1"},
    "shipping": PLACE,
    "payment_method": "cod",
    "date_paid_gmt": None,
    "date_modified_gmt": "2026-11-22T10:00:00",
    "customer_note": "Ring twice",
    "line_items": [
        {"id": 7, "name": "Herb tea", "quantity": 2, "sku": "TEA-1"},
        {"id": 8, "name": "Refunded", "quantity": 0, "sku": ""},
    ],
}


OTHER = {**RECORD, "id": 43, "date_modified_gmt": "2026-11-22T10:05:00"}
LAST = {**RECORD, "id": 44, "date_modified_gmt": "2026-11-22T10:06:00"}


class TestWooCommerce(ConnectorTests):
    connector = WooCommerce
    config = {
        "url": "https://shop.example",
        "key": SECRET,
        "secret": SECRET,
        "webhook_secret": SECRET,
    }
    answers = {"check": [[]], "pull": [[RECORD], [OTHER, LAST], []]}
    event = {**RECORD, "status": "processing"}

    @pytest.fixture(autouse=True)
    def shop(self, tmp_path: Path) -> Iterator[None]:
        """Stand a shop behind what is told, which remembers."""
        self.behind = WooCommercePeer(tmp_path / "shop")
        self.behind.ids = 1000
        assert self.behind.sell()["id"] == 1001
        yield
        self.behind.server.server_close()
        self.behind.log.close()

    def serve(self, request: Request) -> Reply | None:
        if self.doing not in ("tell", "subscribe", "unsubscribe"):
            return super().serve(request)
        try:
            return self.behind.route(request, request.path.removeprefix(ROOT))
        except Refusal as refusal:
            return Reply(refusal.status, refusal.body)

    def signed(self, body: bytes, secret: str = SECRET) -> Incoming:
        return sent(body, secret)


def test_only_the_address_that_was_checked_is_dialled(monkeypatch: pytest.MonkeyPatch) -> None:
    dialled: list[str] = []
    genuine, answers = socket.getaddrinfo, iter(["1.1.1.1"])

    def resolve(host: str, *given: Any, **named: Any) -> Any:
        return genuine(next(answers, "127.0.0.1"), *given, **named)

    def connect(made: socket.socket, place: tuple[str, int]) -> None:
        dialled.append(place[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(Retry):
        shop(url="https://shop.example").check()
    assert dialled == ["1.1.1.1"]


def shop(**values: Any) -> WooCommerce:
    told = {"url": SHOP, "key": "ck_1", "secret": SECRET, **values}
    return WooCommerce(Config.model_validate(told))


def answers(found: Any, status: int = 200) -> None:
    responses.get(f"{SHOP}/wp-json/wc/v3/orders", json=found, status=status)


def record(**values: Any) -> dict[str, Any]:
    return {**RECORD, **values}


@responses.activate
def test_an_order_is_read_with_place_lines_and_cash_on_delivery() -> None:
    answers([record()])
    order, _ = shop().pull(Cursor())
    assert isinstance(order, Order)
    assert order.ref == "42"
    assert (order.recipient.name, order.recipient.email) == ("Anna Beck", "a@example.com")
    assert order.address.text() == "Städtle 49, 2. Stock, 9490 Vaduz, LI"
    assert [(line.name, line.quantity) for line in order.lines] == [("Herb tea", 2)]
    assert order.cash_due is not None
    assert order.cash_due.amount == Decimal("24.50")
    assert order.notes == "Ring twice"


@responses.activate
def test_an_order_that_was_paid_collects_nothing() -> None:
    answers([record(date_paid_gmt="2026-11-22T10:00:00"), record(payment_method="bacs")])
    first, second, _ = shop().pull(Cursor())
    assert isinstance(first, Order)
    assert isinstance(second, Order)
    assert first.cash_due is second.cash_due is None


@responses.activate
def test_without_a_shipping_address_the_bills_counts() -> None:
    answers([record(shipping={**PLACE, "address_1": ""})])
    order, _ = shop().pull(Cursor())
    assert isinstance(order, Order)
    assert order.address.line1 == "Bahnhofstrasse 1"


@responses.activate
def test_one_bad_order_never_stops_a_page() -> None:
    answers([record(total="free"), record(currency="francs"), "nonsense", record()])
    found = list(shop().pull(Cursor()))
    assert [type(one) for one in found] == [RefusedRow, RefusedRow, RefusedRow, Order, Cursor]
    assert [one.line for one in found if isinstance(one, RefusedRow)] == [1, 2, 3]
    assert isinstance(found[1], RefusedRow)
    assert found[1].field == "currency"
    assert "1042" in found[1].reason
    assert found[1].ref == "42"


@responses.activate
def test_the_query_overlaps_the_last_change_and_asks_in_plain_values() -> None:
    answers([])
    list(shop().pull(Cursor(value="2026-11-22T10:00:00|1")))
    sent = responses.calls[0].request
    assert sent.params == {  # type: ignore[attr-defined]
        "status": "processing,on-hold,cancelled,refunded,failed,trash",
        "orderby": "modified",
        "order": "asc",
        "per_page": "100",
        "dates_are_gmt": "true",
        "modified_after": "2026-11-22T09:58:00",
    }


@responses.activate
def test_keys_go_in_a_header_and_never_in_the_address() -> None:
    answers([])
    shop().check()
    sent = responses.calls[0].request
    assert sent.headers["Authorization"].startswith("Basic ")
    assert SECRET not in str(sent.url)
    assert "ck_1" not in str(sent.url)


@responses.activate
@pytest.mark.parametrize(
    ("status", "error"), [(401, Unauthorized), (404, Rejected), (429, Retry), (502, Retry)]
)
def test_refusals_come_out_in_our_words(status: int, error: type[Exception]) -> None:
    answers({"message": "no"}, status)
    with pytest.raises(error):
        shop().check()


@responses.activate
def test_a_page_instead_of_data_names_the_setting_at_fault() -> None:
    responses.get(f"{SHOP}/wp-json/wc/v3/orders", body="<html>Hello</html>")
    with pytest.raises(Rejected, match="permalinks") as caught:
        shop().check()
    assert caught.value.field == "url"


@recorded
@responses.activate
@pytest.mark.parametrize("file", ["orders-list-example.json", "order-example.json"])
def test_orders_of_a_real_shop_are_read(file: str) -> None:
    told = json.loads((RECORDED / file).read_text())
    records = told if isinstance(told, list) else [told]
    answers(records)
    *orders, cursor = shop(statuses="pending,completed").pull(Cursor())
    assert [one.ref for one in orders if isinstance(one, Order)] == [str(r["id"]) for r in records]
    assert isinstance(cursor, Cursor)
    assert cursor.value.startswith(f"{max(r['date_modified_gmt'] for r in records)}|1|")


@recorded
@responses.activate
def test_orders_of_recorded_webhooks_are_read_too() -> None:
    lines = (RECORDED / "webhooks-captured.jsonl").read_text().splitlines()
    records = [json.loads(json.loads(line)["body"]) for line in lines]
    answers(records)
    found = list(shop(statuses="pending,processing").pull(Cursor()))
    assert [type(one) for one in found[:-1]] == [Order] * len(records)


@recorded
@responses.activate
def test_a_recorded_refusal_is_rejected_with_the_shops_words() -> None:
    for told in json.loads((RECORDED / "errors-example.json").read_text()):
        responses.reset()
        answers(told["body"], told["status"])
        with pytest.raises(Rejected, match=r"Invalid"):
            shop().check()


@recorded
@responses.activate
def test_the_query_uses_only_what_a_real_shop_offers() -> None:
    answers([])
    list(shop().pull(Cursor(value="2026-11-22T10:00:00|1")))
    routes = json.loads((RECORDED / "wc-v3-index.json").read_text())["routes"]
    (get,) = [e for e in routes["/wc/v3/orders"]["endpoints"] if "GET" in e["methods"]]
    assert set(responses.calls[0].request.params) <= set(get["args"])  # type: ignore[attr-defined]


def sent(body: bytes, secret: str = SECRET, topic: str = "order.updated") -> Incoming:
    """Return a delivery as the shop signs it."""
    made = base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
    headers = {"x-wc-webhook-topic": topic, "x-wc-webhook-signature": made}
    return Incoming(body=body, headers=headers, at=datetime.now(UTC))


def told(**values: Any) -> list[Any]:
    """Return what a delivery of an order with these values tells."""
    body = json.dumps(record(status="processing", **values)).encode()
    return list(shop(webhook_secret=SECRET).unpack(sent(body)))


def test_a_delivery_that_the_shop_signed_is_believed_and_no_other() -> None:
    taker = shop(webhook_secret=SECRET)
    assert taker.receive(sent(b"{}")).topic == "order.updated"
    for wrong in (
        sent(b"{}", secret="guess"),
        sent(b"{}").model_copy(update={"body": b"{ }"}),
        sent(b"{}").model_copy(update={"headers": {}}),
        sent(b"{}").model_copy(update={"headers": {"x-wc-webhook-signature": "Ümläut"}}),
    ):
        with pytest.raises(Unauthorized):
            taker.receive(wrong)


def test_without_a_webhook_secret_nothing_is_believed() -> None:
    with pytest.raises(Unauthorized, match="set the webhook secret"):
        shop().receive(sent(b"{}", secret=""))


def test_the_ping_for_a_new_webhook_passes_unsigned_and_tells_nothing() -> None:
    taker = shop(webhook_secret=SECRET)
    ping = Incoming(body=b"webhook_id=7", at=datetime.now(UTC))
    assert taker.receive(ping).topic == "ping"
    assert list(taker.unpack(ping)) == []
    for like in (b"webhook_id=7&x=1", b"webhook_id=", b'{"id": 7}'):
        with pytest.raises(Unauthorized):
            taker.receive(ping.model_copy(update={"body": like}))


def test_an_order_that_was_delivered_is_read_like_one_that_was_pulled() -> None:
    (order,) = told()
    assert isinstance(order, Order)
    assert (order.ref, order.recipient.name) == ("42", "Anna Beck")
    (bad,) = told(currency="francs")
    assert isinstance(bad, RefusedRow)
    assert (bad.ref, bad.field) == ("42", "currency")


@pytest.mark.parametrize("status", ["cancelled", "refunded", "failed", "trash"])
def test_an_order_that_the_shop_called_off_is_called_off(status: str) -> None:
    body = json.dumps(record(status=status)).encode()
    (found,) = shop(webhook_secret=SECRET).unpack(sent(body))
    assert isinstance(found, Cancelled)
    assert (found.ref, status in found.reason) == ("42", True)


def test_of_a_deleted_order_only_the_number_is_left() -> None:
    (found,) = shop(webhook_secret=SECRET).unpack(sent(b'{"id": 42}', topic="order.deleted"))
    assert isinstance(found, Cancelled)
    assert found.ref == "42"


def test_an_order_in_another_status_and_what_is_no_order_tell_nothing() -> None:
    taker = shop(webhook_secret=SECRET)
    for body, topic in (
        (json.dumps(record(status="pending")).encode(), "order.created"),
        (b'{"id": 42}', "product.deleted"),
    ):
        assert list(taker.unpack(sent(body, topic=topic))) == []


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'"order"', b"[" * 100_000])
def test_a_delivery_that_is_no_order_is_rejected(body: bytes) -> None:
    with pytest.raises(Rejected):
        list(shop(webhook_secret=SECRET).unpack(sent(body)))


def recordings(name: str) -> list[Incoming]:
    """Return recorded requests as the hub hands them over."""
    lines = [json.loads(line) for line in (RECORDED / name).read_text().splitlines() if line]
    return [
        Incoming(
            body=line["body"].encode(),
            headers={name.lower(): value for name, value in line["headers"].items()},
            at=datetime.now(UTC),
        )
        for line in lines
    ]


@recorded
def test_recorded_deliveries_of_a_real_shop_hold_and_one_flipped_bit_does_not() -> None:
    taker = shop(webhook_secret="whsec-test", statuses="pending,processing")
    found = recordings("webhooks-captured.jsonl")
    assert len(found) == 9
    for request in found:
        assert taker.receive(request).topic in ("order.created", "order.updated")
        assert [type(one) for one in taker.unpack(request)] == [Order]
        flipped = bytes([request.body[0] ^ 1]) + request.body[1:]
        with pytest.raises(Unauthorized):
            taker.receive(request.model_copy(update={"body": flipped}))


@recorded
def test_different_orders_of_a_real_shop_never_count_as_one_delivery() -> None:
    """The shop's own ids of deliveries repeat within a second, so they are not used."""
    taker = shop(webhook_secret="whsec-test")
    found = recordings("webhooks-captured.jsonl")
    own = {one.headers["x-wc-webhook-delivery-id"] for one in found}
    assert len(own) < len({one.body for one in found})
    assert {taker.receive(one).id for one in found} == {""}


@recorded
def test_recorded_pings_of_a_real_shop_pass() -> None:
    taker = shop(webhook_secret="whsec-test")
    assert [taker.receive(one).topic for one in recordings("webhook-pings.jsonl")] == ["ping"] * 2
