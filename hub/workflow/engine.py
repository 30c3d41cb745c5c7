"""Decide, once and for all, which workflows start for the events that have been numbered."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from sqlmodel import col, select, update

from hub.events.catalogue import WorkflowCalled
from hub.events.log import after, persons
from hub.queue.faults import reach
from hub.queue.work import Claim, defer, finish
from hub.store import CursorRow, EventRow, MerchantRow, RunRow, Session
from hub.store.once import insert_once
from hub.workflow import listening, runs, starts
from hub.workflow.expressions import Failed
from hub.workflow.facts import event_facts, masked, private_values
from hub.workflow.failures import described
from hub.workflow.gates import digests, in_line, quiet_until
from hub.workflow.language import NAMED
from hub.workflow.library import Entry, Library
from hub.workflow.pauses import READER
from hub.workflow.problem import Invalid
from hub.workflow.program import Course, Program
from hub.workflow.scene import link_of
from hub.workflow.starts import Decision

if TYPE_CHECKING:
    from hub.hub import Hub

BATCH = 200
"""Events that are looked at in one go."""
MOST_RUNS = 200
"""Runs that are stored in one transaction at most; fewer where that would take long."""
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
        index = library.index(session)
        wanted = [event for event in events if event.type in index]
        people = persons(session, [event.id for event in wanted]) if wanted else {}
        slugs = merchants(session, wanted)
    tempo = starts.tempo_of(hub)
    decisions: list[Decision] = []
    reached, seen = seq, list[EventRow]()
    for event in events:
        if len(decisions) >= min(MOST_RUNS, tempo.most):
            break
        if event.type in index:
            found = index[event.type]
            decisions += decide(hub, event, people.get(event.id, {}), found, slugs, library)
        reached = event.seq or reached
        seen.append(event)
    ended, asked = listening.matched(hub, library, seen)
    with hub.store.write() as session:
        moved = move(session, seq, reached)
        if moved:
            with tempo.measure(len(decisions)):
                starts.start(session, decisions)
            listening.wake(session, ended)
            listening.wake(session, listening.late(hub, library, session, seen, asked))
        reach("before_commit")
        # Whoever numbers events from now on asks for this work anew, which `finish` respects.
        if len(seen) < len(events) or len(events) == BATCH or (events and not moved):
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


def merchants(session: Session, events: list[EventRow]) -> dict[str, str]:
    """Return the slugs of the events' merchants by id: inputs may be given by either."""
    ids = {event.merchant for event in events if event.merchant}
    if not ids:
        return {}
    query = select(MerchantRow.id, MerchantRow.slug).where(col(MerchantRow.id).in_(ids))
    return dict(session.exec(query).all())


class Sight:
    """One event as its workflows see it, made once for all of them."""

    def __init__(self, hub: Hub, event: EventRow, person: dict[str, Any], slug: str) -> None:
        self.hub, self.event, self.person, self.slug = hub, event, person, slug
        self._facts: dict[bool, tuple[dict[str, Any], str]] = {}

    def facts(self, needs_link: bool) -> tuple[dict[str, Any], str]:
        """Return the facts, and the link to the stop's page where it is needed."""
        if needs_link not in self._facts:
            link = link_of(self.hub, self.event, needs_link)
            self._facts[needs_link] = event_facts(self.event, self.person, link), link
        return self._facts[needs_link]


def decide(
    hub: Hub,
    event: EventRow,
    person: dict[str, Any],
    entries: list[Entry],
    slugs: dict[str, str] | None = None,
    library: Library | None = None,
) -> list[Decision]:
    """Return which workflows start for `event`, and which could not be decided and why."""
    if entries and event.depth >= DEEPEST:
        log.warning(
            "event %s (%s) starts nothing: %s workflows lie behind it, they go in a circle",
            event.id, event.type, event.depth,
        )  # fmt: skip
        return []
    slug = (slugs or {}).get(event.merchant or "", "")
    sight = Sight(hub, event, person, slug)
    held = set[int]()
    if event.type in NAMED:
        entries = [entry for entry in entries if entry.workflow == event.subject]
    elif library is not None and len(entries) > 1:
        may, held = library.panel(event.type, entries).ask(sight.facts(False)[0])
        entries = [entries[number] for number in may]
    found = (
        decision(hub, sight, entry, held) for entry in entries if entry.takes(event.merchant, slug)
    )
    return [one for one in found if one is not None]


def decision(hub: Hub, sight: Sight, entry: Entry, held: set[int]) -> Decision | None:
    """Return that a workflow starts, that it cannot be decided, or None where it does not start.

    Any one of its triggers is enough; one that fails counts only when no other holds. `held` are
    the starts that are known to hold, by their `id`.
    """
    event = sight.event
    if entry.program is None:
        error = {"step": "", "kind": "invalid", "message": entry.broken[:1000]}
        return Decision(event, entry.workflow, entry.revision, None, error, parent=caller(event))
    course = entry.program.courses[event.type]
    facts, link = sight.facts(entry.program.needs_link)
    given = inputs(entry.program, event, sight.slug)
    failed = None
    for start in course.starts:
        if event.type == "schedule.due" and facts["request"].get("trigger", 0) != start.number:
            continue
        try:
            if id(start) in held or start.holds(facts, inputs=given):
                return admitted(hub, event, entry, course, facts, given)
        except Failed as error:
            private = private_values(sight.person, link)
            failed = failed or masked(described(start.path, error), private)
    if failed is None and event.type == WorkflowCalled.type:
        why = "its condition does not hold"
        return Decision(
            event, entry.workflow, entry.revision, course, file=entry.program.workflow,
            inputs=given, parent=caller(event), barred=why,
        )  # fmt: skip
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
    return Decision(
        event, entry.workflow, entry.revision, course,
        inputs=given, keys=keys, quiet=quiet, file=workflow,
        parent=caller(event),
    )  # fmt: skip


def caller(event: EventRow) -> str | None:
    """Return the step that called a workflow and waits for its run."""
    called = event.type == WorkflowCalled.type
    return event.data.get("request", {}).get("by") if called else None


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
    return Decision(event, entry.workflow, entry.revision, course, error, parent=caller(event))


def start_or_end(library: Library, hub: Hub, claim: Claim) -> None:
    """Do the work `run`: begin one whose turn has come, end one whose time is over."""
    with hub.store.read() as session:
        found = session.get_one(RunRow, claim.subject)
        event = session.get_one(EventRow, found.event)
        try:
            program: Program | None = library.program(session, found.revision)
        except Invalid as error:
            program, broken = None, described("", error)
    with hub.store.write() as session:
        run = runs.hold(session, claim.subject)
        if program is None:
            if run.state in ("queued", "running"):
                runs.Book(session, run).fail(broken)
        elif run.state == "queued" and (run.starts_at is None or run.starts_at <= session.now):
            take_turn(session, run, program, program.courses[event.type])
        elif run.state == "running" and run.deadline and run.deadline <= session.now:
            runs.time_out(session, run, program.courses[event.type])
        finish(session, claim)


def take_turn(session: Session, run: RunRow, program: Program, course: Course) -> None:
    """Begin a queued run, unless others of its key that came before still go on."""
    run.state = "running"
    in_line(session, run, program.workflow)
    if run.state == "running":
        runs.begin(session, run, course, program.workflow.timeout)
    elif run.state == "skipped":
        runs.after_end(session, run)
