"""How a connection does: what fails again and again is left alone for a while, then tried anew."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import col, select

from hub.store import ConnectionRow, EffectRow, Session, WorkRow

PATIENCE = 5
"""Calls that may fail in a row before the connection is left alone."""
FIRST_REST, LONGEST_REST = timedelta(seconds=30), timedelta(minutes=15)
LONGEST_ASKED = timedelta(hours=1)
"""However long the other side asks to be left alone, somebody should look after this."""
PROBING = timedelta(seconds=5)
"""How long others wait while a connection that has failed is tried by one."""
CHECKED_EVERY, CHECKED_SOON = timedelta(minutes=15), timedelta(minutes=1)


def works(row: ConnectionRow, wall: datetime) -> None:
    """Note that a call or a check went well; writes nothing where that is no news."""
    if row.doubted_at is not None:
        row.doubted_at = None
    if row.state == "degraded" or row.failures or row.rests_until is not None:
        row.failures, row.rests_until = 0, None
        row.check_at = wall + CHECKED_EVERY
        if row.state == "degraded":
            row.state, row.reason, row.troubled_at = "healthy", "", None


def fails(row: ConnectionRow, wall: datetime, reason: str, after: float | None = None) -> None:
    """Note that the other side did not take a call; `after` is what it asked for, in seconds.

    Who asks to be left alone answers, so that alone does not count as a failure.
    """
    if after is not None:
        asked = wall + min(timedelta(seconds=after), LONGEST_ASKED)
        row.rests_until = max(row.rests_until or asked, asked)
        return
    row.failures += 1
    if row.failures >= PATIENCE:
        doubled = FIRST_REST * 2.0 ** min(row.failures - PATIENCE, 10)
        row.rests_until = wall + min(doubled, LONGEST_REST)
        degrade(row, wall, reason)


def hangs(row: ConnectionRow, wall: datetime, reason: str) -> None:
    """Note that a call did not come back until its worker was ended: a rest at once.

    Each such call keeps a worker from the other connections, so one is enough.
    """
    row.failures = max(row.failures, PATIENCE - 1)
    fails(row, wall, reason)


def degrade(row: ConnectionRow, wall: datetime, reason: str) -> None:
    """Say that a connection does not work at the moment, and look at it again soon."""
    if row.state != "action_needed":
        row.state, row.reason = "degraded", reason[:500]
        row.troubled_at = row.troubled_at or wall
    row.check_at = wall + CHECKED_SOON


def rests(row: ConnectionRow, wall: datetime) -> datetime | None:
    """Return until when a connection is left alone, None for one that may be called."""
    return row.rests_until if row.rests_until is not None and row.rests_until > wall else None


def is_in_use(row: ConnectionRow) -> bool:
    """Say whether a connection was set up and is still there; it may be switched off.

    One that is not set up yet is not checked: its set-up has tests of its own.
    """
    return row.state != "not_set_up" and row.removed_at is None


def probed(session: Session, row: ConnectionRow, effect: str) -> datetime | None:
    """Return until when to wait because another call tries out whether a connection works again.

    So one that hangs keeps one worker at most from the others.
    """
    if not row.failures:
        return None
    busy = (
        select(EffectRow.id)
        .join(WorkRow, col(WorkRow.subject) == EffectRow.id)
        .where(EffectRow.connection == row.id, EffectRow.state == "calling")
        .where(EffectRow.id != effect, WorkRow.kind == "effect", WorkRow.state == "leased")
        .where(col(WorkRow.lease_until) > session.wall)
    )
    found = session.exec(busy.limit(1)).first()
    return session.wall + PROBING if found is not None else None
