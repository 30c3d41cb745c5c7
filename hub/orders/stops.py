"""An order becomes a stop: the visit that planning, driving and proof are about."""

from __future__ import annotations

from sqlmodel import select

from hub.access import get
from hub.errors import Refused
from hub.events.catalogue import StopCreated
from hub.orders.happenings import tell_stop
from hub.orders.wishes import follow_wishes, totals_of
from hub.store import OrderRow, Session, StopRow


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
    takes = totals_of(session, order)
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
        load=takes.load,
        loads=takes.loads,
    )
    follow_wishes(stop, order)
    session.add(stop)
    session.flush()
    tell_stop(session, StopCreated, stop)
    return stop
