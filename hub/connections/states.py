"""How a connection stands, in one place: what is stored, and what its plugin does to that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from hub.store import ConnectionRow, Session

if TYPE_CHECKING:
    from hub.connections.book import Connections

State = Literal["not_set_up", "healthy", "degraded", "action_needed", "paused"]
WORDS: dict[State, str] = {
    "not_set_up": "Not set up",
    "healthy": "Healthy",
    "degraded": "Degraded",
    "action_needed": "Action needed",
    "paused": "Paused",
}
"""What people read, in the order in which a filter offers it."""
ATTENTION: tuple[State, ...] = ("action_needed", "degraded", "not_set_up")
"""What is shown on top, the most urgent first."""


@dataclass(frozen=True)
class Standing:
    """The state of a connection as people see it, and why."""

    state: State
    why: str = ""
    since: datetime | None = None

    @property
    def word(self) -> str:
        """What the chip says."""
        return WORDS[self.state]


def standing(book: Connections, session: Session, row: ConnectionRow) -> Standing:
    """Return how a connection stands now."""
    plugin = book.plugins.owner(row.connector)
    if plugin is None:
        return Standing(
            "action_needed",
            f"no installed plugin brings {row.connector}; install its package and restart the hub",
        )
    if row.state == "not_set_up":
        return Standing("not_set_up", "its set-up is not finished", row.created_at)
    if not row.enabled:
        by = f"by {row.paused_by}" if row.paused_by else "by somebody"
        return Standing("paused", by, row.paused_at)
    if not book.is_plugin_on(session, plugin.name):
        return Standing("paused", f"the plugin {plugin.name} is switched off")
    if row.state == "action_needed":
        return Standing("action_needed", row.reason, row.troubled_at)
    if row.state == "degraded":
        return Standing("degraded", row.reason, row.troubled_at)
    return Standing("healthy")
