"""What a Shopify shop sends by itself, and how its webhooks are set up and kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hub_shopify import Config, Shopify
from hub_shopify.hooks import THIN, TOPICS

from hub import (
    Cancelled,
    Delivery,
    Disconnected,
    Hook,
    Incoming,
    Order,
    PrivacyRequest,
    Rejected,
    Unauthorized,
    Unknown,
)
from hub.testing.peers import Peer, Reply, Request
from hub.testing.peers.shopify import ShopifyPeer

HOOK = Hook(url="https://hub.example/hooks/con_1/secret-2", secret="own")
OLD = "https://hub.example/hooks/con_1/secret-1"
OTHER = "https://hub.example/hooks/con_2/secret-9"


def shopify(peer: ShopifyPeer, **settings: Any) -> Shopify:
    told = {"url": peer.url, "token": peer.token, "client_secret": peer.secret, **settings}
    return Shopify(Config.model_validate(told))


def came(
    peer: ShopifyPeer, topic: str, record: Any, event: str = "e-1", **headers: str
) -> Incoming:
    body, sent = peer.signed(topic, record, event)
    told = {name.lower(): value for name, value in {**sent, **headers}.items()}
    return Incoming(body=body, headers=told, at=datetime.now(UTC))


def unpacked(peer: ShopifyPeer, topic: str, record: Any) -> list[Any]:
    request = came(peer, topic, record)
    connector = shopify(peer)
    connector.receive(request)
    return list(connector.unpack(request))


def thin(order: dict[str, Any]) -> dict[str, Any]:
    number = int(order["id"].rpartition("/")[2])
    return {"id": number, "admin_graphql_api_id": order["id"], "updated_at": order["updatedAt"]}


def test_a_signed_webhook_is_named_by_its_event_and_topic(peer: ShopifyPeer) -> None:
    found = shopify(peer).receive(came(peer, "orders/create", {"id": 1}, "e-7"))
    assert found == Delivery(id="e-7 orders/create", topic="orders/create")


def test_one_event_with_two_topics_is_two_deliveries_and_a_repetition_is_none(
    peer: ShopifyPeer,
) -> None:
    connector = shopify(peer)
    ids = [
        connector.receive(came(peer, topic, {"id": 1}, "e-7")).id
        for topic in ("orders/create", "orders/updated", "orders/create")
    ]
    assert ids[0] == ids[2] != ids[1]


def test_a_forged_webhook_is_unauthorized(peer: ShopifyPeer) -> None:
    request = came(peer, "orders/create", {"id": 1})
    forged = request.model_copy(update={"body": request.body.replace(b"1", b"2")})
    with pytest.raises(Unauthorized, match="signature"):
        shopify(peer).receive(forged)
    with pytest.raises(Unauthorized, match="signature"):
        shopify(peer, client_secret="another").receive(request)


def test_a_secret_for_webhooks_alone_counts_before_the_clients(peer: ShopifyPeer) -> None:
    request = came(peer, "orders/create", {"id": 1})
    settings = {"client_secret": "another", "webhook_secret": peer.secret}
    assert shopify(peer, **settings).receive(request).topic == "orders/create"


def test_without_a_secret_nothing_is_believed(peer: ShopifyPeer) -> None:
    with pytest.raises(Unauthorized, match="client secret"):
        shopify(peer, client_secret="").receive(came(peer, "orders/create", {"id": 1}))


@pytest.mark.parametrize("shop", ["other.myshopify.com", ""])
def test_a_webhook_of_another_shop_is_refused(peer: ShopifyPeer, shop: str) -> None:
    request = came(peer, "orders/create", {"id": 1}, **{"X-Shopify-Shop-Domain": shop})
    with pytest.raises(Rejected, match="another"):
        shopify(peer).receive(request)


def test_an_order_is_fetched_as_it_is_now(peer: ShopifyPeer) -> None:
    order = peer.add_order(name="#2001")
    record = thin(order)
    order["note"] = "Changed since"
    (found,) = unpacked(peer, "orders/create", record)
    assert isinstance(found, Order)
    assert (found.number, found.notes) == ("#2001", "Changed since")


def test_a_cancelled_order_is_called_off(peer: ShopifyPeer) -> None:
    order = peer.add_order()
    peer.cancel(order)
    (found,) = unpacked(peer, "orders/cancelled", thin(order))
    assert isinstance(found, Cancelled)
    assert found.ref == order["_parts"][0]["id"]


def test_an_edit_names_its_order_in_its_own_way(peer: ShopifyPeer) -> None:
    order = peer.add_order()
    number = int(order["id"].rpartition("/")[2])
    (found,) = unpacked(peer, "orders/edited", {"order_edit": {"id": 9, "order_id": number}})
    assert isinstance(found, Order)


def test_an_order_that_is_gone_tells_nothing(peer: ShopifyPeer) -> None:
    record = {"id": 99, "admin_graphql_api_id": "gid://shopify/Order/99"}
    assert unpacked(peer, "orders/updated", record) == []


@pytest.mark.parametrize(
    "shape",
    [
        lambda gid: {"fulfillment_order": {"id": gid, "status": "open"}},
        lambda gid: {"original_fulfillment_order": {"id": gid}, "moved_fulfillment_order": None},
        lambda gid: {"merge_intents": [{"fulfillment_order_id": gid}]},
    ],
)
def test_a_fulfilment_order_brings_the_whole_of_its_order(peer: ShopifyPeer, shape: Any) -> None:
    order = peer.add_order()
    second = peer.add_part(order, [("Honey", 1, "9.00")])
    found = unpacked(peer, "fulfillment_orders/split", shape(second["id"]))
    assert {one.ref for one in found} == {part["id"] for part in order["_parts"]}


def test_a_fulfilment_order_that_was_cancelled_is_called_off(peer: ShopifyPeer) -> None:
    order = peer.add_order()
    part = order["_parts"][0]
    part["status"] = "CANCELLED"
    record = {"fulfillment_order": {"id": part["id"], "status": "cancelled"}}
    (found,) = unpacked(peer, "fulfillment_orders/cancelled", record)
    assert isinstance(found, Cancelled)


@pytest.mark.parametrize(
    ("topic", "record"),
    [
        ("orders/updated", {"id": 1}),
        ("orders/updated", {"admin_graphql_api_id": "gid://shopify/Order/1/../2"}),
        ("fulfillment_orders/moved", {"status": "open"}),
    ],
)
def test_a_webhook_that_names_nothing_is_rejected(
    peer: ShopifyPeer, topic: str, record: dict[str, Any]
) -> None:
    with pytest.raises(Rejected, match="names no"):
        unpacked(peer, topic, record)


def test_a_topic_that_nobody_asked_for_tells_nothing(peer: ShopifyPeer) -> None:
    assert unpacked(peer, "products/update", {"id": 1}) == []


def test_removing_the_app_ends_the_connection(peer: ShopifyPeer) -> None:
    record = {"id": 548380009, "name": "Alpenkraut", "myshopify_domain": peer.name}
    (found,) = unpacked(peer, "app/uninstalled", record)
    assert isinstance(found, Disconnected)


def test_a_customer_who_asks_what_is_known(peer: ShopifyPeer) -> None:
    record = {
        "shop_id": 954889, "shop_domain": peer.name, "orders_requested": [299938, "280263"],
        "customer": {"id": 191167, "email": "a@example.com", "phone": "555-625-1199"},
        "data_request": {"id": 9999},
    }  # fmt: skip
    assert unpacked(peer, "customers/data_request", record) == [
        PrivacyRequest(
            kind="export",
            orders=("gid://shopify/Order/299938", "gid://shopify/Order/280263"),
            email="a@example.com",
            phone="555-625-1199",
            ref="9999",
        )
    ]


def test_a_customer_who_wants_to_be_forgotten(peer: ShopifyPeer) -> None:
    record = {
        "shop_id": 954889, "shop_domain": peer.name, "orders_to_redact": [299938],
        "customer": {"id": 191167, "email": "a@example.com", "phone": None},
    }  # fmt: skip
    (found,) = unpacked(peer, "customers/redact", record)
    assert found == PrivacyRequest(
        kind="erase", orders=("gid://shopify/Order/299938",), email="a@example.com", ref="191167"
    )


def test_a_shop_that_has_left_is_forgotten_whole(peer: ShopifyPeer) -> None:
    record = {"shop_id": 954889, "shop_domain": peer.name}
    (found,) = unpacked(peer, "shop/redact", record)
    assert found == PrivacyRequest(kind="erase_all", ref="954889")


@pytest.mark.parametrize("topic", ["shop/redact", "customers/redact", "app/uninstalled"])
def test_an_order_sent_again_under_a_worse_topic_does_no_harm(
    peer: ShopifyPeer, topic: str
) -> None:
    order = peer.add_order()
    with pytest.raises(Rejected, match="not what its topic says"):
        unpacked(peer, topic, thin(order))


def test_a_wish_of_one_customer_does_not_erase_the_shop(peer: ShopifyPeer) -> None:
    record = {"shop_id": 1, "shop_domain": peer.name, "customer": {}, "orders_to_redact": []}
    with pytest.raises(Rejected, match="not what its topic says"):
        unpacked(peer, "shop/redact", record)


def test_a_farewell_of_another_shop_of_the_same_app_is_refused(peer: ShopifyPeer) -> None:
    record = {"shop_id": 1, "shop_domain": "other.myshopify.com"}
    with pytest.raises(Rejected, match="which is another one"):
        unpacked(peer, "shop/redact", record)


class Listener(Peer):
    """An address that answers as the hub does: 200, or 401 for what does not hold."""

    service = "listener"

    def __init__(self, directory: Path, connector: Shopify) -> None:
        self.connector = connector
        super().__init__(directory)

    def answer(self, request: Request) -> Reply:
        headers = {name.lower(): value for name, value in request.headers.items()}
        told = Incoming(body=request.body, headers=headers, at=datetime.now(UTC))
        try:
            self.connector.receive(told)
        except Unauthorized:
            return Reply(401, {})
        return Reply(200, {})


@pytest.fixture
def listener(peer: ShopifyPeer, tmp_path: Path) -> Iterator[Listener]:
    made = Listener(tmp_path / "listener", shopify(peer))
    made.start()
    yield made
    made.stop()


def test_what_the_shop_sends_over_the_wire_holds(peer: ShopifyPeer, listener: Listener) -> None:
    assert peer.send(f"{listener.url}/hooks/x", "orders/create", {"id": 1}) == 200
    peer.secret = "somebody-elses"
    assert peer.send(f"{listener.url}/hooks/x", "orders/create", {"id": 1}) == 401


def topics(peer: ShopifyPeer, url: str = HOOK.url) -> list[str]:
    return sorted(one["topic"] for one in peer.shop.hooks.values() if one["uri"] == url)


def test_every_webhook_is_made_once(peer: ShopifyPeer) -> None:
    connector = shopify(peer)
    first = connector.subscribe(HOOK)
    assert topics(peer) == sorted(TOPICS)
    assert f"{len(TOPICS)} made" in first.detail
    again = connector.subscribe(HOOK)
    assert topics(peer) == sorted(TOPICS)
    assert again.detail == f"{len(TOPICS)} webhooks in place"


def test_orders_come_without_anybodys_name(peer: ShopifyPeer) -> None:
    shopify(peer).subscribe(HOOK)
    made = {one["topic"]: one for one in peer.shop.hooks.values()}
    assert made["ORDERS_CREATE"]["includeFields"] == THIN


def test_a_webhook_at_an_old_address_is_moved_and_a_double_dropped(peer: ShopifyPeer) -> None:
    shop = peer.shop
    shop.make_hook("ORDERS_CREATE", {"uri": OLD})
    shop.make_hook("ORDERS_UPDATED", {"uri": OLD, "includeFields": THIN})
    shop.make_hook("ORDERS_UPDATED", {"uri": HOOK.url, "includeFields": THIN})
    shop.make_hook("PRODUCTS_UPDATE", {"uri": OLD})
    shop.make_hook("ORDERS_CREATE", {"uri": OTHER})
    told = shopify(peer).subscribe(HOOK)
    assert topics(peer) == sorted(TOPICS)
    assert topics(peer, OLD) == []
    assert topics(peer, OTHER) == ["ORDERS_CREATE"]
    assert "1 mended, 2 dropped" in told.detail


def test_a_webhook_that_shopify_dropped_is_made_again(peer: ShopifyPeer) -> None:
    connector = shopify(peer)
    connector.subscribe(HOOK)
    peer.shop.hooks.pop(next(iter(peer.shop.hooks)))
    assert "1 made" in connector.subscribe(HOOK).detail
    assert topics(peer) == sorted(TOPICS)


def test_a_lost_reply_makes_no_second_webhook(peer: ShopifyPeer) -> None:
    connector = shopify(peer)
    peer.mutes = 1
    with pytest.raises(Unknown):
        connector.subscribe(HOOK)
    connector.subscribe(HOOK)
    assert topics(peer) == sorted(TOPICS)


def test_an_address_that_shopify_does_not_take_is_told(peer: ShopifyPeer) -> None:
    with pytest.raises(Rejected, match="protocol"):
        shopify(peer).subscribe(Hook(url="http://hub.example/hooks/con_1/s", secret="own"))


def test_without_a_secret_there_are_no_webhooks_and_it_is_said(peer: ShopifyPeer) -> None:
    told = shopify(peer, client_secret="").subscribe(HOOK)
    assert "client secret" in told.detail
    assert peer.shop.hooks == {}


def test_unsubscribing_takes_back_its_own_and_nothing_else(peer: ShopifyPeer) -> None:
    connector = shopify(peer)
    connector.subscribe(HOOK)
    peer.shop.make_hook("ORDERS_CREATE", {"uri": OTHER})
    connector.unsubscribe(HOOK)
    connector.unsubscribe(HOOK)
    assert [one["uri"] for one in peer.shop.hooks.values()] == [OTHER]
