"""Renew what consents gave before it ends: one worker at a time, and once if a call was refused.

The work table has one row for each connection, so its lease is the lock. A service that gives a
new refresh token with every renewal forgets the old one at its first use, or some time after;
therefore it is noted before the call that an answer is awaited, and a renewal whose answer was
lost is tried again at once, while the old token may still be good.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, cast

from sqlmodel import col

from hub.capabilities import OAuth
from hub.connections import grants
from hub.connections.pulse import degrade
from hub.deadlines import deadline
from hub.errors import PluginError, Rejected, Retry, Unauthorized
from hub.nouns import Grant
from hub.queue.faults import reach
from hub.queue.work import Claim, LeaseLost, defer, enqueue, finish, renew
from hub.store import ConnectionRow, Session
from hub.store.database import Busy
from hub.workflow.checks import LONGEST, NO_ANSWER, SILENT, begin_due
from hub.workflow.consents import insist, words
from hub.workflow.parking import expire, release

if TYPE_CHECKING:
    from hub.hub import Hub

KIND = "renew"
ASKED_EVERY = timedelta(minutes=1)
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0
"""Seconds between tries."""
AFTER_SILENCE = timedelta(minutes=10)
LOST = (
    "; the answer to the renewal before was lost, and with it the token that it brought. "
    "Reconnect it: its work waits and then goes on"
)


def request(session: Session, connection: str) -> None:
    """Have a worker renew the access of a connection."""
    enqueue(session, KIND, connection, queue="outward")


def go_round(hub: Hub) -> None:
    """Make the renewals due whose time has come; called by the leading dispatcher."""

    def begin(session: Session, row: ConnectionRow) -> None:
        row.renew_at = session.wall + ASKED_EVERY
        request(session, row.id)

    begin_due(
        hub, "renew_at", begin,
        col(ConnectionRow.renew_at).is_not(None), col(ConnectionRow.state) != "action_needed",
    )  # fmt: skip


def run(hub: Hub, claim: Claim) -> None:
    """Renew the access of one connection, unless somebody has done so meanwhile."""
    with hub.store.read() as session:
        row = session.get(ConnectionRow, claim.subject)
        wanted = row is not None and is_wanted(row, session.wall)
    if row is None or not wanted:
        with hub.store.write() as session:
            if row is not None and row.enabled and row.state != "action_needed":
                release(session, row.id)
            finish(session, claim)
        return
    if claim.hung or claim.losses >= SILENT:
        fall(hub, claim, row, PluginError(NO_ANSWER))
        return
    row, lost = await_answer(hub, claim)
    reach("before_call")
    try:
        with hub.store.read() as session:
            connector = hub.connections.build(session, session.get_one(ConnectionRow, row.id))
        with deadline(LONGEST), hub.connections.contained(connector):
            grant = cast(OAuth, connector).refresh()
        if not isinstance(grant, Grant):
            raise PluginError(f"refresh() returned {type(grant).__name__}, which is no Grant")
        reach("after_call")
        insist(partial(keep, hub, claim, row, grant))
    except (LeaseLost, Busy):
        raise
    except Exception as error:  # a plugin may raise anything; it is told on the connection's page
        fall(hub, claim, row, error, lost=lost)


def is_wanted(row: ConnectionRow, wall: datetime) -> bool:
    """Say whether a renewal that was asked for still has a reason."""
    if not row.enabled or row.state == "action_needed" or row.renewed_at is None:
        return False
    if grants.waits(row, wall) or row.renewing_at is not None:
        return True
    return row.expires_at is not None and row.expires_at - wall <= grants.early(row)


def await_answer(hub: Hub, claim: Claim) -> tuple[ConnectionRow, bool]:
    """Note that a renewal begins; return the row, and whether one before was never answered."""
    with hub.store.write() as session:
        row = session.get_one(ConnectionRow, claim.subject, with_for_update=True)
        renew(session, claim)
        lost = row.renewing_at is not None
        row.renewing_at = row.renewing_at or session.wall
        return row, lost


def keep(hub: Hub, claim: Claim, seen: ConnectionRow, grant: Grant) -> None:
    """Store what a renewal gave; its work that waited goes on."""
    with hub.store.write() as session:
        row = session.get_one(ConnectionRow, seen.id, with_for_update=True)
        if row.grants == seen.grants:
            was_due = grants.waits(row, session.wall)
            hub.connections.grant(session, row.id, grant)
            if was_due and row.state == "degraded":
                row.state, row.reason = "healthy", ""
        if row.enabled and row.state != "action_needed":
            release(session, row.id)
        reach("before_commit")
        finish(session, claim)


def fall(
    hub: Hub, claim: Claim, seen: ConnectionRow, error: Exception, *, lost: bool = False
) -> None:
    """Note a renewal that failed: a person has to connect anew, or it is tried again."""
    with hub.store.write() as session:
        row = session.get_one(ConnectionRow, seen.id, with_for_update=True)
        text = words(error, secrets_of(hub, row))
        if row.grants != seen.grants:
            finish(session, claim)
            return
        if isinstance(error, Unauthorized | Rejected):
            expire(hub, session, row.id, text + (LOST if lost else ""))
            row.renewing_at = None
            finish(session, claim)
            return
        if isinstance(error, Retry) and not lost:
            row.renewing_at = None  # it was turned away, so the token is as good as before
        if grants.waits(row, session.wall):
            degrade(row, session.wall, f"Its access could not be renewed: {text}")
        silent = claim.hung or claim.losses >= SILENT
        wait = AFTER_SILENCE if silent else pause(claim, getattr(error, "after", None))
        defer(session, claim, session.wall + wait, text)


def secrets_of(hub: Hub, row: ConnectionRow) -> list[str]:
    """Return what must stand in no text about a connection."""
    settings = hub.connections.settings(row)
    return [str(settings[name]) for name in hub.connections.secrets_of(row)]


def pause(claim: Claim, asked: float | None) -> timedelta:
    """Return how long to leave a failed renewal alone: what was asked for, else doubling."""
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(claim.tries - 1, 10))
    return timedelta(seconds=max(asked or 0.0, longest * random.uniform(0.5, 1)))
