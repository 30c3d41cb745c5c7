"""Routes to drivers: publishing, ad-hoc stops, order by hand, flags."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.hub import Hub


def register(hub: Hub) -> None:
    """Let workflows raise flags and change routes, and workers look for better ones."""
    from hub.dispatch import reoptimisations, reworking
    from hub.dispatch.actions import ACTIONS
    from hub.dispatch.flags import FLAG
    from hub.dispatch.live_actions import LIVE

    hub.actions.update({action.name: action for action in (FLAG, *ACTIONS, *LIVE)})
    hub.handlers[reoptimisations.KIND] = reworking.work
