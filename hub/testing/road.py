"""A published route to drive in tests: three stops in Vaduz, one order with lines and cash each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import pytest

from hub.hub import Hub
from hub.store import OrderLineRow, OrderRow, RouteRow, Session, StopRow, System
from hub.testing.fixtures import MORNING, World

DAY = date(2026, 11, 23)
DOORS = ((47.1416, 9.5215), (47.1450, 9.5190), (47.1502, 9.5150))


@dataclass(frozen=True)
class Road:
    """The ids of one driver's day: a route with its stops and the lines of their orders."""

    world: World
    route: str
    stops: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]

    @property
    def driver(self) -> str:
        """The driver's id."""
        return self.world.driver


@pytest.fixture
def road(hub: Hub, world: World) -> Road:
    """Publish a route of three stops, twenty minutes apart."""
    with hub.store.write(System()) as session:
        route = lay_route(session, world)
        stops, lines = [], []
        for number in range(1, len(DOORS) + 1):
            stop, made = lay_stop(session, world, route, number)
            stops.append(stop.id)
            lines.append(tuple(line.id for line in made))
        return Road(world, route.id, tuple(stops), tuple(lines))


def lay_route(session: Session, world: World) -> RouteRow:
    """Add a route that is ready to be driven."""
    route = RouteRow(
        depot=world.depot,
        driver=world.driver,
        vehicle=world.vehicle,
        service_date=DAY,
        state="ready",
        starts_at=MORNING,
        ends_at=MORNING + timedelta(hours=3),
        published_at=MORNING - timedelta(hours=1),
    )
    session.add(route)
    session.flush()
    return route


def lay_stop(
    session: Session, world: World, route: RouteRow, number: int, source: str = "csv"
) -> tuple[StopRow, list[OrderLineRow]]:
    """Add the dispatched stop of an order: two bottles, one jar, 12.50 CHF to collect."""
    order = lay_order(session, world, number, source)
    lines = [
        OrderLineRow(order=order.id, number=1, sku="OIL", name="Pine oil", quantity=2),
        OrderLineRow(order=order.id, number=2, sku="SALT", name="Herb salt", quantity=1),
    ]
    planned = MORNING + timedelta(minutes=20 * number)
    stop = StopRow(
        merchant=world.merchant,
        order=order.id,
        state="dispatched",
        depot=world.depot,
        service_date=DAY,
        lat=DOORS[number - 1][0],
        lon=DOORS[number - 1][1],
        promised_start=planned - timedelta(minutes=30),
        promised_end=planned + timedelta(minutes=30),
        route=route.id,
        position=number,
        planned_at=planned,
        eta_at=planned,
    )
    session.add_all([*lines, stop])
    session.flush()
    return stop, lines


def lay_order(session: Session, world: World, number: int, source: str = "csv") -> OrderRow:
    """Add an order that has a place."""
    order = OrderRow(
        merchant=world.merchant,
        source=source,
        ref=f"#100{number}",
        state="ready",
        name=f"Rosa Beck {number}",
        phone="+4232300000",
        address={"line1": f"Städtle {number}", "postcode": "9490", "city": "Vaduz"},
        lat=DOORS[number - 1][0],
        lon=DOORS[number - 1][1],
        service_date=DAY,
        cash_due=Decimal("12.50"),
        invoice=f"INV-{number}",
        notes="Ring twice",
        received_at=MORNING,
        updated_at=MORNING,
    )
    session.add(order)
    session.flush()
    return order
