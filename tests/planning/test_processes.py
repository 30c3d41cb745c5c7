"""Searches in processes of their own: at the same time, bounded, and gone afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from hub.nouns import Found, Plan
from hub.planning import processes
from hub.planning.processes import Report, side_by_side
from hub.planning.stopwatch import now
from hub.testing.patience import PATIENCE, until
from tests.planning.engines import alive


def yes(_: Found) -> bool:
    return True


def mine(report: Report) -> Plan:
    return Plan(engine=str(os.getpid()), routes=())


def test_each_search_has_a_process_of_its_own_which_is_gone_afterwards() -> None:
    answers = side_by_side([mine, mine, mine], 30, yes)
    pids = [int(answer.plan.engine) for answer in answers if answer.plan]
    assert len({*pids, os.getpid()}) == 4
    assert list(alive(pids)) == []


def test_finds_of_all_are_heard_and_the_best_is_told() -> None:
    heard: list[int] = []

    def search(report: Report) -> Plan:
        for cost in (30, 20, 25):
            report(Found(cost=cost))
        return Plan(engine="x", routes=())

    def listen(found: Found) -> bool:
        heard.append(found.cost)
        return True

    side_by_side([search, search], 30, listen)
    assert heard
    assert heard == sorted(heard, reverse=True)


def test_what_is_raised_is_the_answer_of_that_search_alone() -> None:
    def breaks(report: Report) -> Plan:
        raise ValueError("no way")

    broken, sound = side_by_side([breaks, mine], 30, yes)
    assert (broken.kind, broken.fault, broken.plan) == ("ValueError", "no way", None)
    assert sound.plan is not None


def test_a_process_that_dies_says_how() -> None:
    def dies(report: Report) -> Plan:
        os.kill(os.getpid(), signal.SIGKILL)

    (answer,) = side_by_side([dies], 30, yes)
    assert (answer.kind, answer.fault) == ("Died", "its process was ended (SIGKILL)")


def test_a_search_that_does_not_come_back_is_ended_and_the_others_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = count()

    def hangs(report: Report) -> Plan:
        note(tmp_path / "hangs")
        while True:
            time.sleep(60)

    def finds(report: Report) -> Plan:
        note(tmp_path / "finds")
        report(Found(cost=1))
        return mine(report)

    def clock() -> float:
        """Stand at the start, and be late at the next look: the answer lies there by then."""
        if next(looks) == 0:
            return 0.0
        until(lambda: noted(tmp_path / "hangs") and zombie(noted(tmp_path / "finds")))
        return 1000.0

    monkeypatch.setattr(processes, "time", SimpleNamespace(monotonic=clock))
    late, sound = side_by_side([hangs, finds], 30, yes)
    assert late.kind == "Hung"
    assert sound.plan is not None
    assert list(alive([noted(tmp_path / "hangs")])) == []


def note(path: Path) -> None:
    """Leave the id of this process."""
    path.with_suffix(".new").write_text(str(os.getpid()))
    path.with_suffix(".new").rename(path)


def noted(path: Path) -> int:
    """Return the id that was left, 0 while there is none."""
    return int(path.read_text()) if path.exists() else 0


def test_who_listens_can_end_a_search_that_reports() -> None:
    def search(report: Report) -> Plan:
        rounds = 0
        while report(Found(cost=1)):
            rounds += 1
        return Plan(engine=str(rounds), routes=())

    (answer,) = side_by_side([search], 60, lambda _: False)
    assert answer.plan is not None


def test_who_listens_can_end_a_search_that_only_looks_at_the_clock() -> None:
    def search(report: Report) -> Plan:
        until = now() + 3600
        report(Found(cost=1))
        while now() < until:
            time.sleep(0.01)
        return Plan(engine="by the clock", routes=())

    (answer,) = side_by_side([search], 60, lambda _: False)
    assert answer.plan is not None


def test_an_error_of_who_listens_ends_the_searches(tmp_path: Path) -> None:
    def search(report: Report) -> Plan:
        (tmp_path / "pid").write_text(str(os.getpid()))
        report(Found(cost=1))
        while True:
            time.sleep(60)

    def listen(found: Found) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        side_by_side([search], 60, listen)
    assert list(alive([int((tmp_path / "pid").read_text())])) == []


PARENT = """
import os, sys, time
from hub.nouns import Found
from hub.planning.processes import side_by_side

def search(report):
    print(os.getpid(), flush=True)
    while True:
        time.sleep(60)

side_by_side([search], 600, lambda found: True)
"""


def test_searches_die_with_whoever_started_them() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait(PATIENCE)
    parent.stdout.close()
    until(lambda: not list(alive([child])) or zombie(child))


def zombie(pid: int) -> bool:
    """Say whether a process has ended and only waits to be noticed."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return False
