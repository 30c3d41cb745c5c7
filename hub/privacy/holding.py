"""Write down all that is held about a person, as JSON that the person can be given."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json
from sqlmodel import SQLModel, col, select

from hub.store import (
    AttemptRow,
    EventRow,
    MessageRow,
    OrderLineRow,
    OrderRow,
    PersonRow,
    ProofFileRow,
    ProofRow,
    ReplyRow,
    Session,
    StopRow,
)

INNER = {"digest", "merchant", "salt", "key"}
"""Columns that say nothing about a person."""


def document(session: Session, orders: list[str]) -> bytes:
    """Return what is held about the recipients of these orders, as JSON with the oldest first."""
    told = {
        "made_at": session.now,
        "orders": [held(session, session.get_one(OrderRow, id)) for id in orders],
    }
    return to_json(told, indent=2)


def held(session: Session, order: OrderRow) -> dict[str, Any]:
    """Return an order with everything that hangs on it."""
    stop = session.exec(select(StopRow).where(StopRow.order == order.id)).one_or_none()
    lines = select(OrderLineRow).where(OrderLineRow.order == order.id)
    told = plain(order)
    told["lines"] = [plain(one) for one in session.exec(lines.order_by(col(OrderLineRow.number)))]
    subjects = [order.id]
    if stop is not None:
        subjects.append(stop.id)
        told["delivery"] = delivery(session, stop)
    told["events"] = [event(session, one) for one in events(session, subjects)]
    return told


def delivery(session: Session, stop: StopRow) -> dict[str, Any]:
    """Return a stop with the visits, the proofs and the messages about it."""
    told = plain(stop)
    told["visits"] = [visit(session, one) for one in of_stop(session, AttemptRow, stop)]
    told["proofs"] = [plain(one) for one in of_stop(session, ProofRow, stop)]
    told["messages"] = [plain(one) for one in of_stop(session, MessageRow, stop)]
    told["replies"] = [plain(one) for one in of_stop(session, ReplyRow, stop)]
    return told


def of_stop(session: Session, table: type[Any], stop: StopRow) -> list[Any]:
    """Return the rows of a table that are about a stop, oldest first."""
    return list(session.exec(select(table).where(table.stop == stop.id).order_by(table.id)))


def visit(session: Session, row: AttemptRow) -> dict[str, Any]:
    """Return one visit, with the hashes of its photos and signatures."""
    files = session.exec(select(ProofFileRow).where(ProofFileRow.attempt == row.id))
    return {**plain(row), "pictures": [plain(one) for one in files]}


def events(session: Session, subjects: list[str]) -> list[EventRow]:
    """Return what happened to an order and its stop."""
    query = select(EventRow).where(col(EventRow.subject).in_(subjects))
    return list(session.exec(query.order_by(EventRow.id)))


def event(session: Session, row: EventRow) -> dict[str, Any]:
    """Return one event with the person beside it."""
    person = session.get(PersonRow, row.id)
    return {
        "type": row.type,
        "occurred_at": row.occurred_at,
        "person": person.data if person is not None else {},
    }


def plain(row: SQLModel) -> dict[str, Any]:
    """Return the columns of a row that may say something about a person."""
    return {name: value for name, value in row.model_dump().items() if name not in INNER}
