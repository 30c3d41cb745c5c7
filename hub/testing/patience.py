"""How long tests wait for what must come: generously, for machines stand still at times."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds after which a test says that something does not come. Waiting ends as soon as it is
there, so that this costs nothing; and what is tested is what happens, not how fast a shared
machine is, whose disk and cores have stood still for longer than a request may wait."""


def until(true: Callable[[], object], seconds: float = PATIENCE, said: str = "") -> None:
    """Return as soon as `true()` is; raise `AssertionError` with `said` when it does not become."""
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, said or f"it did not happen within {seconds:g} seconds"
        time.sleep(0.01)
