"""Tables of what was bought and where it has to go: orders, lines, imports, stops."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.store.columns import instant, json, key, later, later_json, maybe_instant, maybe_money


class OrderRow(SQLModel, table=True):
    """What a customer bought from a merchant; unique by where it came from and its number there."""

    __tablename__ = "order"
    __table_args__ = (
        UniqueConstraint("merchant", "source", "ref"),
        Index("ix_order_day", "service_date", "merchant"),
    )
    id: str = key("ord")
    merchant: str = Field(foreign_key="merchant.id")
    source: str
    """Where it came from: `csv`, `api`, or a connection's id."""
    ref: str
    kind: str = "delivery"
    state: str = "received"
    """received | needs_address | ready (it has a place) | cancelled"""
    reason: str = ""
    """Why it waits, in words for the dispatcher."""
    name: str = ""
    phone: str = ""
    email: str = ""
    address: dict[str, str] = json()
    lat: float | None = None
    lon: float | None = None
    confidence: float | None = None
    depot: str | None = Field(default=None, foreign_key="depot.id")
    service_date: date
    window_start: datetime | None = maybe_instant()
    window_end: datetime | None = maybe_instant()
    service_time: int = 180
    cash_due: Decimal | None = maybe_money()
    total: Decimal | None = maybe_money()
    currency: str = "CHF"
    invoice: str = ""
    notes: str = ""
    number: str = ""
    """How the customer and the shop call it; empty where that is `ref`."""
    parent: str = ""
    """The source's own id of the purchase that it is a part of."""
    digest: str = ""
    """SHA-256 of what the source said, so that the same news twice is no news."""
    received_at: datetime = instant()
    updated_at: datetime = instant()
    cancelled_at: datetime | None = maybe_instant()
    erased_at: datetime | None = maybe_instant()
    """When the personal values were removed; what the source says after that is not taken."""
    loads: dict[str, float] = later_json(dict)
    """What the whole order takes, by measure, where the source says it."""
    windows: list[list[str]] = later_json(list)
    """Where there are several: `[start, end]` as ISO instants, in order; the two above are then
    the first start and the last end."""
    skills: list[str] = later_json(list)
    priority: int = later(1)
    """0 (low), 1 (as others), up to 100 (has to go)."""
    driver: str | None = None
    """Id of the only driver who may come."""
    turn: str = later("")
    """first | last: before or after all others of its route."""
    on_board: int | None = None
    """Most seconds that its goods may ride."""
    pair: str = later("")
    """What it has in common with its other half: a collection whose goods a delivery brings."""


class OrderLineRow(SQLModel, table=True):
    """One article of an order."""

    __tablename__ = "order_line"
    __table_args__ = (UniqueConstraint("order", "number"),)
    id: str = key("lin")
    order: str = Field(foreign_key="order.id", index=True)
    number: int
    sku: str = ""
    name: str
    ref: str = ""
    """The source's own id of the line."""
    quantity: int = 1
    load: int = 1
    price: Decimal | None = maybe_money()
    """Of one piece, in the order's currency."""
    loads: dict[str, float] = later_json(dict)
    """What one piece takes, by measure, beyond `load`."""


class ImportRow(SQLModel, table=True):
    """One file of orders on its way in, and how far it has come."""

    __tablename__ = "import"
    id: str = key("imp")
    merchant: str = Field(foreign_key="merchant.id")
    filename: str
    sha256: str
    form: str = ""
    """Which columns were recognised: template | shopify | woocommerce."""
    state: str = "waiting"
    """waiting | running | done | refused (the file as a whole)"""
    reason: str = ""
    note: str = ""
    """What was noticed about the file and is no error, such as columns that are not read."""
    cursor: str = ""
    service_date: date | None = None
    """Day to deliver for rows that name none; empty: the next working day."""
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    created_by: str = ""
    created_at: datetime = instant(index=True)
    finished_at: datetime | None = maybe_instant()


class ImportErrorRow(SQLModel, table=True):
    """One row of a file that was left out: its line, the column at fault and why."""

    __tablename__ = "import_error"
    __table_args__ = (UniqueConstraint("import_", "line", "field"),)
    id: str = key("ime")
    import_: str = Field(foreign_key="import.id", index=True)
    line: int
    field: str = ""
    reason: str


class StopRow(SQLModel, table=True):
    """One visit to one door; its states are in hub.store.states."""

    __tablename__ = "stop"
    __table_args__ = (
        Index("ix_stop_day", "service_date", "depot", "state"),
        Index("ix_stop_route", "route", "position"),
    )
    id: str = key("stp")
    merchant: str = Field(foreign_key="merchant.id", index=True)
    order: str = Field(foreign_key="order.id", unique=True)
    kind: str = "delivery"
    state: str = "unassigned"
    depot: str = Field(foreign_key="depot.id")
    service_date: date
    lat: float
    lon: float
    window_start: datetime | None = maybe_instant()
    window_end: datetime | None = maybe_instant()
    promised_start: datetime | None = maybe_instant()
    """The window promised at dispatch: what lateness is measured against, never changed later."""
    promised_end: datetime | None = maybe_instant()
    service_time: int = 180
    load: int = 1
    route: str | None = Field(default=None, foreign_key="route.id")
    position: int | None = None
    """1, 2, 3 ... along the route."""
    ad_hoc: bool = False
    planned_at: datetime | None = maybe_instant()
    """When the plan arrives here."""
    eta_at: datetime | None = maybe_instant()
    eta_low: datetime | None = maybe_instant()
    eta_high: datetime | None = maybe_instant()
    approached_at: datetime | None = maybe_instant()
    arrived_at: datetime | None = maybe_instant()
    departed_at: datetime | None = maybe_instant()
    ended_at: datetime | None = maybe_instant()
    """When it was completed, partly completed or failed."""
    attempts: int = 0
    reason: str = ""
    """Why it failed or was only partly done."""
    loads: dict[str, int] = later_json(dict)
    """What it takes by measure, beyond `load`."""
    windows: list[list[str]] = later_json(list)
    """Where there are several: `[start, end]` as ISO instants, in order; the two above are then
    the first start and the last end."""
    skills: list[str] = later_json(list)
    priority: int = later(1)
    """0 (low), 1 (as others), up to 100 (has to go)."""
    driver: str | None = None
    """Id of the only driver who may come."""
    turn: str = later("")
    """first | last: before or after all others of its route."""
    on_board: int | None = None
    """Most seconds that its goods may ride."""
    pair: str = later("")
    """What it has in common with its other half: a collection whose goods a delivery brings."""


class FlagRow(SQLModel, table=True):
    """Something that needs a person; shown on the board until somebody clears it."""

    __tablename__ = "flag"
    __table_args__ = (UniqueConstraint("key"),)
    id: str = key("flg")
    key: str
    """Same cause, same key: a flag is raised once however often its step runs."""
    merchant: str | None = Field(default=None, foreign_key="merchant.id")
    kind: str
    subject: str = ""
    text: str
    raised_at: datetime = instant(index=True)
    cleared_at: datetime | None = maybe_instant()
    cleared_by: str = ""
