"""A checked workflow, compiled for each type of event that starts it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hub.actions import Action
from hub.workflow.expressions import Environment, Expression
from hub.workflow.functions import Context
from hub.workflow.language import Foreach, RetryPolicy, Wait, Workflow
from hub.workflow.templates import Template, Value, resolve

Data = dict[str, Any]
"""What expressions are evaluated on, as `Environment.data` makes it."""
Kind = Literal["use", "call", "wait", "delay", "until", "parallel", "foreach", "choose"]
UNDO = "undo:"
"""What the row of an undo step is named by, before the path of the step that it takes back."""
_INDEX = re.compile(r"\[\d+\]")
_LAST = re.compile(r"\[\d+\]$")


@dataclass(frozen=True)
class Waiting:
    """What a step waits for, ready to be asked of every event of that type."""

    wait: Wait
    environment: Environment
    match: Expression
    noun: str
    """Where `match` asks for the same id of this noun, only such events are looked at."""
    or_fail: bool
    """Whether the step fails when the time is over."""


@dataclass(frozen=True)
class Way:
    """One case of a choice: the first step of its block."""

    condition: Expression | None
    first: str


@dataclass(frozen=True)
class Loop:
    """What a block is repeated for."""

    foreach: Foreach
    items: Expression | None
    """None where `in:` names a field, which is then read as it is."""
    first: str


@dataclass(frozen=True)
class Move:
    """One step, undo step or on_error step, ready to run: its condition and what it does."""

    path: str
    """Static name: `<id>`, `<block>.<id>`, `<loop>[].<id>` or `on_error[n]`."""
    kind: Kind
    environment: Environment
    action: Action | None = None
    condition: Expression | None = None
    arguments: dict[str, Value] = field(default_factory=dict)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    continue_on_error: bool = False
    parent: str = ""
    following: str = ""
    """The step after it in its block; empty for the last."""
    otherwise: Move | None = None
    undo: Move | None = None
    calls: str = ""
    """The workflow that a `call` starts."""
    waiting: Waiting | None = None
    moment: Template | Expression | str | None = None
    """How long a delay is, or until when it lasts."""
    sides: tuple[str, ...] = ()
    """The first step of each branch of a `parallel`."""
    ways: tuple[Way, ...] = ()
    loop: Loop | None = None
    timeout: float | None = None
    """Seconds that one try may take."""
    heartbeat: float | None = None
    """Seconds that one try may go without a sign of life."""
    expires_in: float | None = None
    """Seconds after the run's event from which on the step is no longer begun."""
    effect_key: Template | str | None = None
    rate_key: Template | str | None = None
    rate: float = 0.0

    def data(self, facts: Mapping[str, Mapping[str, Any]], context: Context | None = None) -> Data:
        """Return `event`, `steps` and so on as this step's expressions see them."""
        return self.environment.data(context, **facts)

    def input(self, data: Data) -> dict[str, Any]:
        """Return the values under `with:`, filled in."""
        filled = resolve(dict(self.arguments), data)
        return filled if isinstance(filled, dict) else {}


@dataclass(frozen=True)
class Start:
    """One trigger, ready to be asked."""

    path: str
    environment: Environment
    condition: Expression | None
    number: int = 0
    """Its place under `on:`."""

    def holds(self, facts: Mapping[str, Any], **more: Mapping[str, Any]) -> bool:
        """Say whether an event starts a run; raise `Failed` where its condition cannot tell."""
        if self.condition is None:
            return True
        return self.condition.holds(self.environment.data(event=facts, **more))


@dataclass(frozen=True)
class Gates:
    """The keys under which runs are held back, by the word that asks for them."""

    environment: Environment | None = None
    keys: dict[str, Template | str] = field(default_factory=dict)
    """concurrency | dedup | once | throttle | coalesce -> the text of its key."""


@dataclass(frozen=True)
class Course:
    """What a workflow does for one type of event."""

    starts: tuple[Start, ...]
    first: str
    moves: dict[str, Move]
    """Every step by its static path, in the order of the file."""
    on_error: tuple[Move, ...]
    gates: Gates = field(default_factory=Gates)

    def move(self, path: str) -> Move:
        """Return the step that the row of that path is about; raise `KeyError` for none."""
        if path.startswith(UNDO):
            undo = self.moves[static(path.removeprefix(UNDO))].undo
            if undo is None:
                raise KeyError(path)
            return undo
        for move in self.on_error:
            if move.path == path:
                return move
        return self.moves[static(path)]

    def number(self, path: str) -> int:
        """Return the place of a step in the file, from 0."""
        return list(self.moves).index(static(path))


@dataclass(frozen=True)
class Program:
    """A whole workflow by type of event; the same text always gives the same program."""

    workflow: Workflow
    courses: dict[str, Course] = field(default_factory=dict)
    needs_link: bool = False
    """Whether anything in it reads `event.stop.tracking_url`, which costs a token."""
    needs_connections: bool = False
    """Whether anything in it asks what is connected."""


def static(path: str) -> str:
    """Return the name of a step without the numbers of the items that it is run for."""
    return _INDEX.sub("[]", path)


def holder(path: str) -> str:
    """Return the row path of the block step that holds the row `path`; empty at the top.

    It is `each` for `each[3].ask`, and `each[3].choose1` for `each[3].choose1.ask`.
    """
    return _LAST.sub("", path.rpartition(".")[0])


def beside(path: str, following: str) -> str:
    """Return the row path of the step `following` (static) in the block of the row `path`."""
    block, dot, _ = path.rpartition(".")
    return f"{block}{dot}{following.rpartition('.')[2]}"
