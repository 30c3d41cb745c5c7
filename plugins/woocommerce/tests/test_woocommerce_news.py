"""What a WooCommerce shop is told of a delivery: once each, and never backwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hub_woocommerce import WooCommerce

from hub import DeliveryStatus, HandedLine, Rejected, Retry, Unauthorized, Unknown
from hub.testing.peers.woocommerce import WooCommercePeer

Connect = Callable[..., WooCommerce]
Sell = Callable[..., dict[str, Any]]
AT = datetime(2026, 11, 23, 9, 2, 30, tzinfo=UTC)
TRACKING, PROOF = "https://hub.example/t/1", "https://hub.example/p/1"


def news(order: dict[str, Any], status: str, **values: Any) -> DeliveryStatus:
    """Return news of an order."""
    told = {"key": f"news-{status}", "order": str(order["id"]), "status": status, "at": AT}
    links = {"tracking_url": TRACKING}
    return DeliveryStatus.model_validate({**told, **links, **values})


def meta(order: dict[str, Any]) -> dict[str, Any]:
    """Return an order's meta data by key."""
    return {one["key"]: one["value"] for one in order["meta_data"]}


def notes(peer: WooCommercePeer, order: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the notes that the hub made, oldest first."""
    return [one for one in peer.notes.get(order["id"], []) if "status changed" not in one["note"]]


def writes(peer: WooCommercePeer) -> int:
    """Return how many calls changed something."""
    return sum(entry.kind in ("change", "note") for entry in told(peer))


def told(peer: WooCommercePeer) -> list[Any]:
    """Return what stands in the shop's log."""
    from hub.testing.peers.log import entries

    return list(entries(peer.log.path))


def test_a_delivery_completes_the_order_with_links_and_one_note(
    connect: Connect, sell: Sell, peer: WooCommercePeer
) -> None:
    order = sell()
    done = news(order, "delivered", proof_url=PROOF, received_by="Rosa Beck")
    receipt = connect().tell(done)
    assert (receipt.ref, "completed" in receipt.detail) == (str(order["id"]), True)
    assert order["status"] == "completed"
    assert meta(order) == {
        "_hub_tracking_url": TRACKING, "_hub_pod_url": PROOF, "_hub_status": "delivered",
        "_hub_status_at": "2026-11-23T09:02:30Z", "_hub_delivered_at": "2026-11-23T09:02:30Z",
    }  # fmt: skip
    (note,) = notes(peer, order)
    assert note["note"].startswith("Delivered to Rosa Beck on 2026-11-23 09:02 UTC. Proof of")
    assert PROOF in note["note"]
    assert note["customer_note"] is False


def test_the_same_news_twice_is_written_once(
    connect: Connect, sell: Sell, peer: WooCommercePeer
) -> None:
    done = news(sell(), "delivered", proof_url=PROOF)
    connect().tell(done)
    before = writes(peer)
    assert connect().tell(done).detail == "it was told already"
    assert (before, writes(peer)) == (2, 2)


@pytest.mark.parametrize("lost", ["the change", "the note"])
def test_a_lost_answer_is_unknown_and_the_next_try_makes_no_second_note(
    connect: Connect, sell: Sell, peer: WooCommercePeer, lost: str
) -> None:
    order = sell()
    done = news(order, "delivered", proof_url=PROOF)
    if lost == "the note":
        peer.change(order["id"], status="completed", meta_data=[
            {"key": key, "value": value} for key, value in {
                "_hub_tracking_url": TRACKING, "_hub_pod_url": PROOF, "_hub_status": "delivered",
                "_hub_status_at": "2026-11-23T09:02:30Z",
                "_hub_delivered_at": "2026-11-23T09:02:30Z",
            }.items()
        ])  # fmt: skip
    peer.mutes = 1
    with pytest.raises(Unknown):
        connect().tell(done)
    connect().tell(done)
    assert order["status"] == "completed"
    assert len(notes(peer, order)) == 1


def test_a_worker_that_dies_between_change_and_note_leaves_the_note_to_the_next(
    connect: Connect, sell: Sell, peer: WooCommercePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = sell()
    done = news(order, "delivered")
    with monkeypatch.context() as patch:
        patch.setattr("hub_woocommerce.news.Teller.add_note", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            connect().tell(done)
    assert (order["status"], notes(peer, order)) == ("completed", [])
    connect().tell(done)
    assert len(notes(peer, order)) == 1


def test_on_its_way_the_order_has_the_link_and_one_note_whatever_comes_first(
    connect: Connect, sell: Sell, peer: WooCommercePeer
) -> None:
    order = sell()
    eta = AT + timedelta(hours=1)
    connect().tell(news(order, "out_for_delivery", eta=eta, carrier="Alpenkurier"))
    connect().tell(news(order, "dispatched", at=AT - timedelta(hours=2)))
    connect().tell(news(order, "delayed", at=AT + timedelta(minutes=5), eta=eta))
    assert order["status"] == "processing"
    assert meta(order)["_hub_tracking_url"] == TRACKING
    assert meta(order)["_hub_status"] == "delayed"
    assert meta(order)["_hub_eta"] == "2026-11-23T10:02:30Z"
    (note,) = notes(peer, order)
    assert note["note"].startswith("On its way with Alpenkurier, expected 2026-11-23 10:02 UTC")
    assert TRACKING in note["note"]


def test_news_that_come_after_the_end_change_nothing_back(
    connect: Connect, sell: Sell, peer: WooCommercePeer
) -> None:
    order = sell()
    connect().tell(news(order, "delivered", tracking_url="", proof_url=PROOF))
    connect().tell(news(order, "out_for_delivery", at=AT - timedelta(hours=1)))
    assert order["status"] == "completed"
    assert meta(order)["_hub_status"] == "delivered"
    assert meta(order)["_hub_tracking_url"] == TRACKING
    assert len(notes(peer, order)) == 1


@pytest.mark.parametrize("status", ["cancelled", "refunded", "failed", "completed"])
def test_a_status_that_is_final_in_the_shop_stays(
    connect: Connect, sell: Sell, status: str
) -> None:
    order = sell(status=status)
    connect().tell(news(order, "delivered"))
    assert order["status"] == status
    assert "_hub_delivered_at" in meta(order)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("attempted", "Tried in vain, and tried again on 2026-11-23 09:02 UTC: nobody home."),
        ("failed", "Not delivered on 2026-11-23 09:02 UTC: nobody home."),
        ("cancelled", "The delivery was called off on 2026-11-23 09:02 UTC: nobody home."),
    ],
)
def test_what_went_wrong_is_noted_for_the_shop_alone(
    connect: Connect, sell: Sell, peer: WooCommercePeer, status: str, said: str
) -> None:
    order = sell()
    for _ in range(2):
        connect(notes="customer").tell(news(order, status, reason="nobody home"))
    (note,) = notes(peer, order)
    assert note["note"].startswith(said)
    assert note["customer_note"] is False
    assert order["status"] == "processing"


def test_a_part_that_was_handed_over_is_noted_with_what_is_missing_and_waits_for_a_person(
    connect: Connect, sell: Sell, peer: WooCommercePeer
) -> None:
    order = sell()
    lines = [
        HandedLine(name="Herb tea", ordered=2, handed_over=1),
        HandedLine(name="Jam", ordered=1, handed_over=1),
    ]
    connect().tell(news(order, "partial", lines=lines, reason="one broken", proof_url=PROOF))
    (note,) = notes(peer, order)
    assert "one broken. Handed over: 1 of 2 Herb tea." in note["note"]
    assert (order["status"], meta(order)["_hub_pod_url"]) == ("processing", PROOF)


def test_notes_are_left_out_or_sent_to_the_customer_as_the_connection_says(
    connect: Connect, sell: Sell, peer: WooCommercePeer
) -> None:
    silent, open_ = sell(), sell()
    connect(notes="none").tell(news(silent, "delivered"))
    assert notes(peer, silent) == []
    connect(notes="customer").tell(news(open_, "out_for_delivery"))
    connect(notes="customer").tell(news(open_, "delivered"))
    assert [one["customer_note"] for one in notes(peer, open_)] == [True, True]


def test_the_time_in_a_note_is_that_of_the_shops_clock(
    connect: Connect, sell: Sell, peer: WooCommercePeer
) -> None:
    peer.gmt_offset = timedelta(hours=11)
    order = sell()
    connect().tell(news(order, "delivered"))
    assert "on 2026-11-23 20:02." in notes(peer, order)[0]["note"]


def test_a_status_of_ones_own_is_used_and_none_leaves_it_alone(
    connect: Connect, sell: Sell, peer: WooCommercePeer
) -> None:
    peer.statuses.append("handed-over")
    own, alone = sell(), sell()
    connect(delivered_status="handed-over").tell(news(own, "delivered"))
    connect(delivered_status="").tell(news(alone, "delivered"))
    assert (own["status"], alone["status"]) == ("handed-over", "processing")


def test_a_status_that_the_shop_does_not_have_is_rejected_with_the_setting(
    connect: Connect, sell: Sell
) -> None:
    with pytest.raises(Rejected, match="handed-over") as caught:
        connect(delivered_status="handed-over").tell(news(sell(), "delivered"))
    assert caught.value.field == "delivered_status"


@pytest.mark.parametrize("ref", ["999999", "abc", "../webhooks/1"])
def test_an_order_that_the_shop_does_not_have_is_rejected(connect: Connect, ref: str) -> None:
    with pytest.raises(Rejected) as caught:
        connect().tell(news({"id": ref}, "delivered"))
    assert caught.value.field == "order"


def test_a_key_that_may_only_read_ends_this_news_and_not_the_connection(
    connect: Connect, sell: Sell, peer: WooCommercePeer
) -> None:
    peer.permission = "read"
    with pytest.raises(Rejected, match="Read/Write") as caught:
        connect().tell(news(sell(), "delivered"))
    assert caught.value.field == "key"
    with pytest.raises(Unauthorized):
        connect(key="ck_other").tell(news(sell(), "delivered"))


def test_a_shop_that_asks_to_slow_down_is_told_later(
    connect: Connect, sell: Sell, peer: WooCommercePeer
) -> None:
    peer.failures = [(429, 9)]
    with pytest.raises(Retry) as caught:
        connect().tell(news(sell(), "delivered"))
    assert caught.value.after == 9
