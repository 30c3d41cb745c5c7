"""The problem that is left once every stop is served: none is left out any more.

Asking at each step whether a stop is worth its prize takes a quarter to a half of the time.
"""

from __future__ import annotations

from pyvrp import ProblemData, Solution

from hub.builtin.pyvrp.copies import client, shipment


def full(data: ProblemData, solution: Solution) -> bool:
    """Say whether a solution breaks no limit and leaves out nothing that `firm` would demand."""
    return solution.is_feasible() and all(
        stop.is_client() and data.client(stop.idx).group is not None
        for stop in solution.unplanned()
    )


def firm(data: ProblemData) -> ProblemData:
    """Return the problem with every stop demanded but those of a group, which may choose.

    Stops keep their numbers, so solutions of one problem are solutions of the other.
    """
    changes = {"required": True}
    return data.replace(
        clients=[
            one if one.group is not None else client(one, one.location, **changes)
            for one in data.clients()
        ],
        shipments=[
            shipment(one, one.pickup.location, one.delivery.location, **changes)
            for one in data.shipments()
        ],
    )
