"""The rough plan keeps locks, or says which it cannot keep."""

from __future__ import annotations

from hub.nouns import Problem, Shipment
from hub.planning.check import faults
from hub.planning.deadline import Deadline
from hub.planning.simple import nearest, simple
from tests.planning.engines import each, problem


def locked(stop: str, **values: object) -> Problem:
    """Return a day whose first vehicle has a stop locked."""
    asked = problem(stops=30)
    first, *others = asked.vehicles
    first = first.model_copy(update={"locked": (stop,)})
    return asked.model_copy(update={"vehicles": (first, *others), **values})


def test_a_lock_that_comes_too_late_is_left_out_with_the_reason() -> None:
    asked = locked("s1")
    late = asked.stops[0].model_copy(update={"windows": ((0, 10),)})
    asked = asked.model_copy(update={"stops": (late, *asked.stops[1:])})
    plan = simple(asked, 5.0)
    assert not faults(asked, plan)
    assert [(one.stop, one.rule) for one in plan.unserved] == [("s1", "window")]


def test_what_is_fetched_first_by_a_lock_is_brought_too() -> None:
    asked = locked("s1", shipments=(Shipment(pickup="s1", delivery="s2"),))
    plan = simple(asked, 5.0)
    assert not faults(asked, plan)
    assert not plan.unserved
    assert plan.routes[0].visits[0].stop == "s1"


def test_a_lock_on_a_delivery_fetches_the_goods_or_is_left_out() -> None:
    asked = locked("s2", shipments=(Shipment(pickup="s1", delivery="s2"),))
    assert not faults(asked, simple(asked, 5.0))
    assert not faults(asked, simple(asked.model_copy(update={"vehicles": each(asked)}), 5.0))


def test_routes_that_are_nearest_begin_with_locks_that_can_be_kept() -> None:
    asked = locked("s1", shipments=(Shipment(pickup="s1", delivery="s9"),))
    first, other = asked.vehicles
    first = first.model_copy(update={"locked": ("s1", "unknown")})
    asked = asked.model_copy(update={"vehicles": (first, other)})
    found = nearest(asked, Deadline.after(5.0))
    assert [getattr(one, "id", "") for one in found["v0"]][:2] == ["s1", "s9"]
    assert not faults(asked, simple(asked, 5.0))


def test_a_lock_that_cannot_be_kept_does_not_end_a_route_before_it_begins() -> None:
    asked = locked("s1")
    late = asked.stops[0].model_copy(update={"windows": ((0, 10),)})
    asked = asked.model_copy(update={"stops": (late, *asked.stops[1:])})
    asked = asked.model_copy(update={"vehicles": asked.vehicles[:1]})
    found = nearest(asked, Deadline.after(5.0))
    assert len(found["v0"]) == 29
