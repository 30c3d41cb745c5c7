"""A call of a plugin that hangs, on a machine of any speed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from hub.testing.patience import PATIENCE
from hub.web import stopwatch


class Hanging:
    """Calls that nothing ends but `end`, and a stopwatch that runs only while they hang."""

    def __init__(self) -> None:
        self._over, self._inside = threading.Event(), threading.Semaphore(0)

    def hang(self, *_: object) -> None:
        """Wait for `end`, whatever is raised in this thread from outside."""
        told = False
        while not self._over.is_set():
            try:
                if not told:
                    told = True
                    self._inside.release()
                self._over.wait(PATIENCE)
            except SystemExit:
                pass

    def end(self) -> None:
        """Let all calls return."""
        self._over.set()

    @contextmanager
    def timed(self, seconds: float) -> Iterator[None]:
        """Give every call so long, from when it hangs on: before, it could still be stopped."""
        inside = self._inside

        class Late(threading.Event):
            def wait(self, timeout: float | None = None) -> bool:
                assert inside.acquire(timeout=PATIENCE)
                return super().wait(timeout)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(stopwatch, "SECONDS", seconds)
            own = SimpleNamespace(**{**vars(threading), "Event": Late})
            patched.setattr(stopwatch, "threading", own)
            yield
