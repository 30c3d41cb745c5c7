"""The words of a workflow file, as frozen models: what may stand where."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, field_validator, model_validator

from hub.workflow.words import (
    Clock,
    Condition,
    Duration,
    Name,
    StepId,
    Text,
    Word,
    one_of,
    zone,
)

ErrorKind = Literal["retry", "unknown", "lost", "error"]
"""Which failures may be tried again: the other side asked for it, its answer was lost, the worker
died during the call, anything unforeseen."""

PLANNED = frozenset({"queue"})
"""Words that are refused by name: every action has the queue that suits it."""
TYPES = {
    "schedule": "schedule.due", "webhook": "webhook.received",
    "manual": "workflow.requested", "workflow": "workflow.called",
}  # fmt: skip
"""Kinds of trigger that have one type of event."""
NAMED = frozenset(TYPES.values())
"""Types of event that start only the workflow that they name."""


class Schedule(Word):
    """A time that comes again: five cron fields, read in a time zone."""

    cron: str
    tz: str = "UTC"
    if_missed: Literal["run_once", "run_all", "skip"] = "run_once"
    """What becomes of times that passed while the hub was down."""
    max_late: Duration = timedelta(hours=1)
    """A time that is missed by more than this starts nothing."""
    jitter: Duration = timedelta(0)
    """At most this much later, by a share that is the workflow's own."""

    @field_validator("cron")
    @classmethod
    def _cron(cls, value: str) -> str:
        from cronsim import CronSim, CronSimError

        try:
            CronSim(value, datetime(2026, 1, 1, tzinfo=UTC))
        except CronSimError as error:
            raise ValueError(f"is no cron expression of five fields: {error}") from None
        return value

    @field_validator("tz")
    @classmethod
    def _tz(cls, value: str) -> str:
        return zone(value)


class Webhook(Word):
    """A request of another system, at an address of the workflow's own; its JSON gives inputs."""

    inputs: dict[StepId, str] = Field(default_factory=dict, max_length=50)
    """Where in the JSON an input lies, such as `order.number`; else it is under its own name."""


def plain_webhook(value: object) -> object:
    """Return `true` as a webhook that says nothing more."""
    return {} if value is True else value


class Trigger(Word):
    """One reason to start, and a condition on it: exactly one of the five kinds."""

    event: str | None = None
    schedule: Schedule | None = None
    webhook: Annotated[Webhook, BeforeValidator(plain_webhook)] | None = None
    manual: Literal[True] | None = None
    workflow: Literal[True] | None = None
    """Other workflows may call it, as the action `workflow.<its name>`."""
    if_: Condition | None = Field(default=None, alias="if")

    @model_validator(mode="after")
    def _one(self) -> Trigger:
        one_of(self, TRIGGERS)
        return self

    @property
    def type(self) -> str:
        """The type of event that it starts on; every kind of trigger has one."""
        if self.event is not None:
            return self.event
        return next(TYPES[name] for name in TYPES if getattr(self, name) is not None)

    @property
    def told(self) -> str:
        """This reason to start in a few words."""
        if self.schedule is not None:
            return f"{self.schedule.cron} ({self.schedule.tz})"
        if self.webhook is not None:
            return "a request of another system"
        return self.event or ("another workflow" if self.workflow else "by hand")


TRIGGERS = ("event", *TYPES)


class RetryPolicy(Word):
    """How often and how patiently a step is tried again after its first try."""

    max: int = Field(default=3, ge=0, le=50)
    backoff: Literal["exponential", "fixed"] = "exponential"
    delay: Duration = timedelta(seconds=10)
    max_delay: Duration = timedelta(minutes=10)
    on: list[ErrorKind] = Field(default=["retry", "unknown", "lost", "error"])

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


class RateLimit(Word):
    """How many times a minute or second all steps with the same key may begin together."""

    key: Text
    per_second: float | None = Field(default=None, gt=0, le=1000)
    per_minute: float | None = Field(default=None, gt=0, le=60_000)

    @model_validator(mode="after")
    def _one(self) -> RateLimit:
        one_of(self, ("per_second", "per_minute"))
        return self

    @property
    def rate(self) -> float:
        """Starts per second."""
        return self.per_second or (self.per_minute or 0) / 60


class Wait(Word):
    """An event to wait for; in `match`, `event` is that event and `trigger` the run's own."""

    event: str
    match: Condition = "true"
    timeout: Duration = timedelta(hours=24)


class Foreach(Word):
    """A list to go through, one block of steps per item."""

    in_: Condition = Field(alias="in")
    as_: StepId = Field(default="item", alias="as")
    max_parallel: int = Field(default=1, ge=1, le=100)
    on_item_error: Literal["stop", "continue"] = "stop"


class Case(Word):
    """One way of a choice: the first whose condition holds is taken; `else: true` always holds."""

    if_: Condition | None = Field(default=None, alias="if")
    else_: Literal[True] | None = Field(default=None, alias="else")
    steps: list[Step] = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def _one(self) -> Case:
        one_of(self, ("if_", "else_"))
        return self


class Branch(Word):
    """Steps that follow each other, beside other branches."""

    steps: list[Step] = Field(min_length=1, max_length=200)


def side(value: object) -> str:
    """Return whether something under `parallel` is a branch of steps or a single step."""
    given = value if isinstance(value, dict) else {}
    return BRANCH if "steps" in given and "foreach" not in given else SINGLE


BRANCH, SINGLE = "branch of steps", "single step"
StepOrBranch = Annotated[
    Annotated["Step", Tag(SINGLE)] | Annotated[Branch, Tag(BRANCH)], Discriminator(side)
]


class Step(Word):
    """One step of a run: exactly one of an action, a wait, a delay, or a block of more steps."""

    id: StepId | None = None
    """The name under which later steps refer to it; an action or a wait needs one."""
    if_: Condition | None = Field(default=None, alias="if")
    use: str | None = None
    with_: dict[str, Any] = Field(default_factory=dict, alias="with")
    else_: Action | None = Field(default=None, alias="else")
    """What is done instead where the condition does not hold."""
    wait: Wait | None = None
    on_timeout: Literal["continue", "fail"] = "continue"
    delay: Text | None = None
    until: Condition | None = None
    """A moment to wait for."""
    parallel: list[StepOrBranch] | None = Field(default=None, min_length=1, max_length=50)
    foreach: Foreach | None = None
    steps: list[Step] | None = Field(default=None, min_length=1, max_length=200)
    """What is done for each item of `foreach`."""
    choose: list[Case] | None = Field(default=None, min_length=1, max_length=20)
    retry: RetryPolicy = RetryPolicy()
    timeout: Duration | None = None
    """How long one try may take."""
    heartbeat: Duration | None = None
    """How long one try may go without an answer of the other system, or another sign of life."""
    expires_in: Duration | None = None
    """How old the run's event may be when the step begins; an older one is skipped."""
    idempotency: Text | None = None
    """The key of its outward calls in place of `run:step:item`, shared by all runs."""
    rate_limit: RateLimit | None = None
    continue_on_error: bool = False
    undo: Action | None = None
    """What takes the step back when the run fails later."""

    @model_validator(mode="after")
    def _one(self) -> Step:
        one_of(self, KINDS)
        if (self.foreach is None) != (self.steps is None):
            raise ValueError("'foreach' and 'steps' belong together")
        if self.id is None and (self.use or self.wait):
            raise ValueError("needs an 'id', so that other steps and people can name it")
        return self

    @property
    def kind(self) -> str:
        """Which of the kinds it is."""
        return next(name for name in KINDS if getattr(self, name) is not None)


KINDS = ("use", "wait", "delay", "until", "parallel", "foreach", "choose")


class Input(Word):
    """One value that a workflow can be given."""

    type: Literal["text", "int", "number", "bool"] = "text"
    default: str | int | float | bool | None = None
    merchants: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """Values of single merchants, by their slug or id."""
    description: str = ""


class Concurrency(Word):
    """What becomes of a run that would begin while others with the same key go on."""

    key: Text
    mode: Literal["single", "restart", "queued", "parallel"] = "single"
    max: int = Field(default=10, ge=1, le=1000)
    """Runs that may stand in the queue, or with `parallel` go on side by side."""


class Dedup(Word):
    """Start once per key within a span of time."""

    key: Text
    for_: Duration = Field(default=timedelta(days=30), alias="for")


class Throttle(Word):
    """Start at most so often per key within a span of time; what is more is skipped."""

    key: Text
    max: int = Field(ge=1, le=1000)
    per: Duration


class Coalesce(Word):
    """Gather what comes within a span of time under one key into one run."""

    key: Text
    within: Duration
    max_items: int = Field(default=500, ge=1, le=10_000)


class QuietHours(Word):
    """Hours in which nothing starts, unless the event's own window or ETA lies in them."""

    from_: Clock = Field(alias="from")
    to: Clock
    tz: str
    then: Literal["skip", "delay"] = "skip"


class Workflow(Word):
    """A whole file."""

    workflow: Name
    version: int = Field(default=1, ge=1)
    description: str = ""
    mode: Literal["live", "shadow"] = "live"
    canary: list[str] = Field(default_factory=list, max_length=100)
    """Merchants, by slug or id, to try this text on; for others the one before stays in force."""
    on: list[Trigger] = Field(min_length=1, max_length=50)
    inputs: dict[StepId, Input] = Field(default_factory=dict, max_length=50)
    concurrency: Concurrency | None = None
    dedup: Dedup | None = None
    once: Text | None = None
    throttle: Throttle | None = None
    coalesce: Coalesce | None = None
    quiet_hours: QuietHours | None = None
    timeout: Duration | None = None
    steps: list[Step] = Field(min_length=1, max_length=200)
    on_error: list[Action] = Field(default_factory=list, max_length=20)
    tests: list[Example] = Field(default_factory=list, max_length=200)


class Example(Word):
    """One test of the workflow: what happens, what its actions answer, what is expected."""

    name: str
    given: dict[str, Any]
    """`event`: the type; beside it the facts by noun, `inputs`, and `at`: when it happens."""
    mock: dict[str, Any] = Field(default_factory=dict)
    """By step: its output, or `{error: {kind, message}}`, or `{event: {...}}` for a wait."""
    expect: dict[str, Any] = Field(default_factory=dict)
    """`started`, `steps`, `skipped`, `with`, `state`, `error`: what is left out is not compared."""


Case.model_rebuild()
Branch.model_rebuild()
Step.model_rebuild()
Workflow.model_rebuild()
