"""What several requests wait for is written in one transaction."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.engine import make_url
from sqlmodel import select

from hub.hub import Hub
from hub.queue import convoy
from hub.queue.convoy import Convoy
from hub.store import Session, SettingRow
from hub.store.database import Busy
from hub.testing.patience import PATIENCE, until


class Writer:
    """Writes settings, and remembers which came together."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.batches: list[list[str]] = []
        self.may_go = threading.Event()
        self.may_go.set()
        self.entered = threading.Event()
        self.convoy: Convoy[str] = Convoy(hub.store, self.write)

    def write(self, session: Session, names: list[str]) -> None:
        self.entered.set()
        self.may_go.wait(PATIENCE)
        self.batches.append(names)
        for name in names:
            if name == "bad":
                raise ValueError("it is bad")
            session.add(SettingRow(name=name, value={}))
        session.flush()

    def send(self, name: str, patience: float = PATIENCE) -> Any:
        """Send from a thread of its own; return it with what was raised, if anything."""
        result: list[Exception] = []

        def run() -> None:
            try:
                self.convoy.send(name, patience)
            except Exception as error:
                result.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        return thread, result

    def stored(self) -> set[str]:
        with self.hub.store.read() as session:
            names = session.exec(select(SettingRow.name)).all()
        return {name for name in names if name.startswith("s")}


@pytest.fixture
def writer(hub: Hub) -> Iterator[Writer]:
    made = Writer(hub)
    yield made
    made.convoy.close()


@contextmanager
def locked(hub: Hub) -> Iterator[None]:
    """Hold the database's write lock."""
    database = sqlite3.connect(str(make_url(hub.store.url).database), isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    yield
    database.execute("ROLLBACK")
    database.close()


def wait_for_line(writer: Writer, length: int) -> None:
    until(lambda: len(writer.convoy._line) >= length)


def test_those_who_wait_go_together_and_all_are_stored(writer: Writer) -> None:
    writer.may_go.clear()
    sent = [writer.send("s0")]
    assert writer.entered.wait(PATIENCE)
    sent += [writer.send(f"s{number}") for number in range(1, 9)]
    wait_for_line(writer, 8)
    writer.may_go.set()
    for thread, _ in sent:
        thread.join(PATIENCE)
    assert [errors for _, errors in sent] == [[]] * 9
    assert writer.stored() == {f"s{number}" for number in range(9)}
    assert [len(names) for names in writer.batches] == [1, 8]


def test_one_that_cannot_be_written_stops_no_other(writer: Writer) -> None:
    writer.may_go.clear()
    first = writer.send("s0")
    assert writer.entered.wait(PATIENCE)
    sent = [writer.send(name) for name in ("s1", "bad", "s2")]
    wait_for_line(writer, 3)
    writer.may_go.set()
    for thread, _ in (first, *sent):
        thread.join(PATIENCE)
    assert writer.stored() == {"s0", "s1", "s2"}
    assert [[str(error) for error in errors] for _, errors in sent] == [[], ["it is bad"], []]


def test_who_waited_too_long_is_told_and_leaves_nothing(writer: Writer) -> None:
    if not writer.hub.store.url.startswith("sqlite"):
        return  # there nobody can lock the whole database
    with locked(writer.hub):
        sent = [writer.send(f"s{number}", patience=0.2) for number in range(4)]
        for thread, errors in sent:
            thread.join(PATIENCE)
            assert [type(error) for error in errors] == [Busy]
    assert writer.stored() == set()
    writer.convoy.send("s9")
    assert writer.stored() == {"s9"}


def test_after_some_waited_in_vain_others_are_told_soon(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not writer.hub.store.url.startswith("sqlite"):
        return  # there nobody can lock the whole database
    looks = count()  # each look at the clock is a tenth of a second after the last one
    monkeypatch.setattr(convoy, "time", SimpleNamespace(monotonic=lambda: next(looks) / 10))
    monkeypatch.setattr(convoy, "PATIENCE", 0.3)
    with locked(writer.hub):
        with pytest.raises(Busy):
            writer.convoy.send("s0", 0.5)
        began = next(looks)
        with pytest.raises(Busy):
            writer.convoy.send("s1", 30)
        assert next(looks) - began < 10
    writer.convoy.send("s2")
    assert writer.stored() == {"s2"}


def test_whoever_waits_goes_as_soon_as_the_lock_is_free(writer: Writer) -> None:
    if not writer.hub.store.url.startswith("sqlite"):
        return  # there nobody can lock the whole database
    with locked(writer.hub):
        sent = [writer.send(f"s{number}") for number in range(4)]
        wait_for_line(writer, 4)
    for thread, errors in sent:
        thread.join(PATIENCE)
        assert errors == []
    assert writer.stored() == {"s0", "s1", "s2", "s3"}
