"""Add due work, claim it by lease, and end it only while the lease still holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Integer, Table, and_, bindparam, case, func
from sqlalchemy.engine import CursorResult
from sqlmodel import col, delete, or_, select, update

from hub.errors import HubError
from hub.store import Session, Store, WorkRow, new_id
from hub.store.columns import Instant
from hub.store.once import insert_all_once

HUNG = "it took longer than it may, and its worker was ended"
LEASE = timedelta(seconds=20)
"""How long a claim holds without being renewed; a worker renews it every third of this."""
FRESH = "fresh work"
QUEUES = ("fast", "outward", "heavy")


# SQLModel gives every table class its table, but does not declare it.
_WORK: Table = WorkRow.__table__  # type: ignore[attr-defined]
_ENDED = _WORK.c.state.in_(("done", "dead", "parked"))
# Made once: making it takes longer than running it, and nearly every write makes some work due.
_WAKE = (
    _WORK.update()
    .where(
        _WORK.c.kind == bindparam("of"),
        _WORK.c.subject.in_(bindparam("subjects", expanding=True)),
    )
    .values(
        state=case((_ENDED, "ready"), else_=_WORK.c.state),
        again=case((_WORK.c.state == "leased", True), else_=_WORK.c.again),
        not_before=case((_ENDED, bindparam("at", type_=Instant())), else_=_WORK.c.not_before),
        tries=case((_ENDED, 0), else_=_WORK.c.tries),
        losses=case((_ENDED, 0), else_=_WORK.c.losses),
        error=case((_ENDED, ""), else_=_WORK.c.error),
    )
    .returning(_WORK.c.subject)
)


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
    losses: int = 0
    """How often in a row its worker died or its handler failed without saying what next."""
    worker: str = ""
    why: str = ""
    """How the earlier holder ended, where that is known."""
    outcome: Outcome = field(default_factory=lambda: Outcome(), compare=False)

    @property
    def hung(self) -> bool:
        """Whether an earlier holder was ended because this took too long."""
        return self.lost and self.why == HUNG


@dataclass
class Outcome:
    """What a transaction has made of a claim, once that is committed."""

    over: bool = False
    """Whether the claim was given up: its work ended, was deferred or laid aside."""
    then: list[Claim] = field(default_factory=list)
    """What its end made due and leased to the same worker in the same transaction, one at most."""


@dataclass(frozen=True)
class Backlog:
    """Work of one queue that is due and not done."""

    queue: str
    count: int
    oldest: datetime
    """When the oldest of it became due, wall time."""


def enqueue(
    session: Session, kind: str, subject: str, *, queue: str = "fast", at: datetime | None = None
) -> None:
    """Make a piece of work due, in the caller's transaction; once per kind and subject.

    Work that has ended becomes due again. Work that waits stays as it is, with its own time. Work
    that is being done now becomes due again when it ends, because it may have started too early
    to see what the caller has just written.
    """
    enqueue_all(session, kind, [subject], queue=queue, at=at)


def enqueue_all(
    session: Session,
    kind: str,
    subjects: Sequence[str],
    *,
    queue: str = "fast",
    at: datetime | None = None,
) -> None:
    """Do the same for many subjects, with two or three statements for all of them."""
    new = set(subjects) - wake(session, kind, subjects, at)
    if new:
        due, now = at or session.wall, session.wall
        rows = [
            WorkRow(kind=kind, subject=subject, queue=queue, not_before=due, created_at=now)
            for subject in sorted(new)
        ]
        put = set(insert_all_once(session, rows))
        # Somebody else inserted the others between the two statements: they can be woken now.
        wake(session, kind, [row.subject for row in rows if row.id not in put], at)
    session.rings.add(queue)


def wake(
    session: Session, kind: str, subjects: Sequence[str], at: datetime | None = None
) -> set[str]:
    """Make known work due again where it has ended; return the subjects that are known."""
    if not subjects:
        return set()
    asked = {"of": kind, "subjects": list(subjects), "at": at or session.wall}
    session.flush()
    return set(session.connection().execute(_WAKE, asked).scalars())


def is_due(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """Return the condition for work that may be claimed at wall time `now`."""
    # Naming both states first lets the database reach the few open rows by their index.
    return and_(
        col(WorkRow.state).in_(("ready", "leased")),
        or_(
            and_(col(WorkRow.state) == "ready", col(WorkRow.not_before) <= now),
            and_(col(WorkRow.state) == "leased", col(WorkRow.lease_until) < now),
        ),
    )


def backlog(session: Session) -> dict[str, Backlog]:
    """Return the due work by queue; a queue without any is left out."""
    found = session.exec(
        select(WorkRow.queue, func.count(), func.min(WorkRow.not_before))
        .where(col(WorkRow.queue).in_(QUEUES), is_due(session.wall))
        .group_by(WorkRow.queue)
    )
    return {queue: Backlog(queue, count, oldest) for queue, count, oldest in found}


_DUE = (
    select(WorkRow)
    .where(WorkRow.queue == bindparam("queue"), is_due(bindparam("now", type_=Instant())))
    .order_by(col(WorkRow.not_before), WorkRow.id)
    .limit(bindparam("most", type_=Integer()))
)
_FREE = _DUE.with_for_update(skip_locked=True)


def claim(
    store: Store, queue: str, worker: str, limit: int = 1, *, busy: bool = False
) -> list[Claim]:
    """Take up to `limit` due rows of `queue`, oldest first, each under a fresh token.

    Only looking takes no lock, so idle workers never keep a writer waiting; `busy` says that there
    was work a moment ago.
    """
    if not busy:
        with store.read() as session:
            asked = {"queue": queue, "now": session.wall, "most": 1}
            if session.exec(_DUE, params=asked).first() is None:
                return []
    with store.write() as session:
        asked = {"queue": queue, "now": session.wall, "most": limit}
        return [hold(session, row, worker) for row in session.exec(_FREE, params=asked)]


def hold(session: Session, row: WorkRow, worker: str) -> Claim:
    """Lease `row` to `worker` under a fresh token."""
    lost, why = row.state == "leased", row.error
    row.state, row.worker, row.again = "leased", worker, False
    row.lease_until, row.lease_token = session.wall + LEASE, new_id("lse")
    row.tries += 1
    row.losses += 1 if lost else 0
    row.error = ""  # what stands here while it is leased says how its worker ended
    return Claim(
        row.id, row.kind, row.subject, row.lease_token, row.tries, row.queue, lost, row.losses,
        worker, why if lost else "",
    )  # fmt: skip


def give_up(session: Session, claim: Claim, then: list[Claim] | None = None, **values: Any) -> None:
    """End the lease with the transaction, as `held` changes the row."""
    held(session, claim, lease_token="", lease_until=None, **values)

    def note() -> None:
        claim.outcome.over, claim.outcome.then = True, then or []

    session.after_commit.append(note)


_HELD = _WORK.update().where(
    _WORK.c.id == bindparam("claim"), _WORK.c.lease_token == bindparam("token")
)


def held(session: Session, claim: Claim, **values: Any) -> None:
    """Change the claimed row if the lease still holds; raise `LeaseLost` otherwise."""
    session.flush()
    # Past the ORM, which takes longer to look for rows to bring up to date than the change takes.
    result = session.connection().execute(
        _HELD.values(**values), {"claim": claim.id, "token": claim.token}
    )
    if result.rowcount != 1:
        raise LeaseLost(f"{claim.kind} {claim.subject} is held by another worker")


def renew(session: Session, claim: Claim) -> None:
    """Hold on for another lease."""
    held(session, claim, lease_until=session.wall + LEASE)


def end(
    session: Session, claim: Claim, state: str, error: str = "", then: list[Claim] | None = None
) -> None:
    """End the work, or make it due once more if it was asked for anew meanwhile."""
    again = col(WorkRow.again)
    give_up(
        session, claim, then, state=case((again, "ready"), else_=state), not_before=session.wall,
        tries=case((again, 0), else_=col(WorkRow.tries)), losses=0, again=False,
        error=error[:1000],
    )  # fmt: skip


def finish(session: Session, claim: Claim) -> None:
    """End the work, in the transaction that writes its result.

    Where that has made exactly one new piece of work of the queue due, by `follow`, the worker
    gets the lease of it at once: claiming it apart would take two more transactions.
    """
    fresh: list[WorkRow] = session.info.pop(FRESH, [])
    ours = len(fresh) == 1 and fresh[0].queue == claim.queue and claim.worker
    end(session, claim, "done", then=[hold(session, fresh[0], claim.worker)] if ours else [])


def follow(session: Session, row: WorkRow) -> None:
    """Add a due piece of work that nobody can have asked for before; see `finish`."""
    session.add(row)
    session.info.setdefault(FRESH, []).append(row)
    session.rings.add(row.queue)


def give_back(store: Store, claims: list[Claim]) -> None:
    """Let others do what was leased and not begun."""
    with store.write() as session:
        for claim in claims:
            give_up(session, claim, state="ready", tries=claim.tries - 1)
            session.rings.add(claim.queue)


def defer(session: Session, claim: Claim, at: datetime, error: str = "", losses: int = 0) -> None:
    """Make the work due again at wall time `at`."""
    give_up(session, claim, state="ready", not_before=at, losses=losses, error=error[:1000])


def postpone(session: Session, claim: Claim, at: datetime, why: str) -> None:
    """Make the work due again at wall time `at`, before anything was tried: it costs no try."""
    give_up(session, claim, state="ready", not_before=at, tries=claim.tries - 1, error=why[:1000])


def bury(session: Session, claim: Claim, error: str) -> None:
    """End the work as one that cannot be done."""
    end(session, claim, "dead", error)


def park(session: Session, claim: Claim, reason: str) -> None:
    """Lay the work aside until its connection works again; that was no try."""
    give_up(session, claim, state="parked", tries=claim.tries - 1, error=reason[:1000])


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
        .execution_options(synchronize_session=False)
    )
    session.rings.update(QUEUES)
    return result.rowcount


def holds(session: Session, worker: str) -> bool:
    """Say whether a worker holds a lease."""
    mine = select(WorkRow.id).where(WorkRow.state == "leased", WorkRow.worker == worker)
    return session.exec(mine.limit(1)).first() is not None


def forfeit(session: Session, worker: str, why: str = "") -> int:
    """End the leases of a worker that is known to be dead; return how many it held.

    `why` says how it ended, where that is known. The work counts as lost, as if the leases had run
    out. A worker that only seems dead cannot do harm: whoever claims the work next gets another
    token.
    """
    now = session.wall
    result: CursorResult[Any] = session.exec(
        update(WorkRow)
        .where(col(WorkRow.state) == "leased", col(WorkRow.worker) == worker)
        .where(col(WorkRow.lease_until) > now)
        .values(lease_until=now - timedelta(milliseconds=1), error=why[:1000])
        .execution_options(synchronize_session=False)
    )
    session.rings.update(QUEUES)
    return result.rowcount


def dead(session: Session, limit: int = 100) -> list[WorkRow]:
    """Return the work that could not be done, newest first; each row's `error` says why."""
    rows = select(WorkRow).where(WorkRow.state == "dead")
    return list(session.exec(rows.order_by(col(WorkRow.not_before).desc()).limit(limit)))


def sweep(session: Session, before: datetime, limit: int = 500) -> int:
    """Delete up to `limit` rows of work done before wall time `before`; return how many."""
    old = (
        select(WorkRow.id)
        .where(WorkRow.state == "done", col(WorkRow.not_before) < before)
        .limit(limit)
    )
    found = session.exec(old).all()
    return session.exec(delete(WorkRow).where(col(WorkRow.id).in_(found))).rowcount
