"""Call an order off while its stop may be on a route: the route goes on without it."""

from __future__ import annotations

from sqlmodel import select

from hub.driving.routes import close_if_done, head_on, stops_of
from hub.orders.cancellation import cancel
from hub.store import OrderRow, RouteRow, Session, StopRow


def call_off(session: Session, order_id: str) -> OrderRow:
    """Cancel an order; send its driver on, and close the route where nothing is left of it."""
    order = cancel(session, order_id)
    stop = session.exec(select(StopRow).where(StopRow.order == order.id)).one_or_none()
    if stop is None or stop.route is None:
        return order
    session.flush()
    route = session.exec(
        select(RouteRow).where(RouteRow.id == stop.route).with_for_update(key_share=True)
    ).one()
    if route.state == "in_progress":
        stops = stops_of(session, route.id)
        head_on(session, stops, session.now)
        close_if_done(session, route, stops, session.now)
    return order
