"""No garbage is collected while somebody holds the database."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Calm:
    """Puts the collection of garbage off to the end of write transactions of this process.

    A whole collection takes 100 ms and more, and comes where most is made, which is in the middle
    of a write, while others wait for the database. What has become due by the end runs then.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._writers = 0
        self._wanted = False

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Collect nothing until the end, nor until that of other writers meanwhile."""
        with self._lock:
            if not self._writers:
                self._wanted = gc.isenabled()
                gc.disable()
            self._writers += 1
        try:
            yield
        finally:
            with self._lock:
                self._writers -= 1
                if not self._writers and self._wanted:
                    gc.enable()

    def reset(self) -> None:
        """Forget the writers of other threads, which a fork does not take along."""
        if self._writers and self._wanted:
            gc.enable()
        self._lock, self._writers = threading.Lock(), 0


calm = Calm()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=calm.reset)
