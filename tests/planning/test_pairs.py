"""Goods are said to fit nowhere only when they really do not."""

from __future__ import annotations

from itertools import combinations_with_replacement
from random import Random

import pytest

from hub.nouns import Matrix, Problem, ProblemStop, ProblemVehicle, Shipment
from hub.planning.check import faults
from hub.planning.insertion import find
from hub.planning.quotes import Fleet
from hub.planning.rules import Item
from hub.planning.schedule import drive, items_of
from hub.planning.settle import settle
from tests.planning.problems import problem, sequences


def test_a_place_is_found_behind_hundreds_that_are_cheaper_and_ride_too_long() -> None:
    at = (0, 1000, 5000, 2500)
    cells = [[abs(a - b) for b in at] for a in at]
    near = [ProblemStop(id=f"a{n}", point=1, service=60) for n in range(30)]
    far = [ProblemStop(id=f"b{n}", point=2, service=60) for n in range(30)]
    middle = ProblemStop(id="m", point=3, service=60)
    fetch = ProblemStop(id="p", point=1, service=60)
    bring = ProblemStop(id="d", point=2, service=60, on_board=4100)
    asked = Problem(
        stops=(*near, middle, *far, fetch, bring),
        vehicles=(ProblemVehicle(id="v", start=0, end=0, shift=(0, 14_200)),),
        matrix=Matrix(seconds=cells, metres=cells),
        shipments=(Shipment(pickup="p", delivery="d", load=(1,)),),
    )
    plan = settle(asked, "test", {"v": [*near, middle, *far]})
    assert plan.unserved == ()
    assert faults(asked, plan) == []


@pytest.mark.parametrize("first", range(0, 400, 50))
def test_a_shipment_finds_a_place_exactly_when_there_is_one(first: int) -> None:
    answers = set()
    for seed in range(first, first + 50):
        asked = problem(seed)
        asked = asked.model_copy(
            update={"vehicles": tuple(v.model_copy(update={"locked": ()}) for v in asked.vehicles)}
        )
        plan = settle(asked, "test", sequences(asked, Random(seed)))
        routes = {route.vehicle: items_of(asked, route) for route in plan.routes}
        for goods in asked.shipments:
            others = {
                id: [one for one in items if getattr(one, "id", "") not in goods_stops(goods)]
                for id, items in routes.items()
            }
            if any(drive(asked, asked.vehicle_of[v], one).broken for v, one in others.items()):
                continue  # on a road without the way that their stops were a detour for
            found = find(Fleet(asked, others), asked.stop_of[goods.pickup])
            assert bool(found) == fits_somewhere(asked, others, goods), (seed, goods.pickup)
            answers.add(bool(found))
    assert answers == {True, False}


def goods_stops(goods: Shipment) -> tuple[str, str]:
    """Return both stops of a shipment."""
    return goods.pickup, goods.delivery


def fits_somewhere(asked: Problem, routes: dict[str, list[Item]], goods: Shipment) -> bool:
    """Say whether any two places of any route take a shipment."""
    pickup, delivery = asked.stop_of[goods.pickup], asked.stop_of[goods.delivery]
    return any(
        not drive(
            asked, vehicle, [*items[:one], pickup, *items[one:other], delivery, *items[other:]]
        ).broken
        for vehicle in asked.vehicles
        for items in [routes.get(vehicle.id, [])]
        for one, other in combinations_with_replacement(range(len(items) + 1), 2)
    )
