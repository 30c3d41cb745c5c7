"""One try at a stop: what was handed over, by whose hand, and why not more."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlmodel import col, select

from hub.driving.words import ENDINGS, Moment, Report
from hub.errors import Refused
from hub.orders.reasons import REASONS
from hub.store import AttemptLineRow, AttemptRow, OrderLineRow, RouteRow, Session, StopRow


@dataclass(frozen=True)
class Draft:
    """An ending that makes sense: its outcome and the pieces of every line."""

    outcome: str
    quantities: dict[str, int]


def draft(session: Session, stop: StopRow, report: Report) -> Draft:
    """Return what `report` says about every line of the order; raise `Refused` for nonsense."""
    lines = lines_of(session, stop.order)
    check_lines(lines, report.quantities)
    ordered = {line.id: line.quantity for line in lines}
    quantities = {
        "complete": ordered,
        "partial": {id: report.quantities.get(id, 0) for id in ordered},
        "fail": dict.fromkeys(ordered, 0),
    }[report.kind]
    outcome = ENDINGS[report.kind]
    if outcome == "partial" and lines:
        if quantities == ordered:
            outcome = "completed"
        elif not any(quantities.values()):
            raise Refused("nothing was handed over: report the stop as failed", "quantities")
    check_given(report, quantities)
    check_reason(report, outcome)
    return Draft(outcome, quantities)


def lines_of(session: Session, order: str) -> list[OrderLineRow]:
    """Return the lines of an order in their order."""
    return lines_by_order(session, [order]).get(order, [])


def lines_by_order(session: Session, orders: list[str]) -> dict[str, list[OrderLineRow]]:
    """Return the lines of several orders at once, by the order's id."""
    found: dict[str, list[OrderLineRow]] = defaultdict(list)
    query = select(OrderLineRow).where(col(OrderLineRow.order).in_(orders))
    for line in session.exec(query.order_by(col(OrderLineRow.number))):
        found[line.order].append(line)
    return found


def check_lines(lines: list[OrderLineRow], given: dict[str, int]) -> None:
    """Raise `Refused` for a line that is not in the order, or more of it than was ordered."""
    known = {line.id: line for line in lines}
    for id, quantity in given.items():
        line = known.get(id)
        if line is None:
            raise Refused(f"the order has no line {id}", f"quantities.{id}")
        if quantity > line.quantity:
            raise Refused(
                f"{quantity} of {line.name} is more than the {line.quantity} that were ordered",
                f"quantities.{id}",
            )


def check_given(report: Report, quantities: dict[str, int]) -> None:
    """Raise `Refused` when quantities were sent that this kind of ending contradicts."""
    for id, quantity in report.quantities.items():
        if quantity != quantities[id]:
            word = "everything" if report.kind == "complete" else "nothing"
            raise Refused(
                f"{report.kind} means that {word} was handed over: report it as partial",
                f"quantities.{id}",
            )


def check_reason(report: Report, outcome: str) -> None:
    """Raise `Refused` unless a failed stop says why, in a reason that is known."""
    if outcome == "failed" and not report.reason:
        raise Refused("a failed stop needs a reason", "reason")
    if report.reason and report.reason not in REASONS:
        raise Refused(f"{report.reason!r} is no reason; one of {', '.join(REASONS)}", "reason")
    if report.reason == "other" and not report.note.strip():
        raise Refused("write down what the other reason is", "note")


def record(
    session: Session, route: RouteRow, stop: StopRow, made: Draft, report: Report, when: Moment
) -> AttemptRow:
    """Write the attempt and its lines."""
    attempt = AttemptRow(
        merchant=stop.merchant,
        stop=stop.id,
        number=stop.attempts + 1,
        route=route.id,
        driver=route.driver,
        outcome=made.outcome,
        reason="" if made.outcome == "completed" else report.reason,
        note=report.note.strip(),
        received_by=report.received_by.strip(),
        cash_taken=None if made.outcome == "failed" else report.cash_taken,
        lat=report.lat,
        lon=report.lon,
        accuracy=report.accuracy,
        arrived_at=stop.arrived_at,
        occurred_at=when.at,
        recorded_at=when.received,
    )
    session.add(attempt)
    session.flush()
    for line, quantity in made.quantities.items():
        session.add(AttemptLineRow(attempt=attempt.id, line=line, quantity=quantity))
    session.flush()
    return attempt
