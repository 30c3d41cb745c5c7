"""The life of a run: it starts, its steps end one by one, it succeeds or is a dead letter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlmodel import select

from hub.access import get
from hub.errors import Refused
from hub.events import append
from hub.events.catalogue import WorkflowFailed
from hub.events.facts import RunFacts
from hub.events.log import CAUSE
from hub.queue import enqueue
from hub.store import EventRow, RunRow, Session, StepRow, WorkRow
from hub.workflow.failures import described
from hub.workflow.problem import Invalid
from hub.workflow.program import Course

RESCUE = 1000
"""Number of the first on_error step; those of ordinary steps are below."""


@dataclass(frozen=True)
class Decision:
    """That a workflow starts for an event, or why it could not be decided."""

    event: EventRow
    workflow: str
    revision: str
    course: Course | None
    error: dict[str, Any] | None = None


def start(session: Session, decisions: list[Decision]) -> None:
    """Store the runs of decisions with all their steps, and make their first steps due."""
    runs = [make(session, decision) for decision in decisions]
    session.add_all(runs)
    session.flush()
    for run, decision in zip(runs, decisions, strict=True):
        if decision.error is not None:
            tell_failure(session, run, decision.event)
            continue
        moves = decision.course.steps if decision.course else ()
        steps = [StepRow(run=run.id, path=m.path, number=n) for n, m in enumerate(moves)]
        session.add_all([*steps, fresh_work(session, steps[0])])
    session.rings.add("fast")


def fresh_work(session: Session, step: StepRow) -> WorkRow:
    """Return the due work of a step that is new; nobody can have asked for it before."""
    wall = session.wall
    return WorkRow(kind="step", subject=step.id, queue="fast", not_before=wall, created_at=wall)


def make(session: Session, decision: Decision) -> RunRow:
    """Return the row of a run that has just been decided."""
    now = session.now
    return RunRow(
        workflow=decision.workflow,
        revision=decision.revision,
        event=decision.event.id,
        merchant=decision.event.merchant,
        state="running" if decision.error is None else "failed",
        error=decision.error or {},
        started_at=now,
        ended_at=None if decision.error is None else now,
    )


def end_step(
    session: Session,
    id: str,
    course: Course,
    state: str,
    *,
    output: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
) -> None:
    """End a step as done, skipped or failed, and let its run go on or end, in one transaction."""
    step = session.get_one(StepRow, id)
    run = session.get_one(RunRow, step.run)
    step.state, step.ended_at = state, session.now
    step.started_at = step.started_at or session.now
    step.output, step.error = output or {}, error or {}
    if step.number >= RESCUE:
        proceed(session, step)
    elif state == "failed" and not course.move(step.path).continue_on_error:
        fail(session, run, course, step.error)
    elif not proceed(session, step):
        run.state, run.ended_at = "succeeded", session.now


def proceed(session: Session, step: StepRow) -> bool:
    """Make the step after this one due; return whether there is one.

    Ordinary steps are followed by ordinary ones, on_error steps by on_error ones.
    """
    session.flush()
    following = session.exec(
        select(StepRow).where(StepRow.run == step.run, StepRow.number == step.number + 1)
    ).one_or_none()
    if following is None:
        return False
    enqueue(session, "step", following.id)
    return True


def fail(session: Session, run: RunRow, course: Course | None, error: dict[str, Any]) -> None:
    """Make a run a dead letter, tell about it and start its on_error steps."""
    run.state, run.error, run.ended_at = "failed", error, session.now
    tell_failure(session, run, session.get_one(EventRow, run.event))
    first = None
    for number, move in enumerate(course.on_error if course else ()):
        row = rescue(session, run, move.path, RESCUE + number)
        first = first or row
    if first is not None:
        session.flush()
        enqueue(session, "step", first.id)


def give_up(session: Session, step_id: str, error: Invalid) -> dict[str, Any]:
    """End a step and its run because its revision no longer compiles; return the error as kept.

    That happens when a plugin is gone whose action it uses.
    """
    step = session.get_one(StepRow, step_id)
    step.state, step.error, step.ended_at = "failed", described(step.path, error), session.now
    fail(session, session.get_one(RunRow, step.run), None, step.error)
    return step.error


def rescue(session: Session, run: RunRow, path: str, number: int) -> StepRow:
    """Return the row of an on_error step, fresh also when the run fails a second time."""
    known = session.exec(
        select(StepRow).where(StepRow.run == run.id, StepRow.path == path)
    ).one_or_none()
    row = known or StepRow(run=run.id, path=path, number=number)
    row.state, row.output, row.error = "pending", {}, {}
    row.started_at = row.ended_at = None
    session.add(row)
    return row


def tell_failure(session: Session, run: RunRow, event: EventRow) -> None:
    """Append `workflow.failed`, caused by the event that started the run."""
    session.info[CAUSE] = (event.id, event.depth)
    append(
        session,
        WorkflowFailed(
            subject=run.id,
            merchant_id=run.merchant,
            run=RunFacts(
                id=run.id,
                workflow=run.workflow,
                step=run.error.get("step", ""),
                kind=run.error.get("kind", ""),
                message=run.error.get("message", "")[:300],
            ),
        ),
    )


def retry(session: Session, run_id: str) -> RunRow:
    """Let a dead letter go on from the step that failed, on its own revision and with its keys.

    What has succeeded is not done again. Raise `Missing` for a run that the session's principal
    may not see, `Refused` for one that has not failed or failed before its first step.
    """
    run = get(session, RunRow, run_id)
    session.refresh(run, with_for_update=True)
    if run.state != "failed":
        raise Refused(f"run {run.id} is {run.state}; only a failed run can be retried")
    step = session.exec(
        select(StepRow).where(
            StepRow.run == run.id, StepRow.path == run.error.get("step"), StepRow.state == "failed"
        )
    ).one_or_none()
    if step is None:
        raise Refused(
            f"run {run.id} failed before its first step; correct the workflow {run.workflow}"
        )
    step.state, step.error, step.ended_at = "pending", {}, None
    run.state, run.error, run.ended_at = "running", {}, None
    session.flush()
    enqueue(session, "step", step.id)
    return run
