"""Serve the web application with granian: one process, a few threads for requests."""

from __future__ import annotations

import gc
import logging
import os
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask


THREADS = 64
"""Requests that may be in hand at once. Webhooks wait for the database, not for a core, and all
that wait are stored in one transaction: with few threads a burst takes many transactions. Threads
that are idle end by themselves."""
PAGES = 16
"""Of these, how many may work on something else than webhooks, so that each finds a connection to
the database; see `MOST_CONNECTIONS`."""


class Lane:
    """Lets a bounded number of requests through at once, and webhooks of connections besides."""

    def __init__(self, application: Callable[..., Iterable[bytes]], width: int) -> None:
        self.application = application
        self.room = threading.BoundedSemaphore(width)

    def __call__(self, environ: dict[str, Any], begin: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a WSGI request."""
        if environ.get("PATH_INFO", "").startswith("/hooks/con_"):
            return self.application(environ, begin)
        with self.room:
            return self.application(environ, begin)


def serve(host: str, port: int) -> None:
    """Serve until the process is told to stop; settings come from the environment."""
    from granian import Granian
    from granian.constants import Interfaces

    logging.getLogger("_granian").addFilter(lambda said: "Python threads" not in said.getMessage())
    Granian(
        "hub.web.server:load",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        factory=True,
        workers=1,
        blocking_threads=THREADS,
        log_access=False,
        log_level="warning",
        websockets=False,
    ).serve()


def load() -> Flask:
    """Return the application, in the process that granian made for it."""
    from hub.hub import open_hub
    from hub.lifeline import tie
    from hub.logs import configure
    from hub.queue.bell import install
    from hub.settings import Settings
    from hub.web import create_app
    from hub.workflow.parts import assemble

    tie(os.getppid())
    configure()
    hub = open_hub(Settings.read())
    assemble(hub)
    install(hub)
    app = create_app(hub)
    app.wsgi_app = Lane(app.wsgi_app, PAGES)  # type: ignore[method-assign,assignment]
    gc.freeze()  # what start-up made stays: looking through it would hold a write up for 100 ms
    return app
