"""Collect the board's state of one day, as its reader may see it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func
from sqlmodel import col, select

from hub.access import scoped
from hub.access.scope import visible
from hub.dispatch.explanation import names
from hub.dispatch.sheets import left_out
from hub.dispatch.timeline import pause_lines
from hub.hub import Hub
from hub.insights import kpis
from hub.nouns import Address, Unserved
from hub.orders.happenings import by_id as rows_by_id
from hub.planning.explain import Outcome
from hub.planning.fleet import all_depots, place_of
from hub.planning.words import words
from hub.store import (
    DepotRow,
    DriverRow,
    FlagRow,
    MerchantRow,
    OrderRow,
    PlanRow,
    RouteRow,
    Session,
    StopRow,
)
from hub.store.states import ENDED, LEFT_OUT
from hub.tracking import positions
from hub.web.board.figures import figures
from hub.web.board.models import (
    DepotView,
    DriverView,
    FlagView,
    LeftView,
    PauseView,
    PlanView,
    PositionView,
    RouteView,
    State,
    StopView,
    WaitingView,
)

MOST_FLAGS = 100
MOST_WAITING = 200


def collect(hub: Hub, session: Session, day: date | None) -> State:
    """Return the board of `day`, or of today in the first depot's zone."""
    depots = depots_of(session)
    now = session.now
    current = today(session)
    day = day or current
    rate = session.clock.rate()
    routes = list(session.exec(routes_of(session, day)))
    stops = stop_views(session, day, [row.id for row in routes])
    return State(
        now=now,
        speed=1.0 if rate is None else rate.speed,
        day=day,
        today=current,
        merchants={row.id: row.name for row in session.exec(scoped(session, MerchantRow))},
        depots=[depot_view(session, row, day) for row in depots],
        drivers=[driver_view(hub, row) for row in drivers_of(session, routes)],
        routes=route_views(session, routes, stops),
        stops=stops,
        waiting=waiting_views(session, day),
        flags=flag_views(session),
        figures=figures(kpis.day(session, day)),
        orders=count_orders(session, day),
    )


def depots_of(session: Session) -> list[DepotRow]:
    """Return the depots that the reader sees, by name."""
    return list(session.exec(scoped(session, DepotRow).order_by(col(DepotRow.name))))


def today(session: Session) -> date:
    """Return the date in the first depot's zone."""
    depots = depots_of(session)
    return session.now.astimezone(ZoneInfo(depots[0].timezone if depots else "UTC")).date()


def routes_of(session: Session, day: date) -> Any:
    """Return the select of a day's routes, in the order in which drivers start."""
    query = scoped(session, RouteRow).where(
        RouteRow.service_date == day, RouteRow.state != "cancelled"
    )
    return query.order_by(col(RouteRow.starts_at), RouteRow.id)


def drivers_of(session: Session, routes: list[RouteRow]) -> list[DriverRow]:
    """Return the drivers who work now or have a route on the board."""
    rows = session.exec(scoped(session, DriverRow).order_by(col(DriverRow.name)))
    busy = {route.driver for route in routes}
    return [row for row in rows if row.active or row.id in busy]


def depot_view(session: Session, row: DepotRow, day: date) -> DepotView:
    """Return a depot with its newest plan of the day.

    One that failed left the drafts of the plan before it; then it is that one, with the failure.
    """
    newest = (
        scoped(session, PlanRow)
        .where(PlanRow.depot == row.id, PlanRow.service_date == day)
        .order_by(col(PlanRow.created_at).desc())
    )
    plan, failed = session.exec(newest.limit(1)).first(), ""
    if plan is not None and plan.state == "failed":
        made = session.exec(newest.where(PlanRow.state == "done").limit(1)).first()
        plan, failed = (made, plan.reason) if made is not None else (plan, "")
    return DepotView(
        **row.model_dump(include={"id", "name", "lat", "lon", "timezone"}),
        plan=None if plan is None else plan_view(session, plan, failed),
    )


def plan_view(session: Session, plan: PlanRow, failed: str = "") -> PlanView:
    """Return a plan with what it left out, in sentences."""
    left = [Unserved.model_validate(one) for one in plan.unserved]
    drivers, refs = names(session, Outcome(), left, None)
    places = {one.stop: one.place for one in left_out(session, plan)}

    def name_of(id: str) -> str:
        return drivers.get(id) or refs.get(id) or ""

    return PlanView(
        **plan.model_dump(include=set(PlanView.model_fields) - {"unserved", "failed"}),
        failed=failed,
        unserved=[
            LeftView(
                stop=one.stop,
                reason=one.reason,
                fits=words(one, name_of),
                place=places[one.stop],
            )
            for one in left
        ],
    )


def driver_view(hub: Hub, row: DriverRow) -> DriverView:
    """Return a driver with its last position."""
    last = positions.position(hub, row.id)
    return DriverView(
        **row.model_dump(include={"id", "name", "colour", "depot"}),
        position=None if last is None else PositionView(**last.model_dump()),
    )


def route_views(session: Session, rows: list[RouteRow], stops: list[StopView]) -> list[RouteView]:
    """Return routes with their breaks and reloads, and where they begin and end."""
    by_id, known = all_depots(session), {stop.id for stop in stops}
    drivers = rows_by_id(session, DriverRow, {row.driver for row in rows})
    same = set(RouteView.model_fields) - {"pauses", "start", "end"}
    return [
        RouteView(
            **row.model_dump(include=same),
            start=list(place_of(drivers[row.driver], drivers[row.driver].start_place, by_id)),
            end=list(place_of(drivers[row.driver], drivers[row.driver].end_place, by_id)),
            pauses=[
                PauseView(kind=one.kind, after=one.after, text=one.text)
                for one in pause_lines(row, by_id[row.depot].timezone, by_id, known)
            ],
        )
        for row in rows
    ]


def stop_views(session: Session, day: date, routes: list[str]) -> list[StopView]:
    """Return the day's stops: those in its routes, in their order, and those in none."""
    query = (
        select(StopRow, OrderRow)
        .join(OrderRow, col(OrderRow.id) == StopRow.order)
        .where(
            visible(StopRow, session.principal),
            (col(StopRow.service_date) == day) | col(StopRow.route).in_(routes),
            StopRow.state != "cancelled",
        )
        .order_by(col(StopRow.route), col(StopRow.position), StopRow.id)
    )
    return [stop_view(stop, order, session.now) for stop, order in session.exec(query)]


def stop_view(stop: StopRow, order: OrderRow, now: datetime) -> StopView:
    """Return a stop with its order's recipient."""
    same = {"id", "order", "merchant", "depot", "kind", "state", "lat", "lon", "route", "position"}
    same |= {"planned_at", "eta_at", "arrived_at", "ended_at", "reason", "ad_hoc"}
    return StopView(
        **stop.model_dump(include=same),
        ref=order.ref,
        name=order.name,
        address=Address(**order.address).text(),
        window_start=stop.promised_start or stop.window_start,
        window_end=stop.promised_end or stop.window_end,
        late=minutes_late(stop, now),
    )


def minutes_late(stop: StopRow, now: datetime) -> int:
    """Return how many whole minutes after its window a stop was, or will be, reached."""
    end = stop.promised_end or stop.window_end
    if end is None or stop.state in LEFT_OUT:
        return 0
    if stop.arrived_at is not None:
        reached = stop.arrived_at
    elif stop.state in ENDED:
        reached = stop.ended_at or end
    else:
        reached = max(stop.eta_at or stop.planned_at or now, now)
    return max(0, int((reached - end).total_seconds() // 60))


def waiting_views(session: Session, day: date) -> list[WaitingView]:
    """Return orders without a place, due on `day` or before."""
    query = (
        scoped(session, OrderRow)
        .where(OrderRow.state == "needs_address", OrderRow.service_date <= day)
        .order_by(col(OrderRow.service_date), OrderRow.id)
        .limit(MOST_WAITING)
    )
    return [
        WaitingView(
            **row.model_dump(include={"id", "ref", "name", "merchant", "reason", "lat", "lon"}),
            address=Address(**row.address).text(),
        )
        for row in session.exec(query)
    ]


def flag_views(session: Session) -> list[FlagView]:
    """Return what is not dealt with yet, newest first."""
    query = (
        scoped(session, FlagRow)
        .where(col(FlagRow.cleared_at).is_(None))
        .order_by(col(FlagRow.raised_at).desc(), FlagRow.id)
        .limit(MOST_FLAGS)
    )
    return [
        FlagView(**row.model_dump(include=set(FlagView.model_fields)))
        for row in session.exec(query)
    ]


def count_orders(session: Session, day: date) -> int:
    """Return how many orders are due on `day`."""
    query = select(func.count()).select_from(OrderRow)
    return session.exec(
        query.where(
            visible(OrderRow, session.principal),
            OrderRow.service_date == day,
            OrderRow.state != "cancelled",
        )
    ).one()
