"""Call an order off while its stop may be on a route: the route goes on without it."""

from __future__ import annotations

from sqlmodel import select

from hub.access import get
from hub.dispatch.held import Held, lock_stops
from hub.driving.routes import close_if_done, head_on
from hub.errors import Retry
from hub.orders.cancellation import cancel
from hub.store import OrderRow, RouteRow, Session, StopRow


def call_off(session: Session, order_id: str) -> OrderRow:
    """Cancel an order; send its driver on, and close the route where nothing is left of it.

    Raise `Refused` once the driver is at the door, `Retry` when its stop was put on a route just
    now.
    """
    order = get(session, OrderRow, order_id)
    # The route before the order and its stop, as a driver's report does: two that lock the same
    # rows in another order would wait for each other.
    before = route_of(session, order.id)
    route = hold(session, before) if before is not None else None
    session.refresh(order, with_for_update={"key_share": True})
    held = Held(route, lock_stops(session, [route.id])[route.id]) if route is not None else None
    order = cancel(session, order.id)
    session.flush()
    if route_of(session, order.id) not in (before, None):
        raise Retry(f"order {order.ref} was put on a route meanwhile; try again", after=1)
    if held is not None and held.route.state == "in_progress":
        head_on(session, held, session.now)
        close_if_done(session, held, session.now)
    return order


def route_of(session: Session, order: str) -> str | None:
    """Return the route that an order's stop is on, if any."""
    return session.exec(select(StopRow.route).where(StopRow.order == order)).one_or_none()


def hold(session: Session, route: str) -> RouteRow | None:
    """Return a route, held until the transaction ends; None for a draft that was thrown away."""
    query = select(RouteRow).where(RouteRow.id == route).with_for_update(key_share=True)
    return session.exec(query.execution_options(populate_existing=True)).one_or_none()
