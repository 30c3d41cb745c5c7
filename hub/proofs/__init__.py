"""The record of a delivery: chained, printable, handed to whoever keeps proofs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.hub import Hub


def register(hub: Hub) -> None:
    """Let workflows deliver proofs."""
    from hub.proofs.deliver import DELIVER

    hub.actions[DELIVER.name] = DELIVER
