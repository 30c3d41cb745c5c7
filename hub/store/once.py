"""Insert a row unless it is already there, in one statement that two writers may race with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import make_transient_to_detached
from sqlmodel import SQLModel

from hub.store.database import Session

Row = TypeVar("Row", bound=SQLModel)


def insert_once(session: Session, row: SQLModel) -> bool:
    """Insert `row` unless one of its unique keys is taken; return whether it is new.

    While another transaction holds the same key uncommitted, this waits for its end. `row` itself
    stays outside the session.
    """
    return bool(insert_all_once(session, [row]))


def stored(session: Session, row: Row) -> Row:
    """Return a row that `insert_once` has just put in, as one of the session's, without reading."""
    make_transient_to_detached(row)
    session.add(row)
    return row


def insert_all_once(session: Session, rows: Sequence[SQLModel]) -> list[Any]:
    """Do the same for rows of one table; return the primary keys of those that are new."""
    table: Table = type(rows[0]).__table__  # type: ignore[attr-defined]
    values = [{column.name: getattr(row, column.key) for column in table.columns} for row in rows]
    # What comes back says which rows went in: PostgreSQL's driver gives no count of rows here.
    (first, *_) = table.primary_key.columns
    if session.get_bind().dialect.name == "postgresql":
        statement = postgresql.insert(table).on_conflict_do_nothing()
        return list(session.connection().execute(statement.returning(first), values).scalars())
    other = sqlite.insert(table).on_conflict_do_nothing()
    return list(session.connection().execute(other.returning(first), values).scalars())
