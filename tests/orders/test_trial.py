"""A dry run says what an intake would do, and does nothing."""

from __future__ import annotations

import pytest
from sqlmodel import select

from hub import orders
from hub.hub import Hub
from hub.nouns import Location, Order
from hub.orders.intake import take_all
from hub.orders.stops import create_stop
from hub.orders.trial import try_all
from hub.store import EventRow, OrderRow, StopRow, System, WorkRow
from hub.testing.fixtures import World

HERE = Location(lat=47.14, lon=9.52)


def order(ref: str, **values: object) -> Order:
    return Order.model_validate({"ref": ref, "location": HERE, **values})


KNOWN = [order("same"), order("new words"), order("cancelled"), order("on its way")]
COMING = [
    order("same"), order("new words", notes="Ring"), order("cancelled", notes="Ring"),
    order("on its way", notes="Ring"), order("never seen"), order("bad", depot="Nowhere"),
    Order(ref="lost"),
]  # fmt: skip


@pytest.fixture
def taken(hub: Hub, world: World) -> None:
    """Have four orders in, one of them cancelled and one under way."""
    orders.register(hub)
    with hub.store.write(System(world.merchant)) as session:
        take_all(hub, session, world.merchant, "shop", KNOWN)
        rows = {row.ref: row for row in session.exec(select(OrderRow))}
        stop = create_stop(session, rows["on its way"].id)
        assert stop is not None
        stop.state = "en_route"
        rows["cancelled"].state = "cancelled"


def test_each_order_gets_the_verdict_that_an_intake_would_give(
    hub: Hub, world: World, taken: None
) -> None:
    with hub.store.read(System(world.merchant)) as session:
        found = {
            one.order.ref: one for one in try_all(hub, session, world.merchant, "shop", COMING)
        }
    assert {ref: one.verdict for ref, one in found.items()} == {
        "same": "unchanged", "new words": "changed", "cancelled": "refused",
        "on its way": "refused", "never seen": "new", "bad": "refused", "lost": "new",
    }  # fmt: skip
    assert "Nowhere" in found["bad"].reason
    assert (found["lost"].placed, found["never seen"].placed) == (False, True)
    with hub.store.write(System(world.merchant)) as session:
        really = take_all(hub, session, world.merchant, "shop", COMING)
    words = {"created": "new", "updated": "changed", "unchanged": "unchanged"}
    assert [one.verdict for one in found.values()] == [
        words[one.news] if hasattr(one, "news") else "refused" for one in really
    ]


def test_nothing_is_written(hub: Hub, world: World, taken: None) -> None:
    def everything() -> list[object]:
        with hub.store.read() as session:
            return [
                row.model_dump()
                for table in (OrderRow, StopRow, EventRow, WorkRow)
                for row in session.exec(select(table))
            ]

    before = everything()
    with hub.store.read(System(world.merchant)) as session:
        try_all(hub, session, world.merchant, "shop", COMING)
    assert everything() == before


def test_days_to_get_ready_move_an_order_without_a_date(hub: Hub, world: World) -> None:
    orders.register(hub)
    with hub.store.read(System(world.merchant)) as session:
        soon, later = (
            try_all(hub, session, world.merchant, "shop", [order("1")], lead)[0].day
            for lead in (0, 2)
        )
    assert (soon, later) == ("2026-11-23", "2026-11-25")
