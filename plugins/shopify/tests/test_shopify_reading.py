"""Reading a Shopify shop from end to end: pages, crashes, what ended, and Shopify's points."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hub_shopify import Config, Shopify
from hub_shopify.reading import PAGE, Reading, written

from hub import Cancelled, Cursor, Order, RefusedRow, Retry, Unauthorized
from hub.testing.peers.shopify import ShopifyPeer

START = datetime(2026, 11, 20, 8, tzinfo=UTC)


def shopify(peer: ShopifyPeer, **settings: Any) -> Shopify:
    return Shopify(Config.model_validate({"url": peer.url, "token": peer.token, **settings}))


def fill(peer: ShopifyPeer, count: int, **values: Any) -> list[dict[str, Any]]:
    """Add orders that changed one second after another."""
    begin = len(peer.shop.orders)
    return [
        peer.add_order(updatedAt=written(START + timedelta(seconds=begin + number)), **values)
        for number in range(count)
    ]


def stream(connector: Shopify, cursor: Cursor) -> Iterator[Any]:
    """Yield all that a shop has behind a cursor, as the hub reads it: until it moves no more."""
    while True:
        last = cursor
        for one in connector.pull(cursor):
            yield one
            last = one if isinstance(one, Cursor) else last
        if last == cursor:
            return
        cursor = last


def everything(connector: Shopify, cursor: Cursor | None = None) -> tuple[list[Any], Cursor]:
    found = list(stream(connector, cursor or Cursor()))
    cursors = [one for one in found if isinstance(one, Cursor)]
    return [one for one in found if not isinstance(one, Cursor)], cursors[-1]


def refs(found: list[Any]) -> list[str]:
    return [one.ref for one in found if isinstance(one, Order)]


def part_of(order: dict[str, Any]) -> str:
    return str(order["_parts"][0]["id"])


def test_all_pages_are_read_and_nothing_comes_again(peer: ShopifyPeer) -> None:
    orders = fill(peer, 2 * PAGE + 7)
    found, cursor = everything(shopify(peer))
    assert set(refs(found)) == {part_of(order) for order in orders}
    again, _ = everything(shopify(peer), cursor)
    assert again == []


def test_a_crash_in_the_middle_of_a_page_loses_and_doubles_nothing(peer: ShopifyPeer) -> None:
    orders = fill(peer, 2 * PAGE + 7)
    kept: dict[str, Order] = {}
    cursor, connector = Cursor(), shopify(peer)
    reading = stream(connector, cursor)
    for _ in range(PAGE + 20):  # the first page with its cursor, and a part of the second
        one = next(reading)
        if isinstance(one, Cursor):
            cursor = one
        else:
            kept[one.ref] = one
    reading.close()
    taken_after: list[str] = []
    for one in everything(shopify(peer), cursor)[0]:
        taken_after.append(one.ref)
        kept[one.ref] = one
    assert set(kept) == {part_of(order) for order in orders}
    assert part_of(orders[0]) not in taken_after[:PAGE]


def test_of_a_page_of_a_hundred_one_is_rejected_and_99_come(peer: ShopifyPeer) -> None:
    orders = fill(peer, 100)
    bad = orders[41]
    bad["currentTotalPriceSet"] = {"shopMoney": {"amount": "much", "currencyCode": "CHF"}}
    connector = shopify(peer)
    place = Cursor(value='{"size": 100}')
    found = list(connector.pull(place))
    assert len(refs(found)) == 99
    (refused,) = [one for one in found if isinstance(one, RefusedRow)]
    assert (refused.line, refused.field, refused.ref) == (42, "amount", part_of(bad))
    assert bad["name"] in refused.reason
    assert isinstance(found[-1], Cursor)


def test_the_first_reading_asks_only_for_what_is_open(peer: ShopifyPeer) -> None:
    fill(peer, 3)
    for order in fill(peer, 3):
        order["_status"] = "fulfilled"
    found = list(shopify(peer).pull(Cursor()))
    assert len(refs(found)) == 3
    assert "fulfillment_status:unfulfilled" in peer.asked[0]["query"]


def test_an_order_that_was_cancelled_meanwhile_is_found_without_a_webhook(
    peer: ShopifyPeer,
) -> None:
    first, second = fill(peer, 2)
    _, cursor = everything(shopify(peer))
    peer.cancel(first)
    found, _ = everything(shopify(peer), cursor)
    called_off = [one for one in found if isinstance(one, Cancelled)]
    assert {one.ref for one in called_off} == {part_of(first)}
    assert part_of(second) not in refs(found)


def test_an_order_that_the_shop_shipped_itself_is_found_too(peer: ShopifyPeer) -> None:
    (order,) = fill(peer, 1)
    _, cursor = everything(shopify(peer))
    part = order["_parts"][0]
    for line in part["_lines"]:
        line["remainingQuantity"] = 0
    peer.shop.made(part, {"company": "Post", "number": "1Z999"}, [])
    found, _ = everything(shopify(peer), cursor)
    assert (type(found[0]), found[0].ref) == (Cancelled, part_of(order))


def test_what_the_search_shows_late_is_still_found(peer: ShopifyPeer) -> None:
    fill(peer, 2)
    _, cursor = everything(shopify(peer))
    since = datetime.fromisoformat(Reading.of(cursor).since)
    late = peer.add_order(updatedAt=written(since - timedelta(seconds=40)))
    rested = Reading.of(cursor)
    moved = Cursor(value=rested.cursor().value.replace(rested.looked, "2026-11-20T09:00:00Z"))
    found, _ = everything(shopify(peer), moved)
    assert part_of(late) in refs(found)


def test_many_orders_changed_in_one_second_come_to_an_end(peer: ShopifyPeer) -> None:
    at = written(START)
    for _ in range(2 * PAGE + 5):
        peer.add_order(updatedAt=at)
    found, cursor = everything(shopify(peer))
    assert len(set(refs(found))) == 2 * PAGE + 5
    assert everything(shopify(peer), cursor)[0] == []


def test_what_changes_while_the_first_reading_runs_is_read_after_it(peer: ShopifyPeer) -> None:
    orders = fill(peer, PAGE + 5)
    reading = stream(shopify(peer), Cursor())
    for _ in range(PAGE + 1):
        next(reading)
    peer.cancel(orders[0])  # it was on the first page, and no longer is what the search asks for
    orders[0]["_status"] = "fulfilled"
    found = list(reading)
    assert part_of(orders[0]) in {one.ref for one in found if isinstance(one, Cancelled)}


def test_after_the_first_reading_everything_since_its_beginning_is_read_again() -> None:
    began, later = written(START), written(START + timedelta(hours=1))
    last = {"nodes": [{"updatedAt": later}], "pageInfo": {"hasNextPage": False}}
    assert Reading(began=began).after_page(last).since == began
    assert Reading(since=began).after_page(last).since == later


def test_a_cursor_of_an_earlier_release_is_understood(peer: ShopifyPeer) -> None:
    orders = fill(peer, 3)
    since = written(START + timedelta(minutes=1))
    found, _ = everything(shopify(peer), Cursor(value=f'{{"since": "{since}", "after": ""}}'))
    assert set(refs(found)) == {part_of(order) for order in orders}


def test_paging_begins_anew_before_it_gets_too_deep(
    peer: ShopifyPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub_shopify.reading.DEEPEST", PAGE)
    orders = fill(peer, 3 * PAGE)
    found, _ = everything(shopify(peer))
    assert set(refs(found)) == {part_of(order) for order in orders}
    assert any("updated_at:>='" in str(one["query"]) for one in peer.asked)


def test_an_order_with_more_than_a_page_has_room_for_is_read_alone(peer: ShopifyPeer) -> None:
    lines = [(f"Tea {number}", 1, "2.00") for number in range(30)]
    peer.add_order(lines=lines)
    wide = peer.add_order()
    for _ in range(6):
        peer.add_part(wide, [("Honey", 1, "9.00")])
    found, _ = everything(shopify(peer))
    orders = {one.ref: one for one in found if isinstance(one, Order)}
    assert sorted(len(one.lines) for one in orders.values()) == [1] * 7 + [30]
    assert [one["document"] for one in peer.asked].count("OneOrder") >= 2


def test_an_order_that_is_too_large_altogether_is_refused_in_words(peer: ShopifyPeer) -> None:
    huge = peer.add_order()
    for _ in range(25):
        peer.add_part(huge, [("Honey", 1, "9.00")])
    good = peer.add_order()
    found = list(shopify(peer).pull(Cursor()))
    (refused,) = [one for one in found if isinstance(one, RefusedRow)]
    assert "more than 25 fulfilment orders" in refused.reason
    assert refs(found) == [part_of(good)]


def test_an_app_that_is_not_approved_still_gets_its_orders(peer: ShopifyPeer) -> None:
    fill(peer, 2)
    peer.shop.withholds = True
    found, _ = everything(shopify(peer))
    orders = [one for one in found if isinstance(one, Order)]
    assert len({one.ref for one in orders}) == 2
    assert {one.address.text() for one in orders} == {""}
    assert all("not approved for protected customer data" in one.notes for one in orders)


def test_an_app_without_the_scope_for_fulfilment_orders_is_told(peer: ShopifyPeer) -> None:
    fill(peer, 1)
    peer.shop.scopes.discard("read_merchant_managed_fulfillment_orders")
    with pytest.raises(Unauthorized, match="read_merchant_managed_fulfillment_orders"):
        everything(shopify(peer))


def until_retry(connector: Shopify, cursor: Cursor) -> tuple[list[Any], Retry | None]:
    found = []
    try:
        for one in connector.pull(cursor):
            found.append(one)
    except Retry as error:
        return found, error
    return found, None


def test_when_the_points_run_out_the_page_is_safe_and_the_wait_is_known(
    peer: ShopifyPeer,
) -> None:
    fill(peer, 3 * PAGE)
    peer.rate, peer.maximum, peer.points = 10.0, 2_000.0, 400.0
    found, error = until_retry(shopify(peer), Cursor())
    assert len(refs(found)) == PAGE
    assert isinstance(found[-1], Cursor)
    assert error is not None
    assert error.after is not None
    assert 1 <= error.after <= 40
    assert len(peer.asked) == 1
    peer.points = peer.maximum
    more, error = until_retry(shopify(peer), found[-1])
    assert error is None
    assert not set(refs(more)) & set(refs(found))


def test_a_throttled_query_says_when_the_points_are_back(peer: ShopifyPeer) -> None:
    fill(peer, 1)
    peer.points, peer.rate = 0.0, 20.0
    with pytest.raises(Retry, match="slow down") as caught:
        list(shopify(peer).pull(Cursor()))
    assert caught.value.after is not None
    assert 5 < caught.value.after < 60
    assert peer.counters.throttled == 1


def test_a_token_that_ended_has_to_be_reconnected(peer: ShopifyPeer) -> None:
    connector = shopify(peer)
    connector.check()
    peer.accepted.clear()
    with pytest.raises(Unauthorized):
        connector.check()
    with pytest.raises(Unauthorized):
        list(connector.pull(Cursor()))


def test_ten_thousand_orders_are_read_to_the_last(peer: ShopifyPeer) -> None:
    fill(peer, 10_000)
    seen = {one.ref for one in stream(shopify(peer), Cursor()) if isinstance(one, Order)}
    assert len(seen) == 10_000
