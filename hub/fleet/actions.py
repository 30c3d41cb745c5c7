"""What workflows may ask about the fleet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel
from sqlmodel import select

from hub.actions import ActionInput, ActionOutput, Inside
from hub.store import DepotRow, Session

if TYPE_CHECKING:
    from hub.hub import Hub


class Depot(BaseModel):
    """A depot and the zone of its clock."""

    id: str
    name: str
    timezone: str


class DepotsOutput(ActionOutput):
    """Every depot, by name."""

    depots: list[Depot]


def list_depots(hub: Hub, session: Session, given: ActionInput) -> DepotsOutput:
    """Return the operator's depots."""
    rows = session.exec(select(DepotRow).order_by(DepotRow.name, DepotRow.id))
    return DepotsOutput(
        depots=[Depot(id=row.id, name=row.name, timezone=row.timezone) for row in rows]
    )


LIST_DEPOTS = Inside("fleet.list_depots", ActionInput, DepotsOutput, list_depots)
