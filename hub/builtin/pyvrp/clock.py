"""Whether a problem's times can ever bind, or its loads and ways alone."""

from __future__ import annotations

import numpy as np
from pyvrp import ProblemData


def timed(data: ProblemData) -> bool:
    """Say whether a route could come too early or too late for anything.

    A shift longer than the worst way through all stops is no limit: what is good for problems
    without times is then good for this one.
    """
    clients, depots, kinds = data.clients(), data.depots(), data.vehicle_types()
    if data.num_shipments or any(kind.reload_depots for kind in kinds):
        return True
    if not data.has_time_windows():
        return False
    opens = [one.tw_early for one in clients] + [one.tw_early for one in depots]
    opens += [one.release_time for one in clients]
    closes = [one.tw_late for one in clients] + [one.tw_late for one in depots]
    closes += [one.tw_late for one in kinds]
    most = longest(data)
    end = max(kind.tw_early for kind in kinds) + most
    return max(opens) > 0 or min(closes) < end or min(kind.max_duration for kind in kinds) < most


def longest(data: ProblemData) -> int:
    """Return what the worst route through all stops takes: the longest way on from each place."""
    worst = np.max([matrix.max(axis=1) for matrix in data.duration_matrices()], axis=0)
    stops = sum(int(worst[one.location]) + one.service_duration for one in data.clients())
    return stops + max(int(worst[one.location]) for one in data.depots())
