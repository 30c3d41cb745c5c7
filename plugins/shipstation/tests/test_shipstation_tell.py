"""What ShipStation hears of a delivery: a note, and that the order is shipped, each once."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hub_shipstation import ShipStation

from hub import DeliveryStatus, HandedLine, Rejected, Retry, Unauthorized, Unknown
from hub.testing.peers.log import effects, entries
from hub.testing.peers.shipstation import ShipStationPeer

Account = Callable[..., ShipStation]
News = Callable[..., DeliveryStatus]


def done(station: ShipStationPeer) -> list[str]:
    """Return what was changed, in order."""
    return [entry.kind for entry in effects(station.log.path)]


def test_a_delivery_is_noted_and_then_marked_as_shipped(
    station: ShipStationPeer, account: Account, status: News
) -> None:
    id = station.add()
    receipt = account().tell(status(id))
    assert receipt.detail == "noted, marked as shipped"
    order = station.orders[id]
    assert (order["orderStatus"], order["carrierCode"]) == ("shipped", "other")
    assert order["internalNotes"].splitlines() == [
        "Pack with care",
        "Delivery by Alpenkraut: https://hub.example/t/abc [stp_1 tracking]",
        "Delivered 2026-11-24 06:30 UTC to A. Beck, proof https://hub.example/p/abc "
        "[stp_1 delivered]",
    ]
    (sent,) = [e.sent for e in entries(station.log.path) if e.kind == "markasshipped"]
    assert sent == {
        "orderId": id, "carrierCode": "other", "shipDate": "2026-11-23", "trackingNumber": "stp_1",
        "notifyCustomer": False, "notifySalesChannel": False,
    }  # fmt: skip


def test_a_note_changes_nothing_else_of_an_order(
    station: ShipStationPeer, account: Account, status: News
) -> None:
    id = station.add(somethingNew={"kept": [1, 2]})
    before = copy.deepcopy(station.orders[id])
    account().tell(status(id, "dispatched"))
    after = station.orders[id]
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"internalNotes", "modifyDate"}
    assert set(before) == set(after)


def test_telling_twice_is_telling_once(
    station: ShipStationPeer, account: Account, status: News
) -> None:
    id = station.add()
    for said in ("dispatched", "dispatched", "delivered", "delivered", "dispatched"):
        account().tell(status(id, said))
    assert done(station) == ["createorder", "createorder", "markasshipped"]
    assert station.orders[id]["internalNotes"].count("tracking]") == 1


@pytest.mark.parametrize("lost", [1, 2])
def test_a_lost_answer_is_unknown_and_the_repetition_finds_it_done(
    station: ShipStationPeer, account: Account, status: News, lost: int
) -> None:
    id = station.add()
    if lost == 2:
        account().tell(status(id, "dispatched"))
        account(note=False)
    station.mutes = 1
    with pytest.raises(Unknown):
        account(note=lost == 1).tell(status(id))
    account().tell(status(id))
    assert len(done(station)) == len(set(done(station)))
    assert station.orders[id]["orderStatus"] == "shipped"


def test_an_order_is_marked_when_it_leaves_if_the_settings_say_so(
    station: ShipStationPeer, account: Account, status: News
) -> None:
    id = station.add()
    made = account(mark_when="dispatched", notify_sales_channel=True, carrier_code="own_fleet")
    made.tell(status(id, "dispatched"))
    assert station.orders[id]["orderStatus"] == "shipped"
    assert made.tell(status(id)).detail == "it is shipped there already"
    (sent,) = [e.sent for e in entries(station.log.path) if e.kind == "markasshipped"]
    assert (sent["notifySalesChannel"], sent["carrierCode"]) == (True, "own_fleet")


def test_news_that_comes_late_makes_what_an_earlier_one_should_have_made(
    station: ShipStationPeer, account: Account, status: News
) -> None:
    id = station.add()
    account(mark_when="dispatched").tell(status(id, "delayed"))
    assert done(station) == ["createorder", "markasshipped"]


@pytest.mark.parametrize("said", ["out_for_delivery", "delayed", "attempted", "failed"])
def test_before_it_is_delivered_an_order_stays_open(
    station: ShipStationPeer, account: Account, status: News, said: str
) -> None:
    id = station.add()
    account().tell(status(id, said, reason="Nobody was there"))
    assert station.orders[id]["orderStatus"] == "awaiting_shipment"
    told = "Nobody was there" in station.orders[id]["internalNotes"]
    assert told == (said in ("attempted", "failed"))


def test_two_attempts_are_two_lines(
    station: ShipStationPeer, account: Account, status: News
) -> None:
    id = station.add(internalNotes=None)
    first = status(id, "attempted", reason="Nobody was there")
    second = first.model_copy(update={"at": first.at.replace(hour=9)})
    for one in (first, second, first):
        account().tell(one)
    lines = station.orders[id]["internalNotes"].splitlines()
    assert [line.startswith("Tried to deliver") for line in lines] == [False, True, True]


def test_a_partial_delivery_says_what_was_handed_over(
    station: ShipStationPeer, account: Account, status: News
) -> None:
    id = station.add()
    line = HandedLine(name="Tea", ordered=3, handed_over=2)
    account().tell(status(id, "partial", lines=(line,)))
    assert (
        "in part 2026-11-24 06:30 UTC to A. Beck: 2 of 3 Tea"
        in (station.orders[id]["internalNotes"])
    )
    assert station.orders[id]["orderStatus"] == "shipped"


@pytest.mark.parametrize("there", ["shipped", "cancelled"])
def test_an_order_that_is_further_is_left_alone(
    station: ShipStationPeer, account: Account, status: News, there: str
) -> None:
    id = station.add(orderStatus=there)
    assert there in account().tell(status(id)).detail
    assert done(station) == []


def test_without_its_key_an_order_gets_no_note_because_that_would_make_another(
    station: ShipStationPeer, account: Account, status: News
) -> None:
    id = station.add(orderKey="")
    assert "no key" in account().tell(status(id)).detail
    assert (len(station.orders), station.orders[id]["orderStatus"]) == (1, "shipped")


def test_notes_can_be_switched_off(
    station: ShipStationPeer, account: Account, status: News
) -> None:
    id = station.add()
    account(note=False).tell(status(id))
    assert done(station) == ["markasshipped"]


def test_cancelled_news_and_quiet_news_change_nothing(
    station: ShipStationPeer, account: Account, status: News
) -> None:
    id = station.add()
    assert account().tell(status(id, "cancelled")).detail == "nothing to tell"
    assert done(station) == []


def test_wrong_keys_unknown_orders_and_limits_are_told(
    station: ShipStationPeer, account: Account, status: News
) -> None:
    id = station.add()
    with pytest.raises(Unauthorized):
        account(secret="another-secret").tell(status(id))
    with pytest.raises(Rejected, match="404"):
        account().tell(status(77))
    with pytest.raises(Rejected, match="no order number"):
        account().tell(status("../users"))
    station.allowance = station.used + 1
    with pytest.raises(Retry) as raised:
        account().tell(status(id))
    assert raised.value.after is not None
    assert done(station) == []
    station.allowance = 100
    account().tell(status(id))
    assert done(station) == ["createorder", "markasshipped"]


def second(account: Account, **values: Any) -> ShipStation:
    return account(api="v2", **values)


def test_version_2_fulfils_once(station: ShipStationPeer, account: Account, status: News) -> None:
    id = station.ship()
    assert second(account).tell(status(id, "dispatched")).detail == "nothing to tell"
    assert second(account).tell(status(id)).detail == "marked as fulfilled"
    assert second(account).tell(status(id)).detail == "it is fulfilled there already"
    (made,) = station.fulfilled
    assert made == {
        "shipment_id": id, "tracking_number": "stp_1", "carrier_code": "other",
        "ship_date": "2026-11-24T06:30:00.000Z", "notify_customer": False,
        "notify_order_source": False,
    }  # fmt: skip


def test_version_2_finds_what_it_did_before_an_answer_was_lost(
    station: ShipStationPeer, account: Account, status: News
) -> None:
    id = station.ship()
    station.mutes = 1
    with pytest.raises(Unknown):
        second(account).tell(status(id))
    assert "already" in second(account).tell(status(id)).detail
    assert len(station.fulfilled) == 1


def test_version_2_rejects_an_error_inside_a_200(
    station: ShipStationPeer, account: Account, status: News
) -> None:
    id = station.ship(shipment_status="label_purchased")
    with pytest.raises(Rejected, match="the shipment is label_purchased"):
        second(account).tell(status(id))
    gone = station.ship(shipment_status="cancelled")
    assert "cancelled" in second(account).tell(status(gone)).detail
    with pytest.raises(Rejected, match="no shipment"):
        second(account).tell(status("a/b"))


def test_version_2_reads_shipments_and_calls_off(
    station: ShipStationPeer, account: Account
) -> None:
    from hub import Cancelled, Cursor, Order

    first = station.ship()
    order, _, cursor = second(account).pull(Cursor())
    assert isinstance(order, Order)
    assert (order.ref, str(order.total)) == (first, str(order.total))
    assert order.total is not None
    assert order.total.currency == "USD"
    station.change(first, shipment_status="cancelled")
    assert isinstance(cursor, Cursor)
    found = list(second(account).pull(cursor))
    assert {one.ref for one in found if isinstance(one, Cancelled)} == {first}
    with pytest.raises(Unauthorized):
        second(account, key="another-key").check()
    station.failures = [(429, 9)]
    with pytest.raises(Retry) as raised:
        second(account).check()
    assert raised.value.after == 9
