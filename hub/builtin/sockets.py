"""Connections for protocols that are not HTTP: to checked addresses only, never for ever."""

from __future__ import annotations

import socket

from hub import Retry
from hub.http import resolved

TIMEOUT = 20.0
"""Seconds for a connection and for each answer."""


def connect(host: str, port: int, timeout: float = TIMEOUT) -> socket.socket:
    """Return a socket to `host`; raise `Rejected` for a private address that is not opened.

    The name is looked up once and every address checked, so that it cannot become another one
    between the check and the call. What cannot be reached is a `Retry`: nothing was sent.
    """
    failure = OSError("it has no address")
    for family, kind, protocol, _, place in resolved(host, port):
        try:
            made = socket.socket(family, kind, protocol)
        except OSError as error:  # this machine has no IPv6
            failure = error
            continue
        try:
            made.settimeout(timeout)
            made.connect(place)
        except OSError as error:
            failure = error
            made.close()
        else:
            return made
    reason = "did not answer in time" if isinstance(failure, TimeoutError) else "cannot be reached"
    raise Retry(f"{host}:{port} {reason}; it is tried again") from failure
