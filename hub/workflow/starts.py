"""Start runs: the rows of what was decided, held back where their workflow's gates say so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import insert
from sqlmodel import SQLModel

from hub.store import EventRow, RunRow, Session, StepRow, WorkRow
from hub.workflow.gates import admit, put_off, skip
from hub.workflow.language import Workflow
from hub.workflow.program import Course
from hub.workflow.runs import after_end, fresh_work, tell_failure

if TYPE_CHECKING:
    from hub.hub import Hub

LONGEST = 0.025
"""Seconds that storing the runs of one transaction shall take."""


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
    barred: str = ""
    """Why a run that somebody waits for is not begun."""

    @property
    def free(self) -> bool:
        """Whether nothing can hold the run back and nobody waits to hear of it."""
        return not (self.keys or self.quiet or self.parent or self.error)


class Tempo:
    """How long it takes to store one run here, so that one transaction never takes long."""

    def __init__(self) -> None:
        self.each = LONGEST / 20

    @property
    def most(self) -> int:
        """How many runs may be stored in one transaction."""
        return max(1, int(LONGEST / self.each))

    @contextmanager
    def measure(self, count: int) -> Iterator[None]:
        """Learn from the block, in which `count` runs are stored."""
        began = time.perf_counter()
        yield
        if count:
            # Slower is believed at once, quicker only bit by bit.
            took = (time.perf_counter() - began) / count
            self.each = max(took, (self.each + took) / 2)


def tempo_of(hub: Hub) -> Tempo:
    """Return how fast this process stores runs."""
    found: Tempo = hub.parts.setdefault("tempo", Tempo())
    return found


def start(session: Session, decisions: list[Decision]) -> None:
    """Store the runs of decisions; make the first step of each due that no gate holds back."""
    start_free(session, [one for one in decisions if one.free])
    start_held(session, [one for one in decisions if not one.free])
    if decisions:
        session.rings.add("fast")


def start_free(session: Session, decisions: list[Decision]) -> None:
    """Store runs that nothing can hold back, all in three statements."""
    begun = [one for one in decisions if one.course is not None]
    runs = [fresh_row(RunRow, values(session, one)) for one in begun]
    steps = [
        fresh_row(StepRow, {"run": run["id"], "path": one.course.first, "number": 0})
        for run, one in zip(runs, begun, strict=True)
        if one.course is not None
    ]
    work = [fresh_row(WorkRow, fresh_work(session, step["id"])) for step in steps]
    session.flush()
    for table, rows in ((RunRow, runs), (StepRow, steps), (WorkRow, work)):
        if rows:
            session.connection().execute(insert(table), rows)


def fresh_row(table: type[SQLModel], given: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of a new row, without the cost of an object for it."""
    plain, id = blank(table)
    return {"id": id(), **plain, **given}


@cache
def blank(table: type[SQLModel]) -> tuple[dict[str, Any], Callable[[], Any]]:
    """Return what the columns of a table hold where nothing is given, and what makes an id."""
    fields = table.model_fields
    plain = {
        name: field.get_default(call_default_factory=True)
        for name, field in fields.items()
        if name != "id" and not field.is_required()
    }
    return plain, cast("Callable[[], Any]", fields["id"].default_factory)


def start_held(session: Session, decisions: list[Decision]) -> None:
    """Store runs that gates look at, that another workflow called, or that failed already."""
    runs = [RunRow(**values(session, decision)) for decision in decisions]
    session.add_all(runs)
    session.flush()
    for run, decision in zip(runs, decisions, strict=True):
        if decision.error is not None:
            tell_failure(session, run, decision.event)
            after_end(session, run)
            continue
        gate(session, run, decision)
        if run.state == "running" and decision.course is not None:
            step = StepRow(run=run.id, path=decision.course.first, number=0)
            session.add_all([step, WorkRow(**fresh_work(session, step.id))])
        elif run.state == "skipped" and run.parent is not None:
            after_end(session, run)


def gate(session: Session, run: RunRow, decision: Decision) -> None:
    """Hold back a new run where its workflow's gates ask for it."""
    if decision.barred:
        skip(session, run, decision.barred)
        return
    if decision.quiet is not None and decision.quiet[0] == "skip":
        skip(session, run, "quiet hours")
        return
    if decision.file is not None and decision.keys:
        session.flush()
        admit(session, run, decision.file, decision.keys)
    if decision.quiet is not None and run.state in ("running", "queued"):
        put_off(session, run, decision.quiet[1], "quiet hours")


def values(session: Session, decision: Decision) -> dict[str, Any]:
    """Return what is stored of a run that has just been decided."""
    now = session.now
    lasts = decision.file.timeout if decision.file else None
    return {
        "workflow": decision.workflow,
        "revision": decision.revision,
        "event": decision.event.id,
        "merchant": decision.event.merchant,
        "state": "running" if decision.error is None else "failed",
        "mode": decision.file.mode if decision.file else "live",
        "key": decision.keys.get("concurrency", ""),
        "inputs": decision.inputs,
        "parent": decision.parent,
        "error": decision.error or {},
        "started_at": now,
        "deadline": None if lasts is None else now + lasts,
        "ended_at": None if decision.error is None else now,
    }
