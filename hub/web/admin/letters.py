"""Dead letters: runs and work that gave up, why, and another try."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template
from sqlmodel import col, select
from werkzeug.wrappers import Response

from hub.access import scoped
from hub.errors import Missing
from hub.queue.work import enqueue
from hub.store import EventRow, RunRow, Session, WorkRow
from hub.web.context import hub, read, write
from hub.web.policy import allow
from hub.workflow.letters import retry as retry_run

blueprint = Blueprint("letters", __name__, url_prefix="/admin/dead-letters")
SHOWN = 200


@blueprint.get("")
@allow("owner", "dispatcher", "ops")
def page() -> str:
    """Show what gave up, newest first."""
    with read() as session:
        runs = dead_runs(session)
        work = dead_work(session)
    return render_template("admin/letters.html", runs=runs, work=work)


@blueprint.post("/runs/<id>/retry")
@allow("owner", "dispatcher", "ops")
def retry(id: str) -> Response:
    """Let a failed run go on from the step that failed, with the same keys."""
    with write() as session:
        run = retry_run(hub(), session, id)
    flash(f"{run.workflow} tries again.", "good")
    return redirect("/admin/dead-letters")


@blueprint.post("/work/<id>/retry")
@allow("owner", "ops")
def retry_work(id: str) -> Response:
    """Make buried work due again."""
    with write() as session:
        row = session.get(WorkRow, id)
        if row is None or row.state != "dead":
            raise Missing(f"there is no buried work {id}")
        enqueue(session, row.kind, row.subject, queue=row.queue)
    flash("It is due again.", "good")
    return redirect("/admin/dead-letters")


def dead_runs(session: Session) -> list[tuple[RunRow, EventRow | None]]:
    """Return failed runs with the event that started each."""
    query = scoped(session, RunRow).where(RunRow.state == "failed")
    rows = session.exec(query.order_by(col(RunRow.started_at).desc()).limit(SHOWN)).all()
    wanted = select(EventRow).where(col(EventRow.id).in_([row.event for row in rows]))
    events = {event.id: event for event in session.exec(wanted)}
    return [(row, events.get(row.event)) for row in rows]


def dead_work(session: Session) -> list[WorkRow]:
    """Return work that no run accounts for and that was given up."""
    query = scoped(session, WorkRow).where(
        WorkRow.state == "dead", col(WorkRow.kind).not_in(["step", "effect"])
    )
    return list(session.exec(query.order_by(col(WorkRow.created_at).desc()).limit(SHOWN)))
