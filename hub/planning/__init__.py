"""A depot's day becomes draft routes: problem, engine, check, reasons, insertion."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.hub import Hub


def register(hub: Hub) -> None:
    """Let the workers of `hub` make plans."""
    from hub.planning import plans

    hub.handlers[plans.KIND] = plans.work
