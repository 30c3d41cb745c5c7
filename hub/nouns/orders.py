"""What was bought, who gets it, where and when, as a source hands it over."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from hub.nouns.noun import Noun
from hub.nouns.wishes import LoadsByName, LocalWindow, Priority, Tags, Turn

Kind = Literal["delivery", "collection", "service"]


class Money(Noun):
    """An amount in a currency, e.g. 12.50 CHF."""

    amount: Decimal
    currency: str = Field(pattern=r"^[A-Z]{3}$")


class Location(Noun):
    """A point on earth; `confidence` runs from 0 (a guess) to 1 (a person set the pin)."""

    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)
    confidence: float = Field(default=1.0, ge=0, le=1)


class Address(Noun):
    """Where a recipient lives, in the lines that a person would write."""

    line1: str = ""
    line2: str = ""
    postcode: str = ""
    city: str = ""
    region: str = ""
    country: str = ""

    def text(self) -> str:
        """Return the address in one line."""
        town = " ".join(part for part in (self.postcode, self.city) if part)
        parts = (self.line1, self.line2, town, self.region, self.country)
        return ", ".join(part.strip() for part in parts if part.strip())


class TimeWindow(Noun):
    """From when until when someone may be visited."""

    start: AwareDatetime
    end: AwareDatetime


class Recipient(Noun):
    """Who receives; every field is personal data."""

    name: str = ""
    phone: str = ""
    email: str = ""


class OrderLine(Noun):
    """One article of an order; `load` is the capacity units that one piece takes."""

    name: str
    quantity: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    sku: str = ""
    ref: str = ""
    load: Annotated[int, Field(ge=0, le=1_000_000)] = 1
    price: Money | None = None
    """Of one piece, as the source tells it."""
    loads: LoadsByName = Field(default_factory=dict)
    """What one piece takes, by the operator's measures; its first one may stand here instead of in
    `load`."""


class Order(Noun):
    """What was bought, as a source hands it over; `ref` is unique within the source."""

    ref: Annotated[str, Field(min_length=1, max_length=200)]
    kind: Kind = "delivery"
    recipient: Recipient = Recipient()
    address: Address = Address()
    location: Location | None = None
    lines: tuple[OrderLine, ...] = ()
    service_date: date | None = None
    window: TimeWindow | None = None
    window_start_local: str = ""
    """HH:MM at the depot; sources that know no time zone use these two instead of `window`."""
    window_end_local: str = ""
    service_time: int | None = Field(default=None, ge=0, le=86_400)
    cash_due: Money | None = None
    invoice: str = ""
    """Number of the invoice in the accounting system, when the source knows it."""
    depot: str = ""
    """Name of the depot that delivers; empty lets the hub choose the nearest."""
    notes: str = ""
    total: Money | None = None
    number: str = ""
    """How the customer and the shop call it, where that is not `ref`, such as `#1001`."""
    parent: str = ""
    """The source's own id of the purchase that it is a part of, where one purchase makes several
    orders."""
    windows: tuple[TimeWindow | LocalWindow, ...] = Field(default=(), max_length=10)
    """Several windows, one of which has to be kept, instead of one `window`."""
    loads: LoadsByName = Field(default_factory=dict)
    """What the whole order takes, by the operator's measures; goes before its lines'."""
    skills: Tags = ()
    """What the driver or the vehicle has to have."""
    priority: Priority = 1
    driver: str = Field(default="", max_length=100)
    """Name or id of the only driver who may come."""
    turn: Turn = ""
    on_board: int | None = Field(default=None, ge=60, le=86_400)
    """Most seconds that its goods may ride."""
    pair: str = Field(default="", max_length=200)
    """Any text that a collection and a delivery of one source share: what the one fetches, the
    other hands over, on the same tour."""


class Cursor(Noun):
    """How far a source has been read; what came before it is safe to forget."""

    value: str = ""


class RefusedRow(Noun):
    """One record of a source that could not be read: where, which field and why."""

    line: int
    reason: str
    field: str = ""
    ref: str = ""
    """The record's own number where it can be read, so that the hub knows when it is mended."""


class Cancelled(Noun):
    """Says that the source called an order off; `ref` is the order's own."""

    ref: Annotated[str, Field(min_length=1, max_length=200)]
    reason: str = ""
