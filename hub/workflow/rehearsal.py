"""Run a workflow in memory: the engine's own decisions, every action stubbed, nothing written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from hub.errors import HubError, Rejected
from hub.store import EventRow, RunRow, StepRow
from hub.workflow import branches, pauses
from hub.workflow.facts import event_facts, step_facts
from hub.workflow.failures import described
from hub.workflow.flow import ENDED, Flow
from hub.workflow.program import Course, Move
from hub.workflow.samples import sample
from hub.workflow.scene import as_item

MOST_TURNS = 20_000
"""Steps after which a rehearsal is given up."""


@dataclass(frozen=True)
class Heard:
    """What a stubbed wait, or a call of another workflow, comes back with."""

    event: dict[str, Any] | None = None
    """The facts of the event; None: the time ran out."""
    after: timedelta = timedelta(0)


@dataclass(frozen=True)
class Failure:
    """What a stubbed action fails with."""

    kind: str
    message: str


Answer = dict[str, Any] | Heard | Failure
Answers = Callable[[str, Move], Answer | None]
"""Row path and step -> what it gives; None: a value by the types that the action declares."""


@dataclass
class Stage:
    """One rehearsed run: its rows, its time and what was asked of every action."""

    course: Course
    event: EventRow
    person: Mapping[str, Any]
    inputs: dict[str, Any]
    clock: datetime
    link: str = ""
    run: RunRow = field(default_factory=lambda: RunRow(workflow="", revision="", event=""))
    steps: dict[str, StepRow] = field(default_factory=dict)
    due: list[str] = field(default_factory=list)
    ended: list[StepRow] = field(default_factory=list)
    given: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What each step handed its action, personal values and all."""
    actions: dict[str, str] = field(default_factory=dict)
    """The action of every step that had one."""
    heard: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        """Business time."""
        return self.clock

    def row(self, path: str) -> StepRow | None:
        """Return the step of that path, if it was opened."""
        return self.steps.get(path)

    def rows(self) -> list[StepRow]:
        """Return every step that was opened, in the order in which they ended."""
        return self.ended + [row for row in self.steps.values() if row.state not in ENDED]

    def open(self, path: str, number: int) -> StepRow:
        """Make a step due."""
        row = StepRow(run="rehearsal", path=path, number=number, state="pending")
        self.steps[path] = row
        self.due.append(path)
        return row

    def fail(self, error: dict[str, Any]) -> None:
        """End the run as failed."""
        self.run.state, self.run.error = "failed", error

    def succeed(self) -> None:
        """End the run well."""
        self.run.state = "succeeded"


def rehearse(stage: Stage, answers: Answers) -> Stage:
    """Take a run from its first step to its end; time jumps over delays."""
    stage.run.state = "running"
    flow = Flow(stage.course, stage.run, stage)
    flow.begin()
    for _ in range(MOST_TURNS):
        if not stage.due:
            return stage
        path = stage.due.pop(0)
        row = stage.steps[path]
        try:
            turn(stage, flow, row, answers)
        except HubError as error:
            finish(stage, flow, row, "failed", error=described(path, error))
    raise Rejected(f"the run did not end within {MOST_TURNS} steps")


def turn(stage: Stage, flow: Flow, row: StepRow, answers: Answers) -> None:
    """Do one step, as `hub.workflow.steps.advance` does on rows of the database."""
    move = stage.course.move(row.path)
    facts = facts_for(stage, row.path)
    data = move.data(facts)
    chosen: Move | None = move
    if move.expires_in is not None and age(stage) > move.expires_in:
        chosen = None
    elif move.condition is not None and not move.condition.holds(data):
        chosen = move.otherwise
    if chosen is None:
        finish(stage, flow, row, "skipped")
    elif chosen.kind == "use":
        act(stage, flow, row, chosen, data, answers)
    elif chosen.kind in pauses.KINDS:
        pause(stage, flow, row, chosen, facts, answers)
    else:
        firsts, told = branches.paths(row.path, chosen, facts, data)
        row.input = told
        flow.enter(row, chosen, firsts)


def age(stage: Stage) -> float:
    """Return the seconds since the run's event."""
    return (stage.clock - stage.event.occurred_at).total_seconds()


def act(
    stage: Stage, flow: Flow, row: StepRow, move: Move, data: dict[str, Any], answers: Answers
) -> None:
    """Work out and check what an action is given; take its answer from the stubs."""
    action = move.action
    if action is None:
        raise Rejected(f"{row.path} has no action")
    row.input = stage.given[row.path] = move.input(data)
    stage.actions[row.path] = action.name
    try:
        action.Input.model_validate(row.input)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise Rejected(f"{action.name}: {name}: {first['msg']}", name) from None
    answer = answers(row.path, move)
    if isinstance(answer, Failure):
        error_told = {"step": row.path, "kind": answer.kind, "message": answer.message}
        finish(stage, flow, row, "failed", error=error_told)
        return
    told = sample(action.Output) | (answer if isinstance(answer, dict) else {})
    finish(stage, flow, row, "done", output=told)


def pause(
    stage: Stage, flow: Flow, row: StepRow, move: Move, facts: dict[str, Any], answers: Answers
) -> None:
    """Let time pass, or an event come, or another workflow end."""
    row.started_at = stage.clock
    if move.kind in ("delay", "until"):
        until = pauses.moment(move, move.data(facts), stage.clock)
        stage.clock = max(stage.clock, until)
        finish(stage, flow, row, "done")
        return
    answer = answers(row.path, move)
    if isinstance(answer, Failure):
        told = {"step": row.path, "kind": answer.kind, "message": answer.message}
        finish(stage, flow, row, "failed", error=told)
    elif move.kind == "call":
        stage.given[row.path] = move.input(move.data(facts))
        finish(stage, flow, row, "done")
    else:
        wait(stage, flow, row, move, answer if isinstance(answer, Heard) else Heard())


def wait(stage: Stage, flow: Flow, row: StepRow, move: Move, heard: Heard) -> None:
    """End a wait with the event that the stubs have for it, or with its time."""
    waiting = pauses.asked(move)
    if heard.event is not None:
        stage.clock += heard.after
        stage.heard[row.path] = heard.event
        finish(stage, flow, row, "done", output={"event": row.path, "timed_out": False})
        return
    stage.clock += waiting.wait.timeout
    output = {"event": "", "timed_out": True}
    if waiting.or_fail:
        message = f"no {waiting.wait.event} came in time"
        told = {"step": row.path, "kind": "timeout", "message": message}
        finish(stage, flow, row, "failed", output=output, error=told)
    else:
        finish(stage, flow, row, "done", output=output)


def finish(
    stage: Stage,
    flow: Flow,
    row: StepRow,
    state: str,
    *,
    output: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
) -> None:
    """End a step and let the flow go on."""
    stage.ended.append(row)
    flow.end(row, state, output, error)


def facts_for(stage: Stage, path: str) -> dict[str, Any]:
    """Return all that the expressions of a step may read."""
    around = [row for row in stage.steps.values() if seen(row.path, path)]
    error = {name: str(text)[:300] for name, text in (stage.run.error or {}).items()}
    facts = {
        "event": event_facts(stage.event, stage.person, stage.link),
        "inputs": stage.inputs,
        "steps": step_facts(around, path, stage.heard),
        "error": error,
    }
    for row in around:
        loop = stage.course.move(row.path).loop
        if loop is not None and path.startswith(f"{row.path}["):
            number = int(path[len(row.path) + 1 :].partition("]")[0])
            facts[loop.foreach.as_] = as_item(row.input["items"][number])
    return facts


def seen(row: str, path: str) -> bool:
    """Say whether a step may look at another: in a loop around it only at its own item's."""
    if "]." not in path:
        return True
    own = path[: path.rindex("].") + 2]
    return "[" not in row or any(
        row.startswith(own[: at + 2]) for at in range(len(own)) if own.startswith("].", at)
    )


def staged(course: Course, event: EventRow, **more: Any) -> Stage:
    """Return a stage at the moment of an event."""
    made = Stage(course, event, more.pop("person", {}), more.pop("inputs", {}), event.occurred_at)
    return replace(made, **more)
