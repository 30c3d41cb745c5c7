"""Routes to drivers: publishing, ad-hoc stops, order by hand, flags."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.hub import Hub


def register(hub: Hub) -> None:
    """Let workflows raise flags, publish routes and take up failed stops."""
    from hub.dispatch.actions import ACTIONS
    from hub.dispatch.flags import FLAG

    hub.actions.update({action.name: action for action in (FLAG, *ACTIONS)})
