"""What could not be taken is listed, tried again and settled by itself."""

from __future__ import annotations

import pytest

from hub import orders
from hub.errors import Rejected
from hub.nouns import Order, RefusedRow
from hub.store import FlagRow, System
from hub.testing.receivers import Bell, install
from hub.workflow import deliveries, rejects

from .conftest import Toys
from .shops import Shop, failing, order, refs


@pytest.fixture
def bell(toys: Toys) -> type[Bell]:
    orders.register(toys.hub)
    return install(toys.hub)


@pytest.fixture
def shop(toys: Toys, bell: type[Bell]) -> Shop:
    return Shop(toys, toys.merchant)


def test_what_cannot_be_taken_is_listed_and_the_rest_goes_on(toys: Toys, shop: Shop) -> None:
    lost = {"refused": {"line": 1, "reason": "no address", "field": "address", "ref": "1002"}}
    delivery = shop.deliver(order("1001"), lost, order("1003", depot="Nowhere"), order("1004"))
    toys.work()
    assert refs(toys) == ["1001", "1004"]
    found = {row.ref: row for row in shop.rejected()}
    assert (found["1002"].field, found["1002"].reason) == ("address", "no address")
    assert found["1003"].field == "depot"
    assert {row.origin for row in found.values()} == {"delivery"}
    assert {row.inbox for row in found.values()} == {delivery}
    assert {row.merchant for row in found.values()} == {toys.merchant}
    assert len(toys.rows(FlagRow, kind=rejects.FLAG)) == 1
    outcome, said = shop.log()[0]
    assert (outcome, "2 could not be taken" in said) == ("rejected", True)


def test_one_that_is_taken_later_leaves_the_list_and_the_flag_comes_down(
    toys: Toys, shop: Shop
) -> None:
    shop.deliver(order("1001", depot="Nowhere"))
    toys.work()
    assert len(shop.rejected()) == 1
    shop.deliver(order("1001"))
    toys.work()
    assert shop.rejected() == []
    assert [row.ended_by for row in shop.rejected("resolved")] == ["hub"]
    (flag,) = toys.rows(FlagRow, kind=rejects.FLAG)
    assert flag.cleared_at is not None


def test_trying_again_reads_the_delivery_that_brought_it(
    toys: Toys, shop: Shop, bell: type[Bell]
) -> None:
    bell.during = failing(Rejected("the list is too long", "list"), times=1)
    shop.deliver(order("1001"))
    toys.work()
    (one,) = shop.rejected()
    assert (one.reason, one.field, shop.states()) == ("the list is too long", "list", [422])
    with toys.hub.store.write(System()) as session:
        rejects.retry(session, one.id)
    toys.work()
    assert (refs(toys), shop.states(), shop.rejected()) == (["1001"], [200], [])


def test_one_that_was_laid_by_stays_so_until_it_says_something_else(toys: Toys, shop: Shop) -> None:
    shop.deliver(order("1001", depot="Nowhere"))
    toys.work()
    with toys.hub.store.write(System()) as session:
        rejects.dismiss(session, shop.rejected()[0].id, "Lea")
    shop.deliver(order("1001", depot="Nowhere", notes="again"))
    toys.work()
    assert [row.times for row in shop.rejected("dismissed")] == [2]
    assert len(toys.rows(FlagRow, kind=rejects.FLAG)) == 1
    shop.deliver(order("1001", depot="Elsewhere"))
    toys.work()
    assert len(shop.rejected()) == 1
    assert len(toys.rows(FlagRow, kind=rejects.FLAG)) == 2


def test_what_a_pull_could_not_take_is_read_again_from_where_it_was(
    toys: Toys, shop: Shop, bell: type[Bell]
) -> None:
    bell.pages = [Order(ref="1"), Order(ref="2", depot="Nowhere"), RefusedRow(line=1, reason="bad")]
    toys.tick()
    assert [(row.ref, row.origin, row.cursor) for row in shop.rejected()] == [
        ("2", "pull", "1"), ("", "pull", "2"),
    ]  # fmt: skip
    bell.pages = [Order(ref="1"), Order(ref="2"), Order(ref="3")]
    with toys.hub.store.write(System()) as session:
        for one in shop.rejected():
            rejects.retry(session, one.id)
    toys.work()
    assert (refs(toys), shop.rejected(), shop.row.cursor) == (["1", "2", "3"], [], "3")


def test_orders_of_a_connection_that_is_nobodys_are_listed(toys: Toys, bell: type[Bell]) -> None:
    shop = Shop(toys, None)
    shop.deliver(order("1001"))
    toys.work()
    (one,) = shop.rejected()
    assert deliveries.NOBODYS in one.reason
    assert refs(toys) == []
