"""Tables of the plan and the road: plans, routes, attempts, ETAs, proofs, messages."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index, UniqueConstraint, false
from sqlmodel import Field, SQLModel

from hub.store.columns import instant, json, key, maybe_instant, maybe_money


class PlanRow(SQLModel, table=True):
    """One optimisation of one depot's day and what came out of it."""

    __tablename__ = "plan"
    id: str = key("pln")
    depot: str = Field(foreign_key="depot.id")
    service_date: date
    state: str = "waiting"
    """waiting | running | done | failed"""
    reason: str = ""
    engine: str = ""
    approximate: bool = False
    """True when the travel times are straight lines times a factor."""
    seconds: float = 0
    """How long the search may last; 0: as long as so many stops need."""
    why: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Why this engine, in words for a dispatcher."""
    progress: dict[str, float] = json(dict, server_default="{}")
    """`cost`, `left_out` and `seconds` of the best find so far, `of` how many seconds."""
    stop_asked: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Whether somebody asked the search to end with the best so far."""
    unserved: list[dict[str, Any]] = json(list)
    """`Unserved` of every stop that was left out: `stop`, `reason`, `rule`, `relaxations`, ..."""
    outcome: dict[str, Any] = json(dict)
    """`Outcome` of hub.planning.explain: what each driver does, also after the drafts are gone."""
    requested_by: str = ""
    created_at: datetime = instant(index=True)
    finished_at: datetime | None = maybe_instant()


class RouteRow(SQLModel, table=True):
    """One driver's day; its states are in hub.store.states."""

    __tablename__ = "route"
    __table_args__ = (Index("ix_route_day", "service_date", "depot"),)
    id: str = key("rte")
    plan: str | None = Field(default=None, foreign_key="plan.id")
    depot: str = Field(foreign_key="depot.id")
    driver: str = Field(foreign_key="driver.id", index=True)
    vehicle: str = Field(foreign_key="vehicle.id")
    service_date: date
    state: str = "draft"
    starts_at: datetime = instant()
    ends_at: datetime = instant()
    metres: int = 0
    published_at: datetime | None = maybe_instant()
    started_at: datetime | None = maybe_instant()
    closed_at: datetime | None = maybe_instant()


class AttemptRow(SQLModel, table=True):
    """One try at a stop, as the driver's phone told it."""

    __tablename__ = "attempt"
    __table_args__ = (UniqueConstraint("stop", "number"),)
    id: str = key("att")
    merchant: str = Field(foreign_key="merchant.id")
    stop: str = Field(foreign_key="stop.id")
    number: int
    route: str = Field(foreign_key="route.id")
    driver: str = Field(foreign_key="driver.id")
    outcome: str
    """completed | partial | failed"""
    reason: str = ""
    note: str = ""
    received_by: str = ""
    """Name of who took it: personal data, not in any event."""
    cash_taken: Decimal | None = maybe_money()
    lat: float | None = None
    lon: float | None = None
    accuracy: float | None = None
    arrived_at: datetime | None = maybe_instant()
    occurred_at: datetime = instant()
    recorded_at: datetime = instant()


class AttemptLineRow(SQLModel, table=True):
    """How much of one order line was handed over."""

    __tablename__ = "attempt_line"
    __table_args__ = (UniqueConstraint("attempt", "line"),)
    id: str = key("atl")
    attempt: str = Field(foreign_key="attempt.id", index=True)
    line: str = Field(foreign_key="order_line.id")
    quantity: int


class EtaRow(SQLModel, table=True):
    """One ETA that was ever issued; they are never changed, so that errors can be measured."""

    __tablename__ = "eta"
    __table_args__ = (Index("ix_eta_stop", "stop", "issued_at"),)
    id: str = key("eta")
    stop: str = Field(foreign_key="stop.id")
    issued_at: datetime = instant()
    eta_at: datetime = instant()
    low: datetime = instant()
    high: datetime = instant()
    source: str = "plan"
    """plan (at dispatch) | live (from the driver's position) | report (after an event)"""


class ProofRow(SQLModel, table=True):
    """The canonical record of one attempt; written once, in a chain per merchant."""

    __tablename__ = "proof"
    __table_args__ = (UniqueConstraint("merchant", "number"),)
    id: str = key("prf")
    merchant: str = Field(foreign_key="merchant.id", index=True)
    stop: str = Field(foreign_key="stop.id", index=True)
    attempt: str = Field(foreign_key="attempt.id", unique=True)
    number: int
    """1, 2, 3 ... per merchant."""
    prev: str = ""
    """SHA-256 of the merchant's record before this one; empty for the first."""
    salt: str = ""
    """Salts the hash of the recipient's name in the record; deleting it erases the name."""
    sha256: str
    """Of `record`."""
    record: str
    """RFC 8785 JSON."""
    pdf: str = ""
    """SHA-256 of the PDF in the file store; empty until it is made."""
    captured_at: datetime = instant()
    created_at: datetime = instant()


class ProofFileRow(SQLModel, table=True):
    """A photo or a signature of a proof, by the hash of what is stored."""

    __tablename__ = "proof_file"
    __table_args__ = (UniqueConstraint("attempt", "kind", "sha256"),)
    id: str = key("pfl")
    attempt: str = Field(foreign_key="attempt.id", index=True)
    kind: str
    """photo | signature"""
    sha256: str
    media_type: str
    size: int


class ProofReceiptRow(SQLModel, table=True):
    """That a sink has taken a proof, with the sink's own reference."""

    __tablename__ = "proof_receipt"
    __table_args__ = (UniqueConstraint("proof", "connection"),)
    id: str = key("prr")
    proof: str = Field(foreign_key="proof.id", index=True)
    connection: str = Field(foreign_key="connection.id")
    ref: str = ""
    detail: str = ""
    at: datetime = instant()


class MessageRow(SQLModel, table=True):
    """A message to a recipient; `key` is the provider's idempotency key."""

    __tablename__ = "message"
    __table_args__ = (Index("ix_message_ref", "channel", "ref"), Index("ix_message_to", "to"))
    id: str = key("msg")
    key: str = Field(unique=True)
    merchant: str = Field(foreign_key="merchant.id", index=True)
    stop: str | None = Field(default=None, foreign_key="stop.id", index=True)
    channel: str
    medium: str = "sms"
    """sms | email"""
    to: str
    subject: str = ""
    text: str
    state: str = "sending"
    """sending | sent | delivered | undelivered | rejected | unknown"""
    ref: str = ""
    error: str = ""
    segments: int = 0
    """How many parts of a text message it takes, where that is known."""
    created_at: datetime = instant(index=True)
    sent_at: datetime | None = maybe_instant()
    reported_at: datetime | None = maybe_instant()
    """When the channel last said what became of it."""


class OptOutRow(SQLModel, table=True):
    """An address that wants no more messages of a merchant by one medium."""

    __tablename__ = "opt_out"
    __table_args__ = (UniqueConstraint("merchant", "medium", "address"),)
    id: str = key("opt")
    merchant: str = Field(foreign_key="merchant.id")
    medium: str
    """sms | email"""
    address: str = Field(index=True)
    """E.164, or an e-mail address in small letters."""
    reason: str = ""
    """How it came: the keyword, the link, or what the provider said."""
    at: datetime = instant()
