"""One call to a receiver: bounded in time and size, and its outcome in words."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy

import requests
import urllib3

from hub import http
from hub.errors import HubError
from hub.outgoing.message import Letter
from hub.redaction import HIDDEN, redact

CONNECT, LONGEST = 5.0, 15.0
"""Seconds until the connection stands, and until everything is read."""
LARGEST = 65_536
"""Bytes of a reply that are read; whether there are more is nobody's business."""
EXCERPT = 1_000
_QUOTED = re.compile(r'(?i)("[^"]*(?:key|token|secret|password|authorization)[^"]*"\s*:\s*)"[^"]*"')
_BARE = re.compile(r"(?i)(bearer\s+|basic\s+|whsec_)[\w+/=.~-]+")


@dataclass(frozen=True)
class Sent:
    """A letter, ready with the headers of this try."""

    letter: Letter
    headers: dict[str, str]


@dataclass(frozen=True)
class Outcome:
    """What became of one call; `status` is 0 where no answer came."""

    row: str
    ms: int = 0
    status: int = 0
    excerpt: str = ""
    error: str = ""
    """Empty where it was taken."""
    retry_after: str = ""

    @property
    def taken(self) -> bool:
        """Whether the receiver took it: 2xx and nothing else."""
        return 200 <= self.status < 300


class Lanes:
    """Calls side by side, each lane with a connection that is kept for the next call."""

    def __init__(self) -> None:
        self._sessions: dict[int, requests.Session] = {}

    def __enter__(self) -> Lanes:
        """Begin with no connection."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        for session in self._sessions.values():
            session.close()

    def send(self, wave: Sequence[Sent]) -> list[Outcome]:
        """Make all calls at once and return their outcomes, in the order of `wave`."""
        found: dict[int, Outcome] = {}
        ends = time.monotonic() + CONNECT + LONGEST
        threads = [self._begin(lane, sent, found) for lane, sent in enumerate(wave)]
        for thread in threads:
            thread.join(max(0.0, ends - time.monotonic()))
        for lane, thread in enumerate(threads):
            if thread.is_alive():  # it drips: the thread ends with its receiver or its process
                self._sessions.pop(lane).close()
        return [found.get(lane) or late(sent.letter) for lane, sent in enumerate(wave)]

    def _begin(self, lane: int, sent: Sent, found: dict[int, Outcome]) -> threading.Thread:
        session = self._sessions.setdefault(lane, open_session())

        def call() -> None:
            found[lane] = post(session, sent)

        thread = threading.Thread(target=call, name=f"outgoing-{lane}", daemon=True)
        thread.start()
        return thread


def open_session() -> requests.Session:
    """Return a guarded session that keeps no cookies."""
    made = http.session()
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return made


def late(letter: Letter) -> Outcome:
    """Return the outcome of a call that was cut short."""
    ms = int((CONNECT + LONGEST) * 1000)
    return Outcome(letter.row, ms, error="it did not answer within 15 seconds")


def post(session: requests.Session, sent: Sent) -> Outcome:
    """Make one call; whatever happens is an outcome."""
    began = time.monotonic()
    try:
        status, reply, after = answer(session, sent, began + LONGEST)
    except HubError as error:
        return Outcome(sent.letter.row, since(began), error=str(error))
    except Exception as error:  # a reply can be broken in any way; the next letter must still go
        said = redact(f"{type(error).__name__}: {error}")
        return Outcome(sent.letter.row, since(began), error=said[:500])
    return Outcome(
        sent.letter.row, since(began), status, excerpt(reply), judged(status), after
    )  # fmt: skip


def answer(session: requests.Session, sent: Sent, ends: float) -> tuple[int, bytes, str]:
    """Return status, beginning of the reply and Retry-After; raise `HubError` where none came."""
    with http.calling(http.host_of(sent.letter.url)):
        reply = session.post(
            sent.letter.url, data=sent.letter.body, headers=sent.headers,
            timeout=(CONNECT, LONGEST), allow_redirects=False, stream=True,
        )  # fmt: skip
        try:
            return reply.status_code, beginning(reply, ends), reply.headers.get("Retry-After", "")
        finally:
            reply.close()


def beginning(reply: requests.Response, ends: float) -> bytes:
    """Return the first bytes of a reply; what drips in after `ends` is not waited for.

    The status has been said by then, so a reply that breaks off changes nothing.
    """
    kept = bytearray()
    try:
        while len(kept) < LARGEST and time.monotonic() < ends:
            part: bytes = reply.raw.read1(LARGEST - len(kept), decode_content=True)
            if not part:
                break
            kept += part
    except (OSError, urllib3.exceptions.HTTPError, requests.RequestException):
        pass
    return bytes(kept)


def since(began: float) -> int:
    """Return the milliseconds since then."""
    return int((time.monotonic() - began) * 1000)


def judged(status: int) -> str:
    """Return in words why a status is a failure; empty for 2xx."""
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"it answered {status}: redirects are not followed; enter the final address"
    if status == 410:
        return "it answered 410: it wants no events any more"
    return f"it answered {status}"


def excerpt(reply: bytes) -> str:
    """Return the beginning of a reply as text, without what looks like a credential."""
    text = reply[: EXCERPT * 4].decode(errors="replace")
    text = "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in text)
    text = _BARE.sub(rf"\1{HIDDEN}", _QUOTED.sub(rf'\1"{HIDDEN}"', redact(text)))
    return text.encode()[:EXCERPT].decode(errors="ignore")
