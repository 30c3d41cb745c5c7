"""When a message is tried again, and when an endpoint is left alone or given up."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from hub.store import EndpointRow

DELAYS = (
    timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2),
    timedelta(hours=5), timedelta(hours=10), timedelta(hours=14), timedelta(hours=20),
    timedelta(hours=24),
)  # fmt: skip
"""How long to wait after the first try, the second and so on; after one more it is given up."""
MOST_TRIES = len(DELAYS) + 1
JITTER = 0.1
PATIENCE = 3
"""Rounds of calls that may fail in a row before the endpoint as a whole is left alone."""
FIRST_REST, LONGEST_REST = timedelta(seconds=30), timedelta(minutes=15)
LONGEST_ASKED = timedelta(hours=24)
"""However long the receiver asks to be left alone."""
GIVEN_UP = timedelta(days=5)
"""An endpoint that took nothing for that long is disabled."""


def next_try(tries: int, asked: float | None) -> timedelta | None:
    """Return how long to wait after so many tries; None where that was the last.

    `asked` are the seconds of a Retry-After. A tenth of the wait is chance, so that what failed
    together does not come back together.
    """
    if tries >= MOST_TRIES:
        return None
    wait = DELAYS[tries - 1] * random.uniform(1 - JITTER, 1 + JITTER)
    return wait if asked is None else max(wait, bounded(asked))


def bounded(asked: float) -> timedelta:
    """Return for how long a receiver that asks for so many seconds is left alone."""
    return min(timedelta(seconds=asked), LONGEST_ASKED)


def retry_after(header: str, now: datetime) -> float | None:
    """Return the seconds that a Retry-After asks for, as a number or as a date; None for none."""
    said = header.strip()
    if said.isdecimal() and len(said) < 10:
        return float(said)
    try:
        until = parsedate_to_datetime(said)
    except (ValueError, TypeError, IndexError):
        return None
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds())


def took(endpoint: EndpointRow, wall: datetime) -> None:
    """Note that an endpoint took something: what failed before is due at once."""
    if endpoint.failing_since is not None or endpoint.rests_until is not None:
        endpoint.recovered_at = wall
        endpoint.failures, endpoint.failing_since, endpoint.rests_until = 0, None, None
        if endpoint.state == "failing":
            endpoint.state, endpoint.reason = "healthy", ""
    endpoint.last_ok_at = wall


def refused(endpoint: EndpointRow, wall: datetime, reason: str, asked: float | None) -> None:
    """Note that an endpoint took nothing in a round of calls, so that it is not hammered."""
    endpoint.failures += 1
    endpoint.failing_since = endpoint.failing_since or wall
    if endpoint.state == "healthy" and endpoint.failures >= PATIENCE:
        endpoint.state = "failing"
    if endpoint.state == "failing":
        endpoint.reason = reason[:500]
        doubled = FIRST_REST * 2.0 ** min(endpoint.failures - PATIENCE, 10)
        endpoint.rests_until = wall + min(doubled, LONGEST_REST)
    if asked is not None:
        until = wall + bounded(asked)
        endpoint.rests_until = max(endpoint.rests_until or until, until)


def spent(endpoint: EndpointRow, wall: datetime) -> bool:
    """Say whether an endpoint took nothing for so long that it is to be disabled."""
    return endpoint.failing_since is not None and wall - endpoint.failing_since >= GIVEN_UP


def rests(endpoint: EndpointRow, wall: datetime) -> datetime | None:
    """Return until when an endpoint is left alone, None for one that may be called."""
    until = endpoint.rests_until
    return until if until is not None and until > wall else None
