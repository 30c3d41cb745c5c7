"""What the board shows, as the page gets it: ids, instants in RFC 3339, degrees, minutes."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict


class View(BaseModel):
    """A part of the board's state that nobody changes."""

    model_config = ConfigDict(frozen=True)


class DepotView(View):
    """A depot, and how planning its day stands."""

    id: str
    name: str
    lat: float
    lon: float
    timezone: str
    plan: PlanView | None = None


class PlanView(View):
    """The newest plan of a depot and day, or the one before it where that failed."""

    id: str
    state: str
    reason: str
    why: str
    """Why this engine."""
    approximate: bool
    progress: dict[str, float]
    """`cost`, `left_out` and `seconds` of the best find so far, `of` how many seconds."""
    stop_asked: bool
    failed: str
    """Why a newer plan failed, which left this one's drafts as they were."""
    unserved: list[LeftView]


class LeftView(View):
    """A stop that the plan left out: why, and what would make it fit."""

    stop: str
    reason: str
    fits: str
    """Empty where nothing helps."""
    place: str
    """Its address and pin, where these are what has to be looked at."""


class PositionView(View):
    """Where a driver was last, and when."""

    lat: float
    lon: float
    at: datetime
    heading: float | None = None


class DriverView(View):
    """A driver with the colour of its routes."""

    id: str
    name: str
    colour: str
    depot: str
    position: PositionView | None


class PauseView(View):
    """A break, or a reload at a depot, and behind which stop it comes."""

    kind: str
    after: str
    text: str


class RouteView(View):
    """A driver's route of the day."""

    id: str
    driver: str
    depot: str
    state: str
    starts_at: datetime
    ends_at: datetime
    metres: int
    start: list[float]
    """lat, lon of where the driver's day begins; `end`: where it ends."""
    end: list[float]
    pauses: list[PauseView]


class StopView(View):
    """One visit, with what a dispatcher looks for first."""

    id: str
    order: str
    ref: str
    name: str
    address: str
    merchant: str
    depot: str
    kind: str
    state: str
    lat: float
    lon: float
    route: str | None
    position: int | None
    window_start: datetime | None
    window_end: datetime | None
    planned_at: datetime | None
    eta_at: datetime | None
    arrived_at: datetime | None
    ended_at: datetime | None
    late: int
    """Whole minutes behind the window (promised, else wished); 0 when in time."""
    reason: str
    ad_hoc: bool


class WaitingView(View):
    """An order that waits for its place on the map."""

    id: str
    ref: str
    name: str
    address: str
    merchant: str
    reason: str
    lat: float | None
    lon: float | None


class FlagView(View):
    """Something that needs a person."""

    id: str
    kind: str
    text: str
    subject: str
    raised_at: datetime


class FigureView(View):
    """One number of the strip: in words, and what it was counted from."""

    name: str
    label: str
    text: str
    detail: str


class State(View):
    """The whole board of one day."""

    now: datetime
    speed: float
    day: date
    today: date
    merchants: dict[str, str]
    depots: list[DepotView]
    drivers: list[DriverView]
    routes: list[RouteView]
    stops: list[StopView]
    waiting: list[WaitingView]
    flags: list[FlagView]
    figures: list[FigureView]
    orders: int
    """Orders of the day, cancelled ones left out."""
