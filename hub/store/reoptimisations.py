"""Table of what is worked out anew while drivers are on the road."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from hub.store.columns import instant, json, key, maybe_instant


class ReoptimisationRow(SQLModel, table=True):
    """One search for better routes among those of a depot's day, and what came out of it."""

    __tablename__ = "reoptimisation"
    __table_args__ = (Index("ix_reoptimisation_day", "service_date", "depot"),)
    id: str = key("rop")
    depot: str = Field(foreign_key="depot.id")
    service_date: date
    stop: str | None = Field(default=None, foreign_key="stop.id")
    """The stop to put into a route; nothing else is changed then."""
    route: str | None = Field(default=None, foreign_key="route.id")
    """The only route that may take it."""
    insert: bool = False
    """Whether promised stops that have lost their route are put into others first."""
    waiting: bool = False
    """Whether their goods are at the depot, so that only who has not left can take them."""
    seconds: float = 1.5
    most_moved: float = 0.2
    """Below 1 the share of the stops ahead that may move, else their number."""
    state: str = "waiting"
    """waiting | running | done | failed | cancelled | undone"""
    reason: str = ""
    engine: str = ""
    moved: int = 0
    routes: int = 0
    """How many routes were changed."""
    gain_seconds: int = 0
    """Working time that is saved."""
    gain_metres: int = 0
    late_before: int = 0
    """Stops that come after what was promised, before and after it."""
    late_after: int = 0
    inserted: list[dict[str, str]] = json(list)
    """`{"stop": id, "route": id}` for every stop that was put into a route."""
    unserved: list[dict[str, Any]] = json(list)
    """`{"stop": id, "reason": text, "waiting": at the depot?}` for every stop that has none."""
    before: dict[str, Any] = json()
    """Route -> its stops ahead as they were, to take the change back."""
    stamps: dict[str, Any] = json()
    """Route -> its fingerprint after the change: another one means that somebody has driven on."""
    requested_by: str = ""
    created_at: datetime = instant(index=True)
    finished_at: datetime | None = maybe_instant()
