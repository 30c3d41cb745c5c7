"""A real day on real roads: 200 stops at addresses of Liechtenstein, 12 vehicles, mixed rules.

`python bench/real_day.py [--seconds 10] [--directory KEEP] [EXTRACT.osm.pbf]` loads the map into a
new hub, fills it, plans the day through `plan_now`, and prints one JSON line; `late` counts visits
outside their windows by the engine's own times. The hub that is kept can be looked at with
`HUB_DIRECTORY=KEEP hub up`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sqlite3
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import select

from hub.hub import Hub, open_hub
from hub.maps.load import load
from hub.planning.plans import plan_now
from hub.settings import Settings
from hub.store import (
    DepotRow,
    DriverRow,
    MerchantRow,
    OrderRow,
    RouteRow,
    Session,
    ShiftRow,
    StopRow,
    Store,
    System,
    VehicleRow,
    migrations,
)

SHARED = Path(__file__).resolve().parents[2] / "shared" / "maps"
COLOURS = ("#1f6feb", "#d9730d", "#8250df", "#1a7f37", "#cf222e", "#0e7490", "#b45309", "#be185d")
STOPS, VEHICLES = 200, 12


def addresses(folder: Path, dice: random.Random) -> list[tuple[str, float, float]]:
    """Return (address, lat, lon) of houses of the loaded map, drawn at random."""
    with sqlite3.connect(folder / "places.db") as places:
        rows = places.execute(
            "SELECT s.name || ' ' || h.number, h.lat, h.lon FROM houses h "
            "JOIN streets s ON s.id = h.street ORDER BY 1, 2, 3"
        ).fetchall()
    return dice.sample(rows, STOPS)


def fill(session: Session, houses: list[tuple[str, float, float]], dice: random.Random) -> str:
    """Add a depot, its fleet and a day of stops; return the depot's id."""
    day = (session.now + timedelta(days=1)).date()
    merchant = MerchantRow(slug="alpenkraut", name="Alpenkraut")
    depot = DepotRow(name="Schaan", lat=47.1650, lon=9.5087, timezone="Europe/Vaduz")
    session.add_all([merchant, depot])
    session.flush()
    for number in range(VEHICLES):
        vehicle = VehicleRow(
            name=f"Van {number + 1}", capacity=60, skills=["fridge"] if number % 3 == 0 else []
        )
        session.add(vehicle)
        session.flush()
        driver = DriverRow(
            name=f"Driver {number + 1}",
            depot=depot.id,
            vehicle=vehicle.id,
            colour=COLOURS[number % len(COLOURS)],
        )
        session.add(driver)
        session.flush()
        rest = [{"start": "11:30", "end": "13:30", "minutes": 30}] if number % 2 else []
        hours = ("07:30", "16:30") if number % 4 else ("09:00", "18:00")
        session.add(
            ShiftRow(
                driver=driver.id, weekday=day.weekday(), starts=hours[0], ends=hours[1], breaks=rest
            )
        )
    for number, (address, lat, lon) in enumerate(houses):
        add_stop(session, merchant.id, depot.id, number, (address, lat, lon), dice)
    return depot.id


def add_stop(
    session: Session,
    merchant: str,
    depot: str,
    number: int,
    house: tuple[str, float, float],
    dice: random.Random,
) -> None:
    """Add one order with its stop: a window of two hours, some of them cold, some collections."""
    midnight = datetime.combine(
        (session.now + timedelta(days=1)).date(), datetime.min.time(), tzinfo=UTC
    )
    opens = midnight + timedelta(hours=dice.choice((7, 9, 11, 13)))
    shared: dict[str, Any] = {
        "merchant": merchant,
        "depot": depot,
        "service_date": midnight.date(),
        "lat": house[1],
        "lon": house[2],
        "kind": "collection" if number % 10 == 0 else "delivery",
        "window_start": opens,
        "window_end": opens + timedelta(hours=2),
    }
    order = OrderRow(
        source="bench",
        ref=f"#{1000 + number}",
        state="ready",
        name=f"Customer {number + 1}",
        address={"line1": house[0]},
        received_at=session.now,
        updated_at=session.now,
        **shared,
    )
    session.add(order)
    session.flush()
    cold = ["fridge"] if number % 7 == 0 else []
    load = dice.randint(1, 4)
    session.add(StopRow(order=order.id, skills=cold, load=load, service_time=180, **shared))


def look(hub: Hub, seconds: float, depot: str) -> dict[str, Any]:
    """Plan the day and return what came of it."""
    with hub.store.read(System()) as session:
        day = (session.now + timedelta(days=1)).date()
    began = time.monotonic()
    plan = plan_now(hub, depot, day, seconds)
    took = time.monotonic() - began
    with hub.store.read(System()) as session:
        stops = list(session.exec(select(StopRow)))
        routes = list(session.exec(select(RouteRow)))
    late = [
        stop
        for stop in stops
        if stop.planned_at and not stop.window_start <= stop.planned_at <= stop.window_end  # type: ignore[operator]
    ]
    return {
        "bench": "real_day",
        "state": plan.state,
        "engine": plan.engine,
        "why": getattr(plan, "why", ""),
        "reason": plan.reason,
        "seconds": round(took, 1),
        "stops": len(stops),
        "planned": sum(stop.planned_at is not None for stop in stops),
        "left_out": len(plan.unserved),
        "late": len(late),
        "routes": len(routes),
        "km": round(sum(route.metres for route in routes) / 1000, 1),
        "breaks": sum(len(route.pauses) for route in routes),
        "approximate": plan.approximate,
    }


def main() -> None:
    """Load the map, fill a hub, plan, print."""
    wanted = argparse.ArgumentParser()
    wanted.add_argument("--seconds", type=float, default=10)
    wanted.add_argument("--directory", type=Path)
    default = Path(os.environ.get("HUB_MAPS", SHARED)) / "liechtenstein.osm.pbf"
    wanted.add_argument("extract", type=Path, nargs="?", default=default)
    given = wanted.parse_args()
    if not given.extract.is_file():
        print(json.dumps({"bench": "real_day", "skipped": f"there is no {given.extract.name}"}))
        return
    folder = given.directory or Path(tempfile.mkdtemp())
    settings = Settings.read({"HUB_DIRECTORY": str(folder), **os.environ})
    folder.mkdir(parents=True, exist_ok=True)
    migrations.upgrade(Store(settings.database_url))
    hub = open_hub(settings)
    dice = random.Random(1)
    made = load(settings.maps, given.extract, now=datetime.now(UTC))
    houses = addresses(made.map.folder, dice)
    with hub.store.write(System()) as session:
        depot = fill(session, houses, dice)
    print(json.dumps(look(hub, given.seconds, depot)))


if __name__ == "__main__":
    main()
