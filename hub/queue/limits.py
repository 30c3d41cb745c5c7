"""Bounds that the kernel keeps for us: time and memory of a worker, and dying with its parent."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Ask Linux to kill this process when `parent`, which forked it, ends; elsewhere do nothing.

    Where the kernel cannot do this, the lease keeper notices that the parent has changed.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        # The parent died before the kernel knew that we care.
        os._exit(1)


def bound_memory(megabytes: int) -> None:
    """Let allocations beyond `megabytes` of address space fail in this process; 0: no bound."""
    if megabytes <= 0:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = megabytes * 2**20
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Have the kernel kill this process if the block lasts longer than `seconds`; 0: no limit.

    SIGALRM keeps its default action, so code that holds the interpreter is stopped as well. Only
    the main thread of a worker may use it.
    """
    if seconds <= 0 or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
