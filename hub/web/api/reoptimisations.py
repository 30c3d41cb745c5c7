"""The API of what changes on the road: better routes, taken back, and drivers who cannot go on."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, url_for
from pydantic import Field

from hub.access import get
from hub.dispatch import dropout, reoptimisations, undoing
from hub.dispatch.reoptimise import MOST_MOVED, SECONDS
from hub.nouns import Noun
from hub.planning.limits import LONGEST
from hub.store import Operator, ReoptimisationRow
from hub.web.answers import answer
from hub.web.bodies import body
from hub.web.context import hub, principal, read, write
from hub.web.policy import allow

blueprint = Blueprint("api_reoptimisations", __name__, url_prefix="/api/v1")
STAFF = ("owner", "dispatcher", "key:routes:write")


class ReoptimiseWish(Noun):
    """Which day of which depot (id or name) to better, how long, and how much may change."""

    depot: str = Field(min_length=1, max_length=200)
    service_date: date
    seconds: float = Field(default=SECONDS, ge=0.1, le=LONGEST)
    most_moved: float = Field(default=MOST_MOVED, gt=0, le=10_000)
    insert: bool = False
    waiting: bool = False


class LossWish(Noun):
    """Why a driver cannot go on, and where the goods are."""

    reason: str = Field(default="", max_length=300)
    goods: str = Field(default="", max_length=20)
    """at_depot | handed_over | lost; empty only before the driver has left."""


@blueprint.post("/routes/reoptimise")
@allow(*STAFF)
def add() -> Response:
    """Ask for better routes; a worker looks for them, and `Location` says where to read of it."""
    wish = body(ReoptimiseWish)
    with write() as session:
        row = reoptimisations.request(
            session,
            wish.depot,
            wish.service_date,
            asker(),
            seconds=wish.seconds,
            most_moved=wish.most_moved,
            insert=wish.insert,
            waiting=wish.waiting,
        )
        where = url_for("api_reoptimisations.show", id=row.id)
        return answer({"id": row.id, "state": row.state}, 202, {"Location": where})


@blueprint.get("/reoptimisations/<id>")
@allow(*STAFF)
def show(id: str) -> Response:
    """Return a search: its state, what moved, what it brought and what was left as it was."""
    with read() as session:
        return answer(sheet(get(session, ReoptimisationRow, id)))


@blueprint.post("/reoptimisations/<id>/cancel")
@allow(*STAFF)
def cancel(id: str) -> Response:
    """Stop a search."""
    with write() as session:
        return answer(sheet(reoptimisations.cancel(session, id)))


@blueprint.post("/reoptimisations/<id>/undo")
@allow(*STAFF)
def undo(id: str) -> Response:
    """Put the stops back as they were, while nobody has driven on."""
    return answer(sheet(undoing.undo(hub(), principal(), id)))


@blueprint.post("/routes/<id>/lost")
@allow(*STAFF)
def lose(id: str) -> Response:
    """Say that the driver cannot go on: the stops lose their route, and `driver.lost` is told."""
    wish = body(LossWish)
    with write() as session:
        return answer(dropout.drop(session, id, wish.reason, wish.goods))


@blueprint.post("/routes/<id>/redistribute")
@allow(*STAFF)
def redistribute(id: str) -> Response:
    """Say that the driver cannot go on; a worker gives the stops to the others at once."""
    wish = body(LossWish)
    with write() as session:
        made = dropout.hand_on(session, id, wish.reason, wish.goods, asker())
    if not made.reoptimisation:
        return answer(made)
    where = url_for("api_reoptimisations.show", id=made.reoptimisation)
    return answer(made, 202, {"Location": where})


def asker() -> str:
    """Return who asks, for the record."""
    who = principal()
    return who.user if isinstance(who, Operator) else ""


def sheet(row: ReoptimisationRow) -> dict[str, object]:
    """Return a search for an answer."""
    made = row.model_dump(mode="json", exclude={"before", "stamps"})
    return {**made, "undoable": bool(row.before) and row.state in ("done", "failed", "cancelled")}
