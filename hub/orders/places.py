"""Give a waiting order its place: by a person's pin or by what a geocoder found."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import select

from hub.access import get
from hub.errors import Refused
from hub.events.catalogue import OrderAddressFixed, OrderUpdated
from hub.fleet import places, shifts
from hub.nouns import Address, Location
from hub.orders.happenings import tell_order
from hub.orders.intake import FREE, follow
from hub.orders.resolve import delivering
from hub.orders.wishes import read_windows, totals_of, window_values
from hub.store import DepotRow, OrderRow, Session, StopRow

if TYPE_CHECKING:
    from hub.hub import Hub


def set_pin(
    hub: Hub, session: Session, order_id: str, lat: float, lon: float, by: str = ""
) -> OrderRow:
    """Set where an order's door is, as a person saw it; the door is remembered.

    Raise `Refused` for a point off the map, a cancelled order, or one whose stop is on a route.
    """
    if not (math.isfinite(lat) and -90 <= lat <= 90):
        raise Refused("lat has to lie between -90 and 90", "lat")
    if not (math.isfinite(lon) and -180 <= lon <= 180):
        raise Refused("lon has to lie between -180 and 180", "lon")
    order = get(session, OrderRow, order_id)
    location = Location(lat=lat, lon=lon)
    put(session, order, location)
    places.remember(session, Address.model_validate(order.address), location, places.PIN)
    return order


def put(session: Session, order: OrderRow, location: Location) -> None:
    """Give `order` a place and a depot, and let its stop and the event feed know."""
    session.refresh(order, with_for_update={"key_share": True})
    if order.state == "cancelled":
        raise Refused(f"order {order.ref} was cancelled")
    stop = session.exec(
        select(StopRow).where(StopRow.order == order.id).with_for_update(key_share=True)
    ).one_or_none()
    if stop is not None and stop.state not in FREE:
        raise Refused(f"order {order.ref} is on a route already; take its stop off the route first")
    waited = order.state == "needs_address"
    order.lat, order.lon, order.confidence = location.lat, location.lon, location.confidence
    order.state, order.reason, order.updated_at = "ready", "", session.now
    if order.depot is None:
        choose_depot(session, order, location)
    if stop is not None:
        follow(stop, order, totals_of(session, order))
    tell_order(session, OrderAddressFixed if waited else OrderUpdated, order)


def choose_depot(session: Session, order: OrderRow, location: Location) -> None:
    """Give `order` the nearest depot; its window keeps its times of day in that depot's zone."""
    depots = delivering(session)
    before, depot = depots[0], places.nearest(depots, location)
    order.depot = depot.id
    if depot.timezone != before.timezone:
        order.window_start = same_clock(order.window_start, before, depot)
        order.window_end = same_clock(order.window_end, before, depot)
        moved = [
            (same_clock(start, before, depot), same_clock(end, before, depot))
            for start, end in read_windows(order.windows)
        ]
        order.windows = window_values(moved)["windows"]


def same_clock(at: datetime | None, before: DepotRow, depot: DepotRow) -> datetime | None:
    """Return the instant at which the clock at `depot` shows what it showed at `before`."""
    if at is None:
        return None
    return at.astimezone(shifts.zone(before)).replace(tzinfo=shifts.zone(depot))
