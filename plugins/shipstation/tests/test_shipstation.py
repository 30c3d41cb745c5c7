"""The ShipStation connector: the shared checks for both versions of its API, and what it reads."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from hub_shipstation import Config, ShipStation
from hub_shipstation.changes import Reading
from hub_shipstation.orders import instant
from hub_shipstation.signatures import KEY_ID, SIGNATURE, TIMESTAMP
from hub_shipstation.version1 import start
from pydantic import ValidationError

from hub import (
    Cancelled,
    Cursor,
    DeliveryStatus,
    Incoming,
    Order,
    RefusedRow,
    Retry,
    Unauthorized,
)
from hub.testing.conformance import SECRET, ConnectorTests
from hub.testing.peers import Reply, Request
from hub.testing.peers.shipstation import ShipStationPeer, a_shipment, an_order, base64url

RECORD = {**an_order(987654321), "modifyDate": "2026-11-22T08:46:27.0000000"}
OTHER = {**RECORD, "orderId": 987654322, "modifyDate": "2026-11-22T09:00:00.0000000"}
LAST = {**RECORD, "orderId": 987654323, "modifyDate": "2026-11-22T09:30:00.0000000"}


def page(*records: Any, pages: int = 1, name: str = "orders") -> dict[str, Any]:
    return {name: list(records), "total": len(records), "page": 1, "pages": pages}


def news(order: str) -> DeliveryStatus:
    """Return the news that the shared checks tell."""
    return DeliveryStatus(
        key="run_1:ste_1:-", order=order, status="delivered", stop="stp_1",
        at=datetime(2026, 11, 22, 9, 0, tzinfo=UTC), tracking_url="https://hub.example/t/abc",
    )  # fmt: skip


class Kit(ConnectorTests):
    """A ShipStation that remembers what it is told, behind the answers of the shared checks."""

    @pytest.fixture(autouse=True)
    def behind(self, tmp_path: Path) -> Iterator[None]:
        self.station = ShipStationPeer(tmp_path / "station", allowance=10_000)
        self.station.key = self.station.secret = SECRET
        self.station.add()
        self.station.ship()
        yield
        self.station.server.server_close()
        self.station.log.close()

    def serve(self, request: Request) -> Reply | None:
        if self.doing in ("tell", "subscribe", "unsubscribe"):
            return self.station.handle(request)
        return super().serve(request)


class TestVersion1(Kit):
    """All but the checks of signatures: version 1 signs nothing (see test_shipstation_webhooks)."""

    connector = ShipStation
    config = {"key": SECRET, "secret": SECRET}
    answers = {"pull": [page(RECORD, pages=2), page(OTHER, LAST, pages=2), page()]}
    status = news("1000")
    test_a_signed_request_is_accepted = None


@cache
def signer(secret: str) -> rsa.RSAPrivateKey:
    """Return the key that stands for a secret."""
    return rsa.generate_private_key(65537, 2048)


def published() -> str:
    numbers = signer(SECRET).public_key().public_numbers()
    return json.dumps([{"kid": "k-1", "n": base64url(numbers.n), "e": base64url(numbers.e)}])


def shipment(id: str, minute: int) -> dict[str, Any]:
    return {**a_shipment(id), "modified_at": f"2026-11-22T08:{minute:02}:00.000Z"}


class TestShipStation(Kit):
    """Version 2, whose webhooks are signed, so that every check applies."""

    connector = ShipStation
    config = {"api": "v2", "key": SECRET, "webhook_keys": published()}
    places = {"keys_url": "/jwks"}
    status = news("se-1000")
    answers = {
        "pull": [
            page(shipment("se-1", 1), pages=2, name="shipments"),
            page(shipment("se-2", 2), shipment("se-3", 3), pages=2, name="shipments"),
            page(name="shipments"),
        ],
        "unpack": [page(shipment("se-1", 1), name="shipments")],
    }

    @property
    def body(self) -> bytes:
        peer = self.fixtures.getfixturevalue("peer")
        address = f"{peer.url}/v2/shipments?shipment_id=se-1"
        told = {"resource_url": address, "resource_type": "SHIPMENT_CREATED_V2"}
        return json.dumps(told).encode()

    def signed(self, body: bytes, secret: str = SECRET) -> Incoming:
        at = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
        stamp = f"{at:%Y-%m-%dT%H:%M:%S}Z"
        made = signer(secret).sign(f"{stamp}.".encode() + body, padding.PKCS1v15(), SHA256())
        headers = {KEY_ID: "k-1", SIGNATURE: base64.b64encode(made).decode(), TIMESTAMP: stamp}
        return Incoming(body=body, headers=headers, at=at)


Account = Callable[..., ShipStation]


def read_all(source: ShipStation, cursor: str = "") -> tuple[list[Any], str]:
    """Return what a source hands over until it is at its end, and its last cursor."""
    found: list[Any] = []
    while True:
        got = list(source.pull(Cursor(value=cursor)))
        found += [one for one in got if not isinstance(one, Cursor)]
        after = [one.value for one in got if isinstance(one, Cursor)][-1]
        if after == cursor:
            return found, cursor
        cursor = after


def refs(found: list[Any]) -> list[str]:
    return [one.ref for one in found if isinstance(one, Order)]


def test_an_order_is_read_and_a_discount_is_nothing_to_deliver(
    station: ShipStationPeer, account: Account
) -> None:
    station.add(orderId=987654321, orderNumber="1001")
    order, _, _ = account().pull(Cursor())
    assert isinstance(order, Order)
    assert (order.ref, order.number) == ("987654321", "1001")
    assert order.address.text() == "Main Street 1, Apt 2, 78701 Austin, TX, US"
    assert (order.recipient.email, order.notes) == ("anna@example.com", "Ring twice")
    (line,) = order.lines
    assert (line.name, line.quantity, line.sku, line.ref) == ("Tea", 3, "SKU-1", "1")
    assert line.price is not None
    assert order.total is not None
    assert (line.price.amount, order.total.amount) == (Decimal("7.5"), Decimal("24.1"))
    assert order.total.currency == "USD"


def test_one_bad_order_of_a_hundred_is_refused_with_its_field(
    station: ShipStationPeer, account: Account
) -> None:
    for _ in range(100):
        station.add()
    station.change(1041, items=[{"name": "Tea", "quantity": 2_000_000}])
    found, _ = read_all(account())
    bad = {(one.ref, one.field) for one in found if isinstance(one, RefusedRow)}
    assert bad == {("1041", "quantity")}
    assert len(set(refs(found))) == 99
    station.change(1041, items=[{"name": "Tea"}])
    station.change(1042, shipTo=None)
    again = [one for one in read_all(account())[0] if isinstance(one, RefusedRow)]
    assert {(one.ref, one.field) for one in again} == {("1041", "quantity"), ("1042", "shipTo")}
    assert "order N-1042 is not as expected: it has no shipTo" in {one.reason for one in again}


def test_what_was_cancelled_since_is_called_off(station: ShipStationPeer, account: Account) -> None:
    station.add(orderStatus="cancelled", modifyDate="2026-11-01T08:00:00.0000000")
    first, second = station.add(), station.add()
    found, cursor = read_all(account())
    assert set(refs(found)) == {str(first), str(second)}
    assert not any(isinstance(one, Cancelled) for one in found)
    station.change(first, orderStatus="cancelled")
    station.change(second, orderStatus="on_hold")
    found, cursor = read_all(account(), cursor)
    called_off = [one for one in found if isinstance(one, Cancelled)]
    assert {one.ref for one in called_off} == {str(first)}
    station.add()
    found, _ = read_all(account(), cursor)
    assert refs(found)


def test_an_order_that_was_cancelled_while_pages_were_read_is_called_off(
    station: ShipStationPeer, account: Account
) -> None:
    for _ in range(501):
        station.add()
    *_, cursor = account().pull(Cursor())
    station.change(1000, orderStatus="cancelled")
    station.add()
    found, _ = read_all(account(), cursor.value)  # type: ignore[union-attr]
    assert "1000" in {one.ref for one in found if isinstance(one, Cancelled)}


def test_five_thousand_orders_cost_about_a_request_for_each_page(
    station: ShipStationPeer, account: Account
) -> None:
    station.allowance = 1_000
    for _ in range(5_000):
        station.add()
    found, cursor = read_all(account())
    assert len(set(refs(found))) == 5_000
    asked = len(station.requests)
    assert asked < 20
    read_all(account(), cursor)
    assert len(station.requests) - asked <= 2


def test_orders_that_share_a_second_over_several_pages_are_all_read(
    station: ShipStationPeer, account: Account
) -> None:
    for _ in range(1_100):
        station.add(modifyDate="2026-11-23T00:00:01.0000000")
    last = station.add(modifyDate="2026-11-23T00:00:09.0000000")
    found, cursor = read_all(account())
    assert len(set(refs(found))) == 1_101
    assert cursor.startswith("2026-11-23T00:00:09|")
    assert str(last) in refs(found)


def test_a_crash_in_the_middle_of_a_page_loses_nothing(
    station: ShipStationPeer, account: Account
) -> None:
    for _ in range(700):
        station.add()
    kept: list[str] = []
    begun = account().pull(Cursor())
    kept += [one.ref for one, _ in zip(begun, range(20), strict=False) if isinstance(one, Order)]
    found, _ = read_all(account())
    assert set(refs(found)) == {str(id) for id in station.orders}
    assert set(kept) <= set(refs(found))


def test_a_used_up_allowance_is_a_retry_behind_the_cursor(
    station: ShipStationPeer, account: Account
) -> None:
    for _ in range(1_001):
        station.add()
    station.allowance = 1
    found: list[Any] = []
    with pytest.raises(Retry, match="allowance") as raised:
        found.extend(account().pull(Cursor()))
    assert raised.value.after is not None
    assert 0 < raised.value.after <= 60
    assert isinstance(found[-1], Cursor)
    assert len(station.requests) == 1


def test_a_429_says_when_to_come_back_in_the_words_of_version_1(
    station: ShipStationPeer, account: Account
) -> None:
    station.allowance = 0
    with pytest.raises(Retry, match="429") as raised:
        account().check()
    assert raised.value.after is not None
    assert 0 < raised.value.after <= 60


def test_wrong_keys_are_unauthorized(account: Account) -> None:
    with pytest.raises(Unauthorized):
        account(secret="another-secret").check()
    with pytest.raises(Unauthorized):
        list(account(key="another-key").pull(Cursor()))


def test_version_1_needs_the_secret_and_version_2_has_none() -> None:
    with pytest.raises(ValidationError, match="needs the API secret"):
        Config.model_validate({"key": "k"})
    assert Config.model_validate({"api": "v2", "key": "k"}).root == "https://api.shipstation.com"
    saved = Config.model_validate({"key": "k", "secret": "s"})
    assert saved.root == "https://ssapi.shipstation.com"


@pytest.mark.parametrize(
    ("since", "begins"),
    [
        ("2026-11-01T00:59:59", "2026-11-01T00:59:57"),
        ("2026-11-01T01:30:00", "2026-11-01T00:28:00"),
        ("2026-11-01T02:00:00", "2026-11-01T01:59:58"),
        ("2026-06-01T01:30:00", "2026-06-01T01:29:58"),
    ],
)
def test_reading_on_goes_back_an_hour_only_where_autumn_repeats_one(
    since: str, begins: str
) -> None:
    assert start(datetime.fromisoformat(since)) == datetime.fromisoformat(begins)


def test_a_cursor_of_the_first_release_goes_on_where_it_was() -> None:
    assert Reading.of(Cursor(value="2026-11-22T08:46:27|3")) == Reading("2026-11-22T08:46:27", "")


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
