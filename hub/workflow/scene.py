"""All that a step sees when it runs: its run, its event, what earlier steps left behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from sqlmodel import select

from hub.actions import ActionInput
from hub.errors import Rejected
from hub.events.log import CAUSE, persons
from hub.store import EventRow, RunRow, Session, StepRow, System
from hub.tracking.links import tracking_url
from hub.workflow.facts import event_facts, masked, private_values, step_facts
from hub.workflow.library import Library
from hub.workflow.program import Course, Data, Move

if TYPE_CHECKING:
    from hub.hub import Hub


LONGEST_MESSAGE = 300
"""Characters of an error that on_error steps get to read, so that it fits what they write."""


@dataclass(frozen=True)
class Scene:
    """A step with everything around it, read at one moment; rows are for reading only."""

    run: RunRow
    step: StepRow
    event: EventRow
    course: Course
    move: Move
    data: Data
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

    def values(self) -> dict[str, Any]:
        """Return the values under `with:` filled in; raise `Failed` where one cannot be."""
        return self.move.input(self.data)

    def given(self) -> ActionInput:
        """Return the action's checked input; raise `Rejected` naming the field that is wrong."""
        try:
            return self.move.action.Input.model_validate(self.values())
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            message = f"{self.move.action.name}: {field}: {first['msg']}"
            raise Rejected(message, field) from None

    def covered(self, value: Any) -> Any:
        """Return `value` without personal values, fit to be stored."""
        return masked(value, self.private)


def scene(hub: Hub, library: Library, step_id: str) -> Scene:
    """Return the scene of a step; raise `Invalid` where its revision no longer compiles."""
    with hub.store.read() as session:
        step = session.get_one(StepRow, step_id)
        run = session.get_one(RunRow, step.run)
        event = session.get_one(EventRow, run.event)
        program = library.program(session, run.revision)
        person = persons(session, [event.id]).get(event.id, {})
        before = session.exec(select(StepRow).where(StepRow.run == run.id)).all()
    course = program.courses[event.type]
    move = course.move(step.path)
    link = link_of(hub, event, program.needs_link)
    facts = {
        "event": event_facts(event, person, link),
        "steps": step_facts(before),
        "error": {name: str(text)[:LONGEST_MESSAGE] for name, text in run.error.items()},
    }
    private = private_values(person, link)
    return Scene(run, step, event, course, move, move.data(facts), private)


def link_of(hub: Hub, event: EventRow, needed: bool) -> str:
    """Return the tracking page of a stop event, where a workflow asks for it."""
    stop = event.data.get("stop", {}).get("id", "") if needed else ""
    return tracking_url(hub, stop) if stop else ""
