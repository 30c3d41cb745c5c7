"""RQ's workers with our ways: no commands by Redis, no clean-up, bounded and mortal horses.

RQ is imported when this module is, so import it inside the functions that need it. A horse is the
process that RQ forks for one ticket.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from redis.exceptions import ConnectionError as Lost
from redis.exceptions import TimeoutError as Late
from rq.timeouts import BaseDeathPenalty
from rq.worker import SimpleWorker, Worker

from hub import logs
from hub.errors import HubError
from hub.queue.limits import bound_memory, die_with_parent
from hub.queue.warmth import Warmth
from hub.queue.work import HUNG, forfeit, holds

if TYPE_CHECKING:
    from hub.hub import Hub

MOST_SAID = 200_000
"""Letters that a horse may write to a log: a plugin's noise must not fill the disk."""
PATIENCE = 10.0
"""Seconds without Redis after which a worker ends, for its supervisor to start it again."""


class RedisGone(HubError):
    """Say that Redis did not come back in time."""


class NoPenalty(BaseDeathPenalty):  # type: ignore[misc]
    """RQ's own time limit switched off: ours are set per piece of work, and by the kernel."""

    def setup_death_penalty(self) -> None:
        """Do nothing."""

    def cancel_death_penalty(self) -> None:
        """Do nothing."""


class Ways:
    """What both kinds of worker do differently from RQ's own."""

    heard = float("inf")
    _shutdown_requested_date: Any

    @property
    def stopping(self) -> bool:
        """Say whether this process was asked to end."""
        return self._shutdown_requested_date is not None

    @property
    def should_run_maintenance_tasks(self) -> bool:
        """Never: a lost ticket is no loss, and the clean-up would act on what Redis says."""
        return False

    def subscribe(self) -> None:
        """Take no commands by Redis; whoever can write there must not steer this process."""

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Tell Redis that this worker lives; raise `RedisGone` when it is away too long."""
        try:
            super().heartbeat(timeout, pipeline)  # type: ignore[misc]
        except (Lost, Late) as error:
            if time.monotonic() - self.heard > PATIENCE:
                raise RedisGone("Redis does not answer; the worker ends") from error
            raise
        if pipeline is None:
            self.heard = time.monotonic()


class FastWorker(Ways, SimpleWorker):  # type: ignore[misc]
    """Works in its own process: for short work inside the hub."""


class ForkWorker(Ways, Worker):  # type: ignore[misc]
    """Forks a horse per ticket: for plugins and solvers, which may hang, leak or crash."""

    hub: Hub
    label: str
    megabytes: int
    warmth: Warmth
    horse_end: int | None = None
    _horse_stopping = False

    @property
    def stopping(self) -> bool:
        """Say whether this process, worker or horse, was asked to end."""
        return self._horse_stopping or super().stopping

    def execute_job(self, job: Any, queue: Any) -> None:
        """Let a horse do the work; free what it held at once if it died."""
        # No connection may be shared with the horse, so the worker keeps none open.
        self.hub.store.close()
        self.horse_end = None
        super().execute_job(job, queue)
        self.warmth.take()
        with self.hub.store.read() as session:
            left_something = holds(session, self.label)
        if left_something:
            with self.hub.store.write() as session:
                forfeit(session, self.label, how(self.horse_end))

    def wait_for_horse(self) -> tuple[int | None, int | None, Any]:
        """Wait for the horse, end what it has started, and remember how it ended."""
        if self.horse_pid and hasattr(os, "waitid"):
            with suppress(ChildProcessError, ProcessLookupError, PermissionError):
                # Its id, which is that of its group too, is nobody else's before it is reaped.
                os.waitid(os.P_PID, self.horse_pid, os.WEXITED | os.WNOWAIT)
                os.killpg(self.horse_pid, signal.SIGKILL)
        pid, self.horse_end, usage = super().wait_for_horse()
        return pid, self.horse_end, usage

    def main_work_horse(self, job: Any, queue: Any) -> None:
        """Be the horse: bounded, and gone as soon as its worker is."""
        die_with_parent(int(self.pid or 0))
        bound_memory(self.megabytes)
        logs.bound(MOST_SAID)
        self.death_penalty_class = NoPenalty
        super().main_work_horse(job, queue)

    def perform_job(self, job: Any, queue: Any, execution: Any) -> bool:
        """Use the ticket up, and tell the worker what that took to import."""
        done = bool(super().perform_job(job, queue, execution))
        self.warmth.report()
        return done

    def setup_work_horse_signals(self) -> None:
        """Let the horse end after the piece of work that it has in hand."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._stop_horse)

    def _stop_horse(self, *_: object) -> None:
        self._horse_stopping = True

    def handle_warm_shutdown_request(self) -> None:
        """Pass the wish to end on to the horse."""
        if self.horse_pid:
            os.kill(self.horse_pid, signal.SIGTERM)


def how(status: int | None) -> str:
    """Return how a process ended, by what `wait` says, for whoever takes its work over."""
    if status is None or not os.WIFSIGNALED(status):
        code = os.waitstatus_to_exitcode(status) if status is not None else 0
        return f"its worker was ended in the middle of it (exit {code})"
    number = os.WTERMSIG(status)
    if number == signal.SIGALRM:
        return HUNG
    return f"its worker was ended in the middle of it ({signal.Signals(number).name})"
