"""Let one process of several lead, by a lease in the database and a token that only grows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case
from sqlalchemy.engine import CursorResult
from sqlmodel import col, or_, update

from hub.store import LeaderRow, Store
from hub.store.once import insert_once

LEASE = timedelta(seconds=15)
"""How long a leader that says nothing keeps the lead, wall time."""


def lead(store: Store, name: str, holder: str) -> int | None:
    """Take or keep the lead `name` for `holder`; return its fencing token, None if another leads.

    `holder` has to be unique to the process. Every takeover raises the token, so whoever writes as
    leader compares it in the same transaction and finds out when it has been replaced.
    """
    with store.read() as session:  # what can be known and prepared needs no lock
        now = session.wall
        row = session.get(LeaderRow, name)
    if row is None:
        with store.write() as session:
            insert_once(session, LeaderRow(name=name, lease_until=now - LEASE))
    elif row.holder != holder and row.lease_until >= now:
        return None
    with store.write() as session:
        token: int | None = session.connection().execute(take(name, holder, session.wall)).scalar()
        return token


def take(name: str, holder: str, now: datetime) -> Any:
    """Return the statement that takes or keeps a lead and returns its token."""
    mine = col(LeaderRow.holder) == holder
    return (
        update(LeaderRow)
        .where(col(LeaderRow.name) == name, or_(mine, col(LeaderRow.lease_until) < now))
        .values(
            holder=holder,
            token=case((mine, col(LeaderRow.token)), else_=col(LeaderRow.token) + 1),
            lease_until=now + LEASE,
        )
        .returning(col(LeaderRow.token))
        .execution_options(synchronize_session=False)
    )


def resign(store: Store, name: str, holder: str) -> bool:
    """Give the lead up so that another need not wait for the lease to end; False if not held."""
    with store.write() as session:
        result: CursorResult[Any] = session.exec(
            update(LeaderRow)
            .where(col(LeaderRow.name) == name, col(LeaderRow.holder) == holder)
            .values(holder="", lease_until=session.wall - LEASE)
            .execution_options(synchronize_session=False)
        )
        return result.rowcount == 1
