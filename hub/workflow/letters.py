"""Dead letters: look through failed runs, let them go on, change what they send, or lay them by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlmodel import col, select

from hub.access import audit, get, scoped
from hub.errors import Refused
from hub.store import EventRow, RunRow, Session, StepRow
from hub.workflow.flow import RESCUE, Flow
from hub.workflow.library import library_of
from hub.workflow.problem import Invalid
from hub.workflow.program import holder
from hub.workflow.runs import Book

if TYPE_CHECKING:
    from hub.hub import Hub


def letters(
    session: Session, *, workflow: str = "", kind: str = "", limit: int = 100
) -> list[RunRow]:
    """Return the failed runs that the session's principal may see, newest first."""
    query = scoped(session, RunRow).where(RunRow.state == "failed")
    if workflow:
        query = query.where(RunRow.workflow == workflow)
    rows = session.exec(query.order_by(col(RunRow.ended_at).desc(), col(RunRow.id).desc()))
    found = (row for row in rows if not kind or row.error.get("kind") == kind)
    return [row for _, row in zip(range(limit), found, strict=False)]


def retry(
    hub: Hub, session: Session, run_id: str, *, given: dict[str, Any] | None = None
) -> RunRow:
    """Let a dead letter go on from the step that failed, on its own revision and with its keys.

    What has succeeded is not done again. `given` replaces values under the step's `with:`. Raise
    `Missing` for a run that the session's principal may not see, `Refused` for one that has not
    failed or failed before its first step.
    """
    run = failed_run(session, run_id)
    step = session.exec(
        select(StepRow).where(
            StepRow.run == run.id, StepRow.path == run.error.get("step"), StepRow.state == "failed"
        )
    ).one_or_none()
    if step is None and run.error.get("kind") == "timeout":
        return retry_from(hub, session, run_id, "")
    if step is None:
        raise Refused(
            f"run {run.id} failed before its first step; correct the workflow {run.workflow}"
        )
    note(session, run, "retried")
    if given:
        step.override = {**step.override, **given}
    go_on(session, run)
    if step.number >= RESCUE:
        Book(session, run).open(step.path, step.number)
    else:
        flow_of(hub, session, run).resume(step)
    return run


def retry_from(hub: Hub, session: Session, run_id: str, path: str) -> RunRow:
    """Let a failed run begin again at a step that it went through before (empty: at its first).

    Calls that were made keep their keys and are not made again; inside steps are done anew. Raise
    `Refused` for a step within a block: name the block.
    """
    run = failed_run(session, run_id)
    flow = flow_of(hub, session, run)
    path = path or flow.course.first
    known = [row for row in flow.ledger.rows() if row.number < RESCUE]
    if holder(path):
        raise Refused(f"{path} is part of a block; begin again at {path.split('.')[0]}", "step")
    if all(row.path != path for row in known):
        raise Refused(f"run {run.id} never came to a step {path[:60]}", "step")
    number = flow.course.number(path)
    for row in known:
        if row.number > number and not row.path.startswith(f"{path}["):
            row.state = "cancelled"
    go_on(session, run)
    flow.open(path)
    note(session, run, "retried")
    return run


def discard(session: Session, run_id: str, by: str) -> RunRow:
    """Lay a dead letter by: it stays to be read, and nothing more is done for it."""
    run = failed_run(session, run_id)
    run.state, run.reason = "cancelled", f"discarded by {by or 'the hub'}"
    note(session, run, "discarded")
    return run


def retry_all(hub: Hub, session: Session, ids: list[str]) -> tuple[list[str], list[str]]:
    """Let many dead letters go on; return those that do, and why each other one does not."""
    done, refused = [], []
    for id in ids:
        try:
            done.append(retry(hub, session, id).id)
        except (Refused, Invalid) as error:
            refused.append(str(error))
    return done, refused


def note(session: Session, run: RunRow, verb: str) -> None:
    """Write down who did something to a dead letter."""
    said = f"{verb} a dead letter of the workflow {run.workflow}"
    audit.note(session, f"letter.{verb}", run.id, said, merchant=run.merchant)


def failed_run(session: Session, id: str) -> RunRow:
    """Return a failed run, held; raise `Missing` or `Refused`."""
    run = get(session, RunRow, id)
    session.refresh(run, with_for_update=True)
    if run.state != "failed":
        raise Refused(f"run {run.id} is {run.state}; only a failed run can be retried")
    return run


def go_on(session: Session, run: RunRow) -> None:
    """Make a failed run one that goes on."""
    run.state, run.error, run.ended_at, run.deadline = "running", {}, None, None
    session.flush()


def flow_of(hub: Hub, session: Session, run: RunRow) -> Flow:
    """Return the flow of a run on its own revision; raise `Invalid` where it does not compile."""
    program = library_of(hub).program(session, run.revision)
    event = session.get_one(EventRow, run.event)
    return Flow(program.courses[event.type], run, Book(session, run))
