"""The log of a connection: what came in, what went out, how it ended; kept for 30 days.

Its times are business time, as on every page; `ms` is measured by the wall clock.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import col, delete, func, select, update

from hub.access.scope import column
from hub.store import ActivityRow, ConnectionRow, InboxRow, RejectedRow, Session

KEEP = timedelta(days=30)
"""How long exchanges, the bodies of deliveries and settled refusals are kept."""
SAME = timedelta(hours=1)
"""For how long refused requests of one kind are counted in one row."""
LONGEST = 500
DELIVERY = "delivery"
SETTLED = ("resolved", "dismissed")


def note(
    session: Session,
    row: ConnectionRow,
    direction: str,
    what: str,
    outcome: str,
    *,
    began: datetime | None = None,
    about: str = "",
    text: str = "",
) -> None:
    """Write one exchange down; `began` is the wall time at which it started."""
    spent = session.wall - began if began is not None else timedelta()
    session.add(
        ActivityRow(
            connection=row.id,
            merchant=row.merchant,
            at=session.now,
            direction=direction,
            what=what,
            outcome=outcome,
            ms=max(0, int(spent.total_seconds() * 1000)),
            about=about,
            text=text[:LONGEST],
        )
    )


def count(
    session: Session,
    connection: str,
    merchant: str | None,
    outcome: str,
    text: str,
    excerpt: str = "",
    times: int = 1,
) -> None:
    """Count a request that was turned away: one row an hour for each kind, so a flood is one row.

    The row tells about the last of them.
    """
    query = select(ActivityRow).where(
        ActivityRow.connection == connection,
        ActivityRow.outcome == outcome,
        ActivityRow.what == DELIVERY,
        col(ActivityRow.at) > session.now - SAME,
    )
    known = session.exec(query.order_by(col(ActivityRow.at).desc()).limit(1)).first()
    if known is None:
        session.add(
            ActivityRow(
                connection=connection,
                merchant=merchant,
                at=session.now,
                direction="in",
                what=DELIVERY,
                outcome=outcome,
                text=text[:LONGEST],
                excerpt=excerpt[:2000],
                times=times,
            )
        )
        session.flush()
        return
    known.at, known.times = session.now, known.times + times
    known.text, known.excerpt = text[:LONGEST], excerpt[:2000]


def settle(session: Session, delivery: str, outcome: str, text: str, ms: int) -> None:
    """Say how a delivery ended that was written down when it came."""
    session.exec(
        update(ActivityRow)
        .where(col(ActivityRow.about) == delivery, col(ActivityRow.what) == DELIVERY)
        .values(outcome=outcome, text=text[:LONGEST], ms=ms)
        .execution_options(synchronize_session=False)
    )


def counted(session: Session, connection: str, outcome: str, since: datetime) -> int:
    """Return how often something of one outcome happened since a business time."""
    total = select(func.sum(ActivityRow.times)).where(
        ActivityRow.connection == connection,
        ActivityRow.outcome == outcome,
        col(ActivityRow.at) > since,
    )
    return int(session.exec(total).one() or 0)


def tidy(session: Session, limit: int = 500) -> int:
    """Delete some of what is older than is kept; return how many rows.

    Deliveries that still wait stay, however old they are.
    """
    gone = 0
    for table, query in (
        (ActivityRow, select(ActivityRow.id).where(col(ActivityRow.at) < session.now - KEEP)),
        (
            InboxRow,
            select(InboxRow.id).where(
                InboxRow.kind == DELIVERY,
                InboxRow.status != 0,
                col(InboxRow.received_at) < session.wall - KEEP,
            ),
        ),
        (
            RejectedRow,
            select(RejectedRow.id).where(
                col(RejectedRow.state).in_(SETTLED), col(RejectedRow.last_at) < session.now - KEEP
            ),
        ),
    ):
        ids = session.exec(query.limit(limit)).all()
        if ids:
            gone += session.exec(delete(table).where(column(table, "id").in_(ids))).rowcount
    return gone
