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
    # What comes back says whether a row went in: PostgreSQL's driver gives no count of rows here.
    (first, *_) = table.primary_key.columns
    if session.get_bind().dialect.name == "postgresql":
        statement = postgresql.insert(table).values(values).on_conflict_do_nothing()
        return session.connection().execute(statement.returning(first)).first() is not None
    other = sqlite.insert(table).values(values).on_conflict_do_nothing()
    return session.connection().execute(other.returning(first)).first() is not None
