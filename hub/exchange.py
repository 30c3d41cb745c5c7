"""What goes over the wire, told to whoever listens: `hub plugin dev` records it for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Exchange:
    """One request and its reply, as they went over the wire; bodies are unpacked."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    status: int
    reply_headers: dict[str, str]
    reply: bytes


Listener = Callable[[Exchange], None]
_listener: ContextVar[Listener | None] = ContextVar("exchanges", default=None)


@contextmanager
def listening(told: Listener) -> Iterator[None]:
    """Call `told` with every exchange that is made in this block."""
    token = _listener.set(told)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: object,
    status: int,
    reply_headers: Mapping[str, str],
    reply: bytes,
) -> None:
    """Tell of an exchange, where somebody listens."""
    told = _listener.get()
    if told is not None:
        sent = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else b""
        told(Exchange(method, url, dict(headers), sent, status, dict(reply_headers), reply))
