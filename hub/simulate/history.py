"""Invent the days before the demo's first one, so that figures have something to compare."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import select

from hub.events import Event, append_all, number
from hub.events.catalogue import (
    OrderReceived,
    StopArrived,
    StopCompleted,
    StopCreated,
    StopDispatched,
    StopFailed,
)
from hub.events.facts import DriverFacts, ProofFacts, RouteFacts
from hub.hub import Hub
from hub.nouns import Location
from hub.orders.happenings import customer, merchant_facts, order_facts, stop_facts
from hub.planning.times import seconds_between
from hub.queue.leader import lead, resign
from hub.simulate.folder import Folder
from hub.simulate.ground import Door, ground_of
from hub.simulate.script import Day
from hub.store import (
    AttemptRow,
    CursorRow,
    DepotRow,
    DriverRow,
    EtaRow,
    EventRow,
    MerchantRow,
    OrderLineRow,
    OrderRow,
    RouteRow,
    Session,
    StopRow,
)

REASONS = ("not_home", "not_home", "no_access", "cant_find_address", "refused")
SERVICE = 150


def invent(hub: Hub, days: int) -> None:
    """Write `days` finished days before the one in play; photos are the only thing they lack."""
    today = Folder(hub.settings.directory).day()
    doors = list(ground_of(hub.settings.directory).doors)
    for back in range(days, 0, -1):
        day = Day(today.date - timedelta(days=back), 0)
        invent_day(hub, day, doors, random.Random(back))
    settle(hub)


def invent_day(hub: Hub, day: Day, doors: list[Door], dice: random.Random) -> None:
    """Write one day: every driver's route, each in a transaction of its own."""
    chosen = dice.sample(doors, 58)
    with hub.store.read() as session:
        drivers = list(session.exec(select(DriverRow).order_by(DriverRow.id)))
        depots = {row.id: row for row in session.exec(select(DepotRow))}
        merchants = [row.id for row in session.exec(select(MerchantRow).order_by(MerchantRow.id))]
    shares = deal(chosen, drivers, depots)
    for driver in drivers:
        way = nearest_first(depots[driver.depot], shares[driver.id])
        with hub.store.write() as session:
            Past(session, day, driver, depots[driver.depot], merchants, dice).drive(way)


def deal(
    doors: list[Door], drivers: list[DriverRow], depots: dict[str, DepotRow]
) -> dict[str, list[Door]]:
    """Give every door to the driver of the nearest depot who has the fewest."""
    shares: dict[str, list[Door]] = {driver.id: [] for driver in drivers}
    for door in sorted(doors, key=lambda each: each.lat):
        near = min(
            depots.values(), key=lambda depot: abs(depot.lat - door.lat) + abs(depot.lon - door.lon)
        )
        own = [driver for driver in drivers if driver.depot == near.id]
        shares[min(own, key=lambda each: len(shares[each.id])).id].append(door)
    return shares


def nearest_first(depot: DepotRow, doors: list[Door]) -> list[Door]:
    """Return the doors in the order of a driver who always takes the nearest next."""
    here, left, way = Location(lat=depot.lat, lon=depot.lon), list(doors), []
    while left:
        best = min(left, key=lambda door: seconds_between(here, door.place))
        left.remove(best)
        way.append(best)
        here = best.place
    return way


class Past:
    """Writes one driver's finished day."""

    def __init__(
        self,
        session: Session,
        day: Day,
        driver: DriverRow,
        depot: DepotRow,
        merchants: list[str],
        dice: random.Random,
    ) -> None:
        self.session = session
        self.day = day
        self.driver = driver
        self.depot = depot
        self.merchants = merchants
        self.dice = dice
        self.route = RouteFacts()
        self.events: list[Event] = []

    def drive(self, way: list[Door]) -> None:
        """Write the route and every stop of it."""
        start = self.day.at(8, self.dice.randint(0, 12)).astimezone(UTC)
        route = RouteRow(
            depot=self.depot.id, driver=self.driver.id, vehicle=self.driver.vehicle,
            service_date=self.day.date, state="closed", starts_at=start, ends_at=start,
            published_at=self.day.at(7), started_at=start,
        )  # fmt: skip
        self.session.add(route)
        self.session.flush()
        self.route = RouteFacts(
            id=route.id, depot=route.depot, service_date=self.day.date.isoformat(),
            state="closed", stops=len(way),
        )  # fmt: skip
        here, planned, real = Location(lat=self.depot.lat, lon=self.depot.lon), start, start
        for position, door in enumerate(way, 1):
            leg = seconds_between(here, door.place)
            planned += timedelta(seconds=leg)
            real += timedelta(seconds=leg * self.dice.lognormvariate(0.02, 0.16))
            self.visit(route, position, door, planned, real)
            planned += timedelta(seconds=SERVICE)
            real += timedelta(seconds=SERVICE * self.dice.lognormvariate(0, 0.35))
            here = door.place
        route.ends_at = route.closed_at = real
        append_all(self.session, sorted(self.events, key=when))

    def visit(
        self, route: RouteRow, position: int, door: Door, planned: datetime, real: datetime
    ) -> None:
        """Write one order, its stop, its attempt and what was said about them."""
        order = self.order(door, position, planned)
        ends = real + timedelta(seconds=SERVICE)
        fails = self.dice.random() < 0.045
        stop = StopRow(
            merchant=order.merchant, order=order.id, depot=self.depot.id, lat=door.lat,
            lon=door.lon, service_date=self.day.date, route=route.id, position=position,
            state="failed" if fails else "completed", planned_at=planned,
            window_start=order.window_start, window_end=order.window_end,
            promised_start=order.window_start, promised_end=order.window_end,
            eta_at=real, arrived_at=real, ended_at=ends, departed_at=ends, attempts=1,
            approached_at=real - timedelta(minutes=8),
            reason=self.dice.choice(REASONS) if fails else "",
        )  # fmt: skip
        self.session.add(stop)
        self.session.flush()
        self.session.add(
            AttemptRow(
                merchant=order.merchant, stop=stop.id, number=1, route=route.id,
                driver=self.driver.id, outcome=stop.state, reason=stop.reason, lat=door.lat,
                lon=door.lon, accuracy=8, arrived_at=real, occurred_at=ends, recorded_at=ends,
            )
        )  # fmt: skip
        self.etas(stop, planned, real)
        self.tell(order, stop, real, ends)

    def order(self, door: Door, position: int, planned: datetime) -> OrderRow:
        """Write the order of a door."""
        starts = planned.replace(minute=0, second=0, microsecond=0) - timedelta(minutes=30)
        windowed = self.dice.random() < 0.7
        row = OrderRow(
            merchant=self.dice.choice(self.merchants), source="csv", state="ready",
            ref=f"H{self.day.date:%m%d}-{self.driver.id[-4:]}-{position}",
            name=f"Customer {position}", phone=f"+42379{self.dice.randint(10_000, 99_999)}",
            address={"line1": door.line1, "postcode": door.postcode, "city": door.city,
                     "country": "LI"},
            lat=door.lat, lon=door.lon, confidence=1.0, depot=self.depot.id,
            service_date=self.day.date, service_time=SERVICE,
            window_start=starts if windowed else None,
            window_end=starts + timedelta(hours=2) if windowed else None,
            received_at=self.day.at(6), updated_at=self.day.at(6),
        )  # fmt: skip
        self.session.add(row)
        self.session.flush()
        self.session.add(
            OrderLineRow(order=row.id, number=1, name="Gemüsekiste", quantity=1, sku="AK-BOX-S")
        )
        return row

    def etas(self, stop: StopRow, planned: datetime, real: datetime) -> None:
        """Write the ETAs that were issued: at dispatch, an hour and a quarter before."""
        for minutes, source in ((None, "plan"), (60, "live"), (15, "live")):
            spread = 12 if minutes is None else minutes * 0.12
            eta = planned if minutes is None else real + minute(self.dice.gauss(0, spread / 2))
            issued = self.day.at(7) if minutes is None else real - minute(minutes)
            self.session.add(
                EtaRow(
                    stop=stop.id, issued_at=issued, eta_at=eta, source=source,
                    low=eta - minute(max(3, spread)), high=eta + minute(max(3, spread)),
                )
            )  # fmt: skip

    def tell(self, order: OrderRow, stop: StopRow, arrived: datetime, ended: datetime) -> None:
        """Keep the events of a stop, with the times when they happened."""
        common: dict[str, Any] = {
            "merchant_id": order.merchant,
            "order": order_facts(order, 1),
            "merchant": merchant_facts(self.session, order.merchant),
            "customer": customer(order),
        }
        self.events.append(OrderReceived(subject=order.id, occurred_at=self.day.at(6), **common))
        last = StopFailed if stop.state == "failed" else StopCompleted
        for kind, at in (
            (StopCreated, self.day.at(6, 1)),
            (StopDispatched, self.day.at(7)),
            (StopArrived, arrived),
            (last, ended),
        ):
            more = {"proof": ProofFacts()} if kind is last else {}
            self.events.append(
                kind(
                    subject=stop.id, occurred_at=at, stop=stop_facts(stop, at), route=self.route,
                    driver=DriverFacts(id=self.driver.id), driver_name=self.driver.name,
                    **common, **more,
                )
            )  # fmt: skip


def when(event: Event) -> datetime:
    """Return when an invented event happened."""
    assert event.occurred_at is not None
    return event.occurred_at


def minute(count: float) -> timedelta:
    """Return that many minutes."""
    return timedelta(minutes=count)


def settle(hub: Hub) -> None:
    """Number the invented events and put them behind the workflows: they are history."""
    token = lead(hub.store, "dispatcher", "history")
    if token is None:
        return
    while True:
        with hub.store.write() as session:
            if not number(session, token):
                break
    resign(hub.store, "dispatcher", "history")
    with hub.store.write() as session:
        last = session.exec(select(func.max(EventRow.seq))).one() or 0
        session.merge(CursorRow(name="workflow", seq=last))
