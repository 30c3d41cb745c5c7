"""What every ticket makes a worker do: claim due work, one piece after another, and do it."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from hub.deadlines import deadline
from hub.errors import HubError, Retry
from hub.queue.bell import install
from hub.queue.faults import reach
from hub.queue.work import LEASE, Claim, LeaseLost, bury, claim, defer, give_back, renew
from hub.store import Store
from hub.store.database import Busy

if TYPE_CHECKING:
    from hub.hub import Hub

BUDGET = 5.0
"""Seconds after which a worker takes no further work for one ticket."""
LOSSES = 8
"""How often in a row work may fail without a word, or kill its worker, before it is dead."""
LONGEST_CHAIN = 20
"""Pieces of work that follow from each other before older work of others has its turn."""
LONGEST_WAIT = 300.0
log = logging.getLogger(__name__)


def run(
    hub: Hub,
    queue: str,
    worker: str,
    *,
    budget: float | None = None,
    seconds: float = 0,
    stop: Callable[[], bool] = lambda: False,
) -> int:
    """Do due work of `queue` until none is left or `budget` seconds are spent; return how much.

    Without a `budget` it is `BUDGET`. `seconds` is the hard limit of one piece of work: the kernel
    ends the process that exceeds it. Where there is more to do, the bell is rung again for whoever
    is free.
    """
    bell = install(hub)
    done, ends = 0, time.monotonic() + (BUDGET if budget is None else budget)
    bell.quiet = queue
    try:
        while time.monotonic() < ends and not stop():
            claims = claim(hub.store, queue, worker, busy=done > 0)
            if not claims:
                return done
            for _ in range(LONGEST_CHAIN):
                reach("after_claim")
                claims = work(hub, claims[0], seconds)
                done += 1
                if not claims or stop() or hub.connections.spoilt:
                    break
            if claims:
                give_back(hub.store, claims)
            if hub.connections.spoilt and queue != "fast":
                log.warning("%s starts afresh: %s", worker, hub.connections.spoilt)
                break
    except Busy as error:
        log.info("%s leaves %s for later: %s", worker, queue, error)
    finally:
        bell.quiet = ""
    bell({queue})
    return done


def work(hub: Hub, claim: Claim, seconds: float = 0) -> list[Claim]:
    """Have one claimed piece of work done; whatever happens, it is not left half said.

    Return the next piece that it made due, where that was leased to the same worker.
    """
    if claim.lost and claim.losses >= LOSSES:
        fail(hub, claim, HubError(f"its worker died {claim.losses} times in a row while doing it"))
        return []
    try:
        with kept(hub.store, claim), deadline(seconds):
            handler(hub, claim.kind)(hub, claim)
        reach("after_commit")
        if not claim.outcome.over:
            raise HubError(f"the handler of {claim.kind} neither ended nor deferred its work")
        return claim.outcome.then
    except LeaseLost as error:
        log.info("%s", error)
    except Exception as error:  # one bad handler must not stop the others; it is recorded below
        fail(hub, claim, error)
    return []


def handler(hub: Hub, kind: str) -> Callable[[Hub, Claim], None]:
    """Return who does work of `kind`; raise `HubError` if nobody in this process can."""
    found = hub.handlers.get(kind)
    if found is None:
        raise HubError(f"no part of this hub does work of kind {kind}; is the worker too old?")
    return found


def fail(hub: Hub, claim: Claim, error: Exception) -> None:
    """Record an error that no handler turned into an outcome: try again later, or give up."""
    losses = claim.losses + 1
    text = f"{type(error).__name__}: {error}"
    log.warning(
        "%s %s failed (%s of %s): %s",
        claim.kind, claim.subject, losses, LOSSES, text, exc_info=error,
    )  # fmt: skip
    try:
        with hub.store.write() as session:
            if losses >= LOSSES:
                bury(session, claim, text)
            else:
                defer(session, claim, session.wall + wait(losses, error), text, losses)
    except (LeaseLost, Busy) as later:
        # Nothing is left undone: the lease runs out and the work is claimed again.
        log.info("%s", later)


def wait(losses: int, error: Exception) -> timedelta:
    """Return how long to leave failed work alone: what the error asks for, else doubling.

    Half of it is chance, so that what failed together does not come back together.
    """
    if isinstance(error, Retry) and error.after is not None:
        return timedelta(seconds=error.after)
    longest = min(LONGEST_WAIT, 2.0**losses)
    return timedelta(seconds=longest * random.uniform(0.5, 1))


@contextmanager
def kept(store: Store, claim: Claim) -> Iterator[None]:
    """Renew the lease of `claim` from a thread for as long as the block lasts."""
    over = threading.Event()
    keeper = threading.Thread(target=keep, args=(store, claim, over), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()


def keep(store: Store, claim: Claim, over: threading.Event) -> None:
    """Renew every third of a lease until `over` is set or somebody else holds the work."""
    while not over.wait(LEASE.total_seconds() / 3):
        try:
            with store.write() as session:
                renew(session, claim)
        except LeaseLost:
            return
        except Exception as error:  # the next beat may succeed, and the lease outlasts two
            log.warning("could not renew the lease of %s %s: %s", claim.kind, claim.subject, error)
