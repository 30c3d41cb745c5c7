"""The clock by which searches are limited: the wall's, unless somebody counts by another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_clock: ContextVar[Callable[[], float]] = ContextVar("clock", default=time.monotonic)


def now() -> float:
    """Return the seconds of the clock that counts here; only differences mean anything.

    For a search that is told to end at once it is endlessly late.
    """
    return _clock.get()()


@contextmanager
def counted_by(clock: Callable[[], float]) -> Iterator[None]:
    """Let `now` be another clock inside, such as the processor time of this process."""
    before = _clock.set(clock)
    try:
        yield
    finally:
        _clock.reset(before)
