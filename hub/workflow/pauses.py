"""Steps that wait: for an event, for a time, for another workflow. All of it is rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlmodel import col, select

from hub.errors import Rejected
from hub.events import append
from hub.events.catalogue import WorkflowCalled
from hub.events.facts import RequestFacts
from hub.events.log import persons
from hub.queue.faults import reach
from hub.queue.work import Claim, finish
from hub.store import CursorRow, EventRow, Session, StepRow
from hub.workflow.expressions import Expression, Failed
from hub.workflow.facts import event_facts
from hub.workflow.library import library_of
from hub.workflow.program import Data, Move, Waiting
from hub.workflow.runs import end_step
from hub.workflow.scene import Scene
from hub.workflow.templates import Template
from hub.workflow.words import duration

if TYPE_CHECKING:
    from hub.hub import Hub

READER = "workflow"
KINDS = ("wait", "delay", "until", "call")
CALL_LASTS = timedelta(days=1)
"""How long a called workflow may take where the step does not say."""
LOOK_BACK = 500
"""Events that came between a run's own and the wait for another one."""


def fresh(hub: Hub, here: Scene) -> bool:
    """Say whether the step still makes sense: its event is not older than it allows."""
    most = here.move.expires_in
    if most is None:
        return True
    age = hub.store.clock.now() - here.event.occurred_at
    return age.total_seconds() <= most


def begin(hub: Hub, claim: Claim, here: Scene) -> None:
    """Let a step wait; an event that has come since the run's own counts at once."""
    if here.move.kind == "wait":
        begin_wait(hub, claim, here)
        return
    with hub.store.write(here.principal) as session:
        here.stage(session)
        row = session.get_one(StepRow, here.step.id)
        row.state, row.started_at = "waiting", session.now
        if here.move.kind == "call":
            call(hub, session, here, row)
        else:
            row.wake_at = moment(here.move, here.data, session.now)
        reach("before_commit")
        finish(session, claim)


def begin_wait(hub: Hub, claim: Claim, here: Scene) -> None:
    """Register a wait in the transaction that fixes up to where events were looked at before."""
    waiting = asked(here.move)
    with hub.store.read() as session:
        seen = position(session)
        early = first_match(session, here, waiting, here.event.seq or 0, seen)
    with hub.store.write(here.principal) as session:
        # Whoever evaluates moves this row in the same transaction in which it looks for waits,
        # so no event can pass between the two of us.
        cursor = session.get(CursorRow, READER, with_for_update={"key_share": True})
        upto = cursor.seq if cursor else 0
        early = early or first_match(session, here, waiting, seen, upto)
        row = session.get_one(StepRow, here.step.id)
        row.started_at = session.now
        if early is not None:
            end_step(session, row.id, here.course, "done", output=heard(early))
        else:
            row.state, row.wake_at = "waiting", session.now + waiting.wait.timeout
            row.wait_event, row.wait_key = waiting.wait.event, key(here, waiting)
        reach("before_commit")
        finish(session, claim)


def asked(move: Move) -> Waiting:
    """Return what a `wait` step waits for."""
    if move.waiting is None:
        raise Rejected(f"{move.path} waits for nothing")
    return move.waiting


def position(session: Session) -> int:
    """Return up to which event was evaluated."""
    row = session.get(CursorRow, READER)
    return row.seq if row else 0


def key(here: Scene, waiting: Waiting) -> str:
    """Return the id that the event has to name, as `<noun>.id=<id>`, or nothing."""
    id = here.facts["event"].get(waiting.noun, {}).get("id", "") if waiting.noun else ""
    return f"{waiting.noun}.id={id}" if id else ""


def keys(event: EventRow) -> list[str]:
    """Return the keys of waits that an event may end."""
    nouns = ((noun, facts) for noun, facts in event.data.items() if isinstance(facts, dict))
    return ["", *(f"{noun}.id={facts['id']}" for noun, facts in nouns if facts.get("id"))]


def first_match(
    session: Session, here: Scene, waiting: Waiting, after: int, upto: int
) -> EventRow | None:
    """Return the first event within (after, upto] that ends the wait."""
    if upto <= after:
        return None
    query = select(EventRow).where(
        EventRow.type == waiting.wait.event, col(EventRow.seq) > after, col(EventRow.seq) <= upto
    )
    if here.run.merchant is not None:
        query = query.where(EventRow.merchant == here.run.merchant)
    wanted = key(here, waiting)
    for event in session.exec(query.order_by(col(EventRow.seq)).limit(LOOK_BACK)):
        if wanted in keys(event) and matches(session, here, waiting, event):
            return event
    return None


def matches(session: Session, here: Scene, waiting: Waiting, event: EventRow) -> bool:
    """Say whether an event is the one waited for; one that cannot be compared is not."""
    person = persons(session, [event.id]).get(event.id, {})
    facts = {**here.facts, "trigger": here.facts["event"], "event": event_facts(event, person)}
    try:
        return waiting.match.holds(waiting.environment.data(**facts))
    except Failed:
        return False


def heard(event: EventRow | None) -> dict[str, Any]:
    """Return the output of a wait: the event's id, or that none came in time."""
    return {"event": event.id if event else "", "timed_out": event is None}


def moment(move: Move, data: Data, now: datetime) -> datetime:
    """Return when a delay ends or an `until` comes; raise `Rejected` for what is no time."""
    given = move.moment
    value = given.value(data) if isinstance(given, Template | Expression) else given
    if move.kind == "delay":
        try:
            return now + duration(value)
        except ValueError as error:
            raise Rejected(f"the delay {value!r} {error}", "delay") from None
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise Rejected(f"{value!r} is no moment", "until") from None
    if not isinstance(found, datetime) or found.tzinfo is None:
        raise Rejected(f"{value!r} is no moment with a time zone", "until")
    return found


def call(hub: Hub, session: Session, here: Scene, row: StepRow) -> None:
    """Ask for a run of another workflow and wait for its end."""
    name = here.move.calls
    if library_of(hub).entry(session, WorkflowCalled.type, name, here.run.merchant) is None:
        message = f"there is no workflow {name} that is on and has `workflow: true` under on:"
        raise Rejected(message, "use")
    inputs = {field: value for field, value in here.values().items() if value is not None}
    span = timedelta(seconds=here.move.timeout) if here.move.timeout else CALL_LASTS
    row.wake_at, row.input = session.now + span, here.covered(inputs)
    append(
        session,
        WorkflowCalled(
            subject=name,
            merchant_id=here.run.merchant,
            request=RequestFacts(workflow=name, by=row.id, inputs=inputs),
        ),
    )


def go_on(hub: Hub, claim: Claim, here: Scene) -> None:
    """End a wait that is over: its event came, its time is up, its workflow has ended."""
    state, output, error = outcome(here)
    with hub.store.write(here.principal) as session:
        here.stage(session)
        end_step(session, here.step.id, here.course, state, output=output, error=error)
        reach("before_commit")
        finish(session, claim)


def outcome(here: Scene) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Return how a step ends whose wait is over: its state, output and error."""
    move, told = here.move, here.step.output
    failed = {"step": here.step.path, "kind": "timeout", "message": ""}
    if move.kind == "wait" and not told:
        if not asked(move).or_fail:
            return "done", heard(None), {}
        message = f"no {asked(move).wait.event} came in time"
        return "failed", heard(None), {**failed, "message": message}
    if move.kind == "call" and not told:
        message = f"the workflow {move.calls} did not end in time"
        return "failed", {}, {**failed, "message": message}
    if move.kind == "call" and told["state"] != "succeeded":
        message = f"the workflow {move.calls} is {told['state']} (run {told['run']})"
        return "failed", told, {**failed, "kind": "rejected", "message": message}
    return "done", told, {}
