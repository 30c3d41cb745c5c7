"""A plugin that returns what no hook returns."""

from typing import Any

from hub import hookimpl


@hookimpl
def notification_channels() -> Any:
    """Offer nonsense."""
    return [object, 42]
