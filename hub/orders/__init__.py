"""Orders on their way in: taken, placed, imported, called off, made into stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.hub import Hub


def register(hub: Hub) -> None:
    """Add the work and the workflow actions of orders to a hub."""
    from hub.orders import actions, geocoding, imports, lookups

    hub.handlers[imports.KIND] = imports.work
    hub.handlers[geocoding.KIND] = geocoding.work
    hub.handlers[lookups.KIND] = lookups.work
    for action in (actions.CREATE_STOP, actions.GEOCODE):
        hub.actions[action.name] = action
