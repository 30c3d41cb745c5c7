"""The shop on loopback does what a real one does where it matters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from hub_woocommerce import WooCommerce
from hub_woocommerce.shop import Shop

from hub import Rejected
from hub.testing.conformance import ScriptedPeer
from hub.testing.patience import PATIENCE
from hub.testing.peers import Reply
from hub.testing.peers.woocommerce import ROOT, WooCommercePeer

Connect = Callable[..., WooCommerce]
Sell = Callable[..., dict[str, Any]]


@pytest.fixture
def shop(connect: Connect) -> Shop:
    return connect()._shop


def test_a_post_done_twice_makes_two_and_a_meta_value_is_written_over(
    shop: Shop, peer: WooCommercePeer, clock: Any
) -> None:
    first, second = (shop.post("/orders", {"status": "processing"}) for _ in range(2))
    assert first["id"] != second["id"]
    clock.pass_(seconds=3)
    for value in ("a", "b"):
        told = {"meta_data": [{"key": "_hub_tracking_url", "value": value}]}
        changed = shop.put(f"/orders/{first['id']}", told)
    assert [one["value"] for one in changed["meta_data"]] == ["b"]
    assert changed["date_modified_gmt"] > first["date_modified_gmt"]
    before = peer.orders[first["id"]]["date_modified_gmt"]
    clock.pass_(seconds=3)
    for _ in range(2):
        shop.post(f"/orders/{first['id']}/notes", {"note": "Ring twice"})
    assert len(shop.list(f"/orders/{first['id']}/notes")) == 2
    assert peer.orders[first["id"]]["date_modified_gmt"] == before


def test_a_batch_of_more_than_a_hundred_is_too_large(shop: Shop) -> None:
    with pytest.raises(Rejected, match="Unable to accept more than 100 items"):
        shop.post("/orders/batch", {"delete": list(range(1, 102))})


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/webhooks", {"topic": "order.eaten", "delivery_url": "https://a.example"}, "topic"),
        ("/webhooks", {"topic": "order.created", "delivery_url": "ftp://a"}, "delivery URL"),
        ("/orders", {"status": "eaten"}, "status is not one of auto-draft"),
        ("/orders", {"meta_data": "x"}, "not of type object"),
    ],
)
def test_what_makes_no_sense_is_refused(
    shop: Shop, path: str, body: dict[str, Any], said: str
) -> None:
    with pytest.raises(Rejected, match=said):
        shop.post(path, body)


def test_trash_is_asked_for_by_name_and_any_leaves_it_out(
    shop: Shop, peer: WooCommercePeer, sell: Sell
) -> None:
    kept, thrown = sell()["id"], sell()["id"]
    peer.delete_order(thrown, force=False)
    assert [one["id"] for one in shop.list("/orders")] == [kept]
    assert [one["id"] for one in shop.list("/orders", status="trash")] == [thrown]


def test_a_webhook_is_sent_over_http_when_its_queue_is_worked_off(
    shop: Shop, peer: WooCommercePeer, sell: Sell, tmp_path_factory: pytest.TempPathFactory
) -> None:
    taker = ScriptedPeer(tmp_path_factory.mktemp("taker"))
    taker.reply = lambda _: Reply(200, {})
    taker.start()
    try:
        url = f"{taker.url}/hooks/con_1/s"
        shop.post("/webhooks", {"topic": "order.created", "delivery_url": url, "secret": "w"})
        assert [one.body[:11] for one in taker.requests] == [b"webhook_id="]
        sold = sell()
        assert len(taker.requests) == 1
        with requests.Session() as session:
            session.trust_env = False
            session.post(f"{peer.url}/control", json={"deliver": True}, timeout=PATIENCE)
        sent = taker.requests[-1]
        assert sent.headers["X-WC-Webhook-Topic"] == "order.created"
        assert sent.json()["id"] == sold["id"]
    finally:
        taker.stop()


def test_a_plain_path_is_a_page_and_an_unknown_route_is_told(
    connect: Connect, peer: WooCommercePeer
) -> None:
    with requests.Session() as session:
        session.trust_env = False
        found = session.get(f"{peer.url}/", timeout=PATIENCE)
        assert (found.status_code, found.text[:9]) == (404, "<!DOCTYPE")
        header = {"Authorization": connect()._shop._signed("GET", "/eaten", {})}
        found = session.get(f"{peer.url}{ROOT}/eaten", headers=header, timeout=PATIENCE)
    assert found.json()["code"] == "rest_no_route"
