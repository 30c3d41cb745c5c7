"""What happens on the demo's day: which stops go wrong, and when somebody steps in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Vaduz")
FAILS = {"1007": "not_home", "1019": "no_access", "2004": "refused"}
"""Order number -> the reason why nothing is handed over."""
PARTIAL = "1013"
"""Of this order one piece of the first line is missing."""
UNREACHABLE = "+4237910000"
"""The gateway refuses this number: a message that ends as a dead letter."""
AD_HOC = {
    "ref": "A-1",
    "recipient": {"name": "Ida Büchel", "phone": "+423 792 4417", "email": "ida@example.com"},
    "address": {
        "line1": "Städtle 15", "postcode": "9490", "city": "Vaduz", "country": "LI",
    },
    "location": {"lat": 47.13905, "lon": 9.52216},
    "lines": [{"name": "Gemüsekiste klein", "sku": "AK-BOX-S", "quantity": 1}],
    "invoice": "INV-A1",
}  # fmt: skip
"""An order that comes in by the API while the drivers are on the road."""


@dataclass(frozen=True)
class Day:
    """The hours of one service date, in the depots' zone."""

    date: date
    number: int = 1
    """1 for the first day; later ones carry it in their order numbers."""

    def at(self, hour: int, minute: int = 0) -> datetime:
        """Return an instant of this day."""
        return datetime.combine(self.date, time(hour, minute), ZONE)

    @property
    def begins(self) -> datetime:
        """When the day's first file comes in."""
        return self.at(6, 30)

    @property
    def opens(self) -> datetime:
        """Mid-morning: until here the day is played as fast as it goes."""
        return self.at(9, 15)

    def next(self) -> Day:
        """Return the day after."""
        return Day(self.date + timedelta(days=1), self.number + 1)

    def number_of(self, ref: str) -> str:
        """Return an order's number without the sign of its shop and day: `#D2-1007` -> `1007`."""
        return ref.lstrip("#").split("-")[-1]
