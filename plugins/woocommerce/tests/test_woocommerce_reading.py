"""What is read from a WooCommerce shop, page by page, and where a reading goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hub_woocommerce import WooCommerce
from hub_woocommerce.reading import OVERLAP, Reading
from hub_woocommerce.shop import PAGE

from hub import Cancelled, Cursor, Order, RefusedRow, Rejected, Retry, Unauthorized
from hub.testing.peers.woocommerce import WooCommercePeer

Connect = Callable[..., WooCommerce]
Sell = Callable[..., dict[str, Any]]
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECOND = "2026-11-22T10:00:00"


def stream(connector: WooCommerce, cursor: Cursor | None = None) -> tuple[list[Any], Cursor]:
    """Return all that a shop has behind a cursor, as the hub reads it, and where that ends."""
    found: list[Any] = []
    at = cursor or Cursor()
    for _ in range(60):
        *records, after = connector.pull(at)
        found += records
        if after == at:
            return found, at
        at = after
    raise AssertionError("the reading never ends")


def refs(found: list[Any]) -> list[str]:
    return [one.ref for one in found if isinstance(one, Order)]


def later(clock: Any, monkeypatch: pytest.MonkeyPatch, **span: float) -> None:
    """Let time pass for the shop and the hub."""
    clock.pass_(**span)
    monkeypatch.setattr("hub_woocommerce.now", lambda: clock.at)


def test_a_full_page_without_news_asks_for_the_one_behind_it_and_shares_some_records() -> None:
    place = Reading(SECOND, 1, 0, "far")
    full = [SECOND] * PAGE
    assert place.after_page([], 0, AT) == place
    turned = place.after_page(full, PAGE, AT)
    assert turned == Reading(SECOND, 2, 0, "far")
    assert Reading.of(turned.cursor(), AT) == turned
    assert turned.question()["offset"] == "90"
    assert turned.question()["modified_after"] == "2026-11-22T09:58:00"
    newer = turned.after_page([*full[1:], "2026-11-22T10:00:05"], PAGE, AT)
    assert newer == Reading("2026-11-22T10:00:05", 1, int(AT.timestamp()), "near")


def test_after_several_pages_without_news_a_reading_is_at_its_end() -> None:
    end = Reading(SECOND, 3, 0, "far").after_page([SECOND] * 7, 7, AT)
    again = Reading.of(end.cursor(), AT + timedelta(seconds=1))
    assert (again.page, again.question()["modified_after"]) == (1, SECOND)
    assert again.after_page([], 0, AT) == again
    rested = Reading.of(end.cursor(), AT + OVERLAP)
    assert rested.question()["modified_after"] == "2026-11-22T09:58:00"


def test_a_cursor_of_an_earlier_release_goes_on_and_looks_back() -> None:
    for value in (f"{SECOND}|1", SECOND):
        asked = Reading.of(Cursor(value=value), AT).question()
        assert asked["modified_after"] == "2026-11-22T09:58:00"
    assert Reading.of(Cursor(value=f"{SECOND}|2"), AT).page == 2


def test_an_order_has_its_number_lines_and_prices(connect: Connect, sell: Sell) -> None:
    sold = sell(number="1042")
    order, _ = connect().pull(Cursor())
    assert (order.ref, order.number) == (str(sold["id"]), "1042")
    (line,) = order.lines
    assert line.ref == str(sold["line_items"][0]["id"])
    assert (line.quantity, line.price.amount, line.price.currency) == (2, Decimal("12.5"), "CHF")


def test_half_a_piece_is_one_to_carry(connect: Connect, sell: Sell, peer: WooCommercePeer) -> None:
    sold = sell()
    sold["line_items"][0]["quantity"] = 0.5
    order, _ = connect().pull(Cursor())
    assert [line.quantity for line in order.lines] == [1]


def test_orders_of_one_second_are_all_found_whenever_they_come(
    connect: Connect, sell: Sell, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sell()
    found, cursor = stream(connect())
    second = sell()
    assert second["date_modified_gmt"] == first["date_modified_gmt"]
    assert refs(stream(connect(), cursor)[0]) == [str(first["id"]), str(second["id"])]
    later(clock, monkeypatch, minutes=10)
    found, _ = stream(connect(), cursor)
    assert str(second["id"]) in refs(found)


def test_many_orders_of_one_second_are_read_to_the_last_and_the_reading_ends(
    connect: Connect, sell: Sell, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold = [str(sell()["id"]) for _ in range(250)]
    found, cursor = stream(connect())
    assert set(refs(found)) == set(sold)
    assert stream(connect(), cursor) == ([], cursor)
    later(clock, monkeypatch, minutes=10)
    again, after = stream(connect(), cursor)
    assert set(refs(again)) == set(sold)
    assert stream(connect(), after) == ([], after)


def test_an_order_that_moves_away_between_two_pages_of_a_second_hides_no_other(
    connect: Connect, sell: Sell, peer: WooCommercePeer, clock: Any
) -> None:
    sold = [sell()["id"] for _ in range(250)]
    connector, cursor, found = connect(), Cursor(), []
    for turn in range(20):
        *records, after = connector.pull(cursor)
        found += records
        if after == cursor:
            break
        cursor = after
        if turn == 1:
            clock.pass_(seconds=5)
            peer.change(sold[20], customer_note="Ring twice")
    assert set(refs(found)) == {str(id) for id in sold}


def test_what_was_called_off_meanwhile_is_told(
    connect: Connect, sell: Sell, peer: WooCommercePeer, clock: Any
) -> None:
    ids = [sell()["id"] for _ in range(4)]
    _, cursor = stream(connect())
    clock.pass_(seconds=5)
    for id, status in zip(ids, ("cancelled", "refunded", "failed"), strict=False):
        peer.change(id, status=status)
    peer.delete_order(ids[3], force=False)
    found, _ = stream(connect(), cursor)
    called = {one.ref: one.reason for one in found if isinstance(one, Cancelled)}
    assert called.keys() >= {str(id) for id in ids}
    assert "trash" in called[str(ids[3])]


def test_a_first_reading_leaves_out_what_was_called_off_long_ago_but_not_what_is_meanwhile(
    connect: Connect, sell: Sell, peer: WooCommercePeer, clock: Any
) -> None:
    clock.pass_(days=-30)
    old = [sell(status="cancelled")["id"] for _ in range(5)]
    ids = []
    for _ in range(230):
        clock.pass_(seconds=1)
        ids.append(sell()["id"])
    *records, cursor = connect().pull(Cursor())
    clock.pass_(days=30)
    peer.change(ids[0], status="cancelled")
    peer.change(ids[1], customer_note="Ring twice")
    found, cursor = stream(connect(), cursor)
    assert {one.ref for one in found if isinstance(one, Cancelled)} == {str(ids[0])}
    assert {one.ref for one in [*records, *found]} == {str(id) for id in ids}
    assert not {str(id) for id in old} & {one.ref for one in found}
    assert stream(connect(), cursor)[1] == cursor


def test_an_order_in_a_status_that_is_not_wanted_is_no_news(
    connect: Connect, sell: Sell, peer: WooCommercePeer, clock: Any
) -> None:
    id = sell()["id"]
    _, cursor = stream(connect())
    clock.pass_(seconds=5)
    peer.change(id, status="completed")
    assert stream(connect(), cursor)[0] == []


def test_pieces_that_were_taken_back_are_not_delivered_and_not_paid_at_the_door(
    connect: Connect, sell: Sell, peer: WooCommercePeer
) -> None:
    two = [{"name": "Tea", "quantity": 3, "total": "30"}, {"name": "Jam", "total": "8.00"}]
    sold = sell(payment_method="cod", line_items=two)
    peer.refund(sold["id"], sold["line_items"][0]["id"], 1, "10.00")
    peer.refund(sold["id"], sold["line_items"][1]["id"], 1, "8.00")
    order, _ = connect().pull(Cursor())
    assert [(line.name, line.quantity) for line in order.lines] == [("Tea", 2)]
    assert (order.total.amount, order.cash_due.amount) == (Decimal("38.00"), Decimal("20.00"))


def test_of_a_hundred_orders_one_is_refused_with_its_field_and_the_rest_come(
    connect: Connect, sell: Sell, peer: WooCommercePeer, clock: Any
) -> None:
    for _ in range(99):
        sell()
    bad = sell()
    clock.pass_(seconds=1)
    peer.change(bad["id"], total="free")
    found, _ = stream(connect())
    assert len(set(refs(found))) == 99
    (refused,) = {one.ref: one for one in found if isinstance(one, RefusedRow)}.values()
    assert (refused.ref, refused.field) == (str(bad["id"]), "total")
    assert f"order {bad['id']}" in refused.reason


def test_a_record_without_a_field_is_refused_with_its_name(
    connect: Connect, sell: Sell, peer: WooCommercePeer
) -> None:
    del peer.orders[sell()["id"]]["shipping"]
    refused, _ = connect().pull(Cursor())
    assert isinstance(refused, RefusedRow)
    assert refused.field == "shipping"


def test_a_reading_that_breaks_off_in_mid_page_goes_on_without_loss(
    connect: Connect, sell: Sell, clock: Any
) -> None:
    sold = []
    for _ in range(230):
        clock.pass_(seconds=1)
        sold.append(str(sell()["id"]))
    records: Iterator[Any] = connect().pull(Cursor())
    for _ in range(40):
        next(records)
    found, _ = stream(connect())
    assert list(dict.fromkeys(refs(found))) == sold


def test_who_is_asked_to_slow_down_comes_back_when_told(
    connect: Connect, sell: Sell, peer: WooCommercePeer
) -> None:
    peer.failures = [(429, 17)]
    with pytest.raises(Retry) as caught:
        list(connect().pull(Cursor()))
    assert caught.value.after == 17


@pytest.mark.parametrize(
    ("values", "said"),
    [({"key": "ck_other"}, "Consumer key is invalid"), ({"secret": "cs_other"}, "Site Address")],
)
def test_wrong_credentials_are_told_in_the_shops_words(
    connect: Connect, values: dict[str, str], said: str
) -> None:
    with pytest.raises(Unauthorized, match=said):
        connect(**values).check()


def test_an_address_that_is_not_the_shops_own_explains_the_signature(
    connect: Connect, peer: WooCommercePeer
) -> None:
    peer.home = "http://www.shop.example"
    with pytest.raises(Unauthorized, match="www and subfolder included"):
        connect().check()


def test_a_shop_with_plain_permalinks_names_the_setting(
    connect: Connect, peer: WooCommercePeer
) -> None:
    peer.plain = True
    with pytest.raises(Rejected, match="must not be Plain") as caught:
        connect().check()
    assert caught.value.field == "url"


def test_a_status_that_the_shop_does_not_have_is_named(
    connect: Connect, peer: WooCommercePeer
) -> None:
    with pytest.raises(Rejected, match="no status packed and no wrapped") as caught:
        connect(statuses="processing,packed,wrapped").check()
    assert caught.value.field == "statuses"
    with pytest.raises(Rejected, match="status") as caught:
        list(connect(statuses="packed").pull(Cursor()))
    assert caught.value.field == "statuses"
    with pytest.raises(Rejected) as caught:
        connect(delivered_status="handed-over").check()
    assert caught.value.field == "delivered_status"
    peer.statuses += ["packed", "wrapped", "handed-over"]
    connect(statuses="packed,wrapped", delivered_status="handed-over").check()
