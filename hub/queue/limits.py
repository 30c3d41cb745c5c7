"""Bounds that the kernel keeps for us: memory of a worker, and dying with its parent."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import threading
import time

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
