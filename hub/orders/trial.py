"""What taking orders in would do, found out without doing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sqlmodel import col, select

from hub.errors import Refused
from hub.nouns import Order
from hub.orders.intake import check_change
from hub.orders.resolve import Desk, digest, open_desk, settle
from hub.store import OrderRow, StopRow

if TYPE_CHECKING:
    from hub.hub import Hub
    from hub.store import Session

Verdict = Literal["new", "changed", "unchanged", "refused"]


@dataclass(frozen=True)
class Trial:
    """What would become of one order."""

    order: Order
    verdict: Verdict
    reason: str = ""
    day: str = ""
    """The day of delivery that it would get."""
    placed: bool = True
    """Whether its place would be known at once."""


def try_all(
    hub: Hub, session: Session, merchant: str, source: str, orders: Sequence[Order], lead: int = 0
) -> list[Trial]:
    """Say for each order what an intake would do now; raise `Refused` where none could be done.

    It only reads. A change that a driver's attempt forbids (see hub.orders.intake) is not foreseen.
    """
    desk = open_desk(hub, session, merchant, orders, lead)
    refs = {order.ref for order in orders if "\x00" not in order.ref}
    known = select(OrderRow).where(
        OrderRow.merchant == merchant, OrderRow.source == source, col(OrderRow.ref).in_(refs)
    )
    rows = {row.ref: row for row in session.exec(known)}
    ids = [row.id for row in rows.values()]
    found = session.exec(select(StopRow).where(col(StopRow.order).in_(ids))) if ids else ()
    stops = {stop.order: stop for stop in found}
    return [try_one(desk, order, rows.get(order.ref), stops) for order in orders]


def try_one(desk: Desk, order: Order, row: OrderRow | None, stops: dict[str, StopRow]) -> Trial:
    """Say what would become of one order, known as `row` or not at all."""
    if row is not None and row.digest == digest(order):
        return Trial(order, "unchanged", day=row.service_date.isoformat())
    try:
        values = settle(desk, order, row)
        if row is not None:
            check_change(row, stops.get(row.id), values)
    except Refused as refusal:
        return Trial(order, "refused", str(refusal))
    verdict: Verdict = "new" if row is None else "changed"
    day = values["service_date"].isoformat()
    return Trial(order, verdict, values["reason"], day, values["state"] == "ready")
