"""Limits that a live hub keeps so that people need not wait, wide for a test run.

A shared machine stands still for some seconds now and then. A hub passes over what takes too long
by then and comes back to it, which no test that asks once is about; a test of a limit sets it.
"""

from __future__ import annotations

import signal

from hub import ledgers
from hub.planning import solving, travel
from hub.queue import entry
from hub.testing.patience import PATIENCE
from hub.tracking import worker as tracking
from hub.web import hooks, stopwatch


def be_patient() -> None:
    """Wait for the database, Redis, plugins and engines as long as tests wait for anything."""
    ledgers.PATIENCE = ledgers.COUNTING = PATIENCE
    entry.BUDGET = PATIENCE
    hooks.PATIENCE = stopwatch.SECONDS = PATIENCE
    travel.PATIENCE = solving.LEAST_PATIENCE = PATIENCE
    tracking.LEASE = int(PATIENCE * 1000)


def hear_ctrl_c() -> None:
    """Let this process and those it starts hear Ctrl-C, which a shell's background run ignores."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
