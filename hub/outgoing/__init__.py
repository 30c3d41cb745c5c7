"""Events out: each numbered event is sent to the endpoints that want it, in order per subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.hub import Hub


def register(hub: Hub) -> None:
    """Add the work that gives events to endpoints and that sends them."""
    from hub.outgoing import fanout, sending

    hub.handlers.update(
        {fanout.KIND: fanout.work, fanout.SWEEP: fanout.sweep, sending.KIND: sending.work}
    )
    hub.rounds.append(fanout.go_round)
