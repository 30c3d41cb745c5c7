"""Links that a recipient or a page is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.access.tokens import tracking_token

if TYPE_CHECKING:
    from hub.hub import Hub


def tracking_url(hub: Hub, stop_id: str) -> str:
    """Return the address of a stop's tracking page; it opens once the stop is dispatched."""
    return f"{hub.settings.public_url.rstrip('/')}/t/{tracking_token(hub.keys, stop_id)}"
