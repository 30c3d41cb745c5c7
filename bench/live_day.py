"""A day on the road for benchmarks: routes laid out around a depot, published in the database."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import atan2
from pathlib import Path
from random import Random
from typing import Any

from hub.access import tokens
from hub.dispatch.insertion import straight
from hub.hub import Hub, open_hub
from hub.nouns import Problem, ProblemStop, ProblemVehicle
from hub.planning.day import midnight, seconds_since
from hub.planning.schedule import run
from hub.queue.server import server_binary
from hub.settings import Settings
from hub.store import (
    ClockRow,
    DepotRow,
    DriverRow,
    MerchantRow,
    OrderRow,
    RouteRow,
    ShiftRow,
    StopRow,
    Store,
    System,
    VehicleRow,
    migrations,
)

DAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
HOME = (47.141, 9.5209)


@dataclass
class Day:
    """The ids of a day, and how to add an open stop."""

    hub: Hub
    merchant: str
    depot: str
    count: int = 0

    def stop(self, random: Random, **values: Any) -> StopRow:
        """Return a new stop with its order, not yet stored."""
        self.count += 1
        shared: dict[str, Any] = {
            "merchant": self.merchant, "depot": self.depot, "service_date": DAY,
            "lat": HOME[0] + random.gauss(0, 0.08), "lon": HOME[1] + random.gauss(0, 0.12),
        }  # fmt: skip
        order = OrderRow(
            source="bench", ref=f"#{self.count}", state="ready", name="A customer",
            received_at=NOW, updated_at=NOW, **shared,
        )  # fmt: skip
        self.orders.append(order)
        return StopRow(order=order.id, service_time=180, load=1, **shared, **values)

    @property
    def orders(self) -> list[OrderRow]:
        """The orders that are not stored yet."""
        waiting: list[OrderRow] = self.__dict__.setdefault("_orders", [])
        return waiting

    def keep(self, session: Any, stops: list[StopRow]) -> None:
        """Store stops with their orders."""
        session.add_all(self.orders)
        session.flush()
        self.orders.clear()
        session.add_all(stops)

    def open_stop(self, random: Random) -> str:
        """Store one stop that is on no route, with a window of two hours; return its id."""
        opens = NOW + timedelta(minutes=random.randrange(0, 360))
        made = self.stop(random, window_start=opens, window_end=opens + timedelta(hours=2))
        with self.hub.store.write(System()) as session:
            self.keep(session, [made])
        return made.id


def lay(folder: Path, stops: int, drivers: int) -> tuple[Hub, Day]:
    """Return a hub with one published day: stops dealt out by their direction from the depot."""
    hub = open_empty(folder, NOW)
    return hub, publish(hub, stops, drivers)


def open_empty(folder: Path, now: datetime, url: str = "") -> Hub:
    """Return a hub on an empty database, SQLite or `url`; its clock stands at `now`.

    It has a Redis server of its own, which ends when the hub is closed.
    """
    process = subprocess.Popen(
        [server_binary(), "--port", "0", "--unixsocket", str(folder / "s"), "--save", "",
         "--dir", str(folder)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not (folder / "s").exists():
        time.sleep(0.02)
    settings = Settings(
        directory=folder, database_url=url or f"sqlite:///{folder / 'hub.db'}",
        redis_url=f"unix://{folder / 's'}", files_url=f"file://{folder / 'files'}",
    )  # fmt: skip
    store = Store(settings.database_url)
    migrations.upgrade(store)
    with store.write() as session:
        session.add(ClockRow(anchor=now, since=time.time(), speed=0))
    store.close()
    hub = open_hub(settings)
    close = hub.close

    def end() -> None:
        close()
        process.terminate()
        process.wait(10)

    hub.close = end  # type: ignore[method-assign]
    return hub


def publish(hub: Hub, stops: int, drivers: int) -> Day:
    """Store the depot, the drivers and their routes."""
    random = Random(3)
    with hub.store.write(System()) as session:
        merchant = MerchantRow(name="Shop", slug="shop")
        depot = DepotRow(name="Vaduz", lat=HOME[0], lon=HOME[1])
        session.add_all([merchant, depot])
        session.flush()
        day = Day(hub, merchant.id, depot.id)
        rows = [day.stop(random) for _ in range(stops)]
        rows.sort(key=lambda row: atan2(row.lat - HOME[0], row.lon - HOME[1]))
        share = -(-stops // drivers)
        for number in range(drivers):
            crew(session, day, number, nearest(rows[number * share : (number + 1) * share]))
    return day


def nearest(rows: list[StopRow]) -> list[StopRow]:
    """Return stops in the order of going to the nearest one each time."""
    at, left, ordered = HOME, list(rows), []
    while left:
        one = min(left, key=lambda row: (row.lat - at[0]) ** 2 + (row.lon - at[1]) ** 2)
        left.remove(one)
        ordered.append(one)
        at = (one.lat, one.lon)
    return ordered


def crew(session: Any, day: Day, number: int, rows: list[StopRow]) -> None:
    """Store one driver with a published route of these stops; half of them have promises."""
    vehicle = VehicleRow(name=f"Van {number}", capacity=80)
    session.add(vehicle)
    session.flush()
    driver = DriverRow(name=f"Driver {number}", depot=day.depot, vehicle=vehicle.id)
    session.add(driver)
    session.flush()
    session.add(ShiftRow(driver=driver.id, weekday=DAY.weekday(), starts="08:00", ends="18:00"))
    zero = midnight(DAY, "Europe/Zurich")
    start = seconds_since(zero, NOW)
    asked = [ProblemStop(id=str(n), point=n + 1, service=180) for n in range(len(rows))]
    van = ProblemVehicle(id="v", start=0, end=0, shift=(start, start + 36_000))
    times = straight(day.hub, [HOME, *((row.lat, row.lon) for row in rows)])
    made = run(Problem(stops=tuple(asked), vehicles=(van,), matrix=times), van, asked, start)
    route = RouteRow(
        depot=day.depot, driver=driver.id, vehicle=vehicle.id, service_date=DAY, state="ready",
        starts_at=NOW, ends_at=zero + timedelta(seconds=made.ends), metres=made.metres,
        published_at=NOW,
    )  # fmt: skip
    session.add(route)
    session.flush()
    for position, (row, visit) in enumerate(zip(rows, made.visits, strict=True), 1):
        at = zero + timedelta(seconds=visit.arrive)
        row.route, row.position, row.state, row.planned_at = route.id, position, "dispatched", at
        row.eta_at, row.eta_low, row.eta_high = at, at, at
        if position % 2:
            row.promised_start, row.promised_end = at - timedelta(hours=1), at + timedelta(hours=1)
    session.flush()
    day.keep(session, rows)
    session.flush()


class Staff:
    """An API client with the operator's key."""

    def __init__(self, client: Any, secret: str) -> None:
        self.client, self.head = client, {"Authorization": f"Bearer {secret}"}

    def post(self, path: str, **said: Any) -> Any:
        """Post to the API."""
        return self.client.post(path, headers=self.head, **said)


def client(hub: Hub) -> Staff:
    """Return a client of the real application."""
    from hub.web import create_app

    with hub.store.write(System()) as session:
        secret = tokens.issue_key(session, "bench", ["routes:write"], None)
    app = create_app(hub)
    return Staff(app.test_client(), secret)
