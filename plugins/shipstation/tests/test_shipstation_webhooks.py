"""Unsigned webhooks made safe, and webhooks that are set up once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hub_shipstation import ShipStation
from hub_shipstation.addresses import checked

from hub import Cancelled, Hook, Incoming, Order, Rejected, Retry, Unauthorized, Unknown
from hub.testing.peers.shipstation import ShipStationPeer

Account = Callable[..., ShipStation]
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOOK = Hook(url="https://hub.example/hooks/con_1/secret-2", secret="unused-secret")
OLD = "https://hub.example/hooks/con_1/secret-1"
OTHER = "https://hub.example/hooks/con_2/secret-9"
V1, V2 = "https://ssapi.shipstation.com", "https://api.shipstation.com"


def sent(body: bytes, **headers: str) -> Incoming:
    return Incoming(body=body, headers=headers, at=NOW)


def thin(url: str, event: str = "ORDER_NOTIFY") -> Incoming:
    import json

    return sent(json.dumps({"resource_url": url, "resource_type": event}).encode())


def test_a_webhook_brings_the_orders_that_it_names_from_every_page(
    station: ShipStationPeer, account: Account
) -> None:
    for _ in range(250):
        station.add()
    station.change(1007, orderStatus="cancelled")
    station.change(1008, orderStatus="shipped")
    request = sent(station.hook("ORDER_NOTIFY", "/orders?storeID=5&importBatch=abc"))
    assert account().receive(request).topic == "ORDER_NOTIFY"
    found = list(account().unpack(request))
    assert sum(isinstance(one, Order) for one in found) == 248
    assert [one.ref for one in found if isinstance(one, Cancelled)] == ["1007"]
    assert [one.query.get("page") for one in station.requests] == [None, "2", "3"]
    assert {one.query["importBatch"] for one in station.requests} == {"abc"}


@pytest.mark.parametrize("event", ["SHIP_NOTIFY", "ITEM_SHIP_NOTIFY", "FULFILLMENT_SHIPPED"])
def test_news_of_shipments_tells_the_hub_nothing_and_fetches_nothing(
    station: ShipStationPeer, account: Account, event: str
) -> None:
    request = sent(station.hook(event, "/shipments?batchId=1"))
    assert account().receive(request).topic == event
    assert list(account().unpack(request)) == []
    assert station.requests == []


def test_an_item_webhook_brings_orders_too(station: ShipStationPeer, account: Account) -> None:
    station.add()
    (order,) = account().unpack(sent(station.hook("ITEM_ORDER_NOTIFY", "/orders/1000")))
    assert isinstance(order, Order)


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b'{"resource_url": 1, "resource_type": "ORDER_NOTIFY"}', b"\xff",
     b'{"resource_url": "https://ssapi.shipstation.com/orders"}',
     b'{"resource_url": "https://ssapi.shipstation.com/orders", "resource_type": "A\\u0000"}'],
)  # fmt: skip
def test_what_has_not_the_shape_of_a_webhook_is_rejected(account: Account, body: bytes) -> None:
    with pytest.raises(Rejected):
        account().receive(sent(body))


ATTACKS = [
    "http://ssapi.shipstation.com/orders",
    "https://evil.example/orders",
    "https://ssapi.shipstation.com.evil.example/orders",
    "https://evil.example/ssapi.shipstation.com/orders",
    "https://ssapi.shipstation.com@evil.example/orders",
    "https://ssapi.shipstation.com:pw@evil.example/orders",
    "https://evil.example\\@ssapi.shipstation.com/orders",
    "https://evil.example#@ssapi.shipstation.com/orders",
    "https://ssapi.shipstation.com#/orders",
    "https://ssapi.shipstation.com:8443/orders",
    "https://ssapi.shipstation.com:99999/orders",
    "https://ssapix.shipstation.com/orders",
    "https://xssapi.shipstation.com/orders",
    "https://ssapi.shipstation.com./orders",
    "https://ssapi\u2024shipstation.com/orders",
    "https://ѕsapi.shipstation.com/orders",
    "https://ssapi.shipstation.com\n.evil.example/orders",
    "https://ssapi.shipstation.com/orders\r\nX: y",
    "https://169.254.169.254/orders",
    "https://[::1]/orders",
    "https://[::ffff:169.254.169.254]/orders",
    "https://2130706433/orders",
    "https://localhost/orders",
    "file:///etc/passwd",
    "ftp://ssapi.shipstation.com/orders",
    "//ssapi.shipstation.com/orders",
    "/orders",
    "",
    "https://ssapi.shipstation.com/orders/../users",
    "https://ssapi.shipstation.com/orders/1/2",
    "https://ssapi.shipstation.com//evil.example/orders",
    "https://ssapi.shipstation.com/carriers",
    "https://ssapi.shipstation.com/orders?" + "a" * 2_000,
]


@pytest.mark.parametrize("url", ATTACKS)
def test_only_shipstations_own_orders_are_ever_fetched(
    station: ShipStationPeer, account: Account, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    def refuse(*given: Any, **named: Any) -> None:
        raise AssertionError(f"it looked up {given}")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(Rejected, match="resource_url"):
        list(account().unpack(thin(url)))
    assert station.requests == []


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("https://ssapi.shipstation.com/orders?storeID=1&importBatch=a-b", "v1"),
        ("https://ssapi6.shipstation.com/orders?importBatch=a", "v1"),
        ("https://ssapi12.shipstation.com:443/orders/77", "v1"),
        ("https://api.shipstation.com/v2/shipments/se-1", "v2"),
    ],
)
def test_shipstations_own_addresses_are_fetched(url: str, api: str) -> None:
    path, query = checked(url, api, V1 if api == "v1" else V2)
    assert path == url.partition("?")[0]
    assert "?" not in url or query["importBatch"]


def test_another_port_of_the_configured_host_is_another_host(
    station: ShipStationPeer, account: Account
) -> None:
    with pytest.raises(Rejected, match="resource_url"):
        list(account().unpack(thin(f"http://127.0.0.1:{station.port + 1}/orders")))
    with pytest.raises(Rejected, match="resource_url"):
        list(account().unpack(thin(f"https://127.0.0.1:{station.port}/orders")))


@pytest.mark.parametrize("api", ["v1", "v2"])
def test_subscribing_twice_makes_one_webhook(
    station: ShipStationPeer, account: Account, api: str
) -> None:
    first, again = account(api=api).subscribe(HOOK), account(api=api).subscribe(HOOK)
    assert ("was made" in first.detail, "is there" in again.detail) == (True, True)
    assert len(station.hooks) == 1


@pytest.mark.parametrize("api", ["v1", "v2"])
def test_a_lost_answer_leads_to_no_second_webhook(
    station: ShipStationPeer, account: Account, api: str
) -> None:
    station.mutes = 1
    with pytest.raises(Unknown):
        account(api=api).subscribe(HOOK)
    account(api=api).subscribe(HOOK)
    assert len(station.hooks) == 1


def test_old_addresses_doubles_and_dead_webhooks_are_mended(
    station: ShipStationPeer, account: Account
) -> None:
    for number, (url, active) in enumerate(
        [(OLD, True), (HOOK.url, False), (HOOK.url, True), (HOOK.url, True), (OTHER, True)]
    ):
        station.hooks[str(number)] = {
            "event": "ORDER_NOTIFY", "target_url": url, "active": active
        }  # fmt: skip
    said = account().subscribe(HOOK).detail
    assert said == "the webhook ORDER_NOTIFY is there, 3 of before taken back"
    assert sorted(one["target_url"] for one in station.hooks.values()) == [HOOK.url, OTHER]


@pytest.mark.parametrize("api", ["v1", "v2"])
def test_unsubscribing_takes_back_what_is_ours_alone(
    station: ShipStationPeer, account: Account, api: str
) -> None:
    account(api=api).subscribe(HOOK)
    account(api=api).subscribe(HOOK.model_copy(update={"url": OTHER}))
    account(api=api).unsubscribe(HOOK)
    account(api=api).unsubscribe(HOOK)
    (left,) = station.hooks.values()
    assert OTHER in (left.get("target_url"), left.get("url"))


def known(station: ShipStationPeer, account: Account) -> ShipStation:
    """Return an account of version 2 that has fetched the signing keys."""
    return account(api="v2", **account(api="v2").subscribe(HOOK).settings)


def test_a_signed_webhook_of_version_2_brings_its_shipment(
    station: ShipStationPeer, account: Account
) -> None:
    id = station.ship()
    made = known(station, account)
    body = station.hook("SHIPMENT_CREATED_V2", f"/v2/shipments/{id}")
    request = sent(body, **station.signed(body, NOW))
    delivery = made.receive(request)
    assert (delivery.topic, delivery.signed_at) == ("SHIPMENT_CREATED_V2", NOW)
    (order,) = made.unpack(request)
    assert isinstance(order, Order)
    assert (order.ref, order.parent, order.number) == (id, "so-1", f"N-{id}")


def test_a_webhook_of_version_2_is_refused_without_the_published_key(
    station: ShipStationPeer, account: Account
) -> None:
    body = station.hook("SHIPMENT_CREATED_V2", "/v2/shipments/se-1")
    headers = station.signed(body, NOW)
    with pytest.raises(Unauthorized, match="not published"):
        account(api="v2").receive(sent(body, **headers))
    made = known(station, account)
    for name, wrong in (
        ("x-shipengine-timestamp", (NOW + timedelta(days=1)).isoformat()),
        ("x-shipengine-rsa-sha256-signature", "AAAA"),
        ("x-shipengine-rsa-sha256-key-id", "another"),
    ):
        with pytest.raises(Unauthorized):
            made.receive(sent(body, **{**headers, name: wrong}))
    with pytest.raises(Unauthorized):
        made.receive(sent(body))


def test_other_news_of_version_2_tells_nothing(station: ShipStationPeer, account: Account) -> None:
    made = known(station, account)
    asked = len(station.requests)
    body = station.hook("TRACK_EVENT_V2", "/v2/labels/se-1/track")
    assert list(made.unpack(sent(body))) == []
    assert len(station.requests) == asked


def test_a_busy_service_is_asked_again_for_what_a_webhook_names(
    station: ShipStationPeer, account: Account
) -> None:
    station.failures = [(503, 7)]
    with pytest.raises(Retry):
        list(account().unpack(sent(station.hook("ORDER_NOTIFY", "/orders"))))
