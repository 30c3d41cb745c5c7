"""The canary: no secret of a connection may turn up in anything that the suite produces.

Every secret that a test stores in a connection is remembered. After each test, all that it left
is searched for them: what it logged and printed, the text of every error of ours, every page and
answer, Redis with its tickets, the database, and every file below the test's folder.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

SHORTEST = 12
"""Characters of a value that is worth looking for; shorter ones stand in texts by chance."""
LARGEST_FILE = 50_000_000
PEERS = "peers"
"""The folder in which recording peers keep what the other side knows: its own tokens, too."""
OURS = ("keys", ".pem", "_id", ".py", ".toml", ".pyc")
"""Ends of the names of files that tests write themselves and that may hold a secret."""


class Canary:
    """What is looked for, and what one test has produced so far."""

    def __init__(self) -> None:
        self.secrets: set[str] = set()
        self.produced: deque[tuple[str, str]] = deque(maxlen=20_000)
        """(where, text) of errors, records of logs and answers."""

    def learn(self, values: Iterable[object]) -> None:
        """Look for these values from now on."""
        self.secrets.update(v for v in values if isinstance(v, str) and len(v) >= SHORTEST)

    def note(self, where: str, text: str) -> None:
        """Keep what a test has produced until its end."""
        self.produced.append((where, text))

    def begin(self) -> None:
        """Forget what an earlier test produced, and its secrets."""
        self.secrets.clear()
        self.produced.clear()

    def found_in(self, places: Iterable[tuple[str, bytes]]) -> list[str]:
        """Return where a secret stands, each place once."""
        needles = [secret.encode() for secret in self.secrets]
        return sorted(
            {where for where, held in places if any(needle in held for needle in needles)}
        )


class Records(logging.Handler):
    """Keeps every record of a log as it would be written, with its traceback."""

    def __init__(self, canary: Canary) -> None:
        super().__init__()
        self.canary = canary
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        with suppress(Exception):  # a record that cannot be formatted is the logger's own trouble
            self.canary.note(f"the log of {record.name}", self.format(record))


class Watch:
    """The pytest plugin: listens while tests run, and searches after each."""

    def __init__(self) -> None:
        self.canary = Canary()

    def pytest_configure(self, config: pytest.Config) -> None:
        """Listen to what tests store, raise, log and answer."""
        config.addinivalue_line("markers", "spills(why): leaks a secret on purpose")
        listen_to_settings(self.canary)
        listen_to_errors(self.canary)
        listen_to_answers(self.canary)
        logging.getLogger().addHandler(Records(self.canary))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin with nothing."""
        self.canary.begin()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Iterator[None]:
        """Search, then let the fixtures end."""
        found: list[str] = []
        if item.get_closest_marker("spills") is None:
            given = getattr(item, "funcargs", {})
            learn_from_databases(self.canary, given)
            if self.canary.secrets:
                found = self.canary.found_in(self.places(item, given))
        yield
        if found:
            pytest.fail(f"a secret of a connection stands in {', '.join(found[:5])}", pytrace=False)

    def places(self, item: pytest.Item, given: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
        """Yield everything that a test has produced, by where it stands."""
        for where, text in self.canary.produced:
            yield where, text.encode(errors="replace")
        for _when, what, text in item._report_sections:
            yield f"captured {what}", text.encode(errors="replace")
        if "redis_url" in given:
            yield from in_redis(given["redis_url"])
        if "hub" in given:
            yield from in_database(given["hub"])
        if "tmp_path" in given:
            yield from in_files(given["tmp_path"])


def listen_to_settings(canary: Canary) -> None:
    """Learn every secret that is about to be stored in a connection."""
    from hub.connections import book

    split = book.split

    def heard(config: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        plain, secret = split(config)
        canary.learn(secret.values())
        return plain, secret

    book.split = heard


def listen_to_errors(canary: Canary) -> None:
    """Keep the text of every error that the hub raises on purpose."""
    from hub.errors import HubError

    def made(kind: type[HubError], *words: object, **named: object) -> HubError:
        error: HubError = Exception.__new__(kind, *words)
        canary.note(f"an error {kind.__name__}", f"{words!r} {named!r}")
        return error

    HubError.__new__ = staticmethod(made)  # type: ignore[method-assign,assignment]


def listen_to_answers(canary: Canary) -> None:
    """Keep every answer of the web, pages and JSON alike, with its headers."""
    from flask import Response, request, request_finished

    def heard(_sender: object, response: Response, **_more: object) -> None:
        held = b"" if response.direct_passthrough else response.get_data()
        body = held.decode(errors="replace")
        canary.note(f"the answer to {request.method} {request.path}", f"{response.headers}{body}")

    canary.heard = heard  # type: ignore[attr-defined] - the signal keeps no hold on it
    request_finished.connect(heard)


def learn_from_databases(canary: Canary, given: dict[str, Any]) -> None:
    """Learn the secrets in connections that other processes have stored below the test's folder."""
    folder = given.get("tmp_path")
    if folder is None:
        return
    for keys in Path(folder).glob("*/keys"):
        if (keys.parent / "hub.db").exists():
            canary.learn(stored_in(keys.parent))


def stored_in(directory: Path) -> Iterator[str]:
    """Yield the secrets of the connections of a hub in a directory."""
    import json
    import sqlite3

    from hub.access.keys import Keys

    opener = Keys((directory / "keys").read_text().split())
    database = sqlite3.connect(f"file:{directory / 'hub.db'}?mode=ro", uri=True)
    with closing(database), suppress(sqlite3.Error):  # one that was killed early has no tables
        for (sealed,) in database.execute("SELECT secrets FROM connection WHERE secrets != ''"):
            yield from json.loads(opener.unseal(sealed)).values()


def in_redis(url: str) -> Iterator[tuple[str, bytes]]:
    """Yield all that Redis holds: tickets, streams, hashes."""
    from redis import Redis

    with Redis.from_url(url) as redis:
        for key in redis.scan_iter(count=1000):
            read = {
                b"string": redis.get, b"hash": redis.hgetall, b"stream": redis.xrange,
                b"list": lambda name: redis.lrange(name, 0, -1), b"set": redis.smembers,
                b"zset": lambda name: redis.zrange(name, 0, -1),
            }.get(redis.type(key))  # fmt: skip
            if read is not None:  # one that has gone meanwhile has no kind
                yield f"Redis {key.decode(errors='replace')}", repr(read(key)).encode()


def in_database(hub: Any) -> Iterator[tuple[str, bytes]]:
    """Yield the rows of a server's database; a file is searched as it is."""
    from sqlalchemy import select
    from sqlmodel import SQLModel

    if hub.store.engine.dialect.name == "sqlite":
        return
    with hub.store.engine.connect() as connection:
        for table in SQLModel.metadata.sorted_tables:
            yield f"the table {table.name}", repr(connection.execute(select(table)).all()).encode()


def in_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file below a folder that is not the test's own writing."""
    for directory, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != PEERS]
        for name in names:
            path = Path(directory) / name
            with suppress(OSError):
                if not name.endswith(OURS) and path.stat().st_size <= LARGEST_FILE:
                    yield f"the file {path.relative_to(folder)}", path.read_bytes()
