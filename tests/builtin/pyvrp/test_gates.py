"""Gates let every stop to the vehicles that may serve it, and to no others."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.builtin.pyvrp.gates import all_allowed, allowed, gates, rooms, weights
from hub.nouns import ProblemStop
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


def test_stops_that_are_alike_may_be_served_by_the_same_vehicles_as_one_by_one() -> None:
    cold = van("cold", skills=frozenset({"fridge"}))
    fleet = [*FLEET[:3], cold, van("out", visited=2)]
    stops = [
        ProblemStop(
            id=f"s{number}",
            point=1,
            skills=frozenset({"fridge"} if number % 2 else ()),
            vehicles=frozenset({"cold", "v1"} if number % 3 == 0 else ()),
            position="first" if number % 5 == 0 else "",
        )
        for number in range(30)
    ]
    fetched = {"s7": "cold", "s8": "v1"}
    found = all_allowed(stops, fleet, fetched)
    assert found == {s.id: allowed(s, fleet, fetched.get(s.id, "")) for s in stops}
    assert found["s1"] == found["s7"] == {"cold"}
    assert found["s8"] == {"v1"}
    assert found["s10"] == {"v0", "v1", "v2", "cold"}
