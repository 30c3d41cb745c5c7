"""Decide, once and for all, which workflows start for the events that have been numbered."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from sqlmodel import col, select, update

from hub.events.log import after, persons
from hub.queue.faults import reach
from hub.queue.work import Claim, defer, finish
from hub.store import CursorRow, EventRow, MerchantRow, Session
from hub.store.once import insert_once
from hub.workflow import listening, runs, starts
from hub.workflow.expressions import Failed
from hub.workflow.facts import event_facts, masked, private_values
from hub.workflow.failures import described
from hub.workflow.gates import digests, quiet_until
from hub.workflow.language import NAMED
from hub.workflow.library import Entry, Library
from hub.workflow.pauses import READER
from hub.workflow.program import Course, Program
from hub.workflow.scene import link_of
from hub.workflow.starts import Decision

if TYPE_CHECKING:
    from hub.hub import Hub

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
    read it stores its runs and ends waits.
    """
    with hub.store.read() as session:
        seq = position(session)
        events = after(session, seq, BATCH)
        people = persons(session, [event.id for event in events])
        index = library.index(session)
        slugs = merchants(session)
    decisions: list[Decision] = []
    reached, seen = seq, list[EventRow]()
    for event in events:
        if len(decisions) >= MOST_RUNS:
            break
        found = index.get(event.type, [])
        decisions += decide(hub, event, people.get(event.id, {}), found, slugs)
        reached = event.seq or reached
        seen.append(event)
    ended, asked = listening.matched(hub, library, seen)
    with hub.store.write() as session:
        if move(session, seq, reached):
            starts.start(session, decisions)
            listening.wake(session, ended)
            listening.wake(session, listening.late(hub, library, session, seen, asked))
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


def merchants(session: Session) -> dict[str, str]:
    """Return the slug of every merchant by its id: inputs may be given by either."""
    return dict(session.exec(select(MerchantRow.id, MerchantRow.slug)).all())


def decide(
    hub: Hub,
    event: EventRow,
    person: dict[str, Any],
    entries: list[Entry],
    slugs: dict[str, str] | None = None,
) -> list[Decision]:
    """Return which workflows start for `event`, and which could not be decided and why."""
    if entries and event.depth >= DEEPEST:
        log.warning(
            "event %s (%s) starts nothing: %s workflows lie behind it, they go in a circle",
            event.id, event.type, event.depth,
        )  # fmt: skip
        return []
    if event.type in NAMED:
        entries = [entry for entry in entries if entry.workflow == event.subject]
    slug = (slugs or {}).get(event.merchant or "", "")
    found = (decision(hub, event, person, entry, slug) for entry in entries)
    return [one for one in found if one is not None]


def decision(
    hub: Hub, event: EventRow, person: dict[str, Any], entry: Entry, slug: str = ""
) -> Decision | None:
    """Return that a workflow starts, that it cannot be decided, or None where it does not start.

    Any one of its triggers is enough; one that fails counts only when no other holds.
    """
    if entry.program is None:
        error = {"step": "", "kind": "invalid", "message": entry.broken[:1000]}
        return Decision(event, entry.workflow, entry.revision, None, error)
    course = entry.program.courses[event.type]
    link = link_of(hub, event, entry.program.needs_link)
    facts = event_facts(event, person, link)
    given = inputs(entry.program, event, slug)
    failed = None
    for start in course.starts:
        if event.type == "schedule.due" and facts["request"].get("trigger", 0) != start.number:
            continue
        try:
            if start.holds(facts, inputs=given):
                return admitted(hub, event, entry, course, facts, given)
        except Failed as error:
            failed = failed or masked(described(start.path, error), private_values(person, link))
    return None if failed is None else undecided(event, entry, course, failed)


def admitted(
    hub: Hub,
    event: EventRow,
    entry: Entry,
    course: Course,
    facts: dict[str, Any],
    given: dict[str, Any],
) -> Decision | None:
    """Return a start with all that its gates ask; raise `Failed` where a key cannot be made."""
    workflow = entry.program.workflow if entry.program else None
    if workflow is None:
        return None
    keys = digests(hub, workflow.workflow, course.gates, {"event": facts, "inputs": given})
    quiet = None
    if workflow.quiet_hours is not None:
        end = quiet_until(workflow.quiet_hours, hub.store.clock.now(), facts)
        quiet = (workflow.quiet_hours.then, end) if end is not None else None
    request = event.data.get("request", {})
    return Decision(
        event, entry.workflow, entry.revision, course,
        inputs=given, keys=keys, quiet=quiet, file=workflow,
        parent=request.get("by") if event.type == "workflow.called" else None,
    )  # fmt: skip


def inputs(program: Program, event: EventRow, slug: str) -> dict[str, Any]:
    """Return the inputs of a run: asked for, else the merchant's own, else the defaults."""
    asked = event.data.get("request", {}).get("inputs", {})
    made = {}
    for name, given in program.workflow.inputs.items():
        own = given.merchants.get(event.merchant or "", given.merchants.get(slug))
        value = asked.get(name, own if own is not None else given.default)
        if value is not None:
            made[name] = value
    return made


def undecided(event: EventRow, entry: Entry, course: Course, error: dict[str, Any]) -> Decision:
    """Return a run that failed before it began: a condition could not be evaluated."""
    log.warning("workflow %s, event %s: %s", entry.workflow, event.id, error["message"])
    return Decision(event, entry.workflow, entry.revision, course, error)


def start_or_end(library: Library, hub: Hub, claim: Claim) -> None:
    """Do the work `run`: begin one whose turn has come, end one whose time is over."""
    with hub.store.write() as session:
        run = runs.hold(session, claim.subject)
        program = library.program(session, run.revision)
        course = program.courses[session.get_one(EventRow, run.event).type]
        due = run.starts_at is None or run.starts_at <= session.now
        if run.state == "queued" and due:
            runs.begin(session, run, course, program.workflow.timeout)
        elif run.state == "running" and run.deadline and run.deadline <= session.now:
            runs.time_out(session, run, course)
        finish(session, claim)
