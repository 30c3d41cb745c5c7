"""Start runs: the rows of what was decided, held back where their workflow's gates say so."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.store import EventRow, RunRow, Session, StepRow
from hub.workflow.gates import admit, hush
from hub.workflow.language import Workflow
from hub.workflow.program import Course
from hub.workflow.runs import after_end, fresh_work, tell_failure


@dataclass(frozen=True)
class Decision:
    """That a workflow starts for an event, or why it could not be decided."""

    event: EventRow
    workflow: str
    revision: str
    course: Course | None
    error: dict[str, Any] | None = None
    inputs: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    """Digests of the keys of its gates, by the word that asks for them."""
    quiet: tuple[str, datetime] | None = None
    """What the quiet hours say (`skip` or `delay`), and when they end."""
    file: Workflow | None = None
    """The workflow that starts."""
    parent: str | None = None
    """The step that called it."""


def start(session: Session, decisions: list[Decision]) -> None:
    """Store the runs of decisions; make the first step of each due that no gate holds back."""
    runs = [make(session, decision) for decision in decisions]
    session.add_all(runs)
    session.flush()
    for run, decision in zip(runs, decisions, strict=True):
        if decision.error is not None:
            tell_failure(session, run, decision.event)
            continue
        gate(session, run, decision)
        if run.state == "running" and decision.course is not None:
            step = StepRow(run=run.id, path=decision.course.first, number=0)
            session.add_all([step, fresh_work(session, step)])
        elif run.state == "skipped" and run.parent is not None:
            after_end(session, run)
    session.rings.add("fast")


def gate(session: Session, run: RunRow, decision: Decision) -> None:
    """Hold back a new run where its workflow's gates ask for it."""
    if decision.quiet is not None:
        hush(session, run, decision.quiet)
    elif decision.file is not None and decision.keys:
        session.flush()
        admit(session, run, decision.file, decision.keys)


def make(session: Session, decision: Decision) -> RunRow:
    """Return the row of a run that has just been decided."""
    now = session.now
    lasts = decision.file.timeout if decision.file else None
    return RunRow(
        workflow=decision.workflow,
        revision=decision.revision,
        event=decision.event.id,
        merchant=decision.event.merchant,
        state="running" if decision.error is None else "failed",
        mode=decision.file.mode if decision.file else "live",
        key=decision.keys.get("concurrency", ""),
        inputs=decision.inputs,
        parent=decision.parent,
        error=decision.error or {},
        started_at=now,
        deadline=None if lasts is None else now + lasts,
        ended_at=None if decision.error is None else now,
    )
