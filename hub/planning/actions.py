"""What workflows may do with plans."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from hub.access import get
from hub.actions import ActionInput, ActionOutput, Inside
from hub.planning import plans
from hub.planning.drafts import drafts
from hub.store import PlanRow, Session

if TYPE_CHECKING:
    from hub.hub import Hub


class DayInput(ActionInput):
    """A depot (id or name), a day, and the seconds that the search may take; 0: as many as so
    many stops need."""

    depot: str
    date: date
    seconds: float = Field(default=0, ge=0)


class AskedOutput(ActionOutput):
    """The plan that was asked for; `plan.finished` tells when it is made."""

    plan: str


class PlanInput(ActionInput):
    """A plan by its id."""

    plan: str


class Draft(BaseModel):
    """A draft route."""

    id: str
    driver: str


class DraftsOutput(ActionOutput):
    """The draft routes of the plan's depot and day."""

    routes: list[Draft]


def plan_day(hub: Hub, session: Session, given: DayInput) -> AskedOutput:
    """Ask for a plan; a worker for heavy work makes it."""
    row = plans.request(session, given.depot, given.date, "workflow", given.seconds)
    return AskedOutput(plan=row.id)


def list_drafts(hub: Hub, session: Session, given: PlanInput) -> DraftsOutput:
    """Return what a plan has to publish."""
    found = drafts(session, get(session, PlanRow, given.plan))
    return DraftsOutput(routes=[Draft(id=row.id, driver=row.driver) for row in found])


PLAN_DAY = Inside(
    "planning.plan_day", DayInput, AskedOutput, plan_day, hooks=("routing_engines", "travel_times")
)
DRAFTS = Inside("planning.drafts", PlanInput, DraftsOutput, list_drafts)
ACTIONS = (PLAN_DAY, DRAFTS)
