"""Stops to plan, made straight in the database."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from hub.hub import Hub
from hub.store import OrderRow, StopRow
from hub.testing.fixtures import MORNING, World

DAY = date(2026, 11, 23)


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
        with self.hub.store.write() as session:
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

    def read(self, id: str) -> StopRow:
        """Return a stop as it is now."""
        with self.hub.store.read() as session:
            return session.get_one(StopRow, id)


@pytest.fixture
def town(hub: Hub, world: World) -> Town:
    """Return an empty town to put stops into."""
    return Town(hub, world)


def at(hour: int, minute: int = 0) -> datetime:
    """Return a time of DAY in Vaduz, which is an hour ahead of UTC in November."""
    return MORNING.replace(hour=hour - 1, minute=minute)
