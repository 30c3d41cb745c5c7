"""The day and time that a customer chose at checkout, as delivery-date plugins keep it.

Each keeps it in the order's meta data under keys of its own, and in a form of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

DayOrder = Literal["dmy", "mdy"]
DATE_KEYS = (
    "jckwds_date_ymd", "_jckwds_date_ymd", "jckwds_date", "_jckwds_date",
    "_orddd_lite_timestamp", "_orddd_timestamp", "ywcdd_order_delivery_date",
    "_delivery_date", "delivery_date", "pi_system_delivery_date", "pi_delivery_date",
    "dokan_delivery_time_date", "lpac_dps_delivery_date", "byconsolewooodt_delivery_date",
    "dtwc_delivery_date", "Delivery Date",
)  # fmt: skip
"""In the order in which they count. By lines: Iconic Delivery Slots; Tyche Order Delivery Date,
YITH Delivery Date; WooCommerce Order Delivery, CodeRockz, PI; Dokan, Chwazi, ByConsole; Delivery
Times (dtwc), and what Tyche's first versions wrote."""
TIME_KEYS = (
    "jckwds_timeslot", "_jckwds_timeslot", "_orddd_time_slot",
    "ywcdd_order_slot_from+ywcdd_order_slot_to", "_delivery_time_frame", "delivery_time",
    "pi_delivery_time", "dokan_delivery_time_slot", "lpac_dps_delivery_time",
    "byconsolewooodt_delivery_time", "dtwc_delivery_time", "Time Slot", "Delivery Time",
)  # fmt: skip
"""`a+b`: the beginning lies under one key, the end under another."""
NUMERIC = re.compile(r"(\d{1,4})[./\- ](\d{1,2})[./\- ](\d{1,4})")
UNIX = re.compile(r"\d{9,11}")
COMPACT = re.compile(r"\d{8}")
CLOCK = re.compile(r"(?<![\d:])(\d{1,2})(?:[:.h](\d{2}))?(?::\d{2})?\s*([ap])?\.?(?:m\b\.?)?", re.I)
BETWEEN = re.compile(
    r"\s*(?:uhr|hrs?|h)?\s*(?:[-/|\N{EN DASH}\N{EM DASH}]|to|until|till|bis|à|a)\s*", re.I
)
WORDY = ("%d %B %Y", "%B %d %Y", "%d %b %Y", "%b %d %Y", "%A %d %B %Y", "%A %B %d %Y")
"""Dates in English words, without commas and endings such as `3rd`."""
LAST = "23:59"


@dataclass(frozen=True)
class Slot:
    """When a customer wants the order; `text` is what of it could not be read."""

    day: date | None = None
    start: str = ""
    end: str = ""
    text: str = ""


@dataclass(frozen=True)
class Slots:
    """Under which keys a shop keeps day and time, and how it writes dates."""

    dates: tuple[str, ...] = DATE_KEYS
    times: tuple[str, ...] = TIME_KEYS
    day_order: DayOrder = "dmy"

    def read(self, record: Mapping[str, Any]) -> Slot:
        """Return the slot of an order; an empty one where none was chosen."""
        meta = meta_of(record)
        day_text = first(meta, self.dates)
        slot_text = first(meta, self.times)
        day = read_day(day_text, self.day_order, shift_of(record))
        start, end = read_slot(slot_text)
        told = [day_text if day is None else str(day), slot_text]
        unread = (day_text and day is None) or (slot_text and not start)
        said = ", ".join(text for text in told if text)
        return Slot(day, start, end, said[:200] if unread else "")


def meta_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return an order's meta data by key; of a key that is there twice the last counts."""
    found = record.get("meta_data")
    return {
        str(one["key"]): one.get("value")
        for one in (found if isinstance(found, list) else [])
        if isinstance(one, dict) and "key" in one
    }


def first(meta: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    """Return the first value that is there, as text; `a+b` joins two."""
    for key in keys:
        parts = [flat(meta.get(part)) for part in key.split("+")]
        if parts[0]:
            return " - ".join(part for part in parts if part)
    return ""


def flat(value: Any) -> str:
    """Return a value as one text; a frame of two times is joined by a dash."""
    if isinstance(value, dict):
        ends = [value.get(name) for name in ("time_from", "time_to", "from", "to", "start", "end")]
        return " - ".join(str(end).strip() for end in ends if end)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return " ".join(str(value).split())


def shift_of(record: Mapping[str, Any]) -> timedelta:
    """Return how far the shop's clock is ahead of UTC, as its own two dates tell."""
    pair = ("date_modified", "date_modified_gmt"), ("date_created", "date_created_gmt")
    for local, gmt in pair:
        try:
            return datetime.fromisoformat(record[local]) - datetime.fromisoformat(record[gmt])
        except (KeyError, TypeError, ValueError):
            continue
    return timedelta(0)


def read_day(text: str, day_order: DayOrder, shift: timedelta) -> date | None:
    """Return the day that a text names, `None` where it names none."""
    try:
        if UNIX.fullmatch(text):
            return day_at(int(text), shift)
        if COMPACT.fullmatch(text):
            return date.fromisoformat(text)
        numeric = NUMERIC.search(text)
        if numeric:
            return day_of(numeric, day_order)
    except (ValueError, OverflowError):
        return None
    return wordy_day(text)


def day_at(seconds: int, shift: timedelta) -> date:
    """Return the day of a Unix time, in whichever zone it is midnight.

    Most plugins count days in UTC, because PHP does inside WordPress; some in the shop's own zone.
    The shop's clock may since have been changed by an hour for summer.
    """
    at = datetime.fromtimestamp(seconds, UTC)
    if (at.hour, at.minute) <= (0, 1):
        return at.date()
    local = at + shift + timedelta(hours=1)
    return local.date() if shift and (local.hour, local.minute) <= (2, 1) else at.date()


def day_of(found: re.Match[str], day_order: DayOrder) -> date:
    """Return the day of three numbers; a year in front settles their order."""
    one, two, three = found.groups()
    if len(one) == 4:
        return date(int(one), int(two), int(three))
    year = int(three) + (2000 if len(three) == 2 else 0)
    day, month = (one, two) if day_order == "dmy" else (two, one)
    return date(year, int(month), int(day))


def wordy_day(text: str) -> date | None:
    """Return the day of a date in English words."""
    plain = re.sub(r"(?<=\d)(?:st|nd|rd|th)\b", "", text.replace(",", " "))
    plain = " ".join(plain.replace("Sept ", "Sep ").split())
    for form in WORDY:
        try:
            return datetime.strptime(plain, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None


def read_slot(text: str) -> tuple[str, str]:
    """Return start and end as HH:MM; a single time is a start, and what is none is empty."""
    parts = [part.strip() for part in text.split(" - ")]
    if len(parts) == 2 and all(UNIX.fullmatch(part) or seconds(part) for part in parts):
        return clock_at(int(parts[0])), clock_at(int(parts[1]))
    found = list(CLOCK.finditer(text))
    found = [one for one in found if one.group(2) or one.group(3) or len(found) == 2]
    if not found or len(found) > 2:
        return "", ""
    if len(found) == 1:
        return (clock(found[0], ""), "") if found[0].start() == 0 else ("", "")
    if not BETWEEN.fullmatch(text[found[0].end() : found[1].start()]):
        return "", ""
    end = clock(found[1], "")
    start = clock(found[0], found[1].group(3) or "")
    if start and end and start >= end and not found[0].group(3):
        start = clock(found[0], "a" if found[1].group(3) else "")
    end = LAST if end == "00:00" else end
    return (start, end) if start and end and start < end else ("", "")


def seconds(part: str) -> bool:
    """Say whether a text is a number of seconds within a day."""
    return part.isdecimal() and 1800 <= int(part) <= 86_400


def clock_at(moment: int) -> str:
    """Return the time of day of a Unix time, or of seconds since midnight."""
    return LAST if moment == 86_400 else f"{datetime.fromtimestamp(moment, UTC):%H:%M}"


def clock(found: re.Match[str], otherwise: str) -> str:
    """Return one time as HH:MM; `otherwise` says a or p where it does not itself."""
    hour, minute = int(found.group(1)), int(found.group(2) or 0)
    half = (found.group(3) or otherwise).lower()
    if half and not 1 <= hour <= 12:
        half = ""
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    if hour == 24 and minute == 0:
        hour = 0
    return f"{hour:02}:{minute:02}" if hour < 24 and minute < 60 else ""
