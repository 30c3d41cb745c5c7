"""What a recipient is promised when a route is published, and the first ETA."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import insert
from sqlmodel import col, select

from hub.access.tokens import digest, tracking_token
from hub.errors import Refused
from hub.hub import Hub
from hub.orders.wishes import read_windows
from hub.store import EtaRow, Session, StopRow, TokenRow, new_id

AROUND = timedelta(minutes=60)
"""How far a promise reaches before and after the planned time, where nobody asked for a window."""
GRID = timedelta(minutes=15)
EARLY, LATE = timedelta(minutes=10), timedelta(minutes=20)
"""How far the first ETA may be off."""


def promise(stop: StopRow) -> None:
    """Promise the window that was ordered, else the quarter hours around the planned time.

    What was promised before is kept: lateness is measured against the first word given.
    """
    if stop.promised_start is not None or stop.promised_end is not None:
        return
    if stop.windows:
        stop.promised_start, stop.promised_end = window_of(stop)
        return
    if stop.window_start is not None or stop.window_end is not None:
        stop.promised_start, stop.promised_end = stop.window_start, stop.window_end
        return
    planned = time_of(stop)
    stop.promised_start = down(planned - AROUND)
    stop.promised_end = down(planned + AROUND + GRID - timedelta(microseconds=1))


def window_of(stop: StopRow) -> tuple[datetime, datetime]:
    """Return which of several windows the plan keeps: the first that is not over by then."""
    planned, found = time_of(stop), read_windows(stop.windows)
    return next((one for one in found if planned <= one[1]), found[-1])


def time_of(stop: StopRow) -> datetime:
    """Return when the plan arrives at a stop."""
    if stop.planned_at is None:
        raise Refused(f"stop {stop.id} has no planned time; plan the day again")
    return stop.planned_at


def down(at: datetime) -> datetime:
    """Return the quarter of an hour at or before an instant."""
    over = timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)
    return at - over


def issue(session: Session, stops: Sequence[StopRow]) -> None:
    """Store the planned times of `stops` as ETAs; `hub.tracking` issues the later ones."""
    now, rows = session.now, []
    for stop in stops:
        eta = time_of(stop)
        stop.eta_at, stop.eta_low, stop.eta_high = eta, eta - EARLY, eta + LATE
        rows.append(
            {
                "id": new_id("eta"),
                "stop": stop.id,
                "issued_at": now,
                "eta_at": eta,
                "low": stop.eta_low,
                "high": stop.eta_high,
                "source": "plan",
            }
        )
    if rows:
        session.connection().execute(insert(EtaRow), rows)


def open_pages(hub: Hub, session: Session, stops: Sequence[StopRow]) -> None:
    """Let the tracking pages of `stops` be opened from now on (see hub.access.tokens)."""
    made = {digest(tracking_token(hub.keys, stop.id)): stop.id for stop in stops}
    known = set(session.exec(select(TokenRow.sha256).where(col(TokenRow.sha256).in_(made))))
    rows = [
        {"sha256": sha256, "kind": "tracking", "subject": stop, "created_at": session.wall}
        for sha256, stop in made.items()
        if sha256 not in known
    ]
    if rows:
        session.connection().execute(insert(TokenRow), rows)
