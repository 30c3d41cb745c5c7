"""A day half done, written straight into the tables: something for pages to show in tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hub.hub import Hub
from hub.store import (
    AttemptRow,
    DriverRow,
    EtaRow,
    FlagRow,
    OrderLineRow,
    OrderRow,
    RouteRow,
    Session,
    StopRow,
    System,
    VehicleRow,
)
from hub.testing.fixtures import MORNING, World

DAY = date(2026, 11, 23)
NOW = MORNING + timedelta(hours=3)
PEOPLE = (
    "Anna Büchel", "Beat Hasler", "Carla Kaiser", "Dario Marxer", "Elin Nigg", "Fabio Ospelt",
    "Gerda Quaderer", "Hugo Risch", "Ida Sele", "Jonas Thöny", "Karin Vogt", "Luca Wohlwend",
)  # fmt: skip
STREETS = ("Städtle", "Landstrasse", "Feldkircher Strasse", "Im Bretscha", "Bahnhofstrasse")


@dataclass
class BusyDay:
    """The ids of what `fill_day` wrote."""

    routes: list[str]
    stops: list[str]
    waiting: str
    unassigned: str
    flag: str


def fill_day(hub: Hub, world: World, routes: int = 2, per_route: int = 8) -> BusyDay:
    """Write `routes` half-driven routes, a waiting order, an unassigned stop and a flag."""
    with hub.store.write(System()) as session:
        drivers = [world.driver, *(new_driver(session, world, n) for n in range(1, routes))]
        made = [new_route(session, world, driver) for driver in drivers]
        stops = []
        for number, route in enumerate(made):
            for position in range(1, per_route + 1):
                stop = new_stop(session, world, number * per_route + position)
                place(session, stop, route, position)
                stops.append(stop.id)
        loose = new_stop(session, world, len(stops) + 1)
        waiting = new_order(session, world, len(stops) + 2)
        waiting.state, waiting.lat, waiting.lon = "needs_address", None, None
        waiting.reason = "no coordinates in the file and no geocoder is switched on"
        flag = FlagRow(
            key="day", kind="stop_failed", subject=stops[1], raised_at=NOW - timedelta(minutes=40),
            text=f"{PEOPLE[1]} was not at home; call to agree on another day.",
        )  # fmt: skip
        session.add(flag)
        session.flush()
        return BusyDay([row.id for row in made], stops, waiting.id, loose.id, flag.id)


def new_driver(session: Session, world: World, number: int) -> str:
    """Add a driver with a van and a colour of its own."""
    vehicle = VehicleRow(name=f"Van {number + 1}", capacity=100)
    session.add(vehicle)
    session.flush()
    colours = ("#0e7c66", "#a0462b", "#7a3fa0")
    driver = DriverRow(
        name=("Nino Beck", "Rita Hoop", "Tom Eberle")[number % 3],
        depot=world.depot,
        vehicle=vehicle.id,
        colour=colours[number % 3],
    )
    session.add(driver)
    session.flush()
    return driver.id


def new_route(session: Session, world: World, driver: str) -> RouteRow:
    """Add a route on the road."""
    vehicle = session.get_one(DriverRow, driver).vehicle
    route = RouteRow(
        depot=world.depot, driver=driver, vehicle=vehicle, service_date=DAY, state="in_progress",
        starts_at=MORNING, ends_at=MORNING + timedelta(hours=8), metres=41_500,
        published_at=MORNING - timedelta(hours=1), started_at=MORNING,
    )  # fmt: skip
    session.add(route)
    session.flush()
    return route


def new_order(session: Session, world: World, number: int) -> OrderRow:
    """Add an order somewhere along the Rhine valley."""
    order = OrderRow(
        merchant=world.merchant, source="csv", ref=f"#{1000 + number}", state="ready",
        name=PEOPLE[number % len(PEOPLE)], phone=f"+4232300{number:03d}", service_date=DAY,
        address={"line1": f"{STREETS[number % 5]} {number}", "postcode": "9490", "city": "Vaduz"},
        lat=47.08 + (number * 37 % 100) / 900, lon=9.50 + (number * 61 % 100) / 2500,
        depot=world.depot, received_at=MORNING, updated_at=MORNING,
    )  # fmt: skip
    session.add(order)
    session.flush()
    session.add(OrderLineRow(order=order.id, number=1, name="Kräutertee", sku="TEE-1", quantity=2))
    return order


def new_stop(session: Session, world: World, number: int) -> StopRow:
    """Add an order with its unassigned stop."""
    order = new_order(session, world, number)
    assert order.lat is not None
    assert order.lon is not None
    start = MORNING + timedelta(hours=number % 6)
    stop = StopRow(
        merchant=world.merchant, order=order.id, depot=world.depot, service_date=DAY,
        lat=order.lat, lon=order.lon, window_start=start, window_end=start + timedelta(hours=2),
    )  # fmt: skip
    session.add(stop)
    session.flush()
    return stop


def place(session: Session, stop: StopRow, route: RouteRow, position: int) -> None:
    """Put a stop into a route, in the state that its position has at NOW."""
    stop.route, stop.position = route.id, position
    due = MORNING + timedelta(minutes=35 * position)
    stop.planned_at = stop.eta_at = due
    stop.promised_start, stop.promised_end = (
        due - timedelta(minutes=40),
        due + timedelta(minutes=40),
    )
    issued = EtaRow(
        stop=stop.id, issued_at=MORNING - timedelta(hours=1), eta_at=due, low=due, high=due
    )
    session.add(issued)
    if due < NOW - timedelta(minutes=20):
        end(session, stop, route, "failed" if position == 2 else "completed", due)
    elif due < NOW:
        stop.state, stop.arrived_at = "arrived", due
    elif due < NOW + timedelta(minutes=35):
        stop.state, stop.eta_at = "en_route", NOW + timedelta(minutes=12)
    else:
        stop.state = "dispatched"
        late = position == 8
        stop.eta_at = (stop.promised_end if late else due) + timedelta(minutes=9)


def end(session: Session, stop: StopRow, route: RouteRow, outcome: str, at: datetime) -> None:
    """End a stop as its driver did."""
    at += timedelta(minutes=(stop.position or 0) * 3 - 6)
    stop.state, stop.arrived_at, stop.ended_at = outcome, at, at + timedelta(minutes=4)
    stop.attempts, stop.reason = 1, "not_home" if outcome == "failed" else ""
    attempt = AttemptRow(
        merchant=stop.merchant, stop=stop.id, number=1, route=route.id, driver=route.driver,
        outcome=outcome, reason=stop.reason, received_by="neighbour", arrived_at=at,
        occurred_at=at + timedelta(minutes=4), recorded_at=at + timedelta(minutes=4),
    )  # fmt: skip
    session.add(attempt)
