"""What a form of file is: which columns it has, and how its rows become one order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import ValidationError

from hub.builtin.csv_cells import Fault, Row
from hub.nouns import Location, Order, TimeWindow


@dataclass(frozen=True)
class Options:
    """What the operator may choose about a file."""

    service_date: date | None = None
    """Day to deliver for orders that name none."""
    fulfilled: bool = False
    """Whether orders that the shop calls fulfilled are taken too."""


@dataclass(frozen=True)
class Form:
    """One kind of file, recognised by its columns."""

    name: str
    recognises: Callable[[frozenset[str]], bool]
    ref: tuple[str, ...]
    """Columns that hold the order's number, the first filled one counts."""
    build: Callable[[Sequence[Row], Options], Order]
    """Makes one order of its rows, or raises `Fault`."""
    known: Callable[[str], bool]
    """Whether a column belongs to this form, read or not."""
    continues: bool = False
    """Whether a row without a number belongs to the order above it."""


def place(row: Row, lat: Sequence[str], lon: Sequence[str]) -> Location | None:
    """Return where the row says the door is; both coordinates or none."""
    north = row.degrees(*lat, most=90)
    east = row.degrees(*lon, most=180)
    if north is None and east is None:
        return None
    if north is None or east is None:
        missing = lat[0] if north is None else lon[0]
        raise row.fault(missing, "is empty; fill both coordinates or leave both empty")
    if north == 0 and east == 0:
        raise row.fault(lat[0], "0, 0 lies in the sea; leave both empty if the place is not known")
    return Location(lat=north, lon=east)


@dataclass(frozen=True)
class Span:
    """A window as a row gives it: as instants, or as local times of day."""

    window: TimeWindow | None = None
    start: str = ""
    end: str = ""


def span(row: Row, first: Sequence[str], last: Sequence[str]) -> Span:
    """Return the window of a row, checked that it does not end before it starts."""
    start_at, end_at = row.instant(*first), row.instant(*last)
    if aware(start_at) and aware(end_at):
        assert start_at is not None
        assert end_at is not None
        if end_at <= start_at:
            raise row.fault(last[0], "the window ends before it starts")
        return Span(window=TimeWindow(start=start_at, end=end_at))
    if aware(start_at) or aware(end_at):
        raise row.fault(first[0], "write both ends of the window the same way, like 14:00")
    if start_at and end_at and start_at.date() != end_at.date():
        raise row.fault(last[0], "the window ends on another day than it starts")
    start, end = row.clock(*first), row.clock(*last)
    if start and end and end <= start:
        raise row.fault(last[0], f"the window ends at {end}, before it starts at {start}")
    return Span(start=start, end=end)


def aware(at: datetime | None) -> bool:
    """Say whether an instant names its zone."""
    return at is not None and at.tzinfo is not None


def made(row: Row, **values: object) -> Order:
    """Return the order, or the fault that its model found."""
    try:
        return Order.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise Fault(row.line, field, first["msg"]) from None


def joined(*parts: str) -> str:
    """Return the filled parts with a space between."""
    return " ".join(part for part in parts if part)


def pays_at_the_door(method: str) -> bool:
    """Say whether a payment method's name means cash on delivery."""
    text = method.casefold()
    named = ("cash on delivery", "cash_on_delivery", "nachnahme", "barzahlung bei", "collect on")
    return text == "cod" or "(cod)" in text or any(name in text for name in named)


def recognised(forms: Iterable[Form], columns: frozenset[str]) -> Form | None:
    """Return the first form that recognises these columns."""
    return next((form for form in forms if form.recognises(columns)), None)
