"""Bounds that the kernel keeps for us: time and memory of a worker, and dying with its parent."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Let this process end as soon as `parent`, which forked it, has ended.

    Linux kills it at once; elsewhere a thread looks once a second.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        # The parent died before the kernel knew that we care.
        os._exit(1)


def watch(parent: int) -> None:
    """End this process once its parent is another."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def bound_memory(megabytes: int) -> None:
    """Let allocations beyond `megabytes` of address space fail in this process; 0: no bound.

    Only Linux keeps such a bound; elsewhere this does nothing.
    """
    if megabytes <= 0 or sys.platform != "linux":
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
    the main thread of a worker may use it. A limit within a limit cannot make that one longer.
    """
    if seconds <= 0 or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    outer, began = signal.getitimer(signal.ITIMER_REAL)[0], time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, min(seconds, outer) if outer else seconds)
    try:
        yield
    finally:
        left = max(outer - (time.monotonic() - began), 0.001) if outer else 0
        signal.setitimer(signal.ITIMER_REAL, left)
