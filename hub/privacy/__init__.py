"""What persons may ask for: to see what is held about them, and to have it erased."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.hub import Hub


def register(hub: Hub) -> None:
    """Add the work of answering requests."""
    from hub.privacy import requests

    hub.handlers[requests.KIND] = requests.work
