"""The engine, and the two kinds of session: one that writes and one that only reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import OperationalError
from sqlmodel import Session as PlainSession

from hub.clock import Clock, Rate
from hub.errors import HubError
from hub.store.calm import calm
from hub.store.principals import Nobody, Principal
from hub.store.tracing import traced

if TYPE_CHECKING:
    from json import JSONEncoder

READ: dict[str, dict[str, Any]] = {
    "sqlite": {"hub_mode": "read"},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}
"""Execution options of a session that reads, by database: one state for all of its questions."""
MOST_CONNECTIONS = 34
"""Connections that one process may have open; those beyond a few are closed when they are idle.

Twice as many as the web works on pages at once and two: one that holds a connection may need a
second, to look at the clock, and must not wait for others that do the same.
"""
KEPT = "kept"


class Busy(HubError):
    """Say that the database stayed locked longer than a request may wait."""


class Session(PlainSession):
    """A transaction on behalf of somebody, which also knows what time it is."""

    clock: Clock
    principal: Principal

    @property
    def now(self) -> datetime:
        """Business time."""
        return self.clock.now()

    @property
    def wall(self) -> datetime:
        """Wall time."""
        return self.clock.wall()

    @property
    def rings(self) -> set[str]:
        """Queues whose workers are woken once this transaction is committed."""
        rings: set[str] = self.info.setdefault("rings", set())
        return rings

    @property
    def after_commit(self) -> list[Callable[[], None]]:
        """What is called once this transaction is committed, and never if it is not."""
        calls: list[Callable[[], None]] = self.info.setdefault("after commit", [])
        return calls


@event.listens_for(Session, "loaded_as_persistent")
def keep(session: Session, row: object) -> None:
    """Keep what a write has read until its end, so that it is not read again.

    By itself a session forgets a row as soon as nobody else holds it, and a driver's report asked
    for the same order, merchant and stops three to five times. A reader may go through any number.
    """
    kept: list[object] | None = session.info.get(KEPT)
    if kept is not None:
        kept.append(row)


class Store:
    """One database; SQLite in WAL mode or PostgreSQL, by the address alone."""

    def __init__(self, url: str, patience: float = 5.0) -> None:
        self.url = url
        self.engine = make_engine(make_url(url), patience)
        self._reading = self.engine.execution_options(**READ[self.engine.dialect.name])
        self.clock = Clock(self._read_clock)
        self.bell: Callable[[set[str]], None] | None = None
        """Called after a commit with the queues to wake; it may fail without harm."""

    @contextmanager
    def write(self, principal: Principal | None = None) -> Iterator[Session]:
        """Open a short write transaction: committed at the end, rolled back on an error.

        Nothing slow belongs inside: no HTTP, no file, no solver. Without a principal it is
        `Nobody`'s, for whom `hub.access.scoped` refuses to look for anything.
        """
        with Session(self.engine, expire_on_commit=False) as session:
            self._equip(session, principal)
            session.info[KEPT] = []
            try:
                connection = session.connection()
            except OperationalError as error:
                raise busy_or(error) from error
            with calm(), traced(connection):
                try:
                    yield session
                    session.commit()
                except OperationalError as error:
                    raise busy_or(error) from error
                finally:
                    session.rollback()
        for note in session.after_commit:
            note()
        rings = session.info.get("rings")
        if rings and self.bell is not None:
            self.bell(rings)

    @contextmanager
    def read(self, principal: Principal | None = None) -> Iterator[Session]:
        """Open a read-only session; it sees one state of the database and locks nobody out."""
        with Session(self._reading, expire_on_commit=False, autoflush=False) as session:
            self._equip(session, principal)
            yield session

    def _equip(self, session: Session, principal: Principal | None) -> None:
        session.clock = self.clock
        session.principal = principal if principal is not None else Nobody()

    def _read_clock(self) -> Rate | None:
        with self._reading.connect() as connection:
            try:
                row = connection.execute(
                    sqlalchemy.text(
                        "SELECT anchor, since, speed, ceiling FROM clock WHERE id = 1"
                    ).columns(**_CLOCK)
                ).one_or_none()
            except sqlalchemy.exc.DBAPIError:
                return None
        if row is None:
            return None
        return Rate(anchor=row.anchor, since=row.since, speed=row.speed, ceiling=row.ceiling)

    def close(self) -> None:
        """Close every connection; needed in a child right after a fork."""
        self.engine.dispose()


def _clock_columns() -> dict[str, Any]:
    from hub.store.columns import Instant

    return {
        "anchor": Instant(),
        "since": sqlalchemy.Float(),
        "speed": sqlalchemy.Float(),
        "ceiling": Instant(),
    }


_CLOCK = _clock_columns()


def make_engine(url: URL, patience: float) -> Engine:
    """Return an engine with the settings that several processes on one database need."""
    if url.get_backend_name() == "sqlite":
        return sqlite_engine(url, patience)
    url = url.set(drivername="postgresql+psycopg")
    options = f"-c lock_timeout={int(patience * 1000)} -c timezone=UTC"
    return sqlalchemy.create_engine(
        url,
        pool_size=4,
        max_overflow=MOST_CONNECTIONS - 4,
        pool_pre_ping=True,
        connect_args={"options": options, "connect_timeout": 10},
        json_serializer=to_json,
    )


def sqlite_engine(url: URL, patience: float) -> Engine:
    """Return a SQLite engine: WAL, durable commits, and BEGIN IMMEDIATE for writers.

    A deferred BEGIN that later writes fails at once when another process has written in
    between, whatever the timeout; taking the lock at the start makes writers queue instead.
    """
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sqlalchemy.create_engine(
        url,
        connect_args={"timeout": patience, "check_same_thread": False},
        max_overflow=MOST_CONNECTIONS - 5,
        json_serializer=to_json,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        reading = connection.get_execution_options().get("hub_mode") == "read"
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def to_json(value: Any) -> str:
    """Return compact JSON that keeps letters as they are."""
    return encoder().encode(value)


@cache
def encoder() -> JSONEncoder:
    """Return what writes JSON; making one anew for each value takes longer than writing it."""
    from json import JSONEncoder

    return JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)


def busy_or(error: OperationalError) -> Exception:
    """Return `Busy` for a lock that did not come free in time, else the error itself."""
    text = str(error.orig)
    if any(sign in text for sign in ("database is locked", "lock timeout", "deadlock detected")):
        return Busy("the database is busy; try again in a few seconds")
    return error
