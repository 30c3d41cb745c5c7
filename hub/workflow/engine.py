"""Decide, once and for all, which workflows start for the events that have been numbered."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from sqlmodel import col, update

from hub.events.log import after, persons
from hub.queue.faults import reach
from hub.queue.work import Claim, defer, finish
from hub.store import CursorRow, EventRow, Session
from hub.store.once import insert_once
from hub.workflow import runs
from hub.workflow.expressions import Failed
from hub.workflow.facts import event_facts, masked, private_values
from hub.workflow.failures import described
from hub.workflow.library import Entry, Library
from hub.workflow.program import Course
from hub.workflow.runs import Decision
from hub.workflow.scene import link_of

if TYPE_CHECKING:
    from hub.hub import Hub

READER = "workflow"
BATCH = 200
"""Events that are looked at in one go."""
MOST_RUNS = 20
"""Runs that are stored in one transaction, few enough to stay below 50 ms."""
DEEPEST = 8
"""An event that so many workflows lie behind starts nothing: they are going in a circle."""
log = logging.getLogger(__name__)


def evaluate(library: Library, hub: Hub, claim: Claim) -> None:
    """Do the work `evaluate`: read on from the cursor, start runs and move it, all or nothing.

    Two evaluators may decide the same events; only the one that moves the cursor from where both
    read it stores its runs.
    """
    with hub.store.read() as session:
        seq = position(session)
        events = after(session, seq, BATCH)
        people = persons(session, [event.id for event in events])
        index = library.index(session)
    decisions: list[Decision] = []
    reached = seq
    for event in events:
        if len(decisions) >= MOST_RUNS:
            break
        decisions += decide(hub, event, people.get(event.id, {}), index.get(event.type, []))
        reached = event.seq or reached
    with hub.store.write() as session:
        if move(session, seq, reached):
            runs.start(session, decisions)
        reach("before_commit")
        if after(session, reached, 1):
            defer(session, claim, session.wall)
            session.rings.add(claim.queue)
        else:
            finish(session, claim)


def position(session: Session) -> int:
    """Return the number of the last event that was decided."""
    row = session.get(CursorRow, READER)
    return 0 if row is None else row.seq


def move(session: Session, old: int, new: int) -> bool:
    """Move the cursor if it still stands at `old`; return whether it was this call that did."""
    if new == old:
        return False
    insert_once(session, CursorRow(name=READER, seq=0))
    moved = session.exec(
        update(CursorRow)
        .where(col(CursorRow.name) == READER, col(CursorRow.seq) == old)
        .values(seq=new)
        .execution_options(synchronize_session=False)
    )
    return bool(moved.rowcount == 1)


def decide(
    hub: Hub, event: EventRow, person: dict[str, Any], entries: list[Entry]
) -> list[Decision]:
    """Return which workflows start for `event`, and which could not be decided and why."""
    if entries and event.depth >= DEEPEST:
        log.warning(
            "event %s (%s) starts nothing: %s workflows lie behind it, they go in a circle",
            event.id, event.type, event.depth,
        )  # fmt: skip
        return []
    found = (decision(hub, event, person, entry) for entry in entries)
    return [one for one in found if one is not None]


def decision(hub: Hub, event: EventRow, person: dict[str, Any], entry: Entry) -> Decision | None:
    """Return that a workflow starts, that it cannot be decided, or None where it does not start.

    Any one of its triggers is enough; one that fails counts only when no other holds.
    """
    if entry.program is None:
        error = {"step": "", "kind": "invalid", "message": entry.broken[:1000]}
        return Decision(event, entry.workflow, entry.revision, None, error)
    course = entry.program.courses[event.type]
    link = link_of(hub, event, entry.program.needs_link)
    facts = event_facts(event, person, link)
    failed = None
    for start in course.starts:
        try:
            if start.holds(facts):
                return Decision(event, entry.workflow, entry.revision, course)
        except Failed as error:
            failed = failed or masked(described(start.path, error), private_values(person, link))
    return None if failed is None else undecided(event, entry, course, failed)


def undecided(event: EventRow, entry: Entry, course: Course, error: dict[str, Any]) -> Decision:
    """Return a run that failed before it began: a condition could not be evaluated."""
    log.warning("workflow %s, event %s: %s", entry.workflow, event.id, error["message"])
    return Decision(event, entry.workflow, entry.revision, course, error)
