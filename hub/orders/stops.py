"""An order becomes a stop: the visit that planning, driving and proof are about."""

from __future__ import annotations

from sqlalchemy import func
from sqlmodel import col, select

from hub.access import get
from hub.errors import Refused
from hub.events.catalogue import StopCreated
from hub.orders.happenings import tell_stop
from hub.store import OrderLineRow, OrderRow, Session, StopRow


def create_stop(session: Session, order_id: str) -> StopRow | None:
    """Return the order's stop, made `unassigned` if there is none yet.

    None for an order that was called off before it had one: nothing is left to do. Raise `Refused`
    while the order has no place, `Missing` for an unknown order.
    """
    order = get(session, OrderRow, order_id)
    session.refresh(order, with_for_update={"key_share": True})
    known = session.exec(select(StopRow).where(StopRow.order == order.id)).one_or_none()
    if known is not None:
        return known
    if order.state == "cancelled":
        return None
    if order.state != "ready" or order.lat is None or order.lon is None or order.depot is None:
        raise Refused(f"order {order.ref} is {order.state.replace('_', ' ')}; it has no place yet")
    stop = StopRow(
        merchant=order.merchant,
        order=order.id,
        kind=order.kind,
        depot=order.depot,
        service_date=order.service_date,
        lat=order.lat,
        lon=order.lon,
        window_start=order.window_start,
        window_end=order.window_end,
        service_time=order.service_time,
        load=load(session, order.id),
    )
    session.add(stop)
    session.flush()
    tell_stop(session, StopCreated, stop)
    return stop


def load(session: Session, order: str) -> int:
    """Return the capacity units that an order's lines take; at least one."""
    total = session.exec(
        select(func.sum(OrderLineRow.load * col(OrderLineRow.quantity))).where(
            OrderLineRow.order == order
        )
    ).one()
    return max(1, int(total or 0))
