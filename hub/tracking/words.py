"""The words of the tracking page: what a state means to the one who waits."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

STEPS: Final[dict[str, tuple[str, str, str, str]]] = {
    "delivery": ("Prepared", "On the road", "Nearly there", "Delivered"),
    "collection": ("Planned", "On the road", "Nearly there", "Collected"),
    "service": ("Planned", "On the road", "Nearly there", "Done"),
}
DONE: Final = {"delivery": "Delivered", "collection": "Collected", "service": "Done"}
PARTLY: Final = {
    "delivery": "Partly delivered",
    "collection": "Partly collected",
    "service": "Partly done",
}
NOT_DONE: Final = {
    "delivery": "Not delivered",
    "collection": "Not collected",
    "service": "Not done",
}
REASONS: Final[dict[str, str]] = {
    "not_home": "Nobody was at home",
    "cant_find_address": "We could not find the address",
    "no_access": "We could not get to the door",
    "refused": "It was not accepted",
    "damaged": "The goods were damaged",
    "package_not_available": "The goods were not on the van",
    "no_time": "We ran out of time",
}
"""Code of hub.orders.reasons -> what the recipient reads; any other stays vague on purpose."""
WEEKDAYS: Final = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
FIVE: Final = timedelta(minutes=5)


def reason(code: str) -> str:
    """Return why it failed, for the recipient."""
    return REASONS.get(code, "It did not work out")


def clock(at: datetime, zone: ZoneInfo) -> str:
    """Return the time of day, e.g. 14:05."""
    return f"{at.astimezone(zone):%H:%M}"


def span(low: datetime, high: datetime, zone: ZoneInfo) -> str:
    """Return a window of whole five minutes around `low` and `high`, e.g. 14:05-14:20."""
    early = rounded_down(low.astimezone(zone))
    late = rounded_down(high.astimezone(zone) + FIVE - timedelta(seconds=1))
    return f"{early:%H:%M}–{max(late, early + FIVE):%H:%M}"


def rounded_down(at: datetime) -> datetime:
    """Return the last full five minutes before `at`."""
    return at.replace(minute=at.minute - at.minute % 5, second=0, microsecond=0)


def day(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return a day as people say it: today, tomorrow, or its name and date."""
    there = at.astimezone(zone).date()
    ahead = (there - now.astimezone(zone).date()).days
    if ahead in (-1, 0, 1):
        return ("yesterday", "today", "tomorrow")[ahead + 1]
    return f"{WEEKDAYS[there.weekday()]} {there.day} {MONTHS[there.month - 1]}"


def ago(at: datetime, now: datetime) -> str:
    """Return how long ago something was, in whole minutes or hours."""
    minutes = int((now - at).total_seconds() // 60)
    if minutes < 60:
        return f"{max(1, minutes)} min ago"
    return f"{minutes // 60} h ago"


def ahead(stops: int) -> str:
    """Return how many visits come before this one."""
    if stops == 0:
        return "You are the next stop."
    return "1 stop before you." if stops == 1 else f"{stops} stops before you."
