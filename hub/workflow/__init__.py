"""What happens when: workflows as YAML, decided once per event, run step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.hub import Hub


def register(hub: Hub) -> None:
    """Add the engine's kinds of work: evaluate, step and effect; and the check of a connection."""
    from functools import partial

    from hub.workflow import checks, effects, engine, steps
    from hub.workflow.library import Library

    library = Library(hub)
    hub.handlers["evaluate"] = partial(engine.evaluate, library)
    hub.handlers["step"] = partial(steps.run, library)
    hub.handlers["effect"] = partial(effects.run, library)
    hub.handlers[checks.KIND] = checks.run
