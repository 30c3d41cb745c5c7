"""The states of stops and routes and the moves between them; no other code sets a state."""

from __future__ import annotations

from typing import Final

from hub.errors import Refused
from hub.store.orders import StopRow
from hub.store.routes import RouteRow

STOP_MOVES: Final[dict[str, frozenset[str]]] = {
    "unassigned": frozenset({"planned", "on_hold", "cancelled", "dispatched"}),
    "planned": frozenset({"unassigned", "dispatched", "on_hold", "cancelled"}),
    "dispatched": frozenset({"en_route", "arrived", "unassigned", "skipped", "cancelled"}),
    "en_route": frozenset({"arrived", "dispatched", "unassigned", "skipped", "cancelled"}),
    "arrived": frozenset({"completed", "partial", "failed", "dispatched", "skipped"}),
    "completed": frozenset(),
    "partial": frozenset({"returning"}),
    "failed": frozenset({"returning", "unassigned"}),
    "returning": frozenset({"returned"}),
    "returned": frozenset(),
    "on_hold": frozenset({"unassigned", "cancelled"}),
    "skipped": frozenset({"unassigned", "dispatched"}),
    "cancelled": frozenset(),
}
ROUTE_MOVES: Final[dict[str, frozenset[str]]] = {
    "draft": frozenset({"ready", "cancelled"}),
    "ready": frozenset({"loaded", "in_progress", "cancelled"}),
    "loaded": frozenset({"in_progress", "cancelled"}),
    "in_progress": frozenset({"closed"}),
    "closed": frozenset(),
    "cancelled": frozenset(),
}
ENDED: Final = frozenset({"completed", "partial", "failed", "returning", "returned"})
LEFT_OUT: Final = frozenset({"skipped", "cancelled", "on_hold"})
OPEN: Final = frozenset({"dispatched", "en_route", "arrived"})


def move_stop(stop: StopRow, state: str) -> None:
    """Put `stop` into `state`; raise `Refused` where that is not the next step from here."""
    if state not in STOP_MOVES[stop.state]:
        raise Refused(f"stop {stop.id} is {stop.state} and cannot become {state}", "state")
    stop.state = state


def move_route(route: RouteRow, state: str) -> None:
    """Put `route` into `state`; raise `Refused` where that is not the next step from here."""
    if state not in ROUTE_MOVES[route.state]:
        raise Refused(f"route {route.id} is {route.state} and cannot become {state}", "state")
    route.state = state
