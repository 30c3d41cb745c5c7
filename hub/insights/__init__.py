"""What the days' figures say."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.hub import Hub


def register(hub: Hub) -> None:
    """Let workflows ask for a day's figures."""
    from hub.insights.actions import SUMMARY

    hub.actions[SUMMARY.name] = SUMMARY
