"""A checked workflow, compiled for each type of event that starts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.actions import Action
from hub.workflow.expressions import Environment, Expression
from hub.workflow.language import RetryPolicy, Workflow
from hub.workflow.templates import Value, resolve

Data = dict[str, Any]
"""What expressions are evaluated on, as `Environment.data` makes it."""


@dataclass(frozen=True)
class Move:
    """One step or on_error step, ready to run: its condition and what it hands its action."""

    path: str
    """`<step id>` or `on_error[n]`: the name of its row."""
    action: Action
    environment: Environment
    condition: Expression | None
    arguments: dict[str, Value]
    retry: RetryPolicy
    continue_on_error: bool

    def data(self, facts: Mapping[str, Mapping[str, Any]]) -> Data:
        """Return `event`, `steps` and `error` as this step's expressions see them."""
        return self.environment.data(**facts)

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

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Say whether an event starts a run; raise `Failed` where its condition cannot tell."""
        return self.condition is None or self.condition.holds(self.environment.data(event=facts))


@dataclass(frozen=True)
class Course:
    """What a workflow does for one type of event."""

    starts: tuple[Start, ...]
    steps: tuple[Move, ...]
    on_error: tuple[Move, ...]

    def move(self, path: str) -> Move:
        """Return the step of that path."""
        return next(move for move in (*self.steps, *self.on_error) if move.path == path)


@dataclass(frozen=True)
class Program:
    """A whole workflow by type of event; the same text always gives the same program."""

    workflow: Workflow
    courses: dict[str, Course] = field(default_factory=dict)
    needs_link: bool = False
    """Whether anything in it reads `event.stop.tracking_url`, which costs a token."""
