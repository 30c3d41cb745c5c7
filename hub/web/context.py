"""What a view needs: the hub, on whose behalf it works, and its sessions."""

from __future__ import annotations

from contextlib import AbstractContextManager

from flask import current_app, g

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


def write() -> AbstractContextManager[Session]:
    """Open a write transaction on behalf of the request's principal."""
    return hub().store.write(principal())
