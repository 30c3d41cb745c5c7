"""The five numbers of a day, from attempts, routes and issued ETAs; each with what it divides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from pydantic import BaseModel, ConfigDict, computed_field
from sqlmodel import col, select

from hub.access import scoped
from hub.access.scope import visible
from hub.store import AttemptRow, EtaRow, RouteRow, Session, StopRow

HORIZON = timedelta(minutes=60)
"""How long before arrival an ETA is judged."""
DELIVERED = frozenset({"completed", "partial"})


class Ratio(BaseModel):
    """`numerator` of `denominator`; the value is None where there is nothing to divide by."""

    model_config = ConfigDict(frozen=True)

    numerator: int
    denominator: int

    @computed_field  # type: ignore[prop-decorator]
    @property
    def value(self) -> float | None:
        """The share, 0 to 1 (or a rate: stops per driver)."""
        return self.numerator / self.denominator if self.denominator else None


class EtaError(BaseModel):
    """Absolute difference, in minutes, between arrival and the ETA in force before it."""

    model_config = ConfigDict(frozen=True)

    horizon: int
    """Minutes before arrival at which the ETA was in force."""
    measured: int
    """Stops with an arrival and an ETA that old."""
    median: float | None = None
    mean: float | None = None
    p90: float | None = None
    within_10: Ratio


class Numbers(BaseModel):
    """How a service date went, or how it is going so far.

    The period is the service date of the routes on which stops were attempted. A stop counts
    with its last attempt, if that lies in the period.

    - `on_time`: of the stops with a window promised at dispatch and at least one attempt, those
      delivered (completed or partial) with arrival inside that window, grace 0. Arrival is the
      instant the driver arrived; where it is missing, when the attempt ended. `early`, `late` and
      `failed_windows` are the rest of the denominator. Later edits of a window do not count.
    - `first_attempt`: of the orders whose first attempt lies in the period, those it completed.
      Partial does not count as completed.
    - `stops_per_driver`: stops attempted, over pairs of driver and day with a started route.
    - `failed`: of the attempted stops, those whose last attempt failed.
    - `eta_error`: over the stops with an arrival, the difference to the ETA that was in force
      60 minutes before it; stops without an ETA that old are left out.
    """

    model_config = ConfigDict(frozen=True)

    service_date: date
    on_time: Ratio
    early: int
    late: int
    failed_windows: int
    first_attempt: Ratio
    stops_per_driver: Ratio
    failed: Ratio
    eta_error: EtaError


@dataclass(frozen=True)
class Tried:
    """One attempt of the period with its stop."""

    attempt: AttemptRow
    stop: StopRow

    @property
    def is_last(self) -> bool:
        """Whether no later attempt was made at the stop."""
        return self.attempt.number == self.stop.attempts

    @property
    def arrival(self) -> datetime:
        """When the driver was there."""
        return self.attempt.arrived_at or self.attempt.occurred_at


def day(session: Session, date: date, depot: str | None = None) -> Numbers:
    """Return the numbers of one service date, of one depot or of all that the session may see."""
    tried = attempts(session, date, depot)
    last = [one for one in tried if one.is_last]
    first = [one for one in tried if one.attempt.number == 1]
    kinds = [punctuality(one) for one in last if one.stop.promised_end is not None]
    completed = sum(one.attempt.outcome == "completed" for one in first)
    failed = sum(one.attempt.outcome == "failed" for one in last)
    return Numbers(
        service_date=date,
        on_time=Ratio(numerator=kinds.count("on_time"), denominator=len(kinds)),
        early=kinds.count("early"),
        late=kinds.count("late"),
        failed_windows=kinds.count("failed"),
        first_attempt=Ratio(numerator=completed, denominator=len(first)),
        stops_per_driver=Ratio(
            numerator=len({one.stop.id for one in tried}),
            denominator=driver_days(session, date, depot),
        ),
        failed=Ratio(numerator=failed, denominator=len(last)),
        eta_error=eta_error(session, last),
    )


def attempts(session: Session, date: date, depot: str | None) -> list[Tried]:
    """Return the attempts made on routes of `date`."""
    query = (
        select(AttemptRow, StopRow)
        .join(StopRow, col(StopRow.id) == AttemptRow.stop)
        .join(RouteRow, col(RouteRow.id) == AttemptRow.route)
        .where(RouteRow.service_date == date, visible(AttemptRow, session.principal))
    )
    if depot is not None:
        query = query.where(RouteRow.depot == depot)
    return [Tried(attempt, stop) for attempt, stop in session.exec(query)]


def punctuality(tried: Tried) -> str:
    """Return `failed`, `early`, `late` or `on_time` for a stop with a promised window."""
    if tried.attempt.outcome not in DELIVERED:
        return "failed"
    start, end = tried.stop.promised_start, tried.stop.promised_end
    if start is not None and tried.arrival < start:
        return "early"
    return "late" if end is not None and tried.arrival > end else "on_time"


def driver_days(session: Session, date: date, depot: str | None) -> int:
    """Return how many drivers started a route on `date`."""
    query = scoped(session, RouteRow).where(
        RouteRow.service_date == date, col(RouteRow.started_at).is_not(None)
    )
    if depot is not None:
        query = query.where(RouteRow.depot == depot)
    return len({row.driver for row in session.exec(query)})


def eta_error(session: Session, tried: list[Tried], horizon: timedelta = HORIZON) -> EtaError:
    """Return how far the ETAs in force `horizon` before arrival were off."""
    arrivals = {one.stop.id: one.attempt.arrived_at for one in tried if one.attempt.arrived_at}
    in_force: dict[str, datetime] = {}
    for part in batches(sorted(arrivals)):
        issued = select(EtaRow.stop, EtaRow.issued_at, EtaRow.eta_at)
        issued = issued.where(col(EtaRow.stop).in_(part))
        for stop, at, eta in session.exec(issued.order_by(col(EtaRow.issued_at), EtaRow.id)):
            if at <= arrivals[stop] - horizon:
                in_force[stop] = eta
    errors = sorted(
        abs((arrivals[stop] - eta).total_seconds()) / 60 for stop, eta in in_force.items()
    )
    return EtaError(
        horizon=round(horizon.total_seconds() / 60),
        measured=len(errors),
        median=median(errors) if errors else None,
        mean=sum(errors) / len(errors) if errors else None,
        p90=percentile(errors, 0.9),
        within_10=Ratio(numerator=sum(e <= 10 for e in errors), denominator=len(errors)),
    )


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """Return the nearest-rank percentile of sorted values: the smallest that covers `share`."""
    if not ordered:
        return None
    rank = -(-len(ordered) * round(share * 100) // 100)
    return ordered[max(0, min(len(ordered), rank) - 1)]


def batches(ids: list[str], size: int = 500) -> list[list[str]]:
    """Return `ids` in parts that fit into one query."""
    return [ids[start : start + size] for start in range(0, len(ids), size)]
