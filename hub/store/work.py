"""Tables of the engine room: events, inbox, leased work, connections, workflow runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from hub.store.columns import big, instant, json, key, maybe_instant


class EventRow(SQLModel, table=True):
    """Something that happened; `seq` is NULL until the dispatcher numbers the committed row."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_subject", "subject"),
        UniqueConstraint("merchant", "merchant_seq"),
    )
    id: str = key("evt")
    seq: int | None = big(unique=True)
    merchant: str | None = Field(default=None, foreign_key="merchant.id")
    merchant_seq: int | None = big()
    type: str = Field(index=True)
    subject: str
    occurred_at: datetime = instant()
    recorded_at: datetime = instant()
    caused_by: str | None = None
    """The event whose workflow caused this one."""
    depth: int = 0
    """How many workflows lie between this event and the outside world."""
    data: dict[str, Any] = json()


class PersonRow(SQLModel, table=True):
    """The personal values of an event, beside it so that they can be erased without it."""

    __tablename__ = "person"
    event: str = Field(primary_key=True, foreign_key="event.id")
    data: dict[str, Any] = json()


class CursorRow(SQLModel, table=True):
    """How far a reader of numbered events has come; moved only from the value it was read at."""

    __tablename__ = "cursor"
    name: str = Field(primary_key=True)
    seq: int = 0


class InboxRow(SQLModel, table=True):
    """Whatever arrives, kept before it is answered; the same `key` from a source comes once."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("source", "key"),
        Index("ix_inbox_waiting", "source", "status", "id"),
    )
    id: str = key("inb")
    source: str
    """Who sent it: an API key's id, a driver's id, a connection's id."""
    key: str
    kind: str
    """What it is: order, report, import, plan, delivery ..."""
    body: bytes = Field(sa_column=Column(LargeBinary(), nullable=False))
    digest: str = ""
    answer: dict[str, Any] = json()
    """What was answered, so that a repeated request gets the same answer."""
    status: int = 0
    received_at: datetime = instant(index=True)


class WorkRow(SQLModel, table=True):
    """One piece of work that is due; claimed by lease, fenced by `lease_token`."""

    __tablename__ = "work"
    __table_args__ = (
        UniqueConstraint("kind", "subject"),
        Index("ix_work_due", "queue", "state", "not_before"),
    )
    id: str = key("wrk")
    kind: str
    """Which handler does it."""
    subject: str
    """The id of the row it is about."""
    queue: str = "fast"
    """fast (inside the hub) | outward (connectors) | heavy (planning)"""
    state: str = "ready"
    """ready | leased | parked (its connection is off) | done | dead"""
    not_before: datetime = instant()
    lease_until: datetime | None = maybe_instant()
    lease_token: str = ""
    worker: str = ""
    tries: int = 0
    losses: int = 0
    """How often in a row its worker died or its handler failed without saying what next."""
    again: bool = False
    """Whether it was asked for anew while leased, so that its end makes it due once more."""
    error: str = ""
    created_at: datetime = instant()


class LeaderRow(SQLModel, table=True):
    """Who leads (the dispatcher, a shard's owner), until when, and its fencing token."""

    __tablename__ = "leader"
    name: str = Field(primary_key=True)
    holder: str = ""
    token: int = 0
    lease_until: datetime = instant()


class PluginRow(SQLModel, table=True):
    """Whether an installed plugin is switched on."""

    __tablename__ = "plugin"
    name: str = Field(primary_key=True)
    enabled: bool = True


class ConnectionRow(SQLModel, table=True):
    """One configured connector; without a merchant it is the operator's own."""

    __tablename__ = "connection"
    id: str = key("con")
    merchant: str | None = Field(default=None, foreign_key="merchant.id", index=True)
    connector: str
    """The connector class's `name`."""
    title: str
    config: dict[str, Any] = json()
    """Settings that are no secret."""
    secrets: str = ""
    """Fernet-encrypted JSON of the `SecretStr` fields."""
    enabled: bool = True
    state: str = "healthy"
    """not_set_up (its wizard is not finished) | healthy | degraded (calls fail) | action_needed (an
    owner has to reconnect) | removed (for good: only its name is left, for the history)"""
    reason: str = ""
    cursor: str = ""
    source: str = ""
    """By what its orders are told from those of the merchant's other shops of its kind; empty for
    the first."""
    created_at: datetime = instant()
    checked_at: datetime | None = maybe_instant()
    check_at: datetime | None = maybe_instant()
    """When it is checked next, wall time."""
    failures: int = 0
    """Calls and checks that failed in a row."""
    rests_until: datetime | None = maybe_instant()
    """Nothing is sent before that wall time."""
    pull_at: datetime | None = maybe_instant()
    """When orders are read from it next, wall time."""
    pulled_at: datetime | None = maybe_instant()
    """When its orders were last read to the end."""
    troubled_at: datetime | None = maybe_instant()
    """Since when it does not work, wall time; none while it does."""
    paused_by: str = ""
    """The name of who switched it off."""
    paused_at: datetime | None = maybe_instant()
    mapping: dict[str, Any] = json()
    """What its orders get (see hub.orders.mapping); nothing for other kinds."""
    previous: str = ""
    """The settings before the last change, encrypted, for as long as that can be undone."""
    previous_at: datetime | None = maybe_instant()
    """When that change was made, wall time."""
    removed_at: datetime | None = maybe_instant()
    """When it was removed, wall time; nobody sees it from then on."""
    removed_by: str = ""
    account: str = ""
    """Whose account a consent connected, for people."""
    scopes: list[str] = json(list)
    """What was granted."""
    granted: list[str] = json(list)
    """The settings that came with consents and renewals."""
    grants: int = 0
    """How often that changed; a renewal that began before the last change is thrown away."""
    renewed_at: datetime | None = maybe_instant()
    """When the tokens were last stored, wall time; never where there was no consent."""
    expires_at: datetime | None = maybe_instant()
    """When the access ends, wall time."""
    renew_at: datetime | None = maybe_instant()
    """When it is renewed next, wall time."""
    renewing_at: datetime | None = maybe_instant()
    """Since when a renewal waits whose answer was never stored."""
    doubted_at: datetime | None = maybe_instant()
    """When a call was refused with tokens that had not ended; a renewal follows, one only."""
    locate_at: datetime | None = maybe_instant()
    """When positions are read from it next, wall time."""
    located_at: datetime | None = maybe_instant()
    """When its positions were last read to the end."""
    position_cursor: str = ""
    """How far its positions have been read; `cursor` is that of its orders."""
    report_at: datetime | None = maybe_instant()
    """When reports about messages are read from it next, wall time."""
    reported_at: datetime | None = maybe_instant()
    """When its reports were last read to the end."""
    report_cursor: str = ""
    """How far its reports have been read."""
    hooked_at: datetime | None = maybe_instant()
    """When its webhooks were last found in order, wall time; never where it sets up none."""
    hook_at: datetime | None = maybe_instant()
    """When its webhooks are looked at next, wall time."""
    hook_state: str = ""
    """on | failed | local (nobody outside reaches this hub) | off (somebody ended them); empty
    before they were ever looked at."""
    hook_note: str = ""
    """What its webhooks are, or why they could not be set up, in words for people."""
    hook_secret: str = ""
    """The address that was given to the other system, and the secret beside it, encrypted."""

    @property
    def order_source(self) -> str:
        """The source under which its orders are known: two shops may have the same numbers."""
        return self.source or self.connector


class WorkflowRow(SQLModel, table=True):
    """A workflow by its name, and which revision is in force."""

    __tablename__ = "workflow"
    name: str = Field(primary_key=True)
    enabled: bool = True
    revision: str = ""
    others: str | None = None
    """While `revision` is a canary: the one for all other merchants, empty for none."""
    put_by: str = ""
    """Who put `revision` in force."""
    put_at: datetime | None = maybe_instant()


class RevisionRow(SQLModel, table=True):
    """One text of a workflow, never changed."""

    __tablename__ = "revision"
    __table_args__ = (UniqueConstraint("workflow", "sha256"),)
    id: str = key("rev")
    workflow: str = Field(foreign_key="workflow.name")
    number: int
    text: str
    sha256: str
    author: str = ""
    saved_at: datetime = instant()


class RunRow(SQLModel, table=True):
    """One run of a workflow for one event."""

    __tablename__ = "run"
    __table_args__ = (
        UniqueConstraint("workflow", "event"),
        Index("ix_run_state", "state", "started_at"),
    )
    id: str = key("run")
    workflow: str = Field(foreign_key="workflow.name")
    revision: str = Field(foreign_key="revision.id")
    event: str = Field(foreign_key="event.id", index=True)
    merchant: str | None = Field(default=None, foreign_key="merchant.id")
    state: str = "running"
    """queued | running | succeeded | failed (a dead letter) | cancelled | skipped"""
    mode: str = "live"
    """live | shadow (decided and recorded, nothing is done)"""
    reason: str = ""
    """Why it waits, was skipped or was cancelled."""
    key: str = Field(default="", index=True)
    """Digest of its concurrency key; runs of one workflow that share it stand in one line."""
    inputs: dict[str, Any] = json()
    parent: str | None = Field(default=None, index=True)
    """The step that called this run as a sub-workflow."""
    starts_at: datetime | None = maybe_instant(index=True)
    """Business time before which a queued run does not start."""
    deadline: datetime | None = maybe_instant(index=True)
    """Business time at which a run that still goes on fails."""
    error: dict[str, Any] = json()
    started_at: datetime = instant()
    ended_at: datetime | None = maybe_instant()


class StepRow(SQLModel, table=True):
    """One step of a run."""

    __tablename__ = "step"
    __table_args__ = (UniqueConstraint("run", "path"),)
    id: str = key("ste")
    run: str = Field(foreign_key="run.id", index=True)
    path: str
    number: int
    state: str = "pending"
    """pending | running | waiting | done | skipped | failed | cancelled"""
    wake_at: datetime | None = maybe_instant(index=True)
    """Business time at which a waiting step goes on by itself."""
    wait_event: str = Field(default="", index=True)
    """Type of the event that a waiting step waits for."""
    wait_key: str = ""
    """`<noun>.id=<id>` that this event has to name, or empty for any."""
    input: dict[str, Any] = json()
    override: dict[str, Any] = json()
    """Values under `with` that a person put in place of the workflow's."""
    output: dict[str, Any] = json()
    error: dict[str, Any] = json()
    started_at: datetime | None = maybe_instant()
    ended_at: datetime | None = maybe_instant()


class GateRow(SQLModel, table=True):
    """That a run went through one of its workflow's gates, so that others may not."""

    __tablename__ = "gate"
    __table_args__ = (Index("ix_gate_digest", "workflow", "kind", "digest", "at"),)
    id: str = key("gat")
    workflow: str = Field(foreign_key="workflow.name")
    kind: str
    """once | dedup | throttle"""
    digest: str
    """Of the gate's key, so that nothing personal is kept."""
    run: str = Field(foreign_key="run.id")
    at: datetime = instant()
    until: datetime | None = maybe_instant(index=True)
    """When it stops to count; never for `once`."""


class ScheduleRow(SQLModel, table=True):
    """When a schedule of a workflow is due next, in business time."""

    __tablename__ = "schedule"
    workflow: str = Field(primary_key=True, foreign_key="workflow.name")
    number: int = Field(primary_key=True)
    """Its place under `on:`."""
    text: str
    """What it was computed from; when that changes it is computed anew."""
    next_at: datetime | None = maybe_instant(index=True)
    last_at: datetime | None = maybe_instant()


class EffectRow(SQLModel, table=True):
    """One outward call of a step, under a key that stays the same however often it is tried."""

    __tablename__ = "effect"
    id: str = key("eff")
    key: str = Field(unique=True)
    """`run:step:item`, sent as the provider's idempotency key."""
    run: str = Field(foreign_key="run.id", index=True)
    step: str = Field(foreign_key="step.id", index=True)
    item: str
    """What the step fans out over: a connection's id, or `-`."""
    connection: str | None = Field(default=None, foreign_key="connection.id", index=True)
    state: str = "pending"
    """pending | calling | done | parked | unknown | failed"""
    output: dict[str, Any] = json()
    error: dict[str, Any] = json()
    tries: int = 0


class StepAttemptRow(SQLModel, table=True):
    """One try at an effect: when, by whom and how it ended."""

    __tablename__ = "step_attempt"
    __table_args__ = (UniqueConstraint("effect", "number"),)
    id: str = key("sta")
    effect: str = Field(foreign_key="effect.id", index=True)
    number: int
    outcome: str
    """ok | retry | unauthorized | rejected | unknown | lost | error"""
    message: str = ""
    worker: str = ""
    started_at: datetime = instant()
    ended_at: datetime = instant()
