"""What workflows may do with orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.access import get
from hub.actions import ActionInput, ActionOutput, Inside
from hub.orders import geocoding
from hub.orders.stops import create_stop
from hub.store import OrderRow, Session

if TYPE_CHECKING:
    from hub.hub import Hub


class OrderInput(ActionInput):
    """An order by its id."""

    order: str


class StopOutput(ActionOutput):
    """A stop by its id; empty where the order was called off before it had one."""

    id: str


class LookUpOutput(ActionOutput):
    """Whether the order's place has to be looked up."""

    asked: bool


def make_stop(hub: Hub, session: Session, given: OrderInput) -> StopOutput:
    """Make the order's stop, or return the one that it has."""
    stop = create_stop(session, given.order)
    return StopOutput(id=stop.id if stop is not None else "")


def look_up(hub: Hub, session: Session, given: OrderInput) -> LookUpOutput:
    """Have the place of an order looked up, if it waits for one and can be."""
    order = get(session, OrderRow, given.order)
    asked = order.state == "needs_address" and geocoding.is_possible(hub, session, order.merchant)
    if asked:
        geocoding.ask(session, order.id)
    return LookUpOutput(asked=asked)


CREATE_STOP = Inside("orders.create_stop", OrderInput, StopOutput, make_stop)
GEOCODE = Inside("orders.geocode", OrderInput, LookUpOutput, look_up, hooks=("geocoders",))
