"""The life of a run: it starts, its steps end one by one, it succeeds or is a dead letter."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import col, select

from hub.events import append
from hub.events.catalogue import WorkflowFailed
from hub.events.facts import RunFacts
from hub.events.log import CAUSE
from hub.queue import enqueue
from hub.queue.work import follow
from hub.store import EventRow, RunRow, Session, StepRow, WorkRow
from hub.workflow.failures import described
from hub.workflow.flow import Flow
from hub.workflow.problem import Invalid
from hub.workflow.program import Course

RUN_KIND = "run"
"""The work of starting a queued run, or of ending one whose time is over."""

_STEP_AT = select(StepRow).where(StepRow.run == bindparam("run"), StepRow.path == bindparam("path"))


class Book:
    """The steps of one run in the database; see `hub.workflow.flow.Ledger`."""

    def __init__(self, session: Session, run: RunRow) -> None:
        self.session, self.run = session, run

    @property
    def now(self) -> datetime:
        """Business time."""
        return self.session.now

    def row(self, path: str) -> StepRow | None:
        """Return the step of that path, if it was opened."""
        self.session.flush()
        at = {"run": self.run.id, "path": path}
        return self.session.exec(_STEP_AT, params=at).one_or_none()

    def rows(self) -> list[StepRow]:
        """Return every step that was opened, in the order in which they ended."""
        self.session.flush()
        query = select(StepRow).where(StepRow.run == self.run.id)
        return list(self.session.exec(query.order_by(col(StepRow.ended_at), StepRow.id)))

    def open(self, path: str, number: int) -> StepRow:
        """Make a step due, anew if it was there before."""
        row = self.row(path)
        if row is None:
            row = StepRow(run=self.run.id, path=path, number=number)
            self.session.add(row)
            follow(self.session, WorkRow(**fresh_work(self.session, row.id)))
            return row
        row.state, row.output, row.error = "pending", {}, {}
        row.started_at = row.ended_at = row.wake_at = None
        row.wait_event = row.wait_key = ""
        self.session.flush()
        enqueue(self.session, "step", row.id)
        return row

    def fail(self, error: dict[str, Any]) -> None:
        """Make the run a dead letter and tell about it."""
        self.run.state, self.run.error, self.run.ended_at = "failed", error, self.now
        tell_failure(self.session, self.run, self.session.get_one(EventRow, self.run.event))
        after_end(self.session, self.run)

    def succeed(self) -> None:
        """End the run well."""
        self.run.state, self.run.ended_at = "succeeded", self.now
        after_end(self.session, self.run)


def fresh_work(session: Session, step: str) -> dict[str, Any]:
    """Return the due work of a step that is new; nobody can have asked for it before."""
    wall = session.wall
    return {
        "kind": "step", "subject": step, "queue": "fast", "not_before": wall, "created_at": wall,
    }  # fmt: skip


def begin(session: Session, run: RunRow, course: Course, lasts: timedelta | None) -> None:
    """Start a run that had to wait for its turn."""
    run.state, run.reason, run.starts_at = "running", "", None
    run.started_at = session.now
    run.deadline = None if lasts is None else session.now + lasts
    Flow(course, run, Book(session, run)).begin()


def hold(session: Session, id: str) -> RunRow:
    """Return a run, held until the end of the transaction, so that its steps end one by one."""
    return session.get_one(RunRow, id, with_for_update={"key_share": True}, populate_existing=True)


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
    run = hold(session, step.run)
    Flow(course, run, Book(session, run)).end(step, state, output, error)


def after_end(session: Session, run: RunRow) -> None:
    """Let the next run of the same key begin, and the step go on that called this one."""
    session.flush()
    if run.key:
        queued = session.exec(
            select(RunRow.id)
            .where(
                RunRow.workflow == run.workflow, RunRow.key == run.key, RunRow.state == "queued",
                col(RunRow.starts_at).is_(None),
            )
            .order_by(RunRow.id)
            .limit(1)
        ).first()  # fmt: skip
        if queued is not None:
            enqueue(session, RUN_KIND, queued)
    if run.parent is not None:
        caller = session.get(StepRow, run.parent)
        if caller is not None and caller.state == "waiting":
            caller.state, caller.wake_at = "pending", None
            caller.output = {"run": run.id, "state": run.state}
            session.flush()
            enqueue(session, "step", caller.id)


def cancel(session: Session, run: RunRow, reason: str, state: str = "cancelled") -> None:
    """End a run before its time: nothing of it that has not begun will be done."""
    stop_steps(session, run)
    run.state, run.reason, run.ended_at = state, reason, session.now
    run.starts_at = run.deadline = None
    after_end(session, run)


def stop_steps(session: Session, run: RunRow) -> None:
    """Cancel every step of a run that has not ended."""
    open_steps = select(StepRow).where(
        StepRow.run == run.id, col(StepRow.state).in_(("pending", "running", "waiting"))
    )
    for step in session.exec(open_steps):
        step.state, step.ended_at, step.wake_at = "cancelled", session.now, None


def time_out(session: Session, run: RunRow, course: Course) -> None:
    """Fail a run whose workflow gave it no more time."""
    stop_steps(session, run)
    run.deadline = None
    message = f"the workflow {run.workflow} did not end in its time"
    error = {"step": "", "kind": "timeout", "message": message}
    Flow(course, run, Book(session, run)).fail(error)


def give_up(session: Session, step_id: str, error: Invalid) -> dict[str, Any]:
    """End a step and its run because its revision no longer compiles; return the error as kept.

    That happens when a plugin is gone whose action it uses.
    """
    step = session.get_one(StepRow, step_id)
    step.state, step.error, step.ended_at = "failed", described(step.path, error), session.now
    run = hold(session, step.run)
    Book(session, run).fail(step.error)
    return step.error


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
