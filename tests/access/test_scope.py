"""Everybody sees their own rows and no others."""

from __future__ import annotations

import pytest

from hub.access import get, scoped
from hub.errors import Missing
from hub.hub import Hub
from hub.store import (
    ConnectionRow,
    Driver,
    DriverRow,
    Merchant,
    MerchantRow,
    Operator,
    OrderRow,
    Principal,
    System,
)
from hub.testing.fixtures import MORNING, World


@pytest.fixture
def orders(hub: Hub, world: World) -> dict[str, str]:
    """Add an order for the world's merchant and one for another; ids by owner."""
    with hub.store.write() as session:
        other = MerchantRow(name="Other", slug="other")
        session.add(other)
        session.flush()
        made = {}
        for name, merchant in (("own", world.merchant), ("other", other.id)):
            row = OrderRow(
                merchant=merchant, source="api", ref="1", service_date=MORNING.date(),
                received_at=MORNING, updated_at=MORNING,
            )  # fmt: skip
            session.add(row)
            made[name] = row.id
        return made


def seen(hub: Hub, principal: Principal) -> set[str]:
    """Return the ids of the orders that somebody sees."""
    with hub.store.read(principal) as session:
        return {row.id for row in session.exec(scoped(session, OrderRow))}


def test_a_merchant_sees_its_own_orders_only(
    hub: Hub, world: World, orders: dict[str, str]
) -> None:
    assert seen(hub, Merchant(world.merchant)) == {orders["own"]}


def test_the_operators_staff_and_the_hub_see_every_merchants(
    hub: Hub, orders: dict[str, str]
) -> None:
    assert seen(hub, Operator("dispatcher")) == set(orders.values())
    assert seen(hub, System()) == set(orders.values())


def test_a_step_for_one_merchant_sees_that_merchant_only(
    hub: Hub, world: World, orders: dict[str, str]
) -> None:
    assert seen(hub, System(world.merchant)) == {orders["own"]}


def test_a_driver_sees_no_orders(hub: Hub, world: World, orders: dict[str, str]) -> None:
    assert seen(hub, Driver(world.driver)) == set()


def test_what_may_not_be_seen_is_missing_in_the_same_words(
    hub: Hub, world: World, orders: dict[str, str]
) -> None:
    with hub.store.read(Merchant(world.merchant)) as session:
        with pytest.raises(Missing) as hidden:
            get(session, OrderRow, orders["other"])
        with pytest.raises(Missing) as absent:
            get(session, OrderRow, "ord_none")
    assert str(hidden.value).replace(orders["other"], "x") == str(absent.value).replace(
        "ord_none", "x"
    )


def test_a_merchant_sees_neither_drivers_nor_the_operators_connections(
    hub: Hub, world: World
) -> None:
    with hub.store.write() as session:
        session.add(ConnectionRow(connector="sms", title="SMS", created_at=MORNING))
    with hub.store.read(Merchant(world.merchant)) as session:
        assert session.exec(scoped(session, DriverRow)).all() == []
        assert session.exec(scoped(session, ConnectionRow)).all() == []


def test_a_session_opened_on_nobodys_behalf_refuses_to_look_for_anything(hub: Hub) -> None:
    with hub.store.read() as session, pytest.raises(TypeError, match="somebody's behalf"):
        scoped(session, OrderRow)
