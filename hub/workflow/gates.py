"""What holds a run back: quiet hours, once, dedup, throttle, coalesce, concurrency.

Keys are worked out before any transaction; whether they let a run through is decided in the one
that moves the evaluator's cursor, so two decisions never pass a gate side by side.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import func
from sqlmodel import col, select

from hub.store import GateRow, RunRow, Session
from hub.workflow.language import QuietHours, Workflow
from hub.workflow.program import Gates
from hub.workflow.runs import cancel
from hub.workflow.templates import Template, written

if TYPE_CHECKING:
    from hub.hub import Hub

WINDOWS = (("stop", "window_start", "window_end"), ("stop", "eta_at", "eta_at"))
"""Where an event says for when it matters; a message about quiet hours is not silenced by them."""


def digests(hub: Hub, name: str, gates: Gates, facts: Mapping[str, Any]) -> dict[str, str]:
    """Return the digest of every gate's key; raise `Failed` where one cannot be worked out.

    Keyed, because a phone number could be guessed from a bare one.
    """
    if gates.environment is None or not gates.keys:
        return {}
    data = gates.environment.data(**facts)
    secret = hub.keys.pseudonym.encode()
    made = {}
    for word, key in gates.keys.items():
        text = written(key.value(data)) if isinstance(key, Template) else key
        made[word] = hmac.new(secret, f"{name}:{text}".encode(), hashlib.sha256).hexdigest()[:32]
    return made


def quiet_until(hours: QuietHours, now: datetime, facts: Mapping[str, Any]) -> datetime | None:
    """Return when the quiet hours end that lie around `now`, None outside of them.

    An event whose own window or ETA touches these same quiet hours is never held back: who is
    promised 04:30 wants to hear at 04:20.
    """
    zone = ZoneInfo(hours.tz)
    local = now.astimezone(zone)
    for day in (local.date() - timedelta(days=1), local.date()):
        last = day if hours.from_ < hours.to else day + timedelta(days=1)
        begin = datetime.combine(day, hours.from_, zone).astimezone(UTC)
        end = datetime.combine(last, hours.to, zone).astimezone(UTC)
        if begin <= now < end:
            return None if matters_within(facts, begin, end) else end
    return None


def matters_within(facts: Mapping[str, Any], begin: datetime, end: datetime) -> bool:
    """Say whether the event is about a time within [begin, end)."""
    for noun, first, last in WINDOWS:
        told = facts.get(noun) or {}
        if told.get(first) and told.get(last):
            start, stop = (datetime.fromisoformat(told[name]) for name in (first, last))
            if start < end and stop >= begin:
                return True
    return False


def admit(session: Session, run: RunRow, workflow: Workflow, keys: Mapping[str, str]) -> None:
    """Let a new run through, or set its state to `skipped` or `queued` and say why."""
    for gate in (repeated, throttled, gathered):
        gate(session, run, workflow, keys)
        if run.state == "skipped":
            return
    if run.state == "running":
        in_line(session, run, workflow)
    if run.state != "skipped":
        remember(session, run, workflow, keys)


def skip(session: Session, run: RunRow, reason: str) -> None:
    """End a run that does not begin."""
    run.state, run.reason = "skipped", reason
    run.ended_at, run.deadline, run.starts_at = session.now, None, None


def put_off(session: Session, run: RunRow, until: datetime, reason: str) -> None:
    """Let a run wait until a moment, or longer where it waits longer already."""
    run.state, run.reason = "queued", reason
    run.starts_at = max(until, run.starts_at or until)


def repeated(session: Session, run: RunRow, workflow: Workflow, keys: Mapping[str, str]) -> None:
    """Skip a run whose `once` or `dedup` key has passed before."""
    for word in ("once", "dedup"):
        if word in keys and passed(session, run, word, keys[word], session.now):
            skip(session, run, f"{word}: its key has been here before")


def passed(session: Session, run: RunRow, word: str, digest: str, now: datetime) -> bool:
    """Say whether a key went through a gate and still counts."""
    query = select(GateRow.id).where(
        GateRow.workflow == run.workflow, GateRow.kind == word, GateRow.digest == digest,
        (col(GateRow.until).is_(None)) | (col(GateRow.until) > now),
    )  # fmt: skip
    return session.exec(query.limit(1)).first() is not None


def throttled(session: Session, run: RunRow, workflow: Workflow, keys: Mapping[str, str]) -> None:
    """Skip a run that would be one too many for its key within the span of time."""
    limit = workflow.throttle
    if limit is None or "throttle" not in keys:
        return
    query = select(func.count()).where(
        GateRow.workflow == run.workflow, GateRow.kind == "throttle",
        GateRow.digest == keys["throttle"], col(GateRow.at) > session.now - limit.per,
    )  # fmt: skip
    if session.exec(query).one() >= limit.max:
        skip(session, run, f"throttle: {limit.max} were started already")


def gathered(session: Session, run: RunRow, workflow: Workflow, keys: Mapping[str, str]) -> None:
    """Let the first run of a key wait, and the ones after it be done by that one."""
    rule = workflow.coalesce
    if rule is None or "coalesce" not in keys:
        return
    first = session.exec(
        select(RunRow).join(GateRow, col(GateRow.run) == RunRow.id).where(
            GateRow.workflow == run.workflow, GateRow.kind == "coalesce",
            GateRow.digest == keys["coalesce"], RunRow.state == "queued",
            col(RunRow.starts_at) > session.now,
        ).limit(1)
    ).first()  # fmt: skip
    if first is None:
        put_off(session, run, session.now + rule.within, "gathers what else comes")
        mark(session, run, "coalesce", keys["coalesce"], run.starts_at)
        return
    skip(session, run, f"gathered into {first.id}")
    session.flush()
    already = select(func.count()).where(RunRow.reason == run.reason)
    if session.exec(already).one() + 1 >= rule.max_items:
        first.starts_at = session.now


def in_line(session: Session, run: RunRow, workflow: Workflow) -> None:
    """Skip, queue or let through a run whose key others have; with `restart` end those others.

    Asked when a run is decided, and again when one that was put off would begin.
    """
    rule = workflow.concurrency
    if rule is None:
        return
    query = select(RunRow).where(
        RunRow.workflow == run.workflow, RunRow.key == run.key, RunRow.id < run.id,
        col(RunRow.state).in_(("running", "queued")),
    )  # fmt: skip
    others = list(session.exec(query))
    if not others:
        return
    if rule.mode == "single":
        skip(session, run, "another run with its key goes on")
    elif rule.mode == "restart":
        for other in others:
            cancel(session, other, f"restarted by {run.id}")
    elif rule.mode == "queued" and len(others) > rule.max:
        skip(session, run, f"{rule.max} runs wait in its queue")
    elif rule.mode == "queued" or len(others) >= rule.max:
        run.state, run.reason, run.starts_at = "queued", "waits for its turn", None


def remember(session: Session, run: RunRow, workflow: Workflow, keys: Mapping[str, str]) -> None:
    """Keep the keys of a run that went through, for those that come after it."""
    now = session.now
    if "once" in keys:
        mark(session, run, "once", keys["once"], None)
    if "dedup" in keys and workflow.dedup is not None:
        mark(session, run, "dedup", keys["dedup"], now + workflow.dedup.for_)
    if "throttle" in keys and workflow.throttle is not None:
        mark(session, run, "throttle", keys["throttle"], now + workflow.throttle.per)


def mark(session: Session, run: RunRow, kind: str, digest: str, until: datetime | None) -> None:
    """Add what a gate remembers."""
    session.add(
        GateRow(
            workflow=run.workflow, kind=kind, digest=digest, run=run.id, at=session.now,
            until=until,
        )
    )  # fmt: skip


def stuck(session: Session) -> list[str]:
    """Return the first run of every line in which nobody goes on any more."""
    going = select(RunRow.key).where(RunRow.state == "running", RunRow.key != "")
    first = select(func.min(RunRow.id)).where(
        RunRow.state == "queued", col(RunRow.starts_at).is_(None), col(RunRow.key).not_in(going)
    )
    return list(session.exec(first.group_by(col(RunRow.workflow), col(RunRow.key))))
