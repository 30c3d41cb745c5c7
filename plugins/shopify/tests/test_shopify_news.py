"""Telling a Shopify shop how deliveries go: each news once, in whatever order it comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hub_shopify import Config, Shopify

from hub import (
    Cancelled,
    Cursor,
    DeliveryStatus,
    HandedLine,
    Location,
    Order,
    Receipt,
    Rejected,
    Retry,
    Unauthorized,
    Unknown,
)
from hub.testing.peers import duplicates
from hub.testing.peers.shopify import ShopifyPeer

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DOOR = Location(lat=47.1389, lon=9.5225)
EVENTS = ["out_for_delivery", "delayed", "attempted", "delivered", "partial", "failed"]


def shopify(peer: ShopifyPeer, **settings: Any) -> Shopify:
    return Shopify(Config.model_validate({"url": peer.url, "token": peer.token, **settings}))


def news(part: dict[str, Any], status: str, minutes: int = 0, **values: Any) -> DeliveryStatus:
    told = {
        "key": f"run_1:{status}:{minutes}", "order": part["id"], "status": status,
        "at": NOON + timedelta(minutes=minutes), "stop": "stp_1", "carrier": "Alpenkraut Delivers",
        "tracking_url": "https://hub.example/t/abc", **values,
    }  # fmt: skip
    return DeliveryStatus.model_validate(told)


@pytest.fixture
def part(peer: ShopifyPeer) -> dict[str, Any]:
    """Return the fulfilment order of an order for two articles."""
    order = peer.add_order(lines=[("Herb tea", 2, "12.25"), ("Honey", 1, "9.00")])
    found: dict[str, Any] = order["_parts"][0]
    return found


def tell(peer: ShopifyPeer, part: dict[str, Any], *statuses: str, **values: Any) -> Receipt:
    receipt = Receipt()
    for number, status in enumerate(statuses):
        receipt = shopify(peer).tell(news(part, status, 10 * number, **values))
    return receipt


def events(part: dict[str, Any]) -> list[str]:
    return [one["status"] for made in part["_fulfillments"] for one in made["_events"]]


def test_dispatch_fulfils_the_fulfilment_order_with_a_link_to_follow(
    peer: ShopifyPeer, part: dict[str, Any]
) -> None:
    receipt = tell(peer, part, "dispatched")
    (made,) = part["_fulfillments"]
    assert receipt == Receipt(ref=made["id"], detail="fulfilled")
    assert part["status"] == "CLOSED"
    assert made["trackingInfo"] == [
        {
            "company": "Alpenkraut Delivers",
            "number": "stp_1",
            "url": "https://hub.example/t/abc",
        }
    ]
    assert peer.shop.notified == 0


@pytest.mark.parametrize("status", ["dispatched", *EVENTS])
def test_the_same_news_twice_is_one_effect(
    peer: ShopifyPeer, part: dict[str, Any], status: str
) -> None:
    values = {"proof_url": "https://hub.example/p/1"}
    shopify(peer).tell(news(part, status, **values))
    asked = len(peer.asked)
    again = shopify(peer).tell(news(part, status, **values))
    assert len(part["_fulfillments"]) == 1
    assert len(events(part)) == (0 if status == "dispatched" else 1)
    assert again.detail == "was there"
    assert [one["document"] for one in peer.asked[asked:]] == ["Standing"]
    assert duplicates(peer.directory) == 0


@pytest.mark.parametrize("status", ["dispatched", "out_for_delivery", "delivered"])
def test_a_lost_reply_at_any_step_makes_no_second_effect(
    peer: ShopifyPeer, part: dict[str, Any], status: str
) -> None:
    sent = news(part, status, proof_url="https://hub.example/p/1")
    lost = 0
    while True:
        peer.mutes = 1
        try:
            shopify(peer).tell(sent)
        except Unknown:
            lost += 1
        else:
            break
    peer.mutes = 0
    assert lost == {"dispatched": 1, "out_for_delivery": 2, "delivered": 4}[status]
    assert len(part["_fulfillments"]) == 1
    assert len(events(part)) == (status != "dispatched")
    assert duplicates(peer.directory) == 0


def test_a_whole_delivery_reads_as_it_went(peer: ShopifyPeer, part: dict[str, Any]) -> None:
    tell(peer, part, "dispatched", "out_for_delivery", "delayed", "attempted", "delivered")
    assert events(part) == ["OUT_FOR_DELIVERY", "DELAYED", "ATTEMPTED_DELIVERY", "DELIVERED"]
    assert len(part["_fulfillments"]) == 1


def test_an_event_says_when_where_why_and_what_to_expect(
    peer: ShopifyPeer, part: dict[str, Any]
) -> None:
    eta = NOON + timedelta(hours=1)
    tell(peer, part, "delayed", location=DOOR, eta=eta, reason="Snow on the pass")
    (event,) = part["_fulfillments"][0]["_events"]
    del event["id"]
    assert event == {
        "fulfillmentId": part["_fulfillments"][0]["id"],
        "status": "DELAYED",
        "happenedAt": "2026-11-23T12:00:00Z",
        "message": "Snow on the pass",
        "estimatedDeliveryAt": "2026-11-23T13:00:00Z",
        "latitude": 47.1389,
        "longitude": 9.5225,
    }


def test_a_delivery_leaves_link_time_and_tag_on_the_order(
    peer: ShopifyPeer, part: dict[str, Any]
) -> None:
    proof = "https://hub.example/p/1"
    receipt = tell(peer, part, "delivered", proof_url=proof, received_by="A. Beck")
    order = part["_order"]
    assert {name: one["value"] for name, one in order["_metafields"].items()} == {
        "delivered_at": "2026-11-23T12:00:00Z",
        "pod_url": proof,
    }
    assert {one["namespace"] for one in order["_metafields"].values()} == {"hub"}
    assert order["tags"] == ["hub-delivered"]
    assert part["_fulfillments"][0]["_events"][0]["message"] == "Received by A. Beck"
    assert receipt.detail == "fulfilled, told delivered, proof left, tagged"


def test_a_proof_that_comes_later_is_added(peer: ShopifyPeer, part: dict[str, Any]) -> None:
    tell(peer, part, "delivered")
    assert "pod_url" not in part["_order"]["_metafields"]
    receipt = tell(peer, part, "delivered", proof_url="https://hub.example/p/1")
    assert part["_order"]["_metafields"]["pod_url"]["value"] == "https://hub.example/p/1"
    assert receipt.detail == "proof left"
    assert events(part) == ["DELIVERED"]


def test_delivered_before_dispatched_makes_the_fulfilment_first(
    peer: ShopifyPeer, part: dict[str, Any]
) -> None:
    shopify(peer).tell(news(part, "delivered", 30))
    late = shopify(peer).tell(news(part, "dispatched", 0))
    assert len(part["_fulfillments"]) == 1
    assert late.detail == "was there"
    assert events(part) == ["DELIVERED"]


@pytest.mark.parametrize("status", ["out_for_delivery", "delayed", "attempted", "failed"])
def test_news_from_before_the_delivery_is_left_alone(
    peer: ShopifyPeer, part: dict[str, Any], status: str
) -> None:
    shopify(peer).tell(news(part, "delivered", 30))
    receipt = shopify(peer).tell(news(part, status, 10))
    assert events(part) == ["DELIVERED"]
    assert "later news" in receipt.detail


def test_older_news_does_not_overwrite_newer(peer: ShopifyPeer, part: dict[str, Any]) -> None:
    shopify(peer).tell(news(part, "delayed", 20))
    shopify(peer).tell(news(part, "out_for_delivery", 5))
    assert events(part) == ["DELAYED"]


def test_a_second_attempt_is_told_as_well(peer: ShopifyPeer, part: dict[str, Any]) -> None:
    for minutes, status in (
        (0, "attempted"),
        (60, "attempted"),
        (120, "failed"),
        (180, "delivered"),
    ):
        shopify(peer).tell(news(part, status, minutes))
    assert events(part) == ["ATTEMPTED_DELIVERY", "ATTEMPTED_DELIVERY", "FAILURE", "DELIVERED"]


def handed(part: dict[str, Any], *pieces: int) -> tuple[HandedLine, ...]:
    return tuple(
        HandedLine(
            name=line["productTitle"], ordered=line["remainingQuantity"] or 2,
            handed_over=count, ref=line["id"],
        )
        for line, count in zip(part["_lines"], pieces, strict=True)
    )  # fmt: skip


def test_a_partial_delivery_that_was_never_dispatched_fulfils_what_was_handed_over(
    peer: ShopifyPeer, part: dict[str, Any]
) -> None:
    tell(peer, part, "partial", lines=handed(part, 1, 0))
    (made,) = part["_fulfillments"]
    assert made["_taken"] == {part["_lines"][0]["id"]: 1}
    assert [line["remainingQuantity"] for line in part["_lines"]] == [1, 1]
    assert part["status"] == "IN_PROGRESS"
    assert part["_order"]["tags"] == ["hub-partly-delivered"]


def test_a_partial_delivery_after_dispatch_says_what_is_missing(
    peer: ShopifyPeer, part: dict[str, Any]
) -> None:
    lines = handed(part, 1, 1)
    tell(peer, part, "dispatched", "partial", lines=lines)
    (made,) = part["_fulfillments"]
    (event,) = made["_events"]
    assert event["message"] == "Partly delivered: 1 of 2 Herb tea"
    assert part["status"] == "CLOSED"
    assert part["_order"]["tags"] == ["hub-partly-delivered"]


def test_a_partial_delivery_is_told_once_too(peer: ShopifyPeer, part: dict[str, Any]) -> None:
    lines = handed(part, 1, 0)
    for _ in range(2):
        shopify(peer).tell(news(part, "partial", lines=lines))
    assert len(part["_fulfillments"]) == 1
    assert len(events(part)) == 1


def test_calling_off_what_never_set_off_changes_nothing(
    peer: ShopifyPeer, part: dict[str, Any]
) -> None:
    receipt = tell(peer, part, "cancelled")
    assert "never set off" in receipt.detail
    assert part["_fulfillments"] == []


def test_calling_off_on_the_way_is_a_failure_with_its_reason(
    peer: ShopifyPeer, part: dict[str, Any]
) -> None:
    tell(peer, part, "dispatched", "cancelled", reason="van broke down")
    (event,) = part["_fulfillments"][0]["_events"]
    assert (event["status"], event["message"]) == ("FAILURE", "Called off: van broke down")


def test_what_somebody_in_the_shop_fulfilled_gets_the_events(
    peer: ShopifyPeer, part: dict[str, Any]
) -> None:
    for line in part["_lines"]:
        line["remainingQuantity"] = 0
    peer.shop.made(part, None, [])
    tell(peer, part, "dispatched", "delivered")
    assert len(part["_fulfillments"]) == 1
    assert events(part) == ["DELIVERED"]


def test_a_fulfilment_that_somebody_took_back_is_made_again(
    peer: ShopifyPeer, part: dict[str, Any]
) -> None:
    tell(peer, part, "dispatched")
    part["_fulfillments"][0]["status"] = "CANCELLED"
    part["status"] = "OPEN"
    for line in part["_lines"]:
        line["remainingQuantity"] = 1
    tell(peer, part, "dispatched")
    assert [one["status"] for one in part["_fulfillments"]] == ["CANCELLED", "SUCCESS"]


def test_a_race_with_somebody_in_the_shop_is_looked_at_again(
    peer: ShopifyPeer, part: dict[str, Any]
) -> None:
    def first() -> None:
        for line in part["_lines"]:
            line["remainingQuantity"] = 0
        peer.shop.made(part, None, [])

    peer.shop.before["fulfillmentCreate"] = first
    tell(peer, part, "out_for_delivery")
    assert len(part["_fulfillments"]) == 1
    assert events(part) == ["OUT_FOR_DELIVERY"]


def test_a_race_that_ends_without_a_fulfilment_names_what_shopify_said(
    peer: ShopifyPeer, part: dict[str, Any]
) -> None:
    def first() -> None:
        part["status"] = "CANCELLED"

    peer.shop.before["fulfillmentCreate"] = first
    with pytest.raises(Rejected, match="unfulfillable status= cancelled") as caught:
        tell(peer, part, "dispatched")
    assert caught.value.field == "order"


@pytest.mark.parametrize(
    ("status", "words"),
    [("ON_HOLD", "release it"), ("SCHEDULED", "mark it as open"), ("CANCELLED", "cancelled")],
)
def test_what_cannot_be_fulfilled_now_says_what_to_do(
    peer: ShopifyPeer, part: dict[str, Any], status: str, words: str
) -> None:
    part["status"] = status
    with pytest.raises(Rejected, match=words) as caught:
        tell(peer, part, "dispatched")
    assert caught.value.field == "order"
    assert part["_order"]["name"] in str(caught.value)


def test_an_order_that_the_shop_does_not_know_is_rejected(peer: ShopifyPeer) -> None:
    gone = {"id": "gid://shopify/FulfillmentOrder/404"}
    with pytest.raises(Rejected, match="no fulfilment order"):
        tell(peer, gone, "dispatched")


def test_what_shopify_finds_wrong_comes_with_its_field(
    peer: ShopifyPeer, part: dict[str, Any]
) -> None:
    with pytest.raises(Rejected, match="must be a URL") as caught:
        tell(peer, part, "delivered", proof_url="not-a-link")
    assert caught.value.field == "metafields.0.value"


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        ("write_merchant_managed_fulfillment_orders", "dispatched"),
        ("write_fulfillments", "out_for_delivery"),
        ("write_orders", "delivered"),
    ],
)
def test_a_missing_scope_is_named(
    peer: ShopifyPeer, part: dict[str, Any], scope: str, status: str
) -> None:
    peer.shop.scopes.discard(scope)
    with pytest.raises(Unauthorized, match=scope):
        tell(peer, part, status)


def test_news_waits_for_points_and_is_then_told_once(
    peer: ShopifyPeer, part: dict[str, Any]
) -> None:
    peer.points, peer.rate, peer.maximum = 90.0, 0.001, 90.0
    with pytest.raises(Retry) as caught:  # the look is paid, the change is not
        tell(peer, part, "dispatched")
    assert caught.value.after is not None
    assert part["_fulfillments"] == []
    peer.points, peer.maximum = 1e6, 1e6
    tell(peer, part, "dispatched")
    assert len(part["_fulfillments"]) == 1


def test_a_busy_shop_is_a_retry_after_its_own_time(peer: ShopifyPeer, part: dict[str, Any]) -> None:
    peer.failures.append((429, 7))
    with pytest.raises(Retry) as caught:
        tell(peer, part, "dispatched")
    assert caught.value.after == 7


def test_a_shop_that_is_only_read_is_told_nothing(peer: ShopifyPeer, part: dict[str, Any]) -> None:
    receipt = shopify(peer, tell_shop=False).tell(news(part, "delivered"))
    assert "switched off" in receipt.detail
    assert peer.asked == []


def test_without_a_stop_the_fulfilment_is_known_by_its_order(
    peer: ShopifyPeer, part: dict[str, Any]
) -> None:
    for _ in range(2):
        shopify(peer).tell(news(part, "dispatched", stop=""))
    (made,) = part["_fulfillments"]
    assert made["trackingInfo"][0]["number"].startswith("hub-")


@pytest.mark.parametrize("statuses", [("dispatched", "delivered"), ("partial",)])
def test_what_the_hub_told_comes_back_as_nothing_to_do(
    peer: ShopifyPeer, part: dict[str, Any], statuses: tuple[str, ...]
) -> None:
    order, cursor = shopify(peer).pull(Cursor())
    assert isinstance(order, Order)
    assert isinstance(cursor, Cursor)
    proof = "https://hub.example/p/1"
    tell(peer, part, *statuses, proof_url=proof, lines=handed(part, 1, 0))
    back = [one for one in shopify(peer).pull(cursor) if isinstance(one, Order | Cancelled)]
    assert back == []
