"""A town of stops to plan, made straight in the database for tests."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from sqlmodel import col, select

from hub.dispatch.insertion import straight
from hub.dispatch.publish import publish
from hub.hub import Hub
from hub.planning.day import Day, survey
from hub.planning.drafts import put
from hub.planning.plans import plan_now
from hub.planning.reasons import fill
from hub.planning.rules import Item
from hub.planning.schedule import Timetable, drive
from hub.store import (
    DepotRow,
    DriverRow,
    EventRow,
    OrderRow,
    PlanRow,
    RouteRow,
    Session,
    ShiftRow,
    StopRow,
    System,
    VehicleRow,
)
from hub.testing.fixtures import MORNING, World

DAY = date(2026, 11, 23)
"""The day of `MORNING`."""


class Town:
    """Puts stops around the depot in Vaduz."""

    def __init__(self, hub: Hub, world: World) -> None:
        self.hub, self.world, self.count = hub, world, 0

    def stop(self, north: float = 0.01, east: float = 0.0, **values: Any) -> str:
        """Add an order with an unassigned stop, `north` and `east` degrees from the depot."""
        self.count += 1
        merchant = values.pop("merchant", self.world.merchant)
        shared = {
            "merchant": merchant,
            "depot": self.world.depot,
            "service_date": values.pop("service_date", DAY),
            "lat": 47.1410 + north,
            "lon": 9.5209 + east,
        }
        with self.hub.store.write(System()) as session:
            order = OrderRow(
                source="test",
                ref=f"#{1000 + self.count}",
                state="ready",
                name="Test Customer",
                phone="+423 230 00 00",
                received_at=MORNING,
                updated_at=MORNING,
                **shared,
            )
            session.add(order)
            session.flush()
            stop = StopRow(order=order.id, **shared, **values)
            session.add(stop)
            return stop.id

    def stops(self, count: int, **values: Any) -> list[str]:
        """Add `count` stops on a small grid around the depot."""
        return [
            self.stop(0.004 * (number % 5 - 2), 0.006 * (number // 5 - 1), **values)
            for number in range(count)
        ]

    def plan(self, seconds: float = 0.1) -> PlanRow:
        """Plan DAY at once."""
        return plan_now(self.hub, self.world.depot, DAY, seconds)

    def published(self) -> list[str]:
        """Put the open stops of DAY into routes by plain insertion, publish them, return the ids.

        Much quicker than asking an engine, which most tests are not about.
        """
        with self.hub.store.write(System()) as session:
            day = survey(session, session.get_one(DepotRow, self.world.depot), DAY)
            problem = day.problem(straight(self.hub, day.points), 0.1)
            found: dict[str, list[Item]] = {}
            fill(problem, found, day.stops)
            return [
                self._publish(session, day, drive(problem, vehicle, found[vehicle.id]), vehicle.id)
                for vehicle in day.vehicles
                if vehicle.id in found
            ]

    def _publish(self, session: Session, day: Day, timetable: Timetable, driver: str) -> str:
        row = RouteRow(
            depot=day.depot,
            driver=driver,
            vehicle=session.get_one(DriverRow, driver).vehicle,
            service_date=DAY,
            starts_at=day.at(timetable.starts),
            ends_at=day.at(timetable.ends),
            metres=timetable.metres,
        )
        session.add(row)
        session.flush()
        put(session, day, row.id, timetable.visits, 1)
        return publish(self.hub, session, row.id).id

    def driver(self, name: str = "Jon Marxer", capacity: int = 100, **shift: Any) -> str:
        """Add a driver with a vehicle who works every day (`starts`, `ends`: HH:MM)."""
        with self.hub.store.write(System()) as session:
            vehicle = VehicleRow(name=f"Van of {name}", capacity=capacity)
            session.add(vehicle)
            session.flush()
            driver = DriverRow(name=name, depot=self.world.depot, vehicle=vehicle.id)
            session.add(driver)
            session.flush()
            session.add_all(ShiftRow(driver=driver.id, weekday=day, **shift) for day in range(7))
            return driver.id

    def change(self, id: str, **values: Any) -> None:
        """Set columns of a stop."""
        with self.hub.store.write(System()) as session:
            row = session.get_one(StopRow, id)
            for name, value in values.items():
                setattr(row, name, value)

    def on(self, route: str) -> list[StopRow]:
        """Return the stops of a route in their order."""
        with self.hub.store.read(System()) as session:
            query = select(StopRow).where(StopRow.route == route)
            return list(session.exec(query.order_by(col(StopRow.position))))

    def routes(self) -> list[RouteRow]:
        """Return all routes, oldest first."""
        with self.hub.store.read(System()) as session:
            return list(session.exec(select(RouteRow).order_by(RouteRow.id)))

    def events(self, type: str) -> list[EventRow]:
        """Return all events of a type, oldest first."""
        with self.hub.store.read(System()) as session:
            query = select(EventRow).where(EventRow.type == type)
            return list(session.exec(query.order_by(EventRow.id)))

    def read(self, id: str) -> StopRow:
        """Return a stop as it is now."""
        with self.hub.store.read(System()) as session:
            return session.get_one(StopRow, id)


@pytest.fixture
def town(hub: Hub, world: World) -> Town:
    """Return an empty town to put stops into."""
    return Town(hub, world)


def at(hour: int, minute: int = 0) -> datetime:
    """Return a time of DAY in Vaduz, which is an hour ahead of UTC in November."""
    return MORNING.replace(hour=hour - 1, minute=minute)
