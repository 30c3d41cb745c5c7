"""The API of plans: ask for one, read it, publish its routes."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, url_for
from pydantic import Field

from hub.access import get
from hub.dispatch.explanation import explained
from hub.dispatch.publish import publish_plan
from hub.dispatch.sheets import plan_sheet
from hub.nouns import Noun
from hub.planning.limits import LONGEST
from hub.planning.plans import request
from hub.planning.progress import stop as stop_plan
from hub.store import Operator, PlanRow
from hub.web.answers import answer
from hub.web.bodies import body
from hub.web.context import hub, principal, read, write
from hub.web.policy import allow

blueprint = Blueprint("api_plans", __name__, url_prefix="/api/v1/plans")


class PlanWish(Noun):
    """Which day of which depot (id or name) to plan, and how long the search may last.

    Without seconds, or with 0, it lasts as long as so many stops need.
    """

    depot: str = Field(min_length=1, max_length=200)
    service_date: date
    seconds: float = Field(default=0, ge=0, le=LONGEST)


@blueprint.post("")
@allow("owner", "dispatcher", "key:plans:write")
def add() -> Response:
    """Ask for a plan; a worker makes it, and `Location` says where it can be read."""
    wish = body(PlanWish)
    asker = principal()
    by = asker.user if isinstance(asker, Operator) else ""
    with write() as session:
        plan = request(session, wish.depot, wish.service_date, by, wish.seconds)
        where = url_for("api_plans.show", id=plan.id)
        return answer({"id": plan.id, "state": plan.state}, 202, {"Location": where})


@blueprint.get("/<id>")
@allow("owner", "dispatcher", "key:plans:write")
def show(id: str) -> Response:
    """Return a plan: its state, routes, and what it left out with the reasons."""
    with read() as session:
        return answer(plan_sheet(session, get(session, PlanRow, id)))


@blueprint.post("/<id>/stop")
@allow("owner", "dispatcher", "key:plans:write")
def stop(id: str) -> Response:
    """End the search for a plan with the best that it has found so far."""
    with write() as session:
        plan = get(session, PlanRow, id)
        return answer({"id": plan.id, "stopping": stop_plan(session, plan.id)}, 202)


@blueprint.get("/<id>/explanation")
@allow("owner", "dispatcher", "key:plans:write")
def explanation(id: str) -> Response:
    """Return each route along the clock, why stops are left out, and what the plan changed."""
    with read() as session:
        return answer(explained(session, get(session, PlanRow, id)))


@blueprint.post("/<id>/publish")
@allow("owner", "dispatcher", "key:plans:write")
def publish(id: str) -> Response:
    """Publish every draft of a plan."""
    return answer({"routes": publish_plan(hub(), principal(), id)})
