"""Run searches beside each other, each in a process of its own that never outlives this one."""

from __future__ import annotations

import os
import signal
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any

from hub.nouns import Found, Plan
from hub.planning.stopwatch import counted_by
from hub.queue.limits import die_with_parent

TICK = 0.1
"""Seconds between two looks at whether a search should go on."""
GRACE = 2.0
"""Seconds that the others have once one of them has ended after a stop."""
MOST_NEWS = 1000
"""Finds that may lie in front of an answer, more than a pipe holds."""

Report = Callable[[Found], bool]
Search = Callable[[Report], Plan]
"""Searches, tells what it finds, and ends with the best once it is told False."""


@dataclass
class Answer:
    """What came of one search: a plan, or why there is none."""

    plan: Plan | None = None
    fault: str = ""
    kind: str = ""
    """Class of the error, e.g. `Unauthorized`; `Hung` for one that was ended."""


@dataclass
class Child:
    """A search in another process."""

    number: int
    pid: int
    pipe: Connection
    answer: Answer = field(default_factory=Answer)


def can_fork() -> bool:
    """Say whether searches can have processes of their own on this system."""
    return hasattr(os, "fork")


def attempt(search: Search, report: Report) -> Answer:
    """Search here; what is raised becomes the answer's fault."""
    try:
        return Answer(plan=search(report))
    except Exception as error:  # of an engine, which may raise anything; the next one is asked
        return Answer(fault=str(error) or type(error).__name__, kind=type(error).__name__)


def side_by_side(searches: Sequence[Search], seconds: float, goes_on: Report) -> list[Answer]:
    """Return the answer of each search; those that are not back after `seconds` are ended.

    `goes_on` gets every find, and the best one again several times a second; once it returns False
    the searches are told to end with what they have.
    """
    until = time.monotonic() + seconds
    flag = _Flag()
    children: list[Child] = []
    try:
        for number, search in enumerate(searches):
            children.append(begin(number, search, flag, [child.pipe for child in children]))
        follow(list(children), until, goes_on, flag)
    finally:
        for child in children:
            end(child)
        flag.close()
    return [child.answer for child in children]


def follow(running: list[Child], until: float, goes_on: Report, flag: _Flag) -> None:
    """Hear what the children say until all have answered or their time is over."""
    best: Found | None = None
    answered = False
    while running and (left := until - time.monotonic()) > 0:
        ready = wait([child.pipe for child in running], min(left, TICK))
        for child in [one for one in running if one.pipe in ready]:
            news = heard(child)
            if not isinstance(news, Found):
                running.remove(child)
                answered = answered or child.answer.plan is not None
            elif best is None or (news.left_out, news.cost) < (best.left_out, best.cost):
                best = news
        if flag.stopped or (best is not None and not goes_on(best)):
            if not flag.stopped:
                flag.stop()
            if answered:
                until = min(until, flag.since + GRACE)
    for child in running:
        last_look(child)


def last_look(child: Child) -> None:
    """Take the answer of a child whose time is over, if it lies there: we may be late ourselves."""
    for _ in range(MOST_NEWS):
        if not child.pipe.poll():
            break
        if not isinstance(heard(child), Found):
            return
    child.answer = Answer(fault="it did not come back in time and was ended", kind="Hung")


def heard(child: Child) -> Found | None:
    """Return what a child has found; None when it has ended, and `answer` says how."""
    try:
        news = child.pipe.recv()
    except (EOFError, OSError):
        child.answer = Answer(fault=f"its process was ended ({how(child)})", kind="Died")
        return None
    if isinstance(news, Found):
        return news
    child.answer = news
    return None


def begin(number: int, search: Search, flag: _Flag, others: Sequence[Connection]) -> Child:
    """Fork a child that searches."""
    mine, theirs = Pipe(duplex=False)
    parent = os.getpid()
    with warnings.catch_warnings():
        # A thread of ours may hold a lock that the child then waits for: the parent's patience
        # ends that, and nothing but the answer is touched here.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        theirs.close()
        return Child(number, pid, mine)
    try:
        die_with_parent(parent)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for pipe in (mine, *others):
            pipe.close()

        def report(found: Found) -> bool:
            theirs.send(found)
            return not flag.stopped

        def clock() -> float:
            return inf if flag.stopped else time.monotonic()

        with counted_by(clock):
            theirs.send(attempt(search, report))
    finally:
        os._exit(0)  # nothing of the parent's is flushed, closed or rolled back


def end(child: Child) -> None:
    """End a child, if it still runs, by its own id, and forget it."""
    with suppress(ProcessLookupError):
        os.kill(child.pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(child.pid, 0)
    child.pipe.close()


def how(child: Child) -> str:
    """Return how a child has ended, which is left there to be waited for."""
    if not hasattr(os, "waitid"):
        return "unknown how"
    with suppress(ChildProcessError):
        status = os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        if status is not None and status.si_code != os.CLD_EXITED:
            return signal.Signals(status.si_status).name
    return "it said nothing"


class _Flag:
    """One byte that all children see: whether they should stop."""

    def __init__(self) -> None:
        import mmap

        self._cell: Any = mmap.mmap(-1, 1)
        self.since = 0.0

    @property
    def stopped(self) -> bool:
        """Whether they should."""
        return bool(self._cell[0])

    def stop(self) -> None:
        """Tell them."""
        self._cell[0], self.since = 1, time.monotonic()

    def close(self) -> None:
        """Give the byte back."""
        self._cell.close()
