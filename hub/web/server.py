"""Serve the web application with granian: one process, a few threads for requests."""

from __future__ import annotations

import gc
import logging
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


THREADS = 16
"""Requests that may be in work at once. Most of them wait for the database, not for a core: what
they have to store is then written in one transaction. Threads that are idle end by themselves."""


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
    gc.freeze()  # what start-up made stays: looking through it would hold a write up for 100 ms
    return app
