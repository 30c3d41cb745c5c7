"""Shops are read by themselves: every order once, none held up by a bad one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import ClassVar

import pytest
from sqlmodel import update

from hub import orders
from hub.connector import Connector
from hub.errors import Refused, Retry, Unauthorized
from hub.nouns import Cancelled, Cursor, Location, Order, RefusedRow
from hub.plugins import Plugin
from hub.store import ActivityRow, ConnectionRow, FlagRow, OrderRow, RejectedRow, System
from hub.workflow import pulls

from .conftest import ToyConfig, Toys

Record = Order | Cancelled | RefusedRow | Cursor | Exception


class Shop(Connector[ToyConfig]):
    """Hands over what lies behind a cursor: pages by their number, the last again and again."""

    name = "shop"
    title = "Shop"
    Config = ToyConfig
    pages: ClassVar[list[list[Record]]] = []
    asked: ClassVar[list[str]] = []

    def pull(self, cursor: Cursor) -> Iterator[Order | Cancelled | RefusedRow | Cursor]:
        type(self).asked.append(cursor.value)
        number = int(cursor.value or 0)
        for record in type(self).pages[number] if number < len(type(self).pages) else []:
            if isinstance(record, Exception):
                raise record
            yield record
        yield Cursor(value=str(min(number + 1, len(type(self).pages))))


@pytest.fixture
def shop(toys: Toys) -> type[Shop]:
    Shop.pages, Shop.asked = [], []
    plugin = Plugin(name="shop", distribution="", version="")
    plugin.connectors["shop"] = Shop
    plugin.kinds["shop"] = {"order_sources"}
    toys.hub.plugins.plugins["shop"] = plugin
    orders.register(toys.hub)
    return Shop


def connect(toys: Toys, merchant: str | None = None, title: str = "") -> str:
    """Add a connection of the merchant's shop."""
    with toys.hub.store.write(System()) as session:
        saved = toys.hub.connections.save(
            session, "shop", {}, merchant=merchant or toys.merchant, title=title
        )
        return saved.id


def order(ref: str) -> Order:
    return Order(ref=ref)


def again(toys: Toys) -> None:
    """Let a quarter of an hour pass."""
    with toys.hub.store.write(System()) as session:
        session.exec(update(ConnectionRow).values(pull_at=session.wall, rests_until=None))
    toys.tick()


def row(toys: Toys, id: str) -> ConnectionRow:
    (found,) = toys.rows(ConnectionRow, id=id)
    return found


def refs(toys: Toys) -> list[str]:
    return sorted(one.ref for one in toys.rows(OrderRow))


def test_all_pages_are_read_and_later_what_is_new(toys: Toys, shop: type[Shop]) -> None:
    shop.pages = [[order("1"), order("2")], [order("3")]]
    id = connect(toys)
    toys.tick()
    assert refs(toys) == ["1", "2", "3"]
    assert {one.source for one in toys.rows(OrderRow)} == {"shop"}
    assert (row(toys, id).cursor, row(toys, id).pulled_at) == ("2", toys.clock)
    shop.pages.append([order("3"), order("4")])
    toys.tick()
    assert refs(toys) == ["1", "2", "3"]
    again(toys)
    assert refs(toys) == ["1", "2", "3", "4"]


def test_a_page_of_many_orders_is_taken_in_short_transactions(toys: Toys, shop: type[Shop]) -> None:
    shop.pages = [[order(f"{n:02}") for n in range(2 * pulls.TOGETHER + 3)]]
    connect(toys)
    toys.tick()
    assert len(refs(toys)) == 2 * pulls.TOGETHER + 3


def test_a_page_that_breaks_off_is_read_again_and_taken_once(toys: Toys, shop: type[Shop]) -> None:
    many = [order(f"{n:02}") for n in range(pulls.TOGETHER)]
    shop.pages = [[*many, Retry("it is down"), order("last")]]
    id = connect(toys)
    toys.tick()
    assert len(refs(toys)) == pulls.TOGETHER
    found = row(toys, id)
    assert (found.cursor, found.failures, found.pulled_at) == ("", 1, None)
    assert found.pull_at - toys.hub.store.clock.wall() <= pulls.SOON
    shop.pages = [[*many, order("last")]]
    again(toys)
    assert len(refs(toys)) == pulls.TOGETHER + 1
    assert row(toys, id).failures == 0


def test_orders_that_cannot_be_taken_are_listed_under_one_flag_and_the_others_go_on(
    toys: Toys, shop: type[Shop]
) -> None:
    bad = RefusedRow(line=1, reason="order 1002 has no address")
    far = order("1003").model_copy(update={"depot": "Nowhere"})
    shop.pages = [[order("1001"), bad, far, order("1004")]]
    id = connect(toys, title="Käserei")
    toys.tick()
    assert refs(toys) == ["1001", "1004"]
    (flag,) = toys.rows(FlagRow, kind="order_refused")
    assert flag.text == "Käserei: order 1002 has no address"
    assert (flag.subject, flag.merchant) == (id, toys.merchant)
    reasons = {one.ref: one.reason for one in toys.rows(RejectedRow, state="open")}
    assert reasons[""] == "order 1002 has no address"
    assert "Nowhere" in reasons["1003"]
    with toys.hub.store.write(System()) as session:
        session.exec(update(ConnectionRow).values(cursor=""))
    again(toys)
    assert len(toys.rows(FlagRow, kind="order_refused")) == 1
    assert [one.times for one in toys.rows(RejectedRow)] == [2, 2]
    assert row(toys, id).state == "healthy"


def test_expired_credentials_end_the_reading_until_someone_reconnects(
    toys: Toys, shop: type[Shop]
) -> None:
    shop.pages = [[Unauthorized("revoked")]]
    id = connect(toys)
    toys.tick()
    assert row(toys, id).state == "action_needed"
    again(toys)
    assert len(shop.asked) == 1
    assert len(toys.events("connection.expired")) == 1


def test_what_nobody_foresaw_is_told_and_tried_again(toys: Toys, shop: type[Shop]) -> None:
    shop.pages = [[KeyError("node")]]
    id = connect(toys)
    toys.tick()
    found = row(toys, id)
    assert (found.state, "orders could not be read" in found.reason) == ("degraded", True)
    shop.pages = [[order("1")]]
    again(toys)
    assert (row(toys, id).state, refs(toys)) == ("healthy", ["1"])


def test_who_asks_to_be_left_alone_is(toys: Toys, shop: type[Shop]) -> None:
    shop.pages = [[Retry("slow down", after=600)]]
    id = connect(toys)
    began = toys.hub.store.clock.wall()
    toys.tick()
    until, asked = row(toys, id).rests_until, timedelta(seconds=600)
    assert until - toys.hub.store.clock.wall() <= asked <= until - began
    with toys.hub.store.write(System()) as session:
        pulls.request(session, id)
    toys.tick()
    assert len(shop.asked) == 1


def test_two_shops_of_a_merchant_may_have_the_same_order_numbers(
    toys: Toys, shop: type[Shop]
) -> None:
    shop.pages = [[order("1")]]
    connect(toys, title="First")
    second = connect(toys, title="Second")
    toys.tick()
    assert refs(toys) == ["1", "1"]
    assert {one.source for one in toys.rows(OrderRow)} == {"shop", "shop-2"}
    assert row(toys, second).state == "healthy"


def test_a_second_shop_without_a_source_of_its_own_is_not_mixed_up_with_the_first(
    toys: Toys, shop: type[Shop]
) -> None:
    shop.pages = [[order("1")]]
    connect(toys, title="First")
    second = connect(toys, title="Second")
    with toys.hub.store.write(System()) as session:
        session.get_one(ConnectionRow, second).source = ""
    toys.tick()
    assert refs(toys) == ["1"]
    assert "First reads orders from the same kind of shop" in row(toys, second).reason


def test_a_shop_that_is_off_or_nobody_s_is_not_read(toys: Toys, shop: type[Shop]) -> None:
    shop.pages = [[order("1")]]
    with toys.hub.store.write(System()) as session:
        toys.hub.connections.save(session, "shop", {})
    id = connect(toys)
    with toys.hub.store.write(System()) as session:
        toys.hub.connections.set_enabled(session, id, False)
    toys.tick()
    assert shop.asked == []


def states(toys: Toys) -> dict[str, str]:
    return {one.ref: one.state for one in toys.rows(OrderRow)}


def test_what_a_source_calls_off_is_called_off_in_the_order_in_which_it_came(
    toys: Toys, shop: type[Shop]
) -> None:
    place = Location(lat=47.14, lon=9.52)
    shop.pages = [
        [
            Order(ref="1", location=place), Cancelled(ref="1"), Cancelled(ref="never seen"),
            Order(ref="2", location=place),
        ],
        [Cancelled(ref="2"), Order(ref="3", location=place)],
    ]  # fmt: skip
    id = connect(toys)
    toys.tick()
    assert states(toys) == {"1": "cancelled", "2": "cancelled", "3": "ready"}
    assert row(toys, id).cursor == "2"
    (log,) = toys.rows(ActivityRow, connection=id, what="pull")
    assert log.text == "3 orders read, 2 called off"


def test_the_cursor_stays_until_what_was_called_off_before_it_is(
    toys: Toys, shop: type[Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.pages = [[Order(ref="1", location=Location(lat=47.14, lon=9.52)), Cancelled(ref="1")]]
    id = connect(toys)
    monkeypatch.setattr("hub.workflow.calloffs.call_off", failing(Retry("a route changes")))
    toys.tick()
    assert (states(toys), row(toys, id).cursor) == ({"1": "ready"}, "")
    monkeypatch.undo()
    again(toys)
    assert (states(toys), row(toys, id).cursor) == ({"1": "cancelled"}, "1")


def test_what_is_called_off_too_late_is_listed_once_however_often_it_is_read(
    toys: Toys, shop: type[Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.pages = [[Order(ref="1", location=Location(lat=47.14, lon=9.52))]]
    id = connect(toys)
    toys.tick()
    shop.pages.append([Cancelled(ref="1", reason="customer")])
    late = Refused("order 1 is completed already and cannot be cancelled")
    monkeypatch.setattr("hub.workflow.calloffs.call_off", failing(late))
    for _ in range(3):
        with toys.hub.store.write(System()) as session:
            session.get_one(ConnectionRow, id).cursor = "1"
        again(toys)
    (listed,) = toys.rows(RejectedRow)
    assert (listed.times, listed.ref, listed.state) == (1, "1", "open")
    assert listed.reason == f"{late} (called off: customer)"
    assert [one.kind for one in toys.rows(FlagRow)] == ["order_refused"]
    monkeypatch.undo()
    with toys.hub.store.write(System()) as session:
        session.get_one(ConnectionRow, id).cursor = "1"
    again(toys)
    assert [one.state for one in toys.rows(RejectedRow)] == ["resolved"]


def failing(error: Exception) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise error

    return fail
