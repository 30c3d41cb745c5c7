"""Tell what happened to an order or a stop, with all the facts that workflows read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

import sqlalchemy
from sqlalchemy import bindparam, func
from sqlmodel import SQLModel, col, select

from hub.events import CustomerFacts, MerchantFacts, OrderFacts, RouteFacts, StopFacts, append
from hub.events.catalogue import OrderEvent, StopEvent
from hub.events.facts import DriverFacts
from hub.events.log import append_all
from hub.orders.reasons import label
from hub.store import (
    DriverRow,
    MerchantRow,
    OrderLineRow,
    OrderRow,
    RouteRow,
    Session,
    StopRow,
)

Row = TypeVar("Row", bound=SQLModel)


class Told(NamedTuple):
    """What events tell of an order, and how many lines it has; named as in `OrderRow`."""

    id: str
    ref: str
    source: str
    kind: str
    state: str
    depot: str | None
    service_date: date
    total: Decimal | None
    cash_due: Decimal | None
    currency: str
    invoice: str
    name: str
    phone: str
    email: str
    lines: int


_LINES = select(func.count()).where(OrderLineRow.order == OrderRow.id).scalar_subquery()
_TOLD = sqlalchemy.select(
    *(getattr(OrderRow, name) for name in Told._fields if name != "lines"), _LINES
).where(col(OrderRow.id).in_(bindparam("ids", expanding=True)))


def tell_order(session: Session, kind: type[OrderEvent], order: OrderRow, **more: Any) -> str:
    """Append an event about `order`."""
    return append(
        session,
        kind(
            subject=order.id,
            merchant_id=order.merchant,
            order=order_facts(order, told_orders(session, [order.id])[order.id].lines),
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
                order=order_facts(order, lines),
                merchant=merchant_facts(session, order.merchant),
                customer=customer(order),
            )
            for kind, order, lines in news
        ],
    )


def tell_stop(
    session: Session,
    kind: type[StopEvent],
    stop: StopRow,
    *,
    on: RouteFacts | None = None,
    **more: Any,
) -> str:
    """Append an event about `stop`, with its order, route, driver and merchant.

    `on` is about the route that it is on, where that is known already.
    """
    order = told_orders(session, [stop.order])[stop.order]
    route = session.get_one(RouteRow, stop.route) if stop.route else None
    driver = session.get_one(DriverRow, route.driver) if route else None
    if on is None:
        (on,) = routes_facts(session, [route]) if route else [RouteFacts()]
    return append(
        session,
        kind(
            subject=stop.id,
            merchant_id=stop.merchant,
            stop=stop_facts(stop, more.get("occurred_at") or session.now),
            order=order_facts(order, order.lines),
            merchant=merchant_facts(session, stop.merchant),
            route=on,
            driver=DriverFacts(id=driver.id) if driver else DriverFacts(),
            customer=customer(order),
            driver_name=driver.name if driver else "",
            **more,
        ),
    )


def tell_stops(
    session: Session,
    kind: type[StopEvent],
    stops: Sequence[StopRow],
    on: Sequence[RouteFacts] = (),
) -> list[str]:
    """Append the same event about many stops, in their order, with a handful of statements.

    `on` is about all routes that they are on, where that is known already.
    """
    return append_all(session, stop_events(session, kind, stops, on))


def stop_events(
    session: Session,
    kind: type[StopEvent],
    stops: Sequence[StopRow],
    on: Sequence[RouteFacts] = (),
) -> list[StopEvent]:
    """Return the same event about many stops, in their order; `on` as for `tell_stops`."""
    orders = told_orders(session, [stop.order for stop in stops])
    routes = by_id(session, RouteRow, {stop.route for stop in stops if stop.route})
    drivers = by_id(session, DriverRow, {route.driver for route in routes.values()})
    merchants = {id: merchant_facts(session, id) for id in {stop.merchant for stop in stops}}
    about = {one.id: one for one in on or routes_facts(session, list(routes.values()))}
    events = []
    for stop in stops:
        order = orders[stop.order]
        driver = drivers[routes[stop.route].driver] if stop.route else None
        events.append(
            kind(
                subject=stop.id,
                merchant_id=stop.merchant,
                stop=stop_facts(stop, session.now),
                order=order_facts(order, order.lines),
                merchant=merchants[stop.merchant],
                route=about[stop.route] if stop.route else RouteFacts(),
                driver=DriverFacts(id=driver.id) if driver else DriverFacts(),
                customer=customer(order),
                driver_name=driver.name if driver else "",
            )
        )
    return events


def by_id(session: Session, table: type[Row], ids: set[str]) -> dict[str, Row]:
    """Return the rows with `ids`, by id; one alone is often known to the session already."""
    if len(ids) == 1:
        return {id: session.get_one(table, id) for id in ids}
    found = session.exec(select(table).where(col(table.id).in_(ids)))  # type: ignore[attr-defined]
    return {row.id: row for row in found}  # type: ignore[attr-defined]


def told_orders(session: Session, ids: Sequence[str]) -> dict[str, Told]:
    """Return what events tell of orders, by id: in one statement, much less than all columns."""
    return {row.id: Told(*row) for row in session.execute(_TOLD, {"ids": ids})}


def order_facts(order: OrderRow | Told, lines: int) -> OrderFacts:
    """Return what an event may say about `order`, which has so many lines: not its person."""
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


def routes_facts(session: Session, routes: Sequence[RouteRow]) -> list[RouteFacts]:
    """Return what an event may say about `routes`, in their order."""
    counts = count_stops(session, [route.id for route in routes])
    return [route_facts(route, counts[route.id]) for route in routes]


def count_stops(session: Session, routes: Sequence[str]) -> dict[str, int]:
    """Return how many stops are on each of `routes`."""
    if not routes:
        return {}
    query = select(StopRow.route, func.count()).where(col(StopRow.route).in_(routes))
    found = session.exec(query.group_by(col(StopRow.route))).all()
    return dict.fromkeys(routes, 0) | {route: count for route, count in found if route}


def route_facts(route: RouteRow, stops: int) -> RouteFacts:
    """Return what an event may say about `route`, which has so many stops."""
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


def customer(order: OrderRow | Told) -> CustomerFacts:
    """Return the recipient, for the erasable row beside the event."""
    return CustomerFacts(name=order.name, phone=order.phone, email=order.email)


def minor(amount: Decimal | None) -> int:
    """Return an amount in hundredths; currencies without them are counted the same way."""
    return 0 if amount is None else int((amount * 100).to_integral_value())


def iso(at: datetime | None) -> str:
    """Return an instant as RFC 3339 text, or nothing."""
    return "" if at is None else at.isoformat()
