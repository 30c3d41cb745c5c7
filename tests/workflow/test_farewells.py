"""A shop that leaves parks its connection, and is heard about its customers' data even then."""

from __future__ import annotations

import pytest
from sqlmodel import select

from hub import orders, privacy
from hub.errors import Unauthorized
from hub.store import ActivityRow, ConnectionRow, EventRow, OrderRow, PrivacyRow, System
from hub.testing.receivers import Bell, install

from .conftest import Toys
from .shops import Shop, failing, placed, refs

LEFT = {"disconnected": {"reason": "the app was removed from the shop"}}
ERASE = {"privacy": {"kind": "erase", "orders": ["1001"], "ref": "77"}}


@pytest.fixture
def bell(toys: Toys) -> type[Bell]:
    orders.register(toys.hub)
    privacy.register(toys.hub)
    return install(toys.hub)


@pytest.fixture
def shop(toys: Toys, bell: type[Bell]) -> Shop:
    return Shop(toys, toys.merchant)


def asked(toys: Toys) -> list[PrivacyRow]:
    return toys.rows(PrivacyRow)


def test_a_shop_that_leaves_needs_its_owner(toys: Toys, shop: Shop) -> None:
    shop.deliver(placed("1001"), LEFT)
    toys.work()
    assert (shop.row.state, shop.row.reason) == (
        "action_needed", "the app was removed from the shop",
    )  # fmt: skip
    assert refs(toys) == ["1001"]
    assert shop.states() == [200]
    (log,) = toys.rows(ActivityRow, connection=shop.id, what="disconnected")
    assert log.text == "the app was removed from the shop"
    assert len(toys.rows(EventRow, type="connection.expired")) == 1


def test_an_end_from_before_it_was_connected_anew_is_over(toys: Toys, shop: Shop) -> None:
    shop.deliver(LEFT)
    with toys.hub.store.write(System()) as session:
        session.get_one(ConnectionRow, shop.id).renewed_at = session.wall
    toys.work()
    assert shop.row.state == "healthy"


def test_a_request_about_a_person_is_taken_and_answered(toys: Toys, shop: Shop) -> None:
    shop.deliver(placed("1001"))
    toys.work()
    with toys.hub.store.write(System()) as session:
        session.exec(select(OrderRow)).one().state = "cancelled"
    shop.deliver(ERASE)
    shop.deliver({"privacy": {**ERASE["privacy"], "email": ""}})
    toys.work()
    (row,) = asked(toys)
    assert (row.state, row.ref, row.connection) == ("done", "77", shop.id)
    assert toys.rows(OrderRow)[0].erased_at is not None
    assert shop.log()[-1] == ("done", "t: 1 request about personal data")


def test_it_is_heard_also_when_the_shop_has_left(toys: Toys, shop: Shop) -> None:
    shop.deliver(LEFT)
    toys.work()
    shop.deliver(placed("1002"))
    shop.deliver(ERASE)
    shop.deliver(placed("1003"), ERASE)
    toys.work()
    assert len(asked(toys)) == 1
    assert refs(toys) == []
    assert shop.states() == [200, 0, 200, 0]


def test_what_fails_then_waits_and_is_looked_at_once(
    toys: Toys, shop: Shop, bell: type[Bell]
) -> None:
    shop.deliver(LEFT)
    toys.work()
    bell.during = failing(Unauthorized("no token"))
    shop.deliver(ERASE)
    toys.work()
    assert (asked(toys), shop.states()) == ([], [200, 0])
    bell.during = None
    shop.deliver(placed("1002"))
    toys.work()
    assert asked(toys) == []  # it comes with the rest when the connection works again
    with toys.hub.store.write(System()) as session:
        from hub.workflow.parking import release

        session.get_one(ConnectionRow, shop.id).state = "healthy"
        release(session, shop.id)
    toys.work()
    assert len(asked(toys)) == 1
    assert refs(toys) == ["1002"]
