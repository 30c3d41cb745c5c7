"""What write transactions do and how long they are held, for tests, benchmarks and the curious."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import event

if TYPE_CHECKING:
    from sqlalchemy import Connection

TRACE = "HUB_TRACE_WRITES"
"""The environment's name of the file to which transactions are traced; without it nothing is."""
THREAD = "/proc/thread-self"


class Traced(NamedTuple):
    """One write transaction."""

    name: str
    """The function that opened it."""
    statements: int
    rows: int
    """Sets of values that were sent: one a statement, or one a row where many are written."""
    held: float
    """Seconds by its own doing: without `starved`."""
    starved: float
    """Seconds for which it could have run but other processes had the cores."""


class Counter:
    """Counts what goes to the database."""

    def __init__(self) -> None:
        self.statements = self.rows = 0

    def __call__(
        self, connection: Any, cursor: Any, statement: str, values: Any, context: Any, many: bool
    ) -> None:
        """Count a statement, as SQLAlchemy tells of it."""
        self.statements += 1
        self.rows += len(values) if many else 1


@contextmanager
def traced(connection: Connection) -> Iterator[None]:
    """Append what is done inside to the file HUB_TRACE_WRITES, if set: a line for `read`.

    A PostgreSQL server on this machine works for us while we wait, so what its process was kept
    from the cores counts too.
    """
    path = os.environ.get(TRACE)
    if not path:
        yield
        return
    workers, counter = [THREAD, *server(connection)], Counter()
    event.listen(connection, "before_cursor_execute", counter)
    began, starved = time.perf_counter(), starvation(workers)
    try:
        yield
    finally:
        held = time.perf_counter() - began
        starved = starvation(workers) - starved
        done = Traced(caller(), counter.statements, counter.rows, held - starved, starved)
        with open(path, "a") as file:
            file.write(" ".join(map(str, done)) + "\n")


def read(path: Path) -> list[Traced]:
    """Return the transactions of a file, in the order in which they ended."""
    lines = (line.split() for line in path.read_text().splitlines())
    return [
        Traced(name, int(statements), int(rows), float(held), float(starved))
        for name, statements, rows, held, starved in lines
    ]


def starvation(workers: list[str]) -> float:
    """Return the seconds for which `workers`, folders of /proc, could run but had no core."""
    seconds = 0.0
    for worker in workers:
        try:
            seconds += int(Path(worker, "schedstat").read_text().split()[1]) / 1e9
        except OSError:
            continue  # only Linux tells
    return seconds


def server(connection: Connection) -> list[str]:
    """Return the folder of /proc of the server's process behind `connection`, if it is here."""
    driver = connection.connection.driver_connection
    info = getattr(driver, "info", None)  # psycopg's; SQLite works in our own thread
    if info is None or info.host not in ("127.0.0.1", "::1", "localhost"):
        return []
    return [f"/proc/{info.backend_pid}"]


def caller() -> str:
    """Return the name of the function that opened the transaction."""
    frame = sys._getframe(1)
    while frame.f_back is not None and carries(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    return f"{frame.f_globals.get('__name__', '?')}.{frame.f_code.co_name}"


def carries(module: str) -> bool:
    """Tell whether a module only carries a transaction: the store, or a context manager."""
    return module in (__name__, "hub.store.database", "contextlib")
