"""What a view needs: the hub, on whose behalf it works, and its sessions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from flask import current_app, g, request

from hub.access.audit import ADDRESS
from hub.errors import Forbidden
from hub.hub import Hub
from hub.store import Principal, Session


def hub() -> Hub:
    """Return the hub of this application."""
    found: Hub = current_app.extensions["hub"]
    return found


def principal() -> Principal:
    """Return on whose behalf this request acts; raise `Forbidden` when nobody signed in."""
    found: Principal | None = g.get("principal")
    if found is None:
        raise Forbidden("sign in first")
    return found


def read() -> AbstractContextManager[Session]:
    """Open a read-only session on behalf of the request's principal."""
    return hub().store.read(principal())


@contextmanager
def write() -> Iterator[Session]:
    """Open a write transaction on behalf of the request's principal, which says where it is."""
    with hub().store.write(principal()) as session:
        session.info[ADDRESS] = (request.remote_addr or "")[:60]
        yield session
