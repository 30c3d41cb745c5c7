"""A shop's webhooks: made once each, mended after WordPress switched them off, taken back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hub_woocommerce import WooCommerce
from hub_woocommerce.subscriptions import TOPICS

from hub import Cancelled, Hook, Incoming, Order, Rejected, Retry, Unauthorized, Unknown
from hub.testing.peers.woocommerce import WooCommercePeer

Connect = Callable[..., WooCommerce]
Sell = Callable[..., dict[str, Any]]
HOOK = Hook(url="https://hub.example.com/hooks/con_1/s3cret", secret="whsec-1")


class Gate:
    """Takes what the shop sends, and answers with `status`."""

    def __init__(self, peer: WooCommercePeer) -> None:
        self.status = 200
        self.requests: list[Incoming] = []
        peer.hooks.taker = self.take

    def take(self, headers: dict[str, str], body: bytes) -> int:
        named = {name.lower(): value for name, value in headers.items()}
        self.requests.append(Incoming(body=body, headers=named, at=datetime.now(UTC)))
        return self.status

    def signed(self) -> list[Incoming]:
        """Return the deliveries, without pings."""
        return [one for one in self.requests if "x-wc-webhook-signature" in one.headers]


def active(peer: WooCommercePeer) -> list[tuple[str, str, str]]:
    return sorted(
        (one["topic"], one["status"], one["delivery_url"]) for one in peer.hooks.known.values()
    )


IN_ORDER = sorted((topic, "active", HOOK.url) for topic in TOPICS)


def test_each_webhook_is_made_once_and_its_secret_kept(
    connect: Connect, peer: WooCommercePeer
) -> None:
    gate = Gate(peer)
    made = connect().subscribe(HOOK)
    assert made.settings == {"webhook_secret": "whsec-1"}
    assert "4 made" in made.detail
    assert "next reading" in made.detail
    assert active(peer) == IN_ORDER
    assert set(peer.hooks.secrets.values()) == {"whsec-1"}
    assert [one.body[:11] for one in gate.requests] == [b"webhook_id="] * 4
    assert {connect().receive(one).topic for one in gate.requests} == {"ping"}
    again = connect(webhook_secret="whsec-1").subscribe(HOOK)
    assert (again.settings, again.detail) == ({}, "all 4 webhooks are there and active")
    assert (made.mended, again.mended) == (True, False)
    assert active(peer) == IN_ORDER


def test_a_lost_answer_makes_no_second_webhook(connect: Connect, peer: WooCommercePeer) -> None:
    peer.mutes = 1
    with pytest.raises(Unknown):
        connect().subscribe(HOOK)
    connect().subscribe(HOOK)
    assert active(peer) == IN_ORDER


def test_what_wordpress_switched_off_is_switched_on_again_and_nothing_is_lost(
    connect: Connect, sell: Sell, peer: WooCommercePeer, clock: Any
) -> None:
    gate = Gate(peer)
    connect().subscribe(HOOK)
    connector = connect(webhook_secret="whsec-1")
    gate.status = 500
    sold = []
    for _ in range(7):
        clock.pass_(seconds=1)
        sold.append(sell()["id"])
        peer.work_off()
    states = {one["topic"]: one["status"] for one in peer.hooks.known.values()}
    assert states["order.created"] == states["order.updated"] == "disabled"
    gate.status, gate.requests = 200, []
    sold.append(sell()["id"])
    assert peer.work_off() == 0
    mended = connector.subscribe(HOOK)
    assert "2 switched on again" in mended.detail
    assert "comes with the next reading" in mended.detail
    assert mended.mended
    assert active(peer) == IN_ORDER
    peer.change(sold[0], customer_note="Ring twice")
    assert peer.work_off() == 1
    (order,) = connector.unpack(gate.signed()[-1])
    assert isinstance(order, Order)
    assert order.notes == "Ring twice"
    from hub import Cursor

    read = {one.ref for one in connector.pull(Cursor()) if isinstance(one, Order)}
    assert {str(id) for id in sold} <= read


def test_a_delivery_carries_the_order_as_it_is_when_it_is_sent(
    connect: Connect, sell: Sell, peer: WooCommercePeer
) -> None:
    gate = Gate(peer)
    connect().subscribe(HOOK)
    connector = connect(webhook_secret="whsec-1")
    called, gone, moved = sell()["id"], sell()["id"], sell()["id"]
    peer.change(called, status="cancelled")
    peer.delete_order(gone)
    peer.change(moved, status="completed")
    peer.work_off()
    topics = {connector.receive(one).topic for one in gate.signed()}
    assert topics == {"order.created", "order.updated", "order.deleted"}
    told = [item for request in gate.signed() for item in connector.unpack(request)]
    assert {type(item) for item in told} == {Cancelled}
    assert {item.ref for item in told} == {str(called), str(gone)}


def test_deliveries_of_one_second_are_told_apart(
    connect: Connect, sell: Sell, peer: WooCommercePeer
) -> None:
    gate = Gate(peer)
    connect().subscribe(HOOK)
    connector = connect(webhook_secret="whsec-1")
    ids = {str(sell()["id"]) for _ in range(3)}
    peer.work_off()
    assert len({one.headers["x-wc-webhook-delivery-id"] for one in gate.signed()}) == 2
    assert {connector.receive(one).id for one in gate.signed()} == {""}
    assert {item.ref for one in gate.signed() for item in connector.unpack(one)} == ids


def test_a_new_address_replaces_the_old_ones_and_leaves_other_webhooks_alone(
    connect: Connect, peer: WooCommercePeer
) -> None:
    connect().subscribe(HOOK)
    other = {"topic": "order.created", "delivery_url": "https://crm.example.com/in", "name": "CRM"}
    peer.hooks.add(other)
    twin = Hook(url="https://hub.example.com/hooks/con_2/other", secret="whsec-2")
    connect().subscribe(twin)
    moved = Hook(url="https://new.example.com/hooks/con_1/fresh", secret="whsec-1")
    detail = connect(webhook_secret="whsec-1").subscribe(moved).detail
    assert ("4 made" in detail, "4 that were no longer needed deleted" in detail) == (True, True)
    urls = [one["delivery_url"] for one in peer.hooks.known.values()]
    assert sorted(urls) == sorted([moved.url] * 4 + [twin.url] * 4 + [other["delivery_url"]])


def test_a_webhook_made_by_hand_is_taken_over_with_the_secret(
    connect: Connect, peer: WooCommercePeer
) -> None:
    hand = peer.hooks.add(
        {"topic": "order.created", "delivery_url": HOOK.url, "secret": "mine", "name": "By hand"}
    )
    peer.hooks.add({"topic": "order.created", "delivery_url": HOOK.url})
    peer.hooks.change({"id": hand["id"], "status": "paused"})
    made = connect(webhook_secret="kept").subscribe(HOOK)
    assert made.settings == {}
    assert active(peer) == IN_ORDER
    assert {peer.hooks.secrets[id] for id in peer.hooks.known} == {"kept"}


def test_a_shop_with_more_webhooks_than_a_page_is_looked_through(
    connect: Connect, peer: WooCommercePeer
) -> None:
    for number in range(120):
        url = f"https://crm.example.com/{number}"
        peer.hooks.add({"topic": "order.created", "delivery_url": url})
    connect().subscribe(HOOK)
    connect(webhook_secret="whsec-1").subscribe(HOOK)
    assert len(peer.hooks.known) == 124


def test_unsubscribing_deletes_the_hubs_webhooks_and_is_no_error_the_second_time(
    connect: Connect, peer: WooCommercePeer
) -> None:
    connect().subscribe(HOOK)
    peer.hooks.add({"topic": "order.created", "delivery_url": "https://crm.example.com/in"})
    connect().unsubscribe(HOOK)
    connect().unsubscribe(HOOK)
    assert [one["delivery_url"] for one in peer.hooks.known.values()] == [
        "https://crm.example.com/in"
    ]


def test_an_item_of_a_batch_that_is_refused_is_told_although_the_answer_is_200(
    connect: Connect, peer: WooCommercePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect().subscribe(HOOK)
    first, *_ = peer.hooks.known.values()
    first["status"] = "disabled"
    monkeypatch.setattr("hub.testing.peers.woocommerce_hooks.STATES", ("paused",))
    with pytest.raises(Rejected, match="Webhook status must be valid") as caught:
        connect(webhook_secret="whsec-1").subscribe(HOOK)
    assert (caught.value.field, str(first["id"]) in str(caught.value)) == ("webhooks", True)


def test_what_another_took_back_meanwhile_is_no_fault(
    connect: Connect, peer: WooCommercePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect().subscribe(HOOK)
    genuine = peer.hooks.delete

    def gone(id: int) -> dict[str, Any]:
        genuine(id)
        return genuine(id)

    monkeypatch.setattr(peer.hooks, "delete", gone)
    connect().unsubscribe(HOOK)
    assert peer.hooks.known == {}


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:8000/hooks/con_1/s", "ports 80, 443 and 8080 only"),
        ("http://127.0.0.1:8080/hooks/con_1/s", "no private address"),
        ("http://hub:80/hooks/con_1/s", "no private address"),
        ("https://hub.example.com:8443/hooks/con_1/s", "nothing comes to 8443"),
    ],
)
def test_an_address_to_which_wordpress_sends_nothing_is_told(
    connect: Connect, peer: WooCommercePeer, url: str, said: str
) -> None:
    Gate(peer)
    detail = connect().subscribe(Hook(url=url, secret="whsec-1")).detail
    assert said in detail
    assert "every 15 minutes" in detail


def test_wordpress_sends_to_no_such_address(
    connect: Connect, sell: Sell, peer: WooCommercePeer
) -> None:
    gate = Gate(peer)
    peer.hooks.strict = True
    connect().subscribe(Hook(url="https://8.8.8.8:8443/hooks/con_1/s", secret="whsec-1"))
    sell()
    peer.work_off()
    assert gate.requests == []


def test_a_key_that_may_only_read_is_told_what_it_lacks(
    connect: Connect, peer: WooCommercePeer
) -> None:
    peer.permission = "read"
    with pytest.raises(Unauthorized, match="Read/Write"):
        connect().subscribe(HOOK)
    assert peer.hooks.known == {}
    connect().check()
    peer.failures = [(503, 5)]
    with pytest.raises(Retry):
        connect().subscribe(HOOK)
