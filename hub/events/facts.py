"""What events say: impersonal facts by noun, and the personal values kept beside them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class Facts(BaseModel):
    """Values that workflows can read; every field has a default, so an old event still reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OrderFacts(Facts):
    """An order without its person."""

    id: str = ""
    ref: str = ""
    source: str = ""
    kind: str = ""
    state: str = ""
    depot: str = ""
    service_date: str = ""
    total_minor: int = 0
    """In the currency's smallest unit."""
    cash_due_minor: int = 0
    currency: str = ""
    invoice: str = ""
    lines: int = 0


class StopFacts(Facts):
    """A stop without its person."""

    id: str = ""
    kind: str = ""
    state: str = ""
    position: int = 0
    attempt: int = 0
    reason: str = ""
    """A code, such as not_home."""
    reason_text: str = ""
    """The reason as people read it."""
    ad_hoc: bool = False
    service_date: str = ""
    window_start: str = ""
    window_end: str = ""
    eta_at: str = ""
    eta_minutes: int = 0
    """Whole minutes from the event to the ETA."""


class RouteFacts(Facts):
    """A route."""

    id: str = ""
    depot: str = ""
    service_date: str = ""
    state: str = ""
    stops: int = 0


class PlanFacts(Facts):
    """A plan."""

    id: str = ""
    depot: str = ""
    service_date: str = ""
    engine: str = ""
    routes: int = 0
    unserved: int = 0
    approximate: bool = False


class ReoptimisationFacts(Facts):
    """A search for better routes among those that are on the road."""

    id: str = ""
    depot: str = ""
    service_date: str = ""
    state: str = ""
    """done | failed | cancelled | undone"""
    reason: str = ""
    """Why nothing came of it, or of a part of it."""
    engine: str = ""
    routes: int = 0
    """How many were changed."""
    moved: int = 0
    """Stops that changed the driver or overtook others."""
    gain_seconds: int = 0
    gain_metres: int = 0
    late_before: int = 0
    late_after: int = 0
    inserted: int = 0
    """Stops that were put into a route."""
    unserved: int = 0
    """Stops that fit into none."""


class LossFacts(Facts):
    """What a driver who cannot go on leaves behind."""

    goods: str = ""
    """at_depot | handed_over | lost"""
    reason: str = ""
    stops: int = 0
    """How many were not done."""


class DriverFacts(Facts):
    """A driver, by id only; the first name is personal and lies beside the event."""

    id: str = ""


class MerchantFacts(Facts):
    """The merchant whose order it is."""

    id: str = ""
    name: str = ""


class ProofFacts(Facts):
    """A proof by its hash."""

    id: str = ""
    sha256: str = ""


class ConnectionFacts(Facts):
    """A connection to another system."""

    id: str = ""
    connector: str = ""
    title: str = ""
    reason: str = ""


class EndpointFacts(Facts):
    """An address that is sent events."""

    id: str = ""
    host: str = ""
    """Without path and query, which may hold a secret."""
    description: str = ""
    reason: str = ""


class MessageFacts(Facts):
    """A message to a recipient, without the recipient."""

    id: str = ""
    medium: str = ""
    """sms | email"""
    state: str = ""
    stop: str = ""
    detail: str = ""
    """What the channel said."""


class ImportFacts(Facts):
    """A file of orders."""

    id: str = ""
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0


class RunFacts(Facts):
    """A workflow run that failed."""

    id: str = ""
    workflow: str = ""
    step: str = ""
    kind: str = ""
    message: str = ""


class RequestFacts(Facts):
    """What starts a workflow by its name: a schedule, a person, or another workflow."""

    workflow: str = ""
    by: str = ""
    """Who asked, or the step that called."""
    due_at: str = ""
    """The time of the schedule, as ISO 8601 in UTC."""
    trigger: int = 0
    """The place of the schedule under `on:`."""
    inputs: dict[str, str | int | float | bool] = {}


class CustomerFacts(Facts):
    """The recipient: personal, erasable, absent once erased."""

    name: str = ""
    phone: str = ""
    email: str = ""


class WriterFacts(CustomerFacts):
    """A recipient who wrote back."""

    wrote: str = ""
    """The text, as it came."""


class Happening(BaseModel):
    """An event before it is stored: `data` in the typed fields, `customer` personal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: str
    merchant_id: str | None = None
    occurred_at: datetime | None = None
    """Device time; empty means now."""
    customer: CustomerFacts | None = None
    driver_name: str = ""
