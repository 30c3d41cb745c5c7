"""A depot's day becomes draft routes: problem, engine, check, reasons, insertion, ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.hub import Hub


def register(hub: Hub) -> None:
    """Let the workers of `hub` make plans, and workflows ask for them."""
    from hub.planning import plans, reasons_later, ways
    from hub.planning.actions import ACTIONS

    hub.actions.update({action.name: action for action in ACTIONS})

    hub.handlers[plans.KIND] = plans.work
    hub.handlers[reasons_later.KIND] = reasons_later.work
    hub.handlers[ways.KIND] = ways.work
