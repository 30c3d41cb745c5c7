"""Tell what happened to an order or a stop, with all the facts that workflows read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import func
from sqlmodel import SQLModel, col, select

from hub.events import CustomerFacts, MerchantFacts, OrderFacts, RouteFacts, StopFacts, append
from hub.events.catalogue import OrderEvent, StopEvent
from hub.events.facts import DriverFacts
from hub.events.log import append_all
from hub.orders.reasons import label
from hub.store import (
    DriverRow,
    EventRow,
    MerchantRow,
    OrderLineRow,
    OrderRow,
    RouteRow,
    Session,
    StopRow,
)

Row = TypeVar("Row", bound=SQLModel)


def tell_order(session: Session, kind: type[OrderEvent], order: OrderRow, **more: Any) -> EventRow:
    """Append an event about `order`."""
    return append(
        session,
        kind(
            subject=order.id,
            merchant_id=order.merchant,
            order=order_facts(session, order),
            merchant=merchant_facts(session, order.merchant),
            customer=customer(order),
            **more,
        ),
    )


def tell_orders(session: Session, news: Sequence[tuple[type[OrderEvent], OrderRow, int]]) -> None:
    """Append events about many orders at once, each given with how many lines it has.

    It says the same as `tell_order` in two statements instead of some per order.
    """
    append_all(
        session,
        [
            kind(
                subject=order.id,
                merchant_id=order.merchant,
                order=order_facts(session, order, lines),
                merchant=merchant_facts(session, order.merchant),
                customer=customer(order),
            )
            for kind, order, lines in news
        ],
    )


def tell_stop(session: Session, kind: type[StopEvent], stop: StopRow, **more: Any) -> EventRow:
    """Append an event about `stop`, with its order, route, driver and merchant."""
    order = session.get_one(OrderRow, stop.order)
    route = session.get_one(RouteRow, stop.route) if stop.route else None
    driver = session.get_one(DriverRow, route.driver) if route else None
    return append(
        session,
        kind(
            subject=stop.id,
            merchant_id=stop.merchant,
            stop=stop_facts(stop, more.get("occurred_at") or session.now),
            order=order_facts(session, order),
            merchant=merchant_facts(session, stop.merchant),
            route=route_facts(session, route) if route else RouteFacts(),
            driver=DriverFacts(id=driver.id) if driver else DriverFacts(),
            customer=customer(order),
            driver_name=driver.name if driver else "",
            **more,
        ),
    )


def tell_stops(session: Session, kind: type[StopEvent], stops: Sequence[StopRow]) -> list[str]:
    """Append the same event about many stops, in their order, with a handful of statements."""
    orders = by_id(session, OrderRow, {stop.order for stop in stops})
    routes = by_id(session, RouteRow, {stop.route for stop in stops if stop.route})
    drivers = by_id(session, DriverRow, {route.driver for route in routes.values()})
    merchants = {id: merchant_facts(session, id) for id in {stop.merchant for stop in stops}}
    lines = line_counts(session, list(orders))
    about = {id: route_facts(session, route) for id, route in routes.items()}
    events = []
    for stop in stops:
        order = orders[stop.order]
        driver = drivers[routes[stop.route].driver] if stop.route else None
        events.append(
            kind(
                subject=stop.id,
                merchant_id=stop.merchant,
                stop=stop_facts(stop, session.now),
                order=order_facts(session, order, lines.get(order.id, 0)),
                merchant=merchants[stop.merchant],
                route=about[stop.route] if stop.route else RouteFacts(),
                driver=DriverFacts(id=driver.id) if driver else DriverFacts(),
                customer=customer(order),
                driver_name=driver.name if driver else "",
            )
        )
    return append_all(session, events)


def by_id(session: Session, table: type[Row], ids: set[str]) -> dict[str, Row]:
    """Return the rows with `ids`, by id; one alone is often known to the session already."""
    if len(ids) == 1:
        return {id: session.get_one(table, id) for id in ids}
    found = session.exec(select(table).where(col(table.id).in_(ids)))  # type: ignore[attr-defined]
    return {row.id: row for row in found}  # type: ignore[attr-defined]


def line_counts(session: Session, orders: list[str]) -> dict[str, int]:
    """Return how many lines each order has; one without any is absent."""
    found = session.exec(
        select(OrderLineRow.order, func.count())
        .where(col(OrderLineRow.order).in_(orders))
        .group_by(OrderLineRow.order)
    )
    return dict(found.all())


def order_facts(session: Session, order: OrderRow, lines: int | None = None) -> OrderFacts:
    """Return what an event may say about `order`: nothing about its person.

    `lines` is how many it has, where that is known already.
    """
    if lines is None:
        lines = line_counts(session, [order.id]).get(order.id, 0)
    return OrderFacts(
        id=order.id,
        ref=order.ref,
        source=order.source,
        kind=order.kind,
        state=order.state,
        depot=order.depot or "",
        service_date=order.service_date.isoformat(),
        total_minor=minor(order.total),
        cash_due_minor=minor(order.cash_due),
        currency=order.currency,
        invoice=order.invoice,
        lines=lines,
    )


def stop_facts(stop: StopRow, at: datetime) -> StopFacts:
    """Return what an event may say about `stop` at the instant `at`."""
    minutes = 0 if stop.eta_at is None else round((stop.eta_at - at).total_seconds() / 60)
    return StopFacts(
        id=stop.id,
        kind=stop.kind,
        state=stop.state,
        position=stop.position or 0,
        attempt=stop.attempts,
        reason=stop.reason,
        reason_text=label(stop.reason) if stop.reason else "",
        ad_hoc=stop.ad_hoc,
        service_date=stop.service_date.isoformat(),
        window_start=iso(stop.promised_start or stop.window_start),
        window_end=iso(stop.promised_end or stop.window_end),
        eta_at=iso(stop.eta_at),
        eta_minutes=minutes,
    )


def route_facts(session: Session, route: RouteRow) -> RouteFacts:
    """Return what an event may say about `route`."""
    stops = session.exec(select(func.count()).where(StopRow.route == route.id)).one()
    return RouteFacts(
        id=route.id,
        depot=route.depot,
        service_date=route.service_date.isoformat(),
        state=route.state,
        stops=stops,
    )


def merchant_facts(session: Session, id: str) -> MerchantFacts:
    """Return the merchant's name for texts."""
    return MerchantFacts(id=id, name=session.get_one(MerchantRow, id).name)


def customer(order: OrderRow) -> CustomerFacts:
    """Return the recipient, for the erasable row beside the event."""
    return CustomerFacts(name=order.name, phone=order.phone, email=order.email)


def minor(amount: Decimal | None) -> int:
    """Return an amount in hundredths; currencies without them are counted the same way."""
    return 0 if amount is None else int((amount * 100).to_integral_value())


def iso(at: datetime | None) -> str:
    """Return an instant as RFC 3339 text, or nothing."""
    return "" if at is None else at.isoformat()
