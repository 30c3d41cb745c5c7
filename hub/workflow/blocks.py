"""Compile the steps of a workflow, block within block, for one type of event."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from hub.actions import Action, Outward
from hub.events.catalogue import catalogue
from hub.workflow import language, words
from hub.workflow.expressions import Environment, Expression
from hub.workflow.fitting import misfits
from hub.workflow.language import Branch, Step, Workflow
from hub.workflow.problem import Problem, suggestion
from hub.workflow.program import Course, Gates, Loop, Move, Start, Waiting, Way
from hub.workflow.schemas import (
    ERROR,
    event_shape,
    input_shape,
    item_shape,
    loop_shape,
    step_shape,
    wait_shape,
    walk,
)
from hub.workflow.templates import Value
from hub.workflow.texts import Texts
from hub.workflow.yaml_source import Path, Source

CALL = "workflow."
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+")
_SAME_ID = re.compile(r"event\.(\w+)\.id\s*==\s*trigger\.(\w+)\.id|"
                      r"trigger\.(\w+)\.id\s*==\s*event\.(\w+)\.id")  # fmt: skip
_OTHER_TYPE = re.compile(r'event\.type\s*==\s*["\']([^"\']*)["\']')


@dataclass(frozen=True)
class Scope:
    """The names that a step may use: steps that ended before it, and the items it is run for."""

    prefix: str = ""
    parent: str = ""
    steps: dict[str, Any] = field(default_factory=dict)
    items: dict[str, Any] = field(default_factory=dict)


class Blocks(Texts):
    """Compiles one course of a workflow and collects what does not fit."""

    def __init__(
        self,
        source: Source,
        workflow: Workflow,
        actions: Mapping[str, Action],
        event: dict[str, Any],
        problems: dict[tuple[int, int], Problem],
    ) -> None:
        super().__init__(source, problems)
        self.workflow, self.actions, self.event = workflow, actions, event
        self.moves: dict[str, Move] = {}
        self.names: set[str] = set()
        self.counts: dict[str, int] = {}
        self.inputs = input_shape(workflow.inputs)

    def course(self, kind: str) -> Course:
        """Return what the workflow does for an event of type `kind`."""
        alone = self._environment(Scope())
        starts = tuple(
            Start(
                f"on[{number}].if", alone,
                self._condition(alone, trigger.if_, ("on", number, "if")), number,
            )
            for number, trigger in enumerate(self.workflow.on)
            if trigger.type == kind
        )  # fmt: skip
        for number, trigger in enumerate(self.workflow.on):
            if "connected(" in (trigger.if_ or ""):
                message = "connected() can be asked by a step; put the condition there"
                self._add(("on", number, "if"), message)
        first, done = self._block(self.workflow.steps, ("steps",), Scope())
        everything = self._environment(Scope(steps=done), error=ERROR)
        rescues = [
            self._act(everything, action, ("on_error", number), f"on_error[{number}]")
            for number, action in enumerate(self.workflow.on_error)
        ]
        return Course(
            starts, first, self.moves, tuple(move for move in rescues if move), self._gates()
        )

    def _gates(self) -> Gates:
        """Compile the keys by which runs are held back."""
        environment, keys = self._environment(Scope()), {}
        for word in ("concurrency", "dedup", "throttle", "coalesce"):
            found = getattr(self.workflow, word)
            if found is not None:
                keys[word] = self._text(environment, found.key, (word, "key"))
        if self.workflow.once is not None:
            keys["once"] = self._text(environment, self.workflow.once, ("once",))
        if self.workflow.quiet_hours is not None:
            try:
                words.zone(self.workflow.quiet_hours.tz)
            except ValueError as error:
                self._add(("quiet_hours", "tz"), str(error))
        return Gates(environment, {word: key for word, key in keys.items() if key is not None})

    def _environment(self, scope: Scope, **more: Any) -> Environment:
        names = {"event": self.event, "inputs": self.inputs, "steps": dict(scope.steps)}
        return Environment({**names, **scope.items, **more})

    def _block(self, steps: list[Step], path: Path, scope: Scope) -> tuple[str, dict[str, Any]]:
        """Compile steps that follow each other; return the first's path and all known after."""
        known = dict(scope.steps)
        made: list[str] = []
        for number, step in enumerate(steps):
            here = (*path, number)
            name = self._name(step, here)
            inner = replace(scope, steps=known)
            move, shapes = self._step(step, here, name, inner)
            known = {**known, **shapes}
            if move is not None:
                self.moves[move.path] = move
                made.append(move.path)
        for one, after in pairwise(made):
            self.moves[one] = replace(self.moves[one], following=after)
        return (made[0] if made else ""), known

    def _name(self, step: Step, path: Path) -> str:
        """Return the step's id, or a name by its kind and number; complain about a taken id."""
        if step.id is not None:
            if step.id in self.names:
                self._add((*path, "id"), f"the id '{step.id}' is taken by another step")
            self.names.add(step.id)
            return step.id
        while True:
            self.counts[step.kind] = self.counts.get(step.kind, 0) + 1
            name = f"{step.kind}{self.counts[step.kind]}"
            if name not in self.names:
                self.names.add(name)
                return name

    def _step(
        self, step: Step, path: Path, name: str, scope: Scope
    ) -> tuple[Move | None, dict[str, Any]]:
        """Compile one step; return it, and what later steps can read because of it."""
        environment = self._environment(scope)
        condition = self._condition(environment, step.if_, (*path, "if"))
        if step.if_ is not None and step.if_.strip() == "false":
            self._add((*path, "if"), "this step can never run; take it out, or the condition")
        at = scope.prefix + name
        # A block's own name goes into `moves` before its steps, so that numbers follow the file.
        self.moves[at] = Move(at, "use", environment)
        compiled = getattr(self, f"_{step.kind}")(step, path, environment, at, name, scope)
        if compiled is None:
            del self.moves[at]
            return None, {}
        move, shapes = compiled
        return replace(move, condition=condition, parent=scope.parent, **rules(step)), shapes

    def _use(
        self, step: Step, path: Path, environment: Environment, at: str, name: str, scope: Scope
    ) -> tuple[Move, dict[str, Any]] | None:
        action = language.Action.model_validate({"use": step.use, "with": step.with_})
        if action.use.startswith(CALL):
            if step.heartbeat is not None:
                message = "a called workflow has no heartbeat; give its own steps one"
                self._add((*path, "heartbeat"), message, key=True)
            move = Move(at, "call", environment, calls=action.use.removeprefix(CALL))
            move = replace(move, arguments=self._arguments(environment, action, path))
            return move, {name: step_shape(None)}
        made = self._act(environment, action, path, at)
        if made is None:
            return None
        shape = step_shape(made.action.Output if made.action else None)
        if step.timeout is not None and not isinstance(made.action, Outward):
            message = "only a step that calls another system or workflow can have a timeout"
            self._add((*path, "timeout"), message, key=True)
        if step.heartbeat is not None and not isinstance(made.action, Outward):
            message = "only a step that calls another system can have a heartbeat"
            self._add((*path, "heartbeat"), message, key=True)
        if step.else_ is not None:
            other = self._act(environment, step.else_, (*path, "else"), at)
            made = replace(made, otherwise=other)
        if step.undo is not None:
            after = self._environment(replace(scope, steps={**scope.steps, name: shape}))
            made = replace(made, undo=self._act(after, step.undo, (*path, "undo"), at))
        return self._limited(made, step, path), {name: shape}

    def _limited(self, move: Move, step: Step, path: Path) -> Move:
        """Return a step with its own key and its rate limit."""
        environment = move.environment
        key = rate = None
        if step.idempotency is not None:
            key = self._text(environment, step.idempotency, (*path, "idempotency"))
        if step.rate_limit is not None:
            rate = self._text(environment, step.rate_limit.key, (*path, "rate_limit", "key"))
        speed = step.rate_limit.rate if step.rate_limit else 0.0
        return replace(move, effect_key=key, rate_key=rate, rate=speed)

    def _act(
        self, environment: Environment, action: language.Action, path: Path, at: str
    ) -> Move | None:
        """Compile one action with what it is given."""
        found = self.actions.get(action.use)
        arguments = self._arguments(environment, action, path)
        if found is None:
            hint = suggestion(action.use, self.actions)
            self._add((*path, "use"), f"there is no action '{action.use}'{hint}")
            return None
        for key, message in misfits(found, arguments):
            inner = (*path, "with", key) if key else (*path, "use")
            self._add(inner, message, key=bool(key) and key not in found.Input.model_fields)
        return Move(at, "use", environment, found, arguments=arguments)

    def _arguments(
        self, environment: Environment, action: language.Action, path: Path
    ) -> dict[str, Value]:
        return {
            key: self._value(environment, value, (*path, "with", key))
            for key, value in action.with_.items()
        }

    def _wait(
        self, step: Step, path: Path, environment: Environment, at: str, name: str, scope: Scope
    ) -> tuple[Move, dict[str, Any]] | None:
        wait = step.wait
        known = catalogue()
        if wait is None or wait.event not in known:
            word = wait.event if wait else ""
            message = f"there is no event '{word}'{suggestion(word, known)}"
            self._add((*path, "wait", "event"), message)
            return None
        shape = event_shape(known[wait.event])
        asking = Environment(
            {"event": shape, "trigger": self.event, "inputs": self.inputs, "steps": scope.steps}
            | scope.items
        )
        here = (*path, "wait", "match")
        match = self._condition(asking, wait.match, here)
        noun = self._noun(wait, here)
        if match is None:
            return None
        waiting = Waiting(wait, asking, match, noun, step.on_timeout == "fail")
        return Move(at, "wait", environment, waiting=waiting), {name: wait_shape(shape)}

    def _noun(self, wait: language.Wait, path: Path) -> str:
        """Return the noun whose id `match` compares; complain about what can never match."""
        if wait.match.strip() == "false":
            self._add(path, "this can never match")
        other = _OTHER_TYPE.search(wait.match)
        if other is not None and other[1] != wait.event:
            self._add(path, f"this can never match: the event is always {wait.event}")
        same = _SAME_ID.search(wait.match)
        if same is None:
            return ""
        ours, theirs = same[1] or same[4], same[2] or same[3]
        if ours != theirs:
            self._add(path, f"this can never match: the id of a {ours} is never that of a {theirs}")
        return ours if not re.search(r"\|\||[!?]", wait.match) else ""

    def _delay(
        self, step: Step, path: Path, environment: Environment, at: str, name: str, scope: Scope
    ) -> tuple[Move, dict[str, Any]]:
        moment = self._text(environment, step.delay or "", (*path, "delay"))
        if isinstance(moment, str):
            try:
                words.duration(moment)
            except ValueError as error:
                self._add((*path, "delay"), str(error))
        return Move(at, "delay", environment, moment=moment), {}

    def _until(
        self, step: Step, path: Path, environment: Environment, at: str, name: str, scope: Scope
    ) -> tuple[Move, dict[str, Any]]:
        moment = self._expression(environment, step.until or "", (*path, "until"))
        if moment is not None and moment.kind not in ("TIMESTAMP", "STRING", "DYN"):
            self._add((*path, "until"), f"has to be a moment, this is {moment.kind}")
        return Move(at, "until", environment, moment=moment), {}

    def _parallel(
        self, step: Step, path: Path, environment: Environment, at: str, name: str, scope: Scope
    ) -> tuple[Move, dict[str, Any]]:
        sides, shapes = [], {name: step_shape(None)}
        inner = replace(scope, prefix=f"{at}.", parent=at)
        for number, one in enumerate(step.parallel or []):
            here: Path = (*path, "parallel", number)
            if isinstance(one, Branch):
                first, known = self._block(one.steps, (*here, "steps"), inner)
            else:
                first, known = self._single(one, here, inner)
            sides += [first] if first else []
            shapes |= {key: shape for key, shape in known.items() if key not in scope.steps}
        return Move(at, "parallel", environment, sides=tuple(sides)), shapes

    def _single(self, step: Step, path: Path, scope: Scope) -> tuple[str, dict[str, Any]]:
        """Compile a branch of one step."""
        move, shapes = self._step(step, path, self._name(step, path), scope)
        if move is not None:
            self.moves[move.path] = move
        return (move.path if move else ""), shapes

    def _choose(
        self, step: Step, path: Path, environment: Environment, at: str, name: str, scope: Scope
    ) -> tuple[Move, dict[str, Any]]:
        ways, shapes = [], {name: step_shape(None)}
        inner = replace(scope, prefix=f"{at}.", parent=at)
        always = False
        for number, case in enumerate(step.choose or []):
            here: Path = (*path, "choose", number)
            if always:
                self._add(here, "this case can never be taken: the one before it always is")
            condition = self._condition(environment, case.if_, (*here, "if"))
            always = always or case.else_ is not None or (case.if_ or "").strip() == "true"
            first, known = self._block(case.steps, (*here, "steps"), inner)
            ways.append(Way(condition, first))
            shapes |= {key: shape for key, shape in known.items() if key not in scope.steps}
        return Move(at, "choose", environment, ways=tuple(ways)), shapes

    def _foreach(
        self, step: Step, path: Path, environment: Environment, at: str, name: str, scope: Scope
    ) -> tuple[Move, dict[str, Any]] | None:
        given = step.foreach
        if given is None:
            return None
        here = (*path, "foreach", "in")
        items, item = self._items(environment, given.in_, here, scope)
        if item is None:
            return None
        inner = replace(
            scope, prefix=f"{at}[].", parent=at, items={**scope.items, given.as_: item}
        )  # fmt: skip
        first, known = self._block(step.steps or [], (*path, "steps"), inner)
        shapes = {key: loop_shape(shape) for key, shape in known.items() if key not in scope.steps}
        move = Move(at, "foreach", environment, loop=Loop(given, items, first))
        return move, {**shapes, name: step_shape(None)}

    def _items(
        self, environment: Environment, text: str, path: Path, scope: Scope
    ) -> tuple[Expression | None, Any]:
        """Return how the list of a loop is found, and what one item of it looks like.

        A plain field is read as it is, so that its items may be objects; else CEL makes the list.
        """
        if _FIELD.fullmatch(text.strip()):
            names = {"event": self.event, "steps": scope.steps, **scope.items}
            found = item_shape(walk(names, text.strip().split(".")))
            if found is not None:
                return None, found
        made = self._expression(environment, text, path)
        if made is None:
            return None, None
        found = item_shape(made.kind)
        if found is None:
            self._add(path, f"has to be a list, this is {made.kind}")
        return made, found


def rules(step: Step) -> dict[str, Any]:
    """Return what holds for every kind of step."""
    spans = {name: getattr(step, name) for name in ("timeout", "heartbeat", "expires_in")}
    return {
        "retry": step.retry,
        "continue_on_error": step.continue_on_error,
        **{name: span.total_seconds() if span else None for name, span in spans.items()},
    }


__all__ = ["Blocks"]
