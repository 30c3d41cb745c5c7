"""Die at a named point when a test asks for it, so that every transition can be tried."""

from __future__ import annotations

import os
import signal
from collections import Counter

FAULT = "HUB_FAULT"
_passes: Counter[str] = Counter()


def reach(point: str) -> None:
    """Kill this process with SIGKILL if HUB_FAULT is `point:n` and this is its n-th pass here.

    Passes are counted per process; without the variable this does nothing. The points are
    after_claim, before_call, after_call, before_commit, after_commit and whatever else a caller
    names.
    """
    wanted = os.environ.get(FAULT)
    if not wanted:
        return
    name, _, number = wanted.partition(":")
    _passes[point] += 1
    if name == point and _passes[point] == int(number or 1):
        os.kill(os.getpid(), signal.SIGKILL)
