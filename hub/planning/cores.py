"""How many searches may run at once on this machine."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

MOST = 16
"""More seeds than that hardly find a better plan."""
MATRIX = 40
"""Bytes that a search takes for each cell of the travel-time matrix, about."""
FLOOR = 120 * 2**20
"""Bytes that it takes anyway."""
QUOTA = Path("/sys/fs/cgroup/cpu.max")


def cores() -> int:
    """Return how many processors this process may use, as the scheduler and its group allow."""
    usable = getattr(os, "process_cpu_count", None) or getattr(os, "cpu_count", None)
    count = (usable() if usable else 1) or 1
    if hasattr(os, "sched_getaffinity"):
        count = min(count, len(os.sched_getaffinity(0)))
    return max(1, min(count, quota() or count))


def quota(path: Path = QUOTA) -> int:
    """Return how many processors a container may use; 0 where nobody said."""
    with suppress(OSError, ValueError):
        share, period = path.read_text().split()
        if share != "max":
            return max(1, round(int(share) / int(period)))
    return 0


def crew(points: int) -> int:
    """Return how many searches over a matrix of `points` fit into the processors and the memory."""
    each = FLOOR + MATRIX * points * points
    return max(1, min(cores(), MOST, free() // each))


def free() -> int:
    """Return the bytes of memory that nobody uses; a great many where it cannot be told."""
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 2**50
