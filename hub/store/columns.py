"""Column types and defaults that all tables share: ids, instants, money, JSON."""

from __future__ import annotations

import secrets
import threading
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, DateTime, Dialect, Integer, String, TypeDecorator
from sqlmodel import Field

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]


class _Ids:
    """Hands out numbers that grow within a process, also within one millisecond."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        fresh = (int(time.time() * 1000) << 80) | secrets.randbits(80)
        with self._lock:
            moved_on = fresh >> 80 > self._last >> 80
            self._last = fresh if moved_on else self._last + 1 + secrets.randbits(32)
            return self._last


_ids = _Ids()


def new_id(prefix: str) -> str:
    """Return a new id such as `ord_06f...`: sortable by time, 80 random bits (after ULID).

    Ids of one process sort in the order in which they were made.
    """
    number = _ids.next()
    letters = [_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)]
    return f"{prefix}_{''.join(letters)}"


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant; SQLite keeps it naive, so it is made aware again on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; instants are aware UTC")
        utc = value if value.tzinfo is UTC else value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class DecimalText(TypeDecorator[Decimal]):
    """A Decimal kept as text, because SQLite would make a float of it."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


def key(prefix: str) -> Any:
    """Return the primary key field of a table whose ids begin with `prefix`."""
    return Field(default_factory=lambda: new_id(prefix), primary_key=True)


def instant(*, index: bool = False) -> Any:
    """Return a field for an instant that has to be given."""
    return Field(sa_column=Column(Instant(), nullable=False, index=index))


def maybe_instant(*, index: bool = False) -> Any:
    """Return a field for an instant that may be missing."""
    return Field(default=None, sa_column=Column(Instant(), nullable=True, index=index))


def maybe_money() -> Any:
    """Return a field for an amount that may be missing."""
    return Field(default=None, sa_column=Column(DecimalText(), nullable=True))


def json(
    default: type[dict[str, Any]] | type[list[Any]] = dict, server_default: str | None = None
) -> Any:
    """Return a field for JSON; it is replaced as a whole, never changed in place."""
    column = Column(JSON(), nullable=False, server_default=server_default)
    return Field(default_factory=default, sa_column=column)


def later_json(default: type[dict[str, Any]] | type[list[Any]]) -> Any:
    """Return a field for JSON that was added to a table: rows from before have it empty."""
    empty = "{}" if default is dict else "[]"
    return Field(
        default_factory=default, sa_column=Column(JSON(), nullable=False, server_default=empty)
    )


def later(default: str | int | bool) -> Any:
    """Return a field that was added to a table: rows from before have `default`."""
    said = str(int(default)) if isinstance(default, bool | int) else default
    return Field(default=default, sa_column_kwargs={"server_default": said})


def big(*, unique: bool = False) -> Any:
    """Return a field for a counter that outgrows 32 bits; missing until it is given."""
    return Field(
        default=None,
        sa_column=Column(
            BigInteger().with_variant(Integer, "sqlite"), nullable=True, unique=unique, index=True
        ),
    )


def count() -> Any:
    """Return a field for a number that outgrows 32 bits and begins at 0."""
    kind = BigInteger().with_variant(Integer, "sqlite")
    return Field(default=0, sa_column=Column(kind, nullable=False))
