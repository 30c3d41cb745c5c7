"""The words of a workflow file, as frozen models: what may stand where."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

ErrorKind = Literal["retry", "unknown", "lost", "error"]
"""Which failures may be tried again: the other side asked for it, its answer was lost, the worker
died during the call, anything unforeseen."""

PLANNED = frozenset(
    {
        "coalesce", "choose", "concurrency", "dedup", "delay", "else", "expires_in", "foreach",
        "heartbeat", "idempotency", "manual", "on_timeout", "once", "parallel", "queue",
        "quiet_hours", "rate_limit", "schedule", "tests", "throttle", "timeout", "undo", "until",
        "wait", "webhook",
    }
)  # fmt: skip
"""Words that the language will have; until then they are refused by name."""

_DURATION = re.compile(r"([0-9]{1,6})(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def duration(value: object) -> timedelta:
    """Return `30s`, `10m`, `8h` or `30d` as a span of time."""
    if isinstance(value, timedelta):
        return value
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("has to be a duration such as 30s, 10m, 8h or 30d")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


def condition(value: object) -> object:
    """Return `true` and `false`, which YAML reads as values, as the expressions they are."""
    return str(value).lower() if isinstance(value, bool) else value


Condition = Annotated[str, BeforeValidator(condition)]
Duration = Annotated[timedelta, BeforeValidator(duration)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
StepId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class Word(BaseModel):
    """A mapping of the language; a key that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Trigger(Word):
    """One reason to start: a type of event, and a condition on it."""

    event: str
    if_: Condition | None = Field(default=None, alias="if")


class RetryPolicy(Word):
    """How often and how patiently a step is tried again after its first try."""

    max: int = Field(default=3, ge=0, le=50)
    backoff: Literal["exponential", "fixed"] = "exponential"
    delay: Duration = timedelta(seconds=10)
    max_delay: Duration = timedelta(minutes=10)
    on: list[ErrorKind] = ["retry", "unknown", "lost", "error"]

    def allows(self, kind: str, tried: int) -> bool:
        """Say whether a failure of `kind` at the try numbered `tried` (1 = first) is retried."""
        return tried <= self.max and kind in self.on

    def wait(self, tried: int, dice: float) -> float:
        """Return the seconds to wait after the try numbered `tried`; `dice` lies in 0..1.

        Exponential doubles; up to a quarter is added so that many do not come back at once.
        """
        delay = self.delay.total_seconds()
        if self.backoff == "exponential":
            delay *= 2.0 ** min(tried - 1, 40)
        return min(delay, self.max_delay.total_seconds()) * (1 + 0.25 * dice)


class Action(Word):
    """One thing to do, by the name of its action."""

    use: str
    with_: dict[str, Any] = Field(default_factory=dict, alias="with")


class Step(Action):
    """One action of a run, under an id that later steps can refer to."""

    id: StepId
    if_: Condition | None = Field(default=None, alias="if")
    retry: RetryPolicy = RetryPolicy()
    continue_on_error: bool = False


class Workflow(Word):
    """A whole file."""

    workflow: Name
    version: int = Field(default=1, ge=1)
    description: str = ""
    on: list[Trigger] = Field(min_length=1, max_length=50)
    steps: list[Step] = Field(min_length=1, max_length=200)
    on_error: list[Action] = Field(default_factory=list, max_length=20)
