"""What a run did: its steps in the order of the file, each with what it was given and gave.

Everything is told as it is stored, with personal values covered; the person is never joined in.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlmodel import col, select

from hub.access import get, scoped
from hub.store import (
    EffectRow,
    EventRow,
    RevisionRow,
    RunRow,
    Session,
    StepAttemptRow,
    StepRow,
    WorkRow,
)
from hub.workflow.flow import RESCUE
from hub.workflow.library import library_of
from hub.workflow.problem import Invalid
from hub.workflow.program import UNDO, Course, Move, holder, static
from hub.workflow.scene import INSTEAD

if TYPE_CHECKING:
    from hub.hub import Hub


@dataclass(frozen=True)
class Try:
    """One outward call of a step, by the wall clock."""

    item: str
    """A connection's id, or `-`."""
    number: int
    outcome: str
    message: str
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True)
class Passed:
    """A step that a run came to; instants are business time."""

    path: str
    depth: int
    """How many blocks it lies in."""
    kind: str
    """What it is: use, wait, delay, parallel ...; empty where its file no longer compiles."""
    action: str
    """The action it uses, or the workflow that it calls."""
    state: str
    condition: str
    """The text of its `if`."""
    held: bool | None
    """Whether the condition held; None where there is none, or nobody can tell."""
    input: dict[str, Any]
    output: dict[str, Any]
    error: dict[str, Any]
    count: int
    """How often its action was tried."""
    tries: tuple[Try, ...]
    waits_for: str
    wake_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class Trace:
    """One run with all that it came to."""

    run: RunRow
    revision: int
    event: EventRow
    steps: tuple[Passed, ...]
    missed: tuple[str, ...]
    """Steps of the file that it did not come to."""


def recent(
    session: Session, *, workflow: str = "", state: str = "", limit: int = 50
) -> list[tuple[RunRow, int, EventRow]]:
    """Return the latest runs that the principal may see, each with its revision and its event."""
    query = scoped(session, RunRow)
    if workflow:
        query = query.where(RunRow.workflow == workflow)
    if state:
        query = query.where(RunRow.state == state)
    rows = session.exec(query.order_by(col(RunRow.id).desc()).limit(limit)).all()
    wanted = select(RevisionRow.id, RevisionRow.number).where(
        col(RevisionRow.id).in_({row.revision for row in rows})
    )
    numbers = dict(session.exec(wanted).all())
    found = select(EventRow).where(col(EventRow.id).in_({row.event for row in rows}))
    events = {event.id: event for event in session.exec(found)}
    return [(row, numbers[row.revision], events[row.event]) for row in rows]


def trace(hub: Hub, session: Session, id: str) -> Trace:
    """Return what a run did; raise `Missing` for one that the principal may not see."""
    run = get(session, RunRow, id)
    event = session.get_one(EventRow, run.event)
    revision = session.get_one(RevisionRow, run.revision)
    course = course_of(hub, session, run, event)
    rows = list(session.exec(select(StepRow).where(StepRow.run == run.id)))
    numbers = {row.path: row.number for row in rows}
    rows.sort(key=lambda row: place(row.path, numbers))
    tried, worked = tries(session, run.id), work(session, [row.id for row in rows])
    steps = tuple(passed(row, course, tried[row.id], worked.get(row.id, 0)) for row in rows)
    seen = {static(row.path) for row in rows}
    missed = tuple(path for path in (course.moves if course else ()) if path not in seen)
    return Trace(run, revision.number, event, steps, missed)


def course_of(hub: Hub, session: Session, run: RunRow, event: EventRow) -> Course | None:
    """Return what the run follows, None where its revision no longer compiles."""
    try:
        return library_of(hub).program(session, run.revision).courses.get(event.type)
    except Invalid:
        return None


def place(path: str, numbers: dict[str, int]) -> tuple[tuple[int, int], ...]:
    """Return by what a step is sorted: a block comes before its items, undo and on_error last."""
    number = numbers.get(path, 0)
    above = "" if number >= RESCUE else holder(path)
    if not above:
        return ((0, number),)
    item = path[len(above) + 1 :].partition("]")[0] if path[len(above)] == "[" else "0"
    return (*place(above, numbers), (int(item), number))


def passed(row: StepRow, course: Course | None, tried: list[Try], worked: int) -> Passed:
    """Return one step as it is told."""
    move = move_of(course, row.path)
    before = row.state == "pending" and row.started_at is None
    return Passed(
        path=row.path,
        depth=0 if row.number >= RESCUE else depth(row.path),
        kind=move.kind if move else "",
        action=action_of(move, INSTEAD in row.input),
        state=row.state,
        condition=move.condition.text if move and move.condition else "",
        held=None if before or move is None or move.condition is None else held(row, move),
        input={name: value for name, value in row.input.items() if name != INSTEAD},
        output=row.output,
        error=row.error,
        # What only waits is taken up more than once without having been tried again.
        count=max([worked, *(one.number for one in tried)]) if does(move) else 0,
        tries=tuple(tried),
        waits_for=row.wait_event if row.state == "waiting" else "",
        wake_at=row.wake_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )


def move_of(course: Course | None, path: str) -> Move | None:
    """Return the step of the file that a row is about."""
    try:
        return course.move(path) if course else None
    except KeyError:
        return None


def does(move: Move | None) -> bool:
    """Say whether a step does something, or may do, where its file no longer compiles."""
    return move is None or move.action is not None


def action_of(move: Move | None, instead: bool) -> str:
    """Return the name of the action or workflow that a step uses."""
    chosen = move.otherwise if move and instead else move
    if chosen is None:
        return ""
    if chosen.calls:
        return f"workflow.{chosen.calls}"
    return chosen.action.name if chosen.action else ""


def held(row: StepRow, move: Move) -> bool | None:
    """Return whether a step's condition held, as far as its row says."""
    if row.state == "skipped":
        return None if move.expires_in is not None else False
    if INSTEAD in row.input:
        return False
    began = row.state in ("done", "running", "waiting") or bool(row.input)
    return True if began else None


def depth(path: str) -> int:
    """Return how many blocks a step lies in."""
    above = holder(path)
    return depth(above) + 1 if above and not path.startswith(UNDO) else 0


def tries(session: Session, run: str) -> dict[str, list[Try]]:
    """Return every outward call of a run by its step, in the order in which they were made."""
    query = (
        select(EffectRow, StepAttemptRow)
        .join(StepAttemptRow, col(StepAttemptRow.effect) == EffectRow.id)
        .where(EffectRow.run == run)
        .order_by(StepAttemptRow.id)
    )
    found: dict[str, list[Try]] = defaultdict(list)
    for effect, one in session.exec(query):
        found[effect.step].append(
            Try(effect.item, one.number, one.outcome, one.message, one.started_at, one.ended_at)
        )
    return found


def work(session: Session, steps: list[str]) -> dict[str, int]:
    """Return how often each step was taken up, as far as its work is still known."""
    query = select(WorkRow.subject, WorkRow.tries).where(
        WorkRow.kind == "step", col(WorkRow.subject).in_(steps)
    )
    return dict(session.exec(query).all())


def lasted(began: datetime | None, ended: datetime | None) -> str:
    """Return how long something took, nothing where it has not ended."""
    if began is None or ended is None:
        return ""
    seconds = (ended - began).total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
