"""Add due work, claim it by lease, and end it only while the lease still holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import CursorResult
from sqlmodel import col, or_, select, update

from hub.errors import HubError
from hub.store import Session, Store, WorkRow, new_id

LEASE = timedelta(seconds=60)
QUEUES = ("fast", "outward", "heavy")


class LeaseLost(HubError):
    """Say that somebody else holds this work now; nothing of this try was written."""


@dataclass(frozen=True)
class Claim:
    """One piece of work that this worker holds until its lease ends."""

    id: str
    kind: str
    subject: str
    token: str
    tries: int
    """1 for the first try."""
    queue: str
    lost: bool
    """Whether an earlier holder died while it held this."""


def enqueue(
    session: Session, kind: str, subject: str, *, queue: str = "fast", at: datetime | None = None
) -> None:
    """Make a piece of work due, in the caller's transaction; once per kind and subject."""
    known = session.exec(
        select(WorkRow).where(WorkRow.kind == kind, WorkRow.subject == subject)
    ).one_or_none()
    if known is None:
        session.add(
            WorkRow(
                kind=kind,
                subject=subject,
                queue=queue,
                not_before=at or session.wall,
                created_at=session.wall,
            )
        )
    elif known.state in ("done", "dead", "parked"):
        known.state, known.not_before, known.tries = "ready", at or session.wall, 0
        known.error = ""
    session.rings.add(queue)


def claim(store: Store, queue: str, worker: str, limit: int = 1) -> list[Claim]:
    """Take up to `limit` due rows of `queue`, oldest first, each under a fresh token."""
    with store.write() as session:
        now = session.wall
        due = (
            select(WorkRow)
            .where(
                WorkRow.queue == queue,
                or_(
                    (col(WorkRow.state) == "ready") & (col(WorkRow.not_before) <= now),
                    (col(WorkRow.state) == "leased") & (col(WorkRow.lease_until) < now),
                ),
            )
            .order_by(col(WorkRow.not_before), WorkRow.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        claims = []
        for row in session.exec(due):
            lost = row.state == "leased"
            row.state, row.worker = "leased", worker
            row.lease_until, row.lease_token = now + LEASE, new_id("lse")
            row.tries += 1
            claims.append(
                Claim(row.id, row.kind, row.subject, row.lease_token, row.tries, queue, lost)
            )
        return claims


def held(session: Session, claim: Claim, **values: Any) -> None:
    """Change the claimed row if the lease still holds; raise `LeaseLost` otherwise."""
    result: CursorResult[Any] = session.exec(
        update(WorkRow)
        .where(col(WorkRow.id) == claim.id, col(WorkRow.lease_token) == claim.token)
        .values(**values)
    )
    if result.rowcount != 1:
        raise LeaseLost(f"{claim.kind} {claim.subject} is held by another worker")


def renew(session: Session, claim: Claim) -> None:
    """Hold on for another lease."""
    held(session, claim, lease_until=session.wall + LEASE)


def finish(session: Session, claim: Claim) -> None:
    """End the work, in the transaction that writes its result."""
    held(session, claim, state="done", lease_token="", lease_until=None)


def defer(session: Session, claim: Claim, at: datetime, error: str = "") -> None:
    """Make the work due again at wall time `at`."""
    held(
        session, claim, state="ready", not_before=at, lease_token="", lease_until=None,
        error=error[:1000],
    )  # fmt: skip


def bury(session: Session, claim: Claim, error: str) -> None:
    """End the work as one that cannot be done."""
    held(session, claim, state="dead", lease_token="", lease_until=None, error=error[:1000])


def park(session: Session, claim: Claim, reason: str) -> None:
    """Lay the work aside until its connection works again; that was no try."""
    held(
        session, claim, state="parked", lease_token="", lease_until=None, error=reason[:1000],
        tries=claim.tries - 1,
    )  # fmt: skip


def unpark(session: Session, kind: str, subjects: list[str]) -> int:
    """Make parked work due again; return how much."""
    result: CursorResult[Any] = session.exec(
        update(WorkRow)
        .where(
            col(WorkRow.kind) == kind,
            col(WorkRow.subject).in_(subjects),
            col(WorkRow.state) == "parked",
        )
        .values(state="ready", not_before=session.wall)
    )
    session.rings.update(QUEUES)
    return result.rowcount
