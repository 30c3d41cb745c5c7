"""What was delivered is taken in by a worker: once, in order, and nothing is held up."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select, update

from hub import orders
from hub.connections import activity
from hub.errors import Refused, Retry, Unauthorized
from hub.nouns import Incoming, Order
from hub.store import (
    ActivityRow,
    ConnectionRow,
    FlagRow,
    InboxRow,
    OrderRow,
    RejectedRow,
    StopRow,
    System,
    WorkRow,
)
from hub.testing.receivers import Bell, install
from hub.workflow import deliveries, incoming, rejects
from hub.workflow.parking import release

from .conftest import Toys
from .shops import Shop, failing, order, placed, refs


@pytest.fixture
def bell(toys: Toys) -> type[Bell]:
    orders.register(toys.hub)
    return install(toys.hub)


@pytest.fixture
def shop(toys: Toys, bell: type[Bell]) -> Shop:
    return Shop(toys, toys.merchant)


def test_deliveries_are_taken_in_the_order_in_which_they_came(toys: Toys, shop: Shop) -> None:
    shop.deliver(order("1001"), order("1002"))
    shop.deliver(order("1001", notes="first"))
    shop.deliver(order("1001", notes="last"))
    toys.work()
    assert refs(toys) == ["1001", "1002"]
    assert toys.rows(OrderRow, ref="1001")[0].notes == "last"
    assert {row.source for row in toys.rows(OrderRow)} == {"bell"}
    assert shop.states() == [200, 200, 200]
    assert shop.log() == [("done", "t: 2 orders"), ("done", "t: 1 order"), ("done", "t: 1 order")]


def test_many_are_taken_in_short_transactions(toys: Toys, shop: Shop) -> None:
    shop.deliver(*(order(f"{n:03}") for n in range(2 * deliveries.TOGETHER + 3)))
    toys.work()
    assert len(refs(toys)) == 2 * deliveries.TOGETHER + 3


def test_a_delivery_that_breaks_off_is_read_again_and_taken_once(
    toys: Toys, shop: Shop, bell: type[Bell], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.deliver(order("0"))
    shop.deliver(*(order(str(n)) for n in range(1, 25)))
    genuine = bell.unpack
    tries = []

    def breaking(self: Bell, request: Incoming) -> Any:
        tries.append(1)
        for number, item in enumerate(genuine(self, request)):
            if len(tries) == 2 and number == 17:
                raise Retry("it is down")
            yield item

    monkeypatch.setattr(bell, "unpack", breaking)
    toys.work()
    assert shop.states() == [200, 0]
    assert len(refs(toys)) == 18
    assert shop.row.failures == 1
    toys.wait()
    assert shop.states() == [200, 200]
    assert sorted(map(int, refs(toys))) == list(range(25))
    assert len(toys.events("order.received")) + len(toys.events("order.needs_address")) == 25


def test_a_worker_that_dies_before_the_commit_leaves_the_delivery_waiting(
    toys: Toys, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(BaseException):
        pass

    def die(point: str) -> None:
        raise Died

    shop.deliver(order("1001"))
    with monkeypatch.context() as patch:
        patch.setattr(deliveries, "reach", die)
        with pytest.raises(Died):
            deliveries.work(toys.hub, shop.claim(lost=False))
    assert (refs(toys), shop.states()) == ([], [0])
    deliveries.work(toys.hub, shop.claim(lost=True))
    assert (refs(toys), shop.states()) == (["1001"], [200])


def test_a_delivery_that_kills_its_workers_is_given_up_and_the_next_is_taken(
    toys: Toys, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(BaseException):
        pass

    def die(*_: object) -> None:
        raise Died  # what a connector raises is contained, so that here the worker itself dies

    shop.deliver(order("deadly"))
    shop.deliver(order("1002"))
    monkeypatch.setattr(deliveries, "take_one", die)
    for number in range(deliveries.SILENT + 1):
        with pytest.raises(Died):
            deliveries.work(toys.hub, shop.claim(lost=number > 0))
    monkeypatch.undo()
    deliveries.work(toys.hub, shop.claim(lost=True))
    assert (refs(toys), shop.states()) == (["1002"], [422, 200])
    assert shop.log()[0] == ("failed", f"t: {deliveries.NO_ANSWER}")


def test_an_order_that_was_called_off_is_cancelled_with_its_stop(toys: Toys, shop: Shop) -> None:
    shop.deliver(placed("1001"), {"cancelled": {"ref": "1001", "reason": "refunded"}})
    toys.tick()
    shop.deliver({"cancelled": {"ref": "nobody's"}})
    toys.tick()
    assert [row.state for row in toys.rows(OrderRow)] == ["cancelled"]
    assert shop.states() == [200, 200]
    assert shop.rejected() == []


def test_a_cancellation_that_comes_too_late_is_put_before_a_person(toys: Toys, shop: Shop) -> None:
    shop.deliver(placed("1001"))
    toys.tick()
    with toys.hub.store.write(System()) as session:
        row = session.exec(select(OrderRow)).one()
        stops = session.exec(select(StopRow)).all() or [stop_for(row)]
        for stop in stops:
            stop.state = "arrived"
            session.add(stop)
    shop.deliver({"cancelled": {"ref": "1001", "reason": "refunded"}})
    toys.tick()
    (one,) = shop.rejected()
    assert one.ref == "1001"
    assert "is arrived already" in one.reason
    assert "refunded" in one.reason
    assert [flag.subject for flag in toys.rows(FlagRow, kind=rejects.FLAG)] == [shop.id]


def stop_for(row: OrderRow) -> StopRow:
    """Return a stop of an order, as the step after intake makes it."""
    return StopRow(
        order=row.id, merchant=row.merchant, depot=row.depot, kind=row.kind, lat=row.lat,
        lon=row.lon, service_date=row.service_date, service_time=row.service_time, state="arrived",
    )  # fmt: skip


def test_an_error_of_the_plugin_ends_its_delivery_only_and_can_be_replayed(
    toys: Toys, shop: Shop, bell: type[Bell]
) -> None:
    bell.during = failing(ZeroDivisionError("by zero"), times=2)
    shop.deliver(order("1001"))
    shop.deliver(order("1002"))
    shop.deliver(order("1003"))
    toys.work()
    assert (refs(toys), shop.states()) == (["1003"], [422, 422, 200])
    assert shop.log()[0] == ("failed", "t: ZeroDivisionError: by zero")
    with toys.hub.store.write(System()) as session:
        assert rejects.replay_failed(session, shop.id) == 2
    toys.work()
    assert (refs(toys), shop.states()) == (["1003", "1001", "1002"], [200, 200, 200])


def test_a_replay_takes_nothing_twice(toys: Toys, shop: Shop) -> None:
    delivery = shop.deliver(order("1001"))
    toys.work()
    with toys.hub.store.write(System()) as session:
        rejects.replay(session, shop.id, delivery)
    toys.work()
    assert refs(toys) == ["1001"]
    assert len(toys.events("order.needs_address")) == 1


def test_a_delivery_of_another_connection_cannot_be_replayed(toys: Toys, shop: Shop) -> None:
    delivery = shop.deliver(order("1001"))
    with (
        pytest.raises(Refused, match="not kept"),
        toys.hub.store.write(System()) as session,
    ):
        rejects.replay(session, "con_other", delivery)


def test_what_a_plugin_must_not_yield_ends_its_delivery(
    toys: Toys, shop: Shop, bell: type[Bell], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bell, "unpack", lambda self, request: iter(["an order"]))
    shop.deliver(order("1001"))
    toys.work()
    ((outcome, said),) = shop.log()
    assert (outcome, "which it may not" in said) == ("failed", True)


def test_expired_credentials_pause_the_connection_and_its_deliveries_wait(
    toys: Toys, shop: Shop, bell: type[Bell]
) -> None:
    bell.during = failing(Unauthorized("revoked"))
    shop.deliver(order("1001"))
    toys.work()
    assert (shop.row.state, shop.states()) == ("action_needed", [0])
    assert [row.state for row in toys.rows(WorkRow, kind=incoming.KIND)] == ["parked"]
    shop.deliver(order("1002"))
    toys.wait()
    assert shop.states() == [0, 0]
    bell.during = None
    with toys.hub.store.write(System()) as session:
        toys.hub.connections.save(session, "bell", {}, id=shop.id)
        release(session, shop.id)
    toys.work()
    assert (refs(toys), shop.states()) == (["1001", "1002"], [200, 200])


def test_what_comes_while_a_connection_is_off_is_taken_once_it_is_on(
    toys: Toys, shop: Shop
) -> None:
    with toys.hub.store.write(System()) as session:
        toys.hub.connections.set_enabled(session, shop.id, False)
    shop.deliver(order("1001"))
    toys.work()
    assert (refs(toys), shop.states()) == ([], [0])
    with toys.hub.store.write(System()) as session:
        toys.hub.connections.set_enabled(session, shop.id, True)
        release(session, shop.id)
    toys.work()
    assert (refs(toys), shop.states()) == (["1001"], [200])


def test_who_asks_to_be_left_alone_is(toys: Toys, shop: Shop, bell: type[Bell]) -> None:
    bell.during = failing(Retry("slow down", after=600), times=1)
    shop.deliver(order("1001"))
    began = toys.hub.store.clock.wall()
    toys.work()
    until, asked = shop.row.rests_until, timedelta(seconds=600)
    assert until - toys.hub.store.clock.wall() <= asked <= until - began
    (work,) = toys.rows(WorkRow, kind=incoming.KIND)
    assert work.not_before >= shop.row.rests_until
    toys.wait()
    assert refs(toys) == ["1001"]


def test_a_second_shop_without_a_source_of_its_own_waits_and_says_why(
    toys: Toys, shop: Shop
) -> None:
    second = Shop(toys, toys.merchant)
    with toys.hub.store.write(System()) as session:
        session.get_one(ConnectionRow, second.row.id).source = ""
    second.deliver(order("1001"))
    toys.work()
    assert second.states() == [0]
    assert "would be mixed up" in second.row.reason


def test_an_order_that_webhooks_missed_is_found_by_a_pull_and_one_that_came_by_both_is_taken_once(
    toys: Toys, shop: Shop, bell: type[Bell]
) -> None:
    shop.deliver(order("1001"))
    toys.work()
    bell.pages = [Order(ref="1001"), Order(ref="1002")]
    toys.tick()
    assert refs(toys) == ["1001", "1002"]
    assert len(toys.events("order.needs_address")) == 2
    left = shop.row.pull_at - toys.hub.store.clock.wall()
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)


def test_the_log_has_what_was_pulled_checked_and_delivered(
    toys: Toys, shop: Shop, bell: type[Bell]
) -> None:
    bell.pages = [Order(ref="1")]
    toys.tick()
    with toys.hub.store.write(System()) as session:
        session.exec(update(ConnectionRow).values(check_at=session.wall))
    toys.tick()
    rows = toys.rows(ActivityRow, connection=shop.id)
    assert [(row.what, row.outcome, row.text) for row in rows] == [
        ("pull", "ok", "1 order read"), ("check", "ok", ""),
    ]  # fmt: skip


def test_logs_and_deliveries_are_deleted_after_thirty_days_unless_they_wait(
    toys: Toys, shop: Shop
) -> None:
    shop.deliver(order("1001", depot="Nowhere"))
    toys.work()
    with toys.hub.store.write(System()) as session:
        rejects.dismiss(session, shop.rejected()[0].id, "Lea")
    waits = shop.deliver(order("1002"))
    with toys.hub.store.write(System()) as session:
        long_ago = session.wall - timedelta(days=31)
        session.exec(update(InboxRow).values(received_at=long_ago))
    toys.clock += timedelta(days=31)
    from hub.testing.fixtures import set_time

    set_time(toys.hub, toys.clock)
    with toys.hub.store.write(System()) as session:
        activity.tidy(session)
    assert [row.id for row in toys.rows(InboxRow)] == [waits]
    assert toys.rows(ActivityRow) == []
    assert toys.rows(RejectedRow) == []


def test_bodies_of_every_kind_come_out_as_they_went_in(toys: Toys, shop: Shop) -> None:
    request = Incoming(
        body=b"\n\x00\xff" + base64.b64encode(b"x" * 1000), headers={"a": "ü"}, query={"q": "1"},
        at=toys.hub.store.clock.wall(),
    )  # fmt: skip
    assert incoming.unseal(toys.hub.keys, incoming.seal(toys.hub.keys, request)) == request
