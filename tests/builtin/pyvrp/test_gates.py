"""Gates let every stop to the vehicles that may serve it, and to no others."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.builtin.pyvrp.gates import gates, rooms, weights
from tests.builtin.routes import van

FLEET = [van(f"v{number}") for number in range(12)]
NAMES = [vehicle.id for vehicle in FLEET]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.integers(0, 30), st.frozensets(st.sampled_from(NAMES), min_size=1)))
def test_a_stop_passes_the_gates_of_its_own_vehicles_only(
    drawn: dict[int, frozenset[str]],
) -> None:
    may = {f"s{number}": those for number, those in drawn.items()}
    found = gates(may, FLEET)
    for stop, those in may.items():
        weight = weights(found, [stop])
        passed = {
            vehicle.id
            for vehicle in FLEET
            if all(w <= r for w, r in zip(weight, rooms(found, vehicle, 100), strict=True))
        }
        assert passed == those


def test_stops_of_many_drivers_share_gates() -> None:
    assert len(gates({f"s{name}": frozenset({name}) for name in NAMES}, FLEET)) == 8
