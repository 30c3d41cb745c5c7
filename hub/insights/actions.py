"""What workflows may ask about a day's figures."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from hub.actions import ActionInput, ActionOutput, Inside
from hub.insights.kpis import Tried, attempts
from hub.store import OrderRow, Session

if TYPE_CHECKING:
    from hub.hub import Hub


class DayInput(ActionInput):
    """A service date."""

    date: date


class SummaryOutput(ActionOutput):
    """What was tried on a day's routes, by the last attempt at each stop, and the cash taken.

    A stop that was given another day since still counts on the day on which it was tried.
    """

    stops: int
    completed: int
    partial: int
    failed: int
    cash: str
    """By currency, such as `12.50 CHF, 3.00 EUR`; empty for none."""


def summary(hub: Hub, session: Session, given: DayInput) -> SummaryOutput:
    """Return the figures that accounting wants at the end of a day."""
    tried = sorted(attempts(session, given.date, None), key=lambda one: one.attempt.number)
    outcomes = list({one.stop.id: one.attempt.outcome for one in tried}.values())
    return SummaryOutput(
        stops=len(outcomes),
        completed=outcomes.count("completed"),
        partial=outcomes.count("partial"),
        failed=outcomes.count("failed"),
        cash=cash(session, tried),
    )


def cash(session: Session, tried: list[Tried]) -> str:
    """Return the cash taken at these attempts, by currency."""
    taken: dict[str, Decimal] = {}
    for one in tried:
        if one.attempt.cash_taken is not None:
            currency = session.get_one(OrderRow, one.stop.order).currency
            taken[currency] = taken.get(currency, Decimal(0)) + one.attempt.cash_taken
    return ", ".join(f"{amount} {currency}" for currency, amount in sorted(taken.items()))


SUMMARY = Inside("insights.summary", DayInput, SummaryOutput, summary)
