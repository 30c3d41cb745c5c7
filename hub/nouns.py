"""The frozen nouns that cross a plugin's edge.

Coordinates are WGS84 degrees, distances metres, durations whole seconds, instants aware UTC,
money Decimal with an ISO 4217 currency, phones E.164 (or as typed, where they come from a shop).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Kind = Literal["delivery", "collection", "service"]
Outcome = Literal["completed", "partial", "failed"]


class Noun(BaseModel):
    """A value that nobody changes; unknown fields are refused so that a typo is seen."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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


class Leg(Noun):
    """The way from one point of a `Legs` to another, by index."""

    start: int
    end: int


class Legs(Noun):
    """The points between which travel times are wanted: all to all."""

    points: tuple[Location, ...]


class Matrix(Noun):
    """Seconds and metres from row to column; `approximate` when no road was looked at."""

    seconds: tuple[tuple[int, ...], ...]
    metres: tuple[tuple[int, ...], ...]
    approximate: bool = False


class ProblemStop(Noun):
    """One visit to plan; `point` indexes the matrix, times are seconds since the day's start."""

    id: str
    point: int
    service: int = 0
    load: int = 0
    window: tuple[int, int] | None = None


class ProblemVehicle(Noun):
    """One driver with a vehicle for the day; shift in seconds since the day's start."""

    id: str
    start: int
    end: int
    capacity: int
    shift: tuple[int, int]


class Problem(Noun):
    """What a routing engine is asked, in numbers only; no engine's own words."""

    stops: tuple[ProblemStop, ...]
    vehicles: tuple[ProblemVehicle, ...]
    matrix: Matrix
    seconds: float = 5.0
    """How long the engine may search."""
    seed: int = 1


class Visit(Noun):
    """When a stop is reached and left, in seconds since the day's start."""

    stop: str
    arrive: int
    depart: int


class PlannedRoute(Noun):
    """The visits of one vehicle in order, with its start, end and way."""

    vehicle: str
    visits: tuple[Visit, ...]
    starts: int
    ends: int
    metres: int = 0


class Unserved(Noun):
    """A stop that was left out, and the rule that left it out."""

    stop: str
    reason: str


class Plan(Noun):
    """An engine's answer: every stop is in a route or explained, nothing is raised."""

    engine: str
    routes: tuple[PlannedRoute, ...]
    unserved: tuple[Unserved, ...] = ()


class Message(Noun):
    """A text to send; a channel that can drops a second one with the same `key`."""

    key: str
    to: str
    text: str
    subject: str = ""
    sender: str = ""
    reference: str = ""
    """Id of the stop that the message is about, for the provider's own log."""
    kind: str = ""
    """What it says about that stop, such as `near`; one stop gets each kind once."""


class Receipt(Noun):
    """What the other side said: its own reference, and a word for people."""

    ref: str = ""
    detail: str = ""


class ProofFile(Noun):
    """A photo, a signature or the PDF of a proof, as stored."""

    name: str
    media_type: str
    sha256: str
    content: bytes = Field(repr=False)


class Proof(Noun):
    """A delivery record on its way to a sink; storing the same `key` twice is storing once."""

    key: str
    id: str
    order: str
    stop: str = ""
    invoice: str = ""
    outcome: Outcome
    at: AwareDatetime
    summary: str
    """One plain sentence of at most 200 characters, fit for a history note."""
    record: bytes = Field(repr=False)
    """The RFC 8785 JSON of the delivery record."""
    sha256: str
    files: tuple[ProofFile, ...] = ()
    tracking_url: str = ""


class Fix(Noun):
    """One position of a device: metres of accuracy, metres per second, degrees from north."""

    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)
    at: AwareDatetime = Field(
        ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2100, 1, 1, tzinfo=UTC)
    )
    accuracy: float | None = Field(default=None, ge=0)
    speed: float | None = Field(default=None, ge=0)
    heading: float | None = Field(default=None, ge=0, le=360)


class DevicePosition(Noun):
    """Where a tracking device is; `device` is its own id, which a driver's `tracker` names."""

    device: Annotated[str, Field(min_length=1, max_length=100)]
    fix: Fix


class Incoming(Noun):
    """A request that another system sent to a connection, byte for byte as it came."""

    body: bytes = Field(default=b"", repr=False)
    headers: dict[str, str] = Field(default={}, repr=False)
    """By their names in small letters."""
    query: dict[str, str] = Field(default={}, repr=False)
    at: AwareDatetime
    """When it came, wall time."""


class Delivery(Noun):
    """What a request says about itself, once its signature has been found to hold.

    The hub takes each `id` of a connection once, and refuses one that was `signed_at` more than
    five minutes ago. Without an `id` the same bytes count as the same delivery.
    """

    id: Annotated[str, Field(max_length=200)] = ""
    topic: Annotated[str, Field(max_length=200)] = ""
    """What it is about in the sender's words, such as `orders/updated`."""
    signed_at: AwareDatetime | None = None
    """When the sender signed it, where the signature covers that."""


class Cancelled(Noun):
    """Says that the source called an order off; `ref` is the order's own."""

    ref: Annotated[str, Field(min_length=1, max_length=200)]
    reason: str = ""


class Connect(Noun):
    """What the address of a consent page has to carry (RFC 6749, RFC 7636)."""

    redirect_url: str
    state: str
    challenge: str
    """The S256 code challenge of PKCE."""


class Callback(Noun):
    """What came back from a consent page, once the hub has checked its state."""

    code: str = Field(repr=False)
    verifier: str = Field(repr=False)
    """The PKCE code verifier."""
    redirect_url: str
    query: dict[str, str] = Field(default={}, repr=False)
    """Everything that came, for what a service adds of its own."""


class Grant(Noun):
    """Settings that a token call changed, and when they have to be renewed."""

    settings: dict[str, Any] = Field(repr=False)
    """Names and values of the connector's `Config`, merged over those that are stored."""
    expires_at: AwareDatetime | None = None
    """Wall time at which the access ends; none where it does not end by itself."""
    scopes: tuple[str, ...] = ()
    """What was granted."""
    account: str = ""
    """Whose account it is, for people."""


Json = dict[str, Any]
