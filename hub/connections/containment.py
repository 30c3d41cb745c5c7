"""Call a connector's code so that nothing comes out of it but a result or one of our errors."""

from __future__ import annotations

import math
import resource
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from hub.budget import counting
from hub.connector import Connector
from hub.errors import HubError, PluginError, Rejected, Retry, Unauthorized, Unknown
from hub.ledgers import Ledger
from hub.nouns import Receipt
from hub.redaction import cover, secrets_of

T = TypeVar("T")
LONGEST = 2_000
"""Letters of an error's text that are kept."""
LONGEST_REF, LONGEST_DETAIL = 500, 1_000
"""Letters of a receipt that are kept."""
KINDS = (Retry, Unauthorized, Rejected, Unknown, PluginError)


@contextmanager
def contained(
    connector: Connector[Any], spoil: Callable[[str], None], ledger: Ledger | None = None
) -> Iterator[None]:
    """Turn whatever a connector raises into an error whose text is safe to keep and to show.

    `spoil` is told when the call left something behind that could harm what this process does
    next: a thread, or a heap as large as it may be. Its budgets are counted in `ledger`.
    """
    before = set(threading.enumerate())
    try:
        with counting(ledger):
            yield
    except Exception as error:
        safe = spoken(error, secrets_of(connector.config))
        if safe is error:
            raise
        raise safe from error
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and not ignores_keyboard():
            raise  # somebody at a terminal
        spoil(f"{connector.title} raised {type(error).__name__}")
        raise PluginError(
            f"{connector.title} tried to end its worker with {type(error).__name__}"
        ) from error
    finally:
        left = [one.name for one in threading.enumerate() if one not in before and one.is_alive()]
        if left:
            spoil(f"{connector.title} left a thread running: {left[0][:50]}")
        elif is_swollen():
            spoil(f"{connector.title} uses most of its worker's memory")


def drawn(
    connector: Connector[Any],
    begin: Callable[[], Iterator[T]],
    spoil: Callable[[str], None],
    ledger: Ledger | None = None,
) -> Iterator[T]:
    """Yield what an iterator of a connector yields, with every step contained."""
    with contained(connector, spoil, ledger):
        records = iter(begin())
    while True:
        with contained(connector, spoil, ledger):
            try:
                record = next(records)
            except StopIteration:
                return
        yield record


def bounded(connector: Connector[Any], receipt: Any) -> Receipt:
    """Return what a receipt says as far as it may be kept; raise `PluginError` for what is none."""
    if not isinstance(receipt, Receipt):
        kind = type(receipt).__name__
        raise PluginError(f"{connector.title} returned a {kind}, which is no Receipt")
    secrets = secrets_of(connector.config)
    ref, detail = cover(str(receipt.ref), secrets), cover(str(receipt.detail), secrets)
    return Receipt(
        ref=ref[:LONGEST_REF], detail=detail[:LONGEST_DETAIL], withheld=receipt.withheld is True
    )


def spoken(error: Exception, secrets: frozenset[str]) -> Exception:
    """Return an error that is safe to keep: the same, or one of its kind with a safe text."""
    try:
        said: str | None = str(error)
    except Exception:
        said = None
    safe = "an error whose text cannot be had" if said is None else cover(said, secrets)[:LONGEST]
    after = getattr(error, "after", None)
    if safe == said and (after is None or is_time(after)):
        return error
    if isinstance(error, Retry):
        return Retry(safe, after=after if is_time(after) else None)
    for kind in KINDS:
        if isinstance(error, kind):
            return kind(safe)
    if isinstance(error, HubError):
        return PluginError(safe)
    return PluginError(f"{type(error).__name__}: {safe}")


def is_time(value: Any) -> bool:
    """Say whether a value can be a number of seconds to wait."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and value >= 0


def ignores_keyboard() -> bool:
    """Say whether Ctrl-C is none of this process's business, as in a forked worker."""
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def is_swollen() -> bool:
    """Say whether this process has taken more than half of the memory that it may."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return False
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit > limit // 2
