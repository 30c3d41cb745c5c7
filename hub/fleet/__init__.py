"""Depots, vehicles, drivers and their hours."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.hub import Hub


def register(hub: Hub) -> None:
    """Let workflows ask about the fleet."""
    from hub.fleet.actions import LIST_DEPOTS

    hub.actions[LIST_DEPOTS.name] = LIST_DEPOTS
