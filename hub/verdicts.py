"""What a service's answer means for the hub: the reply, or one of the errors of `hub.errors`."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import requests

from hub.errors import HubError, Rejected, Retry, Unauthorized, Unknown
from hub.redaction import redact

READS = frozenset({"GET", "HEAD", "OPTIONS"})
"""The methods that change nothing, so that a lost reply is no reason to doubt."""


def host_of(url: str) -> str:
    """Return host and port of a URL, without user and password."""
    return urlsplit(url).netloc.rpartition("@")[2]


def understood(reply: requests.Response, *, reads: bool | None = None) -> requests.Response:
    """Return a 2xx reply; raise what any other status means for the caller."""
    if 200 <= reply.status_code < 300:
        return reply
    said = redact(sentence(reply.text)) or reply.reason
    raise judge(
        host_of(reply.url),
        reply.status_code,
        said,
        reads=reply.request.method in READS if reads is None else reads,
        after=reply.headers.get("Retry-After", ""),
    )


def sentence(text: str) -> str:
    """Return what an answer says to people: the message in its JSON, else its first 300 letters."""
    try:
        found = json.loads(text[:10_000])
    except ValueError:
        found = None
    for name in ("detail", "message", "error", "title"):
        inner = found.get(name) if isinstance(found, dict) else None
        if isinstance(inner, dict):
            inner = inner.get("message")
        if isinstance(inner, str) and inner.strip():
            return inner.strip()[:300]
    return text[:300].strip()


def judge(host: str, status: int, said: str, *, reads: bool, after: str = "") -> HubError:
    """Return what a status that is not 2xx means; `after` is the Retry-After header.

    401 and 403 are `Unauthorized`. 408, 425, 429 and a 503 that names a time say that nothing was
    done: `Retry`. Any other 5xx may come after it was done: `Unknown`, or `Retry` for a request
    that changes nothing. The rest is `Rejected`.
    """
    waits = float(after) if after.isdecimal() else None  # the other form, a date, is not counted
    if status in (401, 403):
        return Unauthorized(f"{host} does not accept the credentials ({status}): {said}")
    undone = status in (408, 425, 429) or (status == 503 and bool(after))
    if undone or (reads and status >= 500):
        return Retry(f"{host} answered {status}: {said}", after=waits)
    if status >= 500:
        return Unknown(f"{host} answered {status}, so it may be done or not: {said}")
    return Rejected(f"{host} refused it ({status}): {said}")
