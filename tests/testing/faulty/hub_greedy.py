"""A plugin that cannot be loaded: its method wants more than the hub gives."""

from __future__ import annotations

from typing import Any

import hub_goods as good

from hub import Message, Receipt, hookimpl


class Greedy(good.Channel):
    """Wants more than a message."""

    name = "greedy"

    def send(self, message: Message, urgency: int) -> Receipt:  # type: ignore[override]
        return Receipt()


@hookimpl
def notification_channels() -> list[type[Any]]:
    return [Greedy]
