"""The time machine: what an edited workflow would have done with what has already happened.

Every recorded event of the span is decided again, with the moment at which it was recorded as the
time; every action is stubbed. Runs are taken as if they ended at once, so `concurrency` and
`coalesce` hold nothing back. Only read sessions are opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from sqlmodel import col, select

from hub.access import get
from hub.errors import Refused, Rejected
from hub.events.log import persons
from hub.store import EventRow, MerchantRow, Principal, RunRow, Session, StepRow
from hub.workflow.checker import check
from hub.workflow.engine import inputs
from hub.workflow.expressions import Failed
from hub.workflow.facts import event_facts, masked, private_values
from hub.workflow.flow import RESCUE
from hub.workflow.gates import digests, quiet_until
from hub.workflow.language import NAMED
from hub.workflow.library import among, library_of
from hub.workflow.problem import Invalid
from hub.workflow.program import Move, Program
from hub.workflow.rehearsal import Answer, Heard, Stage, rehearse, staged
from hub.workflow.scene import link_of

if TYPE_CHECKING:
    from hub.hub import Hub

BATCH = 500
Change = Literal["added", "dropped", "changed"]


@dataclass(frozen=True)
class Done:
    """One action that was or would be done: for which event, by which step, given what."""

    event: str
    step: str
    action: str
    given: dict[str, Any]
    """Personal values covered, as they are kept."""


@dataclass(frozen=True)
class Item:
    """One difference between what happened and what would have."""

    change: Change
    action: str
    step: str
    event: str
    type: str
    at: datetime
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass
class Difference:
    """What a replay found."""

    workflow: str
    since: datetime
    events: int = 0
    started: int = 0
    """Runs that would have been started."""
    ran: int = 0
    """Runs that there were."""
    same: int = 0
    endless: int = 0
    """Runs that came to no end; they are left out."""
    cut: bool = False
    """Whether there were more events than it was to look at."""
    items: list[Item] = field(default_factory=list)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many were added, dropped and changed, by action."""
        found: dict[str, dict[str, int]] = {}
        for item in self.items:
            row = found.setdefault(item.action, {"added": 0, "dropped": 0, "changed": 0})
            row[item.change] += 1
        return dict(sorted(found.items()))


@dataclass
class Memory:
    """What the gates of a replay have let through: kind and digest -> when."""

    passed: dict[tuple[str, str], list[datetime]] = field(default_factory=dict)

    def admits(self, program: Program, keys: dict[str, str], now: datetime) -> bool:
        """Say whether the gates let a run through now, and remember that they did."""
        file = program.workflow
        if "once" in keys and self.passed.get(("once", keys["once"])):
            return False
        if "dedup" in keys and file.dedup and self._since("dedup", keys, now - file.dedup.for_):
            return False
        if "throttle" in keys and file.throttle:
            recent = self._since("throttle", keys, now - file.throttle.per)
            if len(recent) >= file.throttle.max:
                return False
        for word in ("once", "dedup", "throttle"):
            if word in keys:
                self.passed.setdefault((word, keys[word]), []).append(now)
        return True

    def _since(self, word: str, keys: dict[str, str], first: datetime) -> list[datetime]:
        return [at for at in self.passed.get((word, keys[word]), []) if at > first]


def replay(
    hub: Hub, principal: Principal, text: str, since: timedelta, most: int = 1_000_000
) -> Difference:
    """Return what `text` would have done otherwise within the last `since` of business time.

    At most `most` events are looked at, the oldest first. Raise `Invalid` for a text with
    mistakes. Nothing is written.
    """
    program = check(text, hub.actions)
    name = program.workflow.workflow
    first = hub.store.clock.now() - since
    told = Difference(name, first)
    memory = Memory()
    with hub.store.read(principal) as session:
        slugs = dict(session.exec(select(MerchantRow.id, MerchantRow.slug)).all())
        for batch in events(session, program, first):
            people = persons(session, [event.id for event in batch])
            before = real(hub, session, name, [event.id for event in batch])
            for event in batch:
                if not meant(program, event, slugs):
                    continue
                if told.events == most:
                    told.cut = True
                    return told
                told.events += 1
                person = people.get(event.id, {})
                run, was = before.get(event.id, (None, {}))
                told.ran += run is not None and run.state != "skipped"
                try:
                    stage = again(hub, program, memory, event, person, slugs, was, session)
                except Rejected:
                    told.endless += 1
                    continue
                told.started += stage is not None
                compare(told, event, was, would(hub, program, event, person, stage))
    return told


def meant(program: Program, event: EventRow, slugs: dict[str, str]) -> bool:
    """Say whether an event is for this text: all are, but for those of a canary's others."""
    names = program.workflow.canary
    return not names or among(names, event.merchant, slugs.get(event.merchant or "", ""))


def events(session: Session, program: Program, first: datetime) -> Iterator[list[EventRow]]:
    """Yield the recorded events that the workflow looks at, in their order, some at a time."""
    seq = 0
    while True:
        query = select(EventRow).where(
            col(EventRow.type).in_(list(program.courses)), col(EventRow.seq) > seq,
            EventRow.recorded_at >= first,
        )  # fmt: skip
        batch = list(session.exec(query.order_by(col(EventRow.seq)).limit(BATCH)))
        if not batch:
            return
        yield batch
        seq = batch[-1].seq or seq


def rerun(hub: Hub, principal: Principal, text: str, event_id: str) -> Stage | None:
    """Rehearse the run that one recorded event would start; None where it would start none.

    What the real run's actions gave is used where there was one. Raise `Invalid` for a text with
    mistakes, `Missing` for an unknown event, `Refused` for one that starts no such workflow.
    """
    program = check(text, hub.actions)
    name = program.workflow.workflow
    with hub.store.read(principal) as session:
        event = get(session, EventRow, event_id)
        if event.type not in program.courses:
            raise Refused(f"{event.type} does not start {name}", "event")
        person = persons(session, [event.id]).get(event.id, {})
        slugs = dict(session.exec(select(MerchantRow.id, MerchantRow.slug)).all())
        _, was = real(hub, session, name, [event.id]).get(event.id, (None, {}))
        return again(hub, program, Memory(), event, person, slugs, was, session)


Was = dict[str, tuple[StepRow, str]]
"""Row path -> the step that was done, and its action."""


def real(hub: Hub, session: Session, name: str, ids: list[str]) -> dict[str, tuple[RunRow, Was]]:
    """Return the runs that there were for events, with the steps that were done."""
    runs = session.exec(
        select(RunRow).where(RunRow.workflow == name, col(RunRow.event).in_(ids))
    ).all()
    steps: dict[str, list[StepRow]] = {}
    found = select(StepRow).where(col(StepRow.run).in_([run.id for run in runs]))
    for step in session.exec(found.where(StepRow.state == "done")):
        steps.setdefault(step.run, []).append(step)
    kinds = select(EventRow.id, EventRow.type).where(col(EventRow.id).in_(ids))
    types = dict(session.exec(kinds).all())
    return {
        run.event: (run, acted(hub, session, run, types[run.event], steps.get(run.id, [])))
        for run in runs
    }


def acted(hub: Hub, session: Session, run: RunRow, type: str, steps: list[StepRow]) -> Was:
    """Return the steps of a run with the actions of its own revision, empty where unknown."""
    try:
        course = library_of(hub).program(session, run.revision).courses[type]
    except (Invalid, KeyError):
        return {step.path: (step, "") for step in steps}
    actions = {step.path: course.move(step.path).action for step in steps}
    return {
        step.path: (step, found.name if (found := actions[step.path]) else "") for step in steps
    }


def again(
    hub: Hub,
    program: Program,
    memory: Memory,
    event: EventRow,
    person: dict[str, Any],
    slugs: dict[str, str],
    was: Was,
    session: Session,
) -> Stage | None:
    """Rehearse the run that the event would start, None where it would start none."""
    if event.type in NAMED and event.subject != program.workflow.workflow:
        return None
    course = program.courses[event.type]
    link = link_of(hub, event, program.needs_link)
    facts = event_facts(event, person, link)
    given = inputs(program, event, slugs.get(event.merchant or "", ""))
    try:
        if not any(start.holds(facts, inputs=given) for start in course.starts):
            return None
        keys = digests(
            hub, program.workflow.workflow, course.gates, {"event": facts, "inputs": given}
        )
    except Failed:
        return None
    hours = program.workflow.quiet_hours
    if hours and hours.then == "skip" and quiet_until(hours, event.recorded_at, facts) is not None:
        return None
    if not memory.admits(program, keys, event.recorded_at):
        return None
    made = staged(course, event, person=person, inputs=given, link=link, clock=event.recorded_at)
    return rehearse(made, recorded(session, was))


def recorded(session: Session, was: Was) -> Any:
    """Return what stands in for actions and waits: what the real run had, where it had it."""

    def answer(path: str, move: Move) -> Answer | None:
        known = was.get(path)
        if known is None:
            return Heard() if move.kind == "wait" else None
        step, _ = known
        if move.kind != "wait":
            return step.output if move.kind == "use" else None
        event = session.get(EventRow, step.output.get("event") or "")
        return Heard(event_facts(event, {})) if event is not None else Heard()

    return answer


def would(
    hub: Hub, program: Program, event: EventRow, person: dict[str, Any], stage: Stage | None
) -> dict[str, Done]:
    """Return what a rehearsed run would have done, by row path."""
    if stage is None:
        return {}
    hidden = private_values(person, stage.link)
    return {
        row.path: Done(
            event.id, row.path, stage.actions[row.path],
            masked(stage.given[row.path], hidden),
        )
        for row in stage.ended
        if row.state == "done" and row.number < RESCUE and row.path in stage.actions
    }  # fmt: skip


def compare(told: Difference, event: EventRow, was: Was, new: dict[str, Done]) -> None:
    """Add the differences for one event."""
    old = {
        path: Done(event.id, path, action, step.input)
        for path, (step, action) in was.items()
        if action and step.number < RESCUE
    }
    for path in [*old, *(path for path in new if path not in old)]:
        before, after = old.get(path), new.get(path)
        if before and after and (before.action, before.given) == (after.action, after.given):
            told.same += 1
            continue
        known = after or before
        if known is None:
            continue
        change: Change = "changed" if before and after else ("added" if after else "dropped")
        told.items.append(
            Item(
                change, known.action, path, event.id, event.type, event.recorded_at,
                before.given if before else None, after.given if after else None,
            )
        )  # fmt: skip


__all__ = ["Difference", "Item", "replay"]
