"""All that a step sees when it runs: its run, its event, what earlier steps left behind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from sqlalchemy import bindparam
from sqlmodel import col, or_, select

from hub.actions import Action, ActionInput
from hub.errors import PluginError, Rejected
from hub.events.log import CAUSE, persons
from hub.store import ConnectionRow, EventRow, PersonRow, RunRow, Session, StepRow, System
from hub.tracking.links import tracking_url
from hub.workflow.facts import event_facts, masked, private_values, step_facts
from hub.workflow.functions import Context
from hub.workflow.library import Library
from hub.workflow.program import Course, Data, Move

if TYPE_CHECKING:
    from hub.hub import Hub


INSTEAD = "else"
"""Marks, in the input of a step, that its `else` action was chosen."""
LONGEST_MESSAGE = 300
"""Characters of an error that on_error steps get to read, so that it fits what they write."""

_AROUND = (
    select(StepRow, RunRow, EventRow, PersonRow)
    .join(RunRow, col(RunRow.id) == StepRow.run)
    .join(EventRow, col(EventRow.id) == RunRow.event)
    .outerjoin(PersonRow, col(PersonRow.event) == EventRow.id)
    .where(StepRow.id == bindparam("step"))
)
_OF_RUN = select(StepRow).where(StepRow.run == bindparam("run")).order_by(StepRow.id)
# Statements made once: a worker runs them for every step, and making one takes as long as asking.


@dataclass(frozen=True)
class Scene:
    """A step with everything around it, read at one moment; rows are for reading only."""

    run: RunRow
    step: StepRow
    event: EventRow
    course: Course
    move: Move
    data: Data
    facts: dict[str, Any]
    """What `data` was made of, as plain values."""
    private: tuple[str, ...]

    @property
    def principal(self) -> System:
        """On whose behalf the step works: its event's merchant."""
        return System(self.run.merchant)

    @property
    def cause(self) -> tuple[str, int]:
        """What events appended by the step are caused by."""
        return self.event.id, self.event.depth

    def stage(self, session: Session) -> None:
        """Let events that are appended in `session` name this run's event as their cause."""
        session.info[CAUSE] = self.cause

    def wanted(self) -> bool:
        """Say whether the step's condition holds; raise `Failed` where it cannot tell."""
        return self.move.condition is None or self.move.condition.holds(self.data)

    def instead(self) -> Scene | None:
        """Return the scene of what is done where the condition does not hold, if anything is."""
        other = self.move.otherwise
        return replace(self, move=other) if other is not None else None

    def values(self) -> dict[str, Any]:
        """Return the values under `with:` filled in; raise `Failed` where one cannot be."""
        return {**self.move.input(self.data), **self.step.override}

    @property
    def action(self) -> Action:
        """The action of a step that has one."""
        if self.move.action is None:
            raise PluginError(f"the step {self.move.path} has no action")
        return self.move.action

    def given(self) -> ActionInput:
        """Return the action's checked input; raise `Rejected` naming the field that is wrong."""
        try:
            return self.action.Input.model_validate(self.values())
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            message = f"{self.action.name}: {field}: {first['msg']}"
            raise Rejected(message, field) from None

    def covered(self, value: Any) -> Any:
        """Return `value` without personal values, fit to be stored."""
        return masked(value, self.private)


def scene(hub: Hub, library: Library, step_id: str) -> Scene:
    """Return the scene of a step; raise `Invalid` where its revision no longer compiles."""
    with hub.store.read() as session:
        step, run, event, person = session.exec(_AROUND, params={"step": step_id}).one()
        program = library.program(session, run.revision)
        before = visible(session, step)
        heard = {row.id: row for row in awaited(session, before)}
        people = persons(session, list(heard)) if heard else {}
        people[event.id] = person.data if person is not None else {}
        names = connected(session, run.merchant) if program.needs_connections else frozenset()
    course = program.courses[event.type]
    move = instead_of(course.move(step.path), step)
    links = {
        row.id: link_of(hub, row, program.needs_link) for row in (event, *heard.values())
    }  # fmt: skip
    told = {
        id: event_facts(row, people.get(id, {}), links[id])
        for id, row in ({event.id: event} | heard).items()
    }
    facts = {
        "event": told[event.id],
        "inputs": run.inputs,
        "steps": step_facts(before, step.path, told),
        "error": {name: str(text)[:LONGEST_MESSAGE] for name, text in run.error.items()},
        **items(course, before, step.path),
    }
    private = {value for id in told for value in private_values(people.get(id, {}), links[id])}
    hidden = tuple(sorted(private, key=len, reverse=True))
    data = move.data(facts, Context(hub.store.clock.now(), names))
    return Scene(run, step, event, course, move, data, facts, hidden)


def connected(session: Session, merchant: str | None) -> frozenset[str]:
    """Return the connectors that work for a merchant, or for the operator, can go out through."""
    own = col(ConnectionRow.merchant).is_(None)
    query = select(ConnectionRow.connector).where(
        col(ConnectionRow.enabled).is_(True), col(ConnectionRow.removed_at).is_(None),
        col(ConnectionRow.state).not_in(("action_needed", "not_set_up")),
        or_(own, ConnectionRow.merchant == merchant) if merchant else own,
    )  # fmt: skip
    return frozenset(session.exec(query))


def instead_of(move: Move, step: StepRow) -> Move:
    """Return what a step does: its `else` action once that was chosen."""
    return move.otherwise if move.otherwise and step.input.get(INSTEAD) else move


def visible(session: Session, step: StepRow) -> list[StepRow]:
    """Return the run's steps that this one may look at: of a loop around it, its own item's."""
    query = _OF_RUN
    if "]." in step.path:
        own = step.path[: step.path.rindex("].") + 2]
        outside = col(StepRow.path).not_like("%[%")
        around = [
            col(StepRow.path).startswith(own[: own.index("].", at) + 2], autoescape=True)
            for at in range(len(own))
            if own.startswith("].", at)
        ]
        query = query.where(or_(outside, *around))
    return list(session.exec(query, params={"run": step.run}))


def awaited(session: Session, rows: list[StepRow]) -> list[EventRow]:
    """Return the events that steps have waited for."""
    ids = [row.output["event"] for row in rows if row.output.get("event")]
    return list(session.exec(select(EventRow).where(col(EventRow.id).in_(ids)))) if ids else []


def items(course: Course, rows: list[StepRow], path: str) -> dict[str, Any]:
    """Return the items of the loops around a step, by the names that the loops give them."""
    found: dict[str, Any] = {}
    for row in rows:
        if not path.startswith(f"{row.path}["):
            continue
        loop = course.move(row.path).loop
        number = int(path[len(row.path) + 1 :].partition("]")[0])
        if loop is not None:
            found[loop.foreach.as_] = as_item(row.input["items"][number])
    return found


def as_item(value: Any) -> dict[str, Any]:
    """Return one item of a list as expressions see it: an object, or `{value: ...}`."""
    return value if isinstance(value, dict) else {"value": value}


def link_of(hub: Hub, event: EventRow, needed: bool) -> str:
    """Return the tracking page of a stop event, where a workflow asks for it."""
    stop = event.data.get("stop", {}).get("id", "") if needed else ""
    return tracking_url(hub, stop) if stop else ""
