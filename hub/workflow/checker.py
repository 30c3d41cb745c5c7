"""Check a workflow file as a whole: every mistake at once, each with its line and column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from hub.actions import Action
from hub.events.catalogue import catalogue
from hub.workflow import language
from hub.workflow.expressions import BadExpression, Environment, Expression
from hub.workflow.fitting import misfits
from hub.workflow.language import PLANNED, RetryPolicy, Step, Workflow
from hub.workflow.problem import Invalid, Problem, suggestion
from hub.workflow.program import Course, Move, Program, Start
from hub.workflow.schemas import ERROR, event_shape, step_shape
from hub.workflow.templates import Value, compile_text
from hub.workflow.yaml_source import Path, Source, read


def check(text: str | bytes, actions: Mapping[str, Action], name: str = "workflow") -> Program:
    """Return the program of a file; raise `Invalid` with all that is wrong with it."""
    source = read(text, name)
    workflow = parse(source)
    return _Checker(source, workflow, actions).run()


def parse(source: Source) -> Workflow:
    """Return the file as a model; raise `Invalid` for unknown words and wrong kinds of value."""
    try:
        return Workflow.model_validate(source.value)
    except ValidationError as error:
        problems = [misread(source, dict(found)) for found in error.errors(include_url=False)]
        raise Invalid(source.name, problems) from None


def misread(source: Source, error: dict[str, Any]) -> Problem:
    """Return one of pydantic's errors as a mistake in the file, in plain words."""
    path: Path = tuple(error["loc"])
    kind, message = error["type"], str(error["msg"]).removeprefix("Value error, ")
    word = str(path[-1]) if path else ""
    if kind == "extra_forbidden":
        if word in PLANNED:
            return source.problem(path, f"'{word}' is not supported yet; take it out", key=True)
        known = words(path)
        hint = suggestion(word, known) or f"; known here: {', '.join(known)}"
        return source.problem(path, f"unknown key '{word}'{hint}", key=True)
    if kind == "missing":
        return source.problem(path[:-1], f"'{word}' is missing")
    if kind in ("model_type", "model_attributes_type"):
        return source.problem(path, "has to be a mapping of keys and values")
    if kind == "bool_type":
        return source.problem(path, "has to be true or false")
    if kind == "string_type":
        return source.problem(path, 'has to be text; write it in "quotes"')
    return source.problem(path, f"{message[:1].lower()}{message[1:]}")


def words(path: Path) -> list[str]:
    """Return the keys that may stand where `path` ends."""
    head = [part for part in path[:-1] if isinstance(part, str)]
    models: dict[tuple[str, ...], type[language.Word]] = {
        (): Workflow,
        ("on",): language.Trigger,
        ("steps",): Step,
        ("steps", "retry"): RetryPolicy,
        ("on_error",): language.Action,
    }
    model = models.get(tuple(head))
    if model is None:
        return []
    return [found.alias or name for name, found in model.model_fields.items()]


class _Checker:
    """Compiles a workflow for each of its events and collects what does not fit."""

    def __init__(self, source: Source, workflow: Workflow, actions: Mapping[str, Action]) -> None:
        self.source = source
        self.workflow = workflow
        self.actions = actions
        self.problems: dict[tuple[int, int], Problem] = {}

    def run(self) -> Program:
        self._step_ids()
        courses = {
            kind: self._course(kind, shape) for kind, shape in self._events().items()
        }  # fmt: skip
        if self.problems:
            raise Invalid(self.source.name, self.problems.values())
        return Program(self.workflow, courses, "tracking_url" in self.source.text)

    def _events(self) -> dict[str, dict[str, Any]]:
        known = catalogue()
        shapes = {}
        for number, trigger in enumerate(self.workflow.on):
            if trigger.event in known:
                shapes[trigger.event] = event_shape(known[trigger.event])
            else:
                hint = suggestion(trigger.event, known)
                message = f"there is no event '{trigger.event}'{hint}"
                self._add(("on", number, "event"), message)
        for number, action in [*enumerate(self.workflow.steps), *enumerate(self.workflow.on_error)]:
            if action.use not in self.actions:
                part = "steps" if isinstance(action, Step) else "on_error"
                hint = suggestion(action.use, self.actions)
                self._add((part, number, "use"), f"there is no action '{action.use}'{hint}")
        return shapes

    def _step_ids(self) -> None:
        seen: set[str] = set()
        for number, step in enumerate(self.workflow.steps):
            if step.id in seen:
                self._add(("steps", number, "id"), f"the id '{step.id}' is taken by another step")
            seen.add(step.id)

    def _course(self, kind: str, event: dict[str, Any]) -> Course:
        alone = Environment({"event": event})
        starts = [
            Start(f"on[{number}].if", alone, self._condition(alone, trigger.if_, ("on", number)))
            for number, trigger in enumerate(self.workflow.on)
            if trigger.event == kind
        ]
        done: dict[str, Any] = {}
        steps = []
        for number, step in enumerate(self.workflow.steps):
            environment = Environment({"event": event, "steps": dict(done)})
            steps.append(self._step(environment, step, ("steps", number)))
            if step.use in self.actions:
                done[step.id] = step_shape(self.actions[step.use].Output)
        everything = Environment({"event": event, "steps": done, "error": ERROR})
        rescues = [
            self._move(everything, action, ("on_error", number), f"on_error[{number}]")
            for number, action in enumerate(self.workflow.on_error)
        ]
        return Course(
            tuple(starts),
            tuple(move for move in steps if move),
            tuple(move for move in rescues if move),
        )

    def _step(self, environment: Environment, step: Step, path: Path) -> Move | None:
        condition = self._condition(environment, step.if_, path)
        return self._move(
            environment, step, path, step.id, condition, step.retry, step.continue_on_error
        )

    def _move(
        self,
        environment: Environment,
        action: language.Action,
        path: Path,
        name: str,
        condition: Expression | None = None,
        retry: RetryPolicy | None = None,
        continue_on_error: bool = False,
    ) -> Move | None:
        found = self.actions.get(action.use)
        arguments = {
            key: self._value(environment, value, (*path, "with", key))
            for key, value in action.with_.items()
        }
        if found is None:
            return None
        for key, message in misfits(found, arguments):
            inner = (*path, "with", key) if key else (*path, "use")
            self._add(inner, message, key=bool(key) and key not in found.Input.model_fields)
        policy = retry or RetryPolicy()
        return Move(name, found, environment, condition, arguments, policy, continue_on_error)

    def _condition(
        self, environment: Environment, text: str | None, path: Path
    ) -> Expression | None:
        if text is None:
            return None
        try:
            made = environment.compile(text)
        except BadExpression as error:
            self._bad((*path, "if"), text, error)
            return None
        if made.kind not in ("BOOL", "DYN"):
            self._add((*path, "if"), f"a condition has to be true or false, this is {made.kind}")
        return made

    def _value(self, environment: Environment, value: Any, path: Path) -> Value:
        if isinstance(value, dict):
            return {
                key: self._value(environment, item, (*path, key)) for key, item in value.items()
            }
        if isinstance(value, list):
            return [
                self._value(environment, item, (*path, at)) for at, item in enumerate(value)
            ]  # fmt: skip
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        try:
            return compile_text(environment, value)
        except BadExpression as error:
            self._bad(path, value, error)
            return value

    def _bad(self, path: Path, text: str, error: BadExpression) -> None:
        """Add what is wrong with an expression, at its own character where the file shows it."""
        place = self.source.problem(path, str(error), within=text)
        if "\n" not in text and self._verbatim(path, text):
            place = Problem(place.line, place.column + error.offset, place.message)
        self._put(place)

    def _verbatim(self, path: Path, text: str) -> bool:
        found = self.source.places.get(path)
        return found is not None and text in self.source.text[found.start : found.end]

    def _add(self, path: Path, message: str, *, key: bool = False) -> None:
        self._put(self.source.problem(path, message, key=key))

    def _put(self, problem: Problem) -> None:
        """Keep the first mistake of a place: a file with several events meets it several times."""
        self.problems.setdefault((problem.line, problem.column), problem)


__all__ = ["check", "parse"]
