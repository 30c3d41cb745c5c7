"""What breaking a rule costs during PyVRP's search: enough that no prize is worth it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyvrp import ProblemData
    from pyvrp.PenaltyManager import PenaltyParams

MOST = 100_000
"""PyVRP's own largest penalty of one unit, as long as no prize asks for more."""
DEAR = 2.5
"""Prizes that a load too many of the usual size costs at first."""
LATE = 0.05
"""Prizes that a unit of lateness costs at first, at the most."""
SMALL = 250
"""Up to so many stops small penalties find more, whatever the prizes: dearer ones take thousands of
rounds to fall, and until then every stop that is left out looks cheaper than a detour."""


def worth(data: ProblemData) -> int:
    """Return the largest prize of a problem."""
    clients = max((client.prize for client in data.clients()), default=0)
    return max(clients, max((one.prize for one in data.shipments()), default=0))


def usual(data: ProblemData) -> list[float]:
    """Return what a client loads on average in each dimension, of those that load anything."""
    found = []
    for one in range(data.num_load_dimensions):
        loads = [client.delivery[one] + client.pickup[one] for client in data.clients()]
        loads = [load for load in loads if load > 0]
        found.append(sum(loads) / len(loads) if loads else 1.0)
    return found


def penalties(data: ProblemData, updates: int = 500) -> PenaltyParams:
    """Return the limits of the penalties, and where between them the search begins.

    With prizes beyond the largest penalty a search would end on routes that are too full or too
    late, for serving one stop more is worth it. It begins at the geometric middle, and with a usual
    load too much at `DEAR` prizes, because days on which everything fits are found sooner with
    small penalties. They change each `updates` rounds.
    """
    from pyvrp.PenaltyManager import PenaltyParams

    class Raised(PenaltyParams):
        def midpoint_penalties(self, data: ProblemData) -> tuple[list[float], float, float]:
            half, most = MOST / 2, worth(data)
            middle = max(half, (half * most) ** 0.5)
            small = most > 0 and data.num_clients + data.num_shipments <= SMALL
            late = min(middle, LATE * most) if small else middle
            if most < half and not small:
                return [half] * data.num_load_dimensions, late, half
            return [min(half, DEAR * most / load) for load in usual(data)], late, half

    return Raised(solutions_between_updates=updates, max_penalty=float(max(MOST, 2 * worth(data))))
