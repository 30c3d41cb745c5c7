"""Times that can never bind are none: a shift longer than any way, windows that are always open."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from pyvrp import Client, Depot, ProblemData, Shipment
from pyvrp import VehicleType as Kind

from hub.builtin.pyvrp.clock import longest, timed
from tests.builtin.pyvrp.problems import problem

WIDE = 10**6
STOPS = 12


def day(fleet: Kind | None = None, depot: Depot | None = None, **client: Any) -> ProblemData:
    """Return stops that are open for WIDE seconds, the first of them with changes."""
    data = problem(stops=STOPS)
    kept = {"delivery": [1], "service_duration": 10, "tw_late": WIDE}
    clients = [
        Client(one.location, **(kept | (client if number == 0 else {})))
        for number, one in enumerate(data.clients())
    ]
    kind = fleet or Kind(STOPS, [50], tw_late=WIDE)
    return data.replace(clients=clients, vehicle_types=[kind], depots=[depot or Depot(0)])


def test_a_day_that_is_longer_than_any_route_has_no_times() -> None:
    assert day().has_time_windows()
    assert not timed(day())


def test_the_longest_route_is_no_shorter_than_one_through_all_stops() -> None:
    data = day()
    ways = data.duration_matrix(0)
    order = [0, *(client.location for client in data.clients()), 0]
    through = sum(int(ways[a, b]) for a, b in itertools.pairwise(order))
    assert longest(data) >= through + 10 * STOPS


@pytest.mark.parametrize(
    "told",
    [
        {"fleet": Kind(STOPS, [50], tw_late=5_000)},
        {"fleet": Kind(STOPS, [50], tw_late=WIDE, shift_duration=5_000)},
        {"fleet": Kind(STOPS, [50], tw_late=WIDE, tw_early=WIDE - 5_000)},
        {"fleet": Kind(STOPS, [50], tw_late=WIDE, reload_depots=[0])},
        {"depot": Depot(0, tw_late=5_000)},
        {"depot": Depot(0, tw_early=5_000)},
        {"tw_early": 5_000},
        {"tw_late": 5_000},
        {"release_time": 5_000},
    ],
    ids=lambda told: "-".join(told),
)
def test_whatever_may_come_too_early_or_too_late_is_a_time(told: dict[str, Any]) -> None:
    assert timed(day(**told))


def test_a_shipment_has_times_for_it_is_fetched_before_it_is_brought() -> None:
    assert timed(day().replace(shipments=[Shipment(1, 2, amount=[1])]))


def test_no_windows_at_all_are_no_times() -> None:
    data = problem(stops=4, fleet=[Kind(4, [50])])
    bare = [Client(one.location, delivery=[1]) for one in data.clients()]
    assert not timed(data.replace(clients=bare))
