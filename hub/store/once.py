"""Insert a row unless it is already there, in one statement that two writers may race with."""

from __future__ import annotations

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from hub.store.database import Session


def insert_once(session: Session, row: SQLModel) -> bool:
    """Insert `row` unless one of its unique keys is taken; return whether it is new.

    While another transaction holds the same key uncommitted, this waits for its end. `row` itself
    stays outside the session.
    """
    table: Table = type(row).__table__  # type: ignore[attr-defined]
    values = {column.name: getattr(row, column.key) for column in table.columns}
    if session.get_bind().dialect.name == "postgresql":
        return bool(
            session.exec(postgresql.insert(table).values(values).on_conflict_do_nothing()).rowcount
        )
    return bool(session.exec(sqlite.insert(table).values(values).on_conflict_do_nothing()).rowcount)
