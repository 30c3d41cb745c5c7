"""The figures of a demo's day, counted from the database and the peers' raw logs."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from sqlalchemy import func
from sqlmodel import col, select

from hub.simulate.folder import Folder
from hub.store import (
    ConnectionRow,
    EventRow,
    MessageRow,
    OrderRow,
    ProofReceiptRow,
    ProofRow,
    RunRow,
    Session,
    StopRow,
    Store,
)
from hub.testing.peers.log import duplicates

SENT = ("sent", "delivered", "undelivered")
"""States of a message that its channel took."""


class Tally(BaseModel):
    """What one day came to."""

    model_config = ConfigDict(frozen=True)

    orders: int
    stops: int
    completed: int
    failed: int
    partial: int
    sms_sent: int
    proofs: int
    xero_records: int
    events: int
    duplicates: int
    seconds: float
    needs_address: int = 0
    dead_letters: int = 0


def tally(store: Store, directory: Path, day: date, seconds: float) -> Tally:
    """Count one service date."""
    with store.read() as session:
        states = stop_states(session, day)
        return Tally(
            orders=count(session, select(func.count()).where(OrderRow.service_date == day)),
            stops=sum(states.values()),
            completed=states.get("completed", 0),
            failed=states.get("failed", 0),
            partial=states.get("partial", 0),
            sms_sent=messages(session, day),
            proofs=proofs(session, day),
            xero_records=records(session, day),
            events=count(session, select(func.count()).select_from(EventRow)),
            duplicates=duplicates(directory / "peers"),
            seconds=round(seconds, 1),
            needs_address=count(
                session,
                select(func.count()).where(
                    OrderRow.service_date == day, OrderRow.state == "needs_address"
                ),
            ),
            dead_letters=count(session, select(func.count()).where(RunRow.state == "failed")),
        )


def stop_states(session: Session, day: date) -> dict[str, int]:
    """Return how many stops of a day are in each state."""
    query = (
        select(StopRow.state, func.count())
        .where(StopRow.service_date == day)
        .group_by(StopRow.state)
    )
    return dict(session.exec(query).all())


def messages(session: Session, day: date) -> int:
    """Count messages that a channel took for stops of a day."""
    query = (
        select(func.count())
        .select_from(MessageRow)
        .join(StopRow, col(StopRow.id) == MessageRow.stop)
        .where(col(MessageRow.state).in_(SENT), StopRow.service_date == day)
    )
    return count(session, query)


def proofs(session: Session, day: date) -> int:
    """Count proofs of stops of a day."""
    query = (
        select(func.count())
        .select_from(ProofRow)
        .join(StopRow, col(StopRow.id) == ProofRow.stop)
        .where(StopRow.service_date == day)
    )
    return count(session, query)


def records(session: Session, day: date) -> int:
    """Count proofs that an accounting service has taken."""
    query = (
        select(func.count())
        .select_from(ProofReceiptRow)
        .join(ProofRow, col(ProofRow.id) == ProofReceiptRow.proof)
        .join(StopRow, col(StopRow.id) == ProofRow.stop)
        .join(ConnectionRow, col(ConnectionRow.id) == ProofReceiptRow.connection)
        .where(ConnectionRow.connector == "xero", StopRow.service_date == day)
    )
    return count(session, query)


def count(session: Session, query: object) -> int:
    """Return the one number that a query counts."""
    return int(session.exec(query).one())  # type: ignore[call-overload]


def ended(directory: Path) -> bool:
    """Say whether a demo that plays one day has played it to its end."""
    return Folder(directory).marked("ended")
