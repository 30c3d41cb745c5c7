"""Bounds of time that the kernel keeps for us, however busy the interpreter is."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(eq=False)
class Limit:
    """When a block that is running now has to have ended, or given a sign of life."""

    seconds: float
    beats: bool
    until: float = 0.0

    def begin(self) -> None:
        """Count from now on."""
        self.until = time.monotonic() + self.seconds


_limits: list[Limit] = []


@contextmanager
def deadline(seconds: float, *, beats: bool = False) -> Iterator[None]:
    """Have the kernel kill this process if the block lasts longer than `seconds`; 0: no limit.

    With `beats` it is killed when `beat` was not called for that long. SIGALRM keeps its default
    action, so code that holds the interpreter is stopped as well. Only the main thread of a worker
    may use it. A limit within a limit cannot make that one longer.
    """
    if seconds <= 0 or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    limit = Limit(seconds, beats)
    limit.begin()
    _limits.append(limit)
    arm()
    try:
        yield
    finally:
        _limits.remove(limit)
        arm()


class Overdue(BaseException):
    """Say that a block took longer than `interrupted` lets it; no `except Exception` stops it."""


@contextmanager
def interrupted(seconds: float) -> Iterator[None]:
    """Raise `TimeoutError` if the block lasts longer than `seconds`, where that is possible.

    It is in the main thread, while no `deadline` runs, and for code that does not hold the
    interpreter; elsewhere this does nothing.
    """
    if threading.current_thread() is not threading.main_thread() or _limits:
        yield
        return

    def stop(*_: object) -> None:
        raise Overdue

    began, before = time.monotonic(), signal.signal(signal.SIGALRM, stop)
    left, every = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except Overdue as error:
        raise TimeoutError(f"it took longer than {seconds:g} seconds") from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:  # somebody else's alarm, which goes on
            left = max(left - (time.monotonic() - began), 0.001)
            signal.setitimer(signal.ITIMER_REAL, left, every)


def answered(seconds: float, ask: Callable[[], T]) -> T:
    """Return what `ask` returns; raise `TimeoutError` if that takes longer than `seconds`.

    For threads that serve people, in which the other limits do nothing: it is called in a thread of
    its own, and what it answers later is heard by nobody. In the main thread it is just called,
    because there a worker has its limits and a terminal its Ctrl-C.
    """
    if threading.current_thread() is threading.main_thread():
        return ask()
    answers: list[T] = []
    errors: list[BaseException] = []
    context, ended = copy_context(), threading.Event()

    def call() -> None:
        try:
            answers.append(context.run(ask))
        except BaseException as error:  # told to who waits
            errors.append(error)
        finally:
            ended.set()

    threading.Thread(target=call, daemon=True, name="asking").start()
    if not ended.wait(seconds):
        raise TimeoutError(f"there was no answer within {seconds:g} seconds")
    for error in errors:
        raise error
    return answers[0]


def beat() -> None:
    """Give a sign of life: a step with `heartbeat` may go on for as long again.

    Our own HTTP calls give one with every answer; a connector that works long between calls gives
    one now and then.
    """
    if threading.current_thread() is threading.main_thread():
        for limit in _limits:
            if limit.beats:
                limit.begin()
        arm()


def arm() -> None:
    """Set the alarm to the limit that comes first."""
    if _limits:
        left = min(limit.until for limit in _limits) - time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, max(left, 0.001))
    else:
        signal.setitimer(signal.ITIMER_REAL, 0)
