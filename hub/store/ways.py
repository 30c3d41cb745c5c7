"""The way of a route along the streets, as it was last worked out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from hub.store.columns import instant, json


class RouteWayRow(SQLModel, table=True):
    """The line and the turns of one route; made anew whenever its stops change."""

    __tablename__ = "route_way"
    route: str = Field(primary_key=True)
    stamp: str = ""
    """Of the points that it leads along, in their order."""
    stops: list[str] = json(list)
    """The stops that its legs lead to, one each; the last leg leads to the end of the route."""
    way: dict[str, Any] = json()
    """A hub.nouns.Way."""
    made_at: datetime = instant()
