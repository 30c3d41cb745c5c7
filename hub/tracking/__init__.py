"""Where drivers are, when they will be there, and what a recipient may know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.hub import Hub


def register(hub: Hub) -> None:
    """Let the workers of `hub` issue the ETAs that a report has left to do."""
    from hub.tracking import eta

    hub.handlers[eta.KIND] = eta.work
