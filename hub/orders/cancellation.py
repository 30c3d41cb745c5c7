"""Call an order off, together with its stop."""

from __future__ import annotations

from sqlmodel import select

from hub.access import get
from hub.errors import Refused
from hub.events.catalogue import OrderCancelled, StopCancelled
from hub.orders.happenings import tell_order, tell_stop
from hub.store import OrderRow, Session, StopRow
from hub.store.states import STOP_MOVES, move_stop


def cancel(session: Session, order_id: str) -> OrderRow:
    """Call an order off; doing it again changes nothing.

    Raise `Refused` once the driver is at the door or the stop has ended.
    """
    order = get(session, OrderRow, order_id)
    session.refresh(order, with_for_update={"key_share": True})
    if order.state == "cancelled":
        return order
    stop = session.exec(
        select(StopRow).where(StopRow.order == order.id).with_for_update(key_share=True)
    ).one_or_none()
    if stop is not None and "cancelled" not in STOP_MOVES[stop.state]:
        raise Refused(f"order {order.ref} is {stop.state} already and cannot be cancelled")
    order.state, order.cancelled_at, order.updated_at = "cancelled", session.now, session.now
    tell_order(session, OrderCancelled, order)
    if stop is not None:
        if stop.state == "planned":  # only a draft knows of it, and the draft goes on without it
            stop.route = stop.position = stop.planned_at = None
        move_stop(stop, "cancelled")
        tell_stop(session, StopCancelled, stop)
    return order
