"""The rules of a route that do not hang on the clock, each told with its amount."""

from typing import Any

import pytest

from hub.nouns import Matrix, Problem, ProblemStop, ProblemVehicle, Reloads, Shipment
from hub.planning.check_route import route_faults
from hub.planning.rules import AtDepot, Item, broken_rules
from hub.planning.schedule import drive, planned

FLAT = Matrix(seconds=[[0] * 3] * 3, metres=[[0] * 3] * 3)
SHIPMENT = Shipment(pickup="p", delivery="d", load=(4,))
OTHER = Shipment(pickup="q", delivery="e", load=(1,))


def van(**changed: Any) -> ProblemVehicle:
    values: dict[str, Any] = {"id": "v", "start": 0, "end": 0, "shift": (0, 9000)}
    return ProblemVehicle(**{**values, **changed})


def told(vehicle: ProblemVehicle, *items: Item, **problem: Any) -> list[tuple[Any, ...]]:
    """Return what is broken; the checker finds fault with exactly what the evaluator does."""
    stops = tuple(item for item in items if isinstance(item, ProblemStop))
    asked = Problem(stops=stops, vehicles=(vehicle,), matrix=FLAT, **problem)
    found = list(broken_rules(asked, vehicle, items))
    route = planned(vehicle, drive(asked, vehicle, items))
    assert bool(route_faults(asked, vehicle, route)) == bool(found)
    return [(one.rule, one.amount, one.stop or one.skill) for one in found]


def stop(id: str, **values: Any) -> ProblemStop:
    return ProblemStop(id=id, point=1, **values)


def test_a_skill_that_is_missing_is_named() -> None:
    cold = stop("a", skills=frozenset({"fridge", "lift"}))
    assert told(van(skills=frozenset({"fridge", "lift"})), cold) == []
    found = told(van(skills=frozenset({"lift"})), cold)
    assert found == [("skill", 1, "a")]


def test_a_stop_of_another_vehicle_is_a_breach() -> None:
    assert told(van(), stop("a", vehicles=frozenset({"w"}))) == [("pinned", 1, "a")]
    assert told(van(), stop("a", vehicles=frozenset({"w", "v"}))) == []


def test_what_is_collected_takes_the_room_of_what_was_delivered() -> None:
    out, back = stop("out", deliver=(5,)), stop("back", collect=(5,))
    assert told(van(capacity=(5,)), out, back) == []
    assert told(van(capacity=(5,)), back, out) == [("capacity", 5, "back")]


def test_each_dimension_counts_for_itself_and_what_is_carried_counts_all_day() -> None:
    heavy = stop("a", deliver=(1, 30))
    assert told(van(capacity=(9, 29)), heavy) == [("capacity", 1, "a")]
    assert told(van(capacity=(9,)), heavy) == []
    assert told(van(capacity=(9, 30), carries=(0, 1)), heavy) == [("capacity", 1, "a")]


def test_a_reload_begins_a_new_load() -> None:
    stops = stop("a", deliver=(5,)), stop("b", deliver=(5,))
    small = van(capacity=(5,), reloads=Reloads(points=(2,)))
    assert told(small, stops[0], AtDepot(2), stops[1]) == []


def test_the_number_of_stops_counts_those_behind() -> None:
    assert told(van(most_stops=3, visited=2), stop("a")) == []
    assert told(van(most_stops=2, visited=2), stop("a")) == [("most_stops", 1, "")]


@pytest.mark.parametrize(
    ("order", "broken"),
    [("fxl", False), ("xfl", True), ("flx", True), ("ffl", False), ("fll", False)],
)
def test_first_and_last_are_where_they_want_to_be(order: str, broken: bool) -> None:
    wishes = {"f": "first", "l": "last", "x": ""}
    stops = [stop(f"{n}", position=wishes[wish]) for n, wish in enumerate(order)]
    assert bool(told(van(), *stops)) == broken


def test_locked_stops_begin_the_route() -> None:
    a, b = stop("a"), stop("b")
    assert told(van(locked=("a",)), a, b) == []
    assert told(van(locked=("a",)), b, a) == [("locked", 1, "")]
    first = stop("c", position="first")
    assert told(van(locked=("a",)), a, first) == [("first_last", 1, "c")]


def test_goods_are_fetched_before_they_are_brought_and_by_the_same_vehicle() -> None:
    p, d = stop("p"), stop("d")
    big = van(capacity=(4,))
    assert told(big, p, d, shipments=(SHIPMENT,)) == []
    assert told(big, d, p, shipments=(SHIPMENT,))[0] == ("shipment", 1, "d")
    assert told(big, p, shipments=(SHIPMENT,)) == [("shipment", 1, "p")]
    assert told(van(capacity=(3,)), p, d, shipments=(SHIPMENT,)) == [("capacity", 1, "p")]


def test_a_reload_does_not_come_between_pickup_and_delivery() -> None:
    vehicle = van(reloads=Reloads(points=(2,)))
    found = told(vehicle, stop("p"), AtDepot(2), stop("d"), shipments=(SHIPMENT,))
    assert found == [("shipment", 1, "p")]


def test_what_was_put_in_last_comes_out_first() -> None:
    p, d, q, e = stop("p"), stop("d"), stop("q"), stop("e")
    both = (SHIPMENT, OTHER)
    assert told(van(stacked=True), p, q, e, d, shipments=both) == []
    assert told(van(), p, q, d, e, shipments=both) == []
    assert told(van(stacked=True), p, q, d, e, shipments=both) == [("stacked", 1, "d")]
    buried = told(van(stacked=True), p, stop("x", deliver=(1,)), d, shipments=(SHIPMENT,))
    assert buried == [("stacked", 1, "x")]
