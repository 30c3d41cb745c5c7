"""A whole delivery day through the real parts, also when they are killed in the middle of it."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from hub.store import Store
from hub.testing.patience import until
from hub.testing.peers.log import duplicates
from hub.testing.running import Run, leftovers, service_pids

pytestmark = [pytest.mark.demo, pytest.mark.timeout(900)]
DAY = {
    "orders": 61,
    "stops": 60,
    "completed": 56,
    "failed": 3,
    "partial": 1,
    "sms_sent": 59,
    "proofs": 60,
    "xero_records": 57,
    "duplicates": 0,
    "needs_address": 1,
    "dead_letters": 1,
}
"""61 orders of which one has no address; 60 stops of which one cannot be told by SMS."""


def ended_stops(directory: Path) -> int:
    """Return how many stops have ended so far."""
    try:
        with sqlite3.connect(f"file:{directory / 'hub.db'}?mode=ro", uri=True) as database:
            query = "SELECT count(*) FROM stop WHERE state IN ('completed', 'partial', 'failed')"
            return int(database.execute(query).fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def has_ended(directory: Path, stops: int) -> bool:
    """Say whether that many stops have ended."""
    return ended_stops(directory) >= stops


def is_up(run: Run, name: str) -> bool:
    """Say whether a service runs."""
    return name in service_pids(run.process.pid)


def without_times(figures: dict[str, object]) -> dict[str, object]:
    """Return the figures that have to be the same whatever happens."""
    return {name: figures[name] for name in DAY}


def test_a_day_ends_with_every_delivery_proven_told_and_recorded_once(
    start: Callable[..., Run],
) -> None:
    figures = start("demo", "--once", "--json").figures()
    assert without_times(figures) == DAY


def test_every_service_killed_once_changes_nothing(start: Callable[..., Run]) -> None:
    run = start("demo", "--once", "--json")
    names = ["web", "live", "dispatcher", "fast", "outward", "heavy", "positions", "queue",
             "phones", "peers"]  # fmt: skip
    for count, name in enumerate(names):
        run.wait_for(partial(has_ended, run.directory, 3 + 5 * count))
        run.wait_for(partial(is_up, run, name))
        os.kill(service_pids(run.process.pid)[name], signal.SIGKILL)
    assert without_times(run.figures()) == DAY


def test_a_killed_supervisor_leaves_no_orphan_and_hub_up_ends_the_day(
    start: Callable[..., Run],
) -> None:
    run = start("demo", "--once", "--json")
    run.wait_for(lambda: ended_stops(run.directory) >= 20)
    run.process.kill()
    run.process.wait()
    until(lambda: not leftovers(run.directory))
    again = start("up", directory=run.directory)
    marks = run.directory / "marks.json"
    again.wait_for(lambda: "ended" in json.loads(marks.read_text()), seconds=400)
    again.end()
    from hub.simulate.folder import Folder
    from hub.simulate.report import tally

    store = Store(f"sqlite:///{run.directory / 'hub.db'}")
    figures = tally(store, run.directory, Folder(run.directory).day().date, 0)
    store.close()
    assert without_times(figures.model_dump()) == DAY


def test_the_counter_of_duplicates_sees_one_that_is_put_there(tmp_path: Path) -> None:
    line = {
        "at": "2026-11-23T09:00:00Z", "service": "sms", "method": "POST", "path": "/messages",
        "status": 201, "key": "a", "stop": "stp_1", "kind": "near",
    }  # fmt: skip
    log = tmp_path / "sms.jsonl"
    log.write_text(json.dumps(line) + "\n" + json.dumps({**line, "repeat": True}) + "\n")
    assert duplicates(tmp_path) == 0
    log.write_text(log.read_text() + json.dumps({**line, "key": "b"}) + "\n")
    assert duplicates(tmp_path) == 1
