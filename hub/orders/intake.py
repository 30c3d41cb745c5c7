"""Take orders in: new ones, changed ones, and the same again, which changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlmodel import col, delete, insert, select

from hub.errors import Refused
from hub.events.catalogue import (
    OrderAddressFixed,
    OrderEvent,
    OrderNeedsAddress,
    OrderReceived,
    OrderUpdated,
)
from hub.nouns import Order, OrderLine
from hub.orders.happenings import tell_orders
from hub.orders.resolve import Desk, digest, open_desk, settle, settle_price
from hub.orders.wishes import Totals, follow_wishes, said_totals
from hub.queue import enqueue
from hub.store import AttemptLineRow, MerchantRow, OrderLineRow, OrderRow, Session, StopRow, new_id
from hub.store.states import move_stop

if TYPE_CHECKING:
    from hub.hub import Hub

News = Literal["created", "updated", "unchanged"]
FREE = frozenset({"unassigned", "on_hold"})
"""Stop states in which where and when an order is delivered may still change."""
ON_A_ROUTE = frozenset({"planned", "dispatched", "skipped"})
"""Stop states in which only what is delivered, to whom and for how much may change."""
WHERE_AND_WHEN = (
    "kind", "lat", "lon", "depot", "service_date", "window_start", "window_end", "service_time",
    "windows", "skills", "driver", "turn", "on_board", "pair",
)  # fmt: skip


@dataclass(frozen=True)
class Taken:
    """What became of an order that was handed in."""

    id: str
    ref: str
    news: News


def take(hub: Hub, session: Session, merchant: str, source: str, order: Order) -> Taken:
    """Take one order in; raise `Refused` where it cannot be, naming the field."""
    taken = take_all(hub, session, merchant, source, [order])[0]
    if isinstance(taken, Refused):
        raise taken
    return taken


def take_all(
    hub: Hub,
    session: Session,
    merchant: str,
    source: str,
    orders: Sequence[Order],
    desk: Desk | None = None,
) -> list[Taken | Refused]:
    """Take orders in, each by itself: one that is refused leaves no trace and stops no other.

    A `desk` that was opened just before keeps its reading out of this transaction.

    An order is known by (merchant, source, ref). The same words again are `unchanged`. Changed
    words are applied while the order's stop is not on a route; on a route, where and when it is
    delivered stays; once the driver is on the way nothing changes any more. What cannot be
    applied is refused, never dropped in silence. An order whose person was erased stays as it is.
    """
    desk = desk or open_desk(hub, session, merchant, orders)
    known = known_orders(session, merchant, source, orders)
    counter = Counter(session, desk, source, known, stops_of(session, known))
    results = [counter.take(order) for order in orders]
    counter.close()
    return results


def known_orders(
    session: Session, merchant: str, source: str, orders: Sequence[Order]
) -> dict[str, OrderRow]:
    """Return the orders that are known already, by ref.

    Intakes of one merchant take turns, so that nobody adds the same order in between.
    """
    turn = select(MerchantRow.id).where(MerchantRow.id == merchant)
    session.exec(turn.with_for_update(key_share=True))
    # A NUL is refused later on; PostgreSQL would not even take the question.
    refs = {order.ref for order in orders if "\x00" not in order.ref}
    rows = session.exec(
        select(OrderRow)
        .where(
            OrderRow.merchant == merchant, OrderRow.source == source, col(OrderRow.ref).in_(refs)
        )
        .order_by(OrderRow.id)
        .with_for_update(key_share=True)
    )
    return {row.ref: row for row in rows}


def stops_of(session: Session, known: dict[str, OrderRow]) -> dict[str, StopRow]:
    """Return the stops of known orders by the order's id, held.

    They are held by their ids, as everybody does who holds several: a file has any order.
    """
    if not known:
        return {}
    mine = select(StopRow).where(col(StopRow.order).in_([row.id for row in known.values()]))
    held = mine.order_by(StopRow.id).with_for_update(key_share=True)
    rows = session.exec(held.execution_options(populate_existing=True))
    return {stop.order: stop for stop in rows}


class Counter:
    """Takes the orders of one transaction and tells about all of them at its end."""

    def __init__(
        self,
        session: Session,
        desk: Desk,
        source: str,
        known: dict[str, OrderRow],
        stops: dict[str, StopRow],
    ) -> None:
        self.session = session
        self.desk = desk
        self.source = source
        self.known = known
        self.stops = stops
        self.news: list[tuple[type[OrderEvent], OrderRow, int]] = []
        self.lines: list[dict[str, Any]] = []

    def take(self, order: Order) -> Taken | Refused:
        """Take one order; return why where it is refused."""
        row = self.known.get(order.ref)
        if row is not None and (row.erased_at is not None or row.digest == digest(order)):
            return Taken(row.id, row.ref, "unchanged")
        try:
            values = settle(self.desk, order, row)
            if row is None:
                return self.create(order, values)
            return self.update(row, order, values)
        except Refused as refusal:
            return refusal

    def create(self, order: Order, values: dict[str, Any]) -> Taken:
        """Add a new order."""
        row = OrderRow(
            merchant=self.desk.merchant.id,
            source=self.source,
            ref=order.ref,
            received_at=self.desk.now,
            updated_at=self.desk.now,
            **values,
        )
        self.session.add(row)
        self.known[order.ref] = row
        self.add_lines(row, order)
        placed = row.state == "ready"
        self.tell(OrderReceived if placed else OrderNeedsAddress, row, order)
        return Taken(row.id, row.ref, "created")

    def update(self, row: OrderRow, order: Order, values: dict[str, Any]) -> Taken:
        """Apply changed words to a known order and to its stop."""
        if any(row is told for _, told, _ in self.news):
            self.close()  # it came twice in a row: its lines are not written yet
        stop = self.stops.get(row.id)
        check_change(row, stop, values)
        was_placed = row.state == "ready"
        for name, value in values.items():
            setattr(row, name, value)
        row.updated_at = self.desk.now
        self.change_lines(row, order)
        if stop is not None:
            follow(stop, row, said_totals(self.desk.measures, order))
        self.tell(kind_of_change(was_placed, row, stop), row, order)
        return Taken(row.id, row.ref, "updated")

    def change_lines(self, row: OrderRow, order: Order) -> None:
        """Make an order's lines what they are now; attempts keep pointing at the ones they name."""
        query = select(OrderLineRow).where(OrderLineRow.order == row.id)
        known = list(self.session.exec(query.order_by(col(OrderLineRow.number))))
        for old, line in zip(known, order.lines, strict=False):
            for name, value in said_of(line).items():
                setattr(old, name, value)
        surplus = [old.id for old in known[len(order.lines) :]]
        named = select(AttemptLineRow.line).where(col(AttemptLineRow.line).in_(surplus))
        if surplus and self.session.exec(named.limit(1)).first() is not None:
            raise Refused(
                f"order {row.ref} was tried with an article that it no longer has; "
                "send it under a new ref",
                "lines",
            )
        self.session.exec(delete(OrderLineRow).where(col(OrderLineRow.id).in_(surplus)))
        self.add_lines(row, order, len(known))

    def add_lines(self, row: OrderRow, order: Order, known: int = 0) -> None:
        """Keep an order's lines behind the `known` ones until the order itself is written."""
        for number, line in enumerate(order.lines[known:], known + 1):
            self.lines.append(
                {"id": new_id("lin"), "order": row.id, "number": number, **said_of(line)}
            )

    def tell(self, kind: type[OrderEvent], row: OrderRow, order: Order) -> None:
        """Keep the event until the order itself is written, and ask for its place if need be."""
        self.news.append((kind, row, len(order.lines)))

    def close(self) -> None:
        """Write what has been taken so far: orders, then lines and events, then look-ups."""
        self.session.flush()
        if self.lines:
            self.session.execute(insert(OrderLineRow), self.lines)
        tell_orders(self.session, self.news)
        for _, row, _ in self.news:
            if row.state == "needs_address" and self.desk.geocoder:
                enqueue(self.session, "geocode", row.id, queue="outward")
        self.lines, self.news = [], []


def said_of(line: OrderLine) -> dict[str, Any]:
    """Return the column values of a line."""
    return {
        "sku": line.sku, "name": line.name, "ref": line.ref, "quantity": line.quantity,
        "load": line.load, "price": settle_price(line.price),
        "loads": dict(line.loads),
    }  # fmt: skip


def check_change(row: OrderRow, stop: StopRow | None, values: dict[str, Any]) -> None:
    """Raise `Refused` where a change comes too late."""
    if row.state == "cancelled":
        raise Refused(f"order {row.ref} was cancelled; send it under a new ref", "ref")
    if stop is None or stop.state in FREE:
        return
    if stop.state not in ON_A_ROUTE:
        raise Refused(
            f"order {row.ref} is {stop.state.replace('_', ' ')} already; "
            "the change was not applied, tell the dispatcher",
            "ref",
        )
    moved = [name for name in WHERE_AND_WHEN if getattr(row, name) != values[name]]
    if moved:
        raise Refused(
            f"order {row.ref} is on a route already, so its {moved[0].replace('_', ' ')} stays; "
            "take its stop off the route first",
            moved[0],
        )


def follow(stop: StopRow, order: OrderRow, takes: Totals) -> None:
    """Let a stop say what its order says; one without a place waits."""
    stop.load, stop.loads = takes.load, takes.loads
    if stop.state not in FREE:
        return
    if order.lat is None or order.lon is None or order.depot is None:
        if stop.state != "on_hold":
            move_stop(stop, "on_hold")
        return
    stop.kind, stop.depot, stop.service_date = order.kind, order.depot, order.service_date
    stop.lat, stop.lon = order.lat, order.lon
    stop.window_start, stop.window_end = order.window_start, order.window_end
    stop.service_time = order.service_time
    follow_wishes(stop, order)
    if stop.state == "on_hold":
        move_stop(stop, "unassigned")


def kind_of_change(was_placed: bool, order: OrderRow, stop: StopRow | None) -> type[OrderEvent]:
    """Return which event tells of a change."""
    if order.state == "needs_address":
        return OrderNeedsAddress if was_placed else OrderUpdated
    return OrderUpdated if was_placed or stop is not None else OrderAddressFixed
