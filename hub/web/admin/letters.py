"""Dead letters: runs and work that gave up, why, and what a person can do about each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from sqlmodel import col, select
from werkzeug.wrappers import Response

from hub.access import audit, scoped
from hub.errors import Missing, Refused
from hub.queue.work import enqueue
from hub.store import EventRow, RunRow, Session, WorkRow
from hub.web.admin.workflows import READERS, WRITERS
from hub.web.context import hub, read, write
from hub.web.policy import allow
from hub.workflow import letters
from hub.workflow.library import library_of
from hub.workflow.problem import Invalid
from hub.workflow.program import holder
from hub.workflow.trace import Passed, Trace, trace

blueprint = Blueprint("letters", __name__, url_prefix="/admin/dead-letters")
SHOWN = 200
AT_ONCE = 10
"""Letters that one transaction lets go on."""
PREFIX = "given."


@dataclass(frozen=True)
class Given:
    """One value that a step was given, as the form shows it."""

    name: str
    value: str
    kind: str
    """text | json"""

    @property
    def input(self) -> str:
        """The name under which the browser sends it."""
        return PREFIX + self.name


@blueprint.get("")
@allow(*READERS)
def page() -> str:
    """Show what gave up, newest first; of one workflow or kind of error where that is asked."""
    workflow, kind = request.args.get("workflow", ""), request.args.get("kind", "")
    with read() as session:
        every = letters.letters(session, limit=SHOWN)
        found = letters.letters(session, workflow=workflow, kind=kind, limit=SHOWN)
        runs = with_events(session, found)
        work = dead_work(session)
    return render_template(
        "admin/letters.html",
        runs=runs,
        work=work,
        workflow=workflow,
        kind=kind,
        shown=SHOWN,
        names=sorted({row.workflow for row in every} | ({workflow} - {""})),
        kinds=sorted({row.error.get("kind", "") for row in every} - {""} | ({kind} - {""})),
    )


@blueprint.get("/runs/<id>")
@allow(*READERS)
def letter(id: str) -> str:
    """Show one dead letter and every way to go on with it."""
    return letter_page(id)


@blueprint.post("/runs/<id>/retry")
@allow(*WRITERS)
def retry(id: str) -> Response | tuple[str, int]:
    """Let a failed run go on from the step that failed, with what was put right."""
    try:
        with read() as session:
            given = changes(failed_step(trace(hub(), session, id)), request.form)
        with write() as session:
            run = letters.retry(hub(), session, id, given=given or None)
    except (Refused, Invalid) as error:
        return letter_page(id, error), 422
    flash(f"{run.workflow} goes on from the step that failed.", "good")
    return redirect(url_for("runs.show", id=id))


@blueprint.post("/runs/<id>/retry-from")
@allow(*WRITERS)
def retry_from(id: str) -> Response | tuple[str, int]:
    """Let a failed run begin again at a step that it went through."""
    step = request.form.get("step", "")
    try:
        with write() as session:
            run = letters.retry_from(hub(), session, id, step)
    except (Refused, Invalid) as error:
        return letter_page(id, error), 422
    flash(f"{run.workflow} begins again at {step or 'its first step'}.", "good")
    return redirect(url_for("runs.show", id=id))


@blueprint.post("/runs/<id>/discard")
@allow(*WRITERS)
def discard(id: str) -> Response:
    """Lay a dead letter by."""
    by = str(current_user.row.name or current_user.row.email)
    with write() as session:
        run = letters.discard(session, id, by)
    flash(f"The run of {run.workflow} is laid by. It can still be read among the runs.", "good")
    return redirect("/admin/dead-letters")


@blueprint.post("/retry")
@allow(*WRITERS)
def retry_all() -> Response:
    """Let every dead letter of a workflow and kind of error go on, as far as the page shows."""
    workflow, kind = request.form.get("workflow", ""), request.form.get("kind", "")
    with read() as session:
        found = letters.letters(session, workflow=workflow, kind=kind, limit=SHOWN)
        compile_all(session, found)
    done, refused = 0, list[str]()
    for start in range(0, len(found), AT_ONCE):
        part = [row.id for row in found[start : start + AT_ONCE]]
        with write() as session:
            went, stayed = letters.retry_all(hub(), session, part)
        done, refused = done + len(went), refused + stayed
    flash(f"{done} dead letter{'' if done == 1 else 's'} went on.", "good" if done else "warn")
    if refused:
        flash(f"{len(refused)} did not: {refused[0]}.", "warn")
    return redirect(url_for("letters.page", workflow=workflow or None, kind=kind or None))


@blueprint.post("/work/<id>/retry")
@allow(*WRITERS)
def retry_work(id: str) -> Response:
    """Make buried work due again."""
    with write() as session:
        row = session.get(WorkRow, id)
        if row is None or row.state != "dead":
            raise Missing(f"there is no buried work {id}")
        enqueue(session, row.kind, row.subject, queue=row.queue)
        audit.note(session, "letter.retried", row.id, f"made buried work due again: {row.kind}")
    flash("It is due again.", "good")
    return redirect("/admin/dead-letters")


def compile_all(session: Session, rows: list[RunRow]) -> None:
    """Compile what the runs follow, so that no write transaction has to."""
    for revision in {row.revision for row in rows}:
        try:
            library_of(hub()).program(session, revision)
        except Invalid:
            continue  # its runs are refused one by one, with this reason


def letter_page(id: str, error: Exception | None = None) -> str:
    """Return the page of one dead letter, with what was typed where it was refused."""
    with read() as session:
        found = trace(hub(), session, id)
    failed = failed_step(found)
    return render_template(
        "admin/letter.html",
        found=found,
        run=found.run,
        failed=failed,
        fields=values(failed, request.form),
        begins=begins(found),
        error=str(error) if error else "",
    )


def failed_step(found: Trace) -> Passed | None:
    """Return the step at which a run failed."""
    path = found.run.error.get("step")
    return next((one for one in found.steps if one.path == path and one.state == "failed"), None)


def begins(found: Trace) -> list[str]:
    """Return the steps at which a failed run can begin again."""
    rescue = ("on_error", "undo:")
    known = (one.path for one in found.steps if not one.path.startswith(rescue))
    return [path for path in known if not holder(path)]


def values(step: Passed | None, form: Mapping[str, str]) -> list[Given]:
    """Return what the step was given, or what was just typed in its place."""
    made = []
    for name, value in (step.input if step else {}).items():
        kind = "text" if isinstance(value, str) else "json"
        said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        made.append(Given(name, form.get(PREFIX + name, said), kind))
    return made


def changes(step: Passed | None, form: Mapping[str, str]) -> dict[str, Any]:
    """Return the values that a person changed; raise `Refused` for one that cannot be read.

    What was left as it is shown is not sent: covered personal values stay what they really are.
    """
    found = {}
    for one in values(step, {}):
        said = form.get(one.input, one.value).replace("\r\n", "\n")
        if said == one.value.replace("\r\n", "\n"):
            continue
        try:
            found[one.name] = said if one.kind == "text" else json.loads(said)
        except ValueError:
            message = f"{one.name} is not valid JSON; write numbers plain and texts in quotes"
            raise Refused(message, one.name) from None
    return found


def with_events(session: Session, rows: list[RunRow]) -> list[tuple[RunRow, EventRow | None]]:
    """Return runs with the event that started each."""
    wanted = select(EventRow).where(col(EventRow.id).in_([row.event for row in rows]))
    events = {event.id: event for event in session.exec(wanted)}
    return [(row, events.get(row.event)) for row in rows]


def dead_work(session: Session) -> list[WorkRow]:
    """Return work that no run accounts for and that was given up."""
    query = scoped(session, WorkRow).where(
        WorkRow.state == "dead", col(WorkRow.kind).not_in(["step", "effect"])
    )
    return list(session.exec(query.order_by(col(WorkRow.created_at).desc()).limit(SHOWN)))
