"""The clock by which searches are limited: the wall's, unless somebody counts by another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_clock: ContextVar[Callable[[], float]] = ContextVar("clock", default=time.monotonic)
_by_wall: ContextVar[bool] = ContextVar("by_wall", default=True)


def now() -> float:
    """Return the seconds of the clock that counts here; only differences mean anything.

    For a search that is told to end at once it is endlessly late.
    """
    return _clock.get()()


def by_wall() -> bool:
    """Say whether `now` goes as fast as the clock on the wall, the only one that some solvers know.

    Else such a solver has to be ended by whoever looks at `now` on the way.
    """
    return _by_wall.get()


@contextmanager
def counted_by(clock: Callable[[], float], *, wall: bool = True) -> Iterator[None]:
    """Let `now` be another clock inside; with `wall=False` one such as this process's own time."""
    before, by = _clock.set(clock), _by_wall.set(wall)
    try:
        yield
    finally:
        _clock.reset(before)
        _by_wall.reset(by)
