"""What workflows may ask about a day's figures."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sqlmodel import col, select

from hub.access import scoped
from hub.actions import ActionInput, ActionOutput, Inside
from hub.store import AttemptRow, OrderRow, Session, StopRow

if TYPE_CHECKING:
    from hub.hub import Hub


class DayInput(ActionInput):
    """A service date."""

    date: date


class SummaryOutput(ActionOutput):
    """What was delivered on a day, by the last attempt at each stop, and the cash that came in."""

    stops: int
    completed: int
    partial: int
    failed: int
    cash: str
    """By currency, such as `12.50 CHF, 3.00 EUR`; empty for none."""


def summary(hub: Hub, session: Session, given: DayInput) -> SummaryOutput:
    """Return the figures that accounting wants at the end of a day."""
    stops = session.exec(scoped(session, StopRow).where(StopRow.service_date == given.date)).all()
    outcomes = [stop.state for stop in stops]
    return SummaryOutput(
        stops=len(stops),
        completed=outcomes.count("completed"),
        partial=outcomes.count("partial"),
        failed=sum(state in ("failed", "returning", "returned") for state in outcomes),
        cash=cash(session, given.date),
    )


def cash(session: Session, day: date) -> str:
    """Return the cash taken on a day, by currency."""
    query = (
        select(OrderRow.currency, col(AttemptRow.cash_taken))
        .join(StopRow, StopRow.id == AttemptRow.stop)  # type: ignore[arg-type]
        .join(OrderRow, OrderRow.id == StopRow.order)  # type: ignore[arg-type]
        .where(StopRow.service_date == day)
    )
    mine = getattr(session.principal, "merchant", None)
    if mine is not None:
        query = query.where(StopRow.merchant == mine)
    taken: dict[str, object] = {}
    for currency, amount in session.exec(query):
        if amount is not None:
            taken[currency] = taken.get(currency, 0) + amount  # type: ignore[operator]
    return ", ".join(f"{amount} {currency}" for currency, amount in sorted(taken.items()))


SUMMARY = Inside("insights.summary", DayInput, SummaryOutput, summary)
