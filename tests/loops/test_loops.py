"""The whole way of an order: out of the store, delivered, told to the store and to the books."""

from __future__ import annotations

import pytest

from tests.loops.conftest import Loop
from tests.needs import plugins

pytestmark = plugins("xero")
CALLS = ("before_call:1", "before_call:2", "after_call:1", "after_call:2")
"""Where the worker is killed, of the two calls that follow a delivery."""


def demand_whole(loop: Loop) -> None:
    """See that the store shows the delivery, and that the books hold one record of it."""
    assert loop.troubles() == []
    shown = loop.shown()
    assert (shown.fulfilled, shown.times) == (True, 1)
    assert "/t/" in shown.tracking_url
    assert shown.proof == f"{shown.tracking_url}#pictures"
    if loop.store.record == "note":
        assert sorted(loop.booked()) == ["attachment", "note"]
    else:
        assert (loop.drafts(), loop.booked().count("attachment")) == (1, 1)


def test_a_delivery_reaches_the_store_and_the_books(loop: Loop) -> None:
    loop.order_comes()
    loop.publish()
    loop.work()
    assert "/t/" in loop.shown().tracking_url
    assert not loop.shown().fulfilled
    assert loop.booked() == []
    loop.drive()
    loop.work()
    assert loop.stop.state == "completed"
    demand_whole(loop)


@pytest.mark.parametrize("fault", CALLS)
def test_it_does_so_once_when_the_worker_is_killed_around_a_call(loop: Loop, fault: str) -> None:
    loop.order_comes()
    loop.publish()
    loop.work()
    loop.drive()
    loop.die(fault)
    loop.settle()
    demand_whole(loop)


@pytest.mark.parametrize("whose", ["store", "books"])
def test_it_does_so_once_when_a_reply_is_lost(loop: Loop, whose: str) -> None:
    loop.order_comes()
    loop.publish()
    loop.work()
    loop.drive()
    peer = loop.store.peer if whose == "store" else loop.books
    peer.mutes = 1
    loop.settle()
    assert peer.mutes == 0
    demand_whole(loop)


def test_a_store_that_is_told_late_still_has_one_fulfilment(loop: Loop) -> None:
    loop.order_comes()
    with loop.hub.store.write() as session:
        loop.hub.connections.set_enabled(session, loop.shop, False)
    loop.publish()
    loop.work()
    loop.drive()
    loop.work()
    assert loop.shown().times == 0
    with loop.hub.store.write() as session:
        from hub.workflow.parking import release

        loop.hub.connections.set_enabled(session, loop.shop, True)
        release(session, loop.shop)
    loop.settle()
    demand_whole(loop)
