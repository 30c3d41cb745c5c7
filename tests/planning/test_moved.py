"""What is changed while a plan is made is planned again: goods, vehicles and hours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import col, update

from hub.hub import Hub
from hub.nouns import Plan, Problem
from hub.planning import plans
from hub.store import DriverRow, ShiftRow, System, VehicleRow
from hub.testing.fixtures import set_time
from hub.testing.town import Town, at


def meanwhile(monkeypatch: pytest.MonkeyPatch, name: str, change: Callable[[], Any]) -> list[int]:
    """Have something change once behind `name` of `plans`; return the stops of each search."""
    real, solve, searched = getattr(plans, name), plans.solve, list[int]()
    changed: list[bool] = []

    def once(*given: Any, **named: Any) -> Any:
        found = real(*given, **named)
        if not changed:
            changed.append(True)
            change()
        return found

    def counted(hub: Hub, problem: Problem, *given: Any, **named: Any) -> Plan:
        searched.append(len(problem.stops))
        return solve(hub, problem, *given, **named)

    if name == "solve":
        real = counted
    else:
        monkeypatch.setattr(plans, "solve", counted)
    monkeypatch.setattr(plans, name, once)
    return searched


@pytest.mark.parametrize("name", ["solve", "still"])
def test_a_pair_whose_goods_grow_is_planned_again(
    town: Town, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    town.stop(0.01, kind="collection", pair="x:1", load=1)
    brought = town.stop(0.02, kind="delivery", pair="x:1", load=1)
    searched = meanwhile(monkeypatch, name, lambda: town.change(brought, load=5000))
    plan = town.plan()
    assert searched == [2, 2]
    assert (plan.state, len(plan.unserved), town.read(brought).route) == ("done", 2, None)


@pytest.mark.parametrize("name", ["solve", "still"])
def test_a_driver_who_changes_to_a_bike_gets_no_van_load(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for _ in range(5):
        town.stop(0.02, load=10)

    def change() -> None:
        with hub.store.write(System()) as session:
            bike = VehicleRow(name="Bike", capacity=25, profile="bike")
            session.add(bike)
            session.flush()
            session.get_one(DriverRow, town.world.driver).vehicle = bike.id

    searched = meanwhile(monkeypatch, name, change)
    assert town.plan().state == "done"
    (route,) = town.routes()
    with hub.store.read(System()) as session:
        vehicle = session.get_one(VehicleRow, route.vehicle)
    assert searched == [5, 5]
    assert (vehicle.name, sum(stop.load for stop in town.on(route.id))) == ("Bike", 20)


@pytest.mark.parametrize("name", ["solve", "still"])
def test_a_driver_whose_hours_are_cut_is_planned_again(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    stop = town.stop(window_start=at(14), window_end=at(15))

    def change() -> None:
        with hub.store.write(System()) as session:
            mine = col(ShiftRow.driver) == town.world.driver
            session.exec(update(ShiftRow).where(mine).values(ends="12:00"))

    searched = meanwhile(monkeypatch, name, change)
    plan = town.plan()
    assert (plan.state, searched, town.read(stop).route) == ("done", [1, 1], None)
    assert "14:00-15:00 lies outside every shift (08:00-12:00)" in plan.unserved[0]["reason"]


def test_time_that_passes_while_a_plan_is_made_changes_nothing(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = town.stop(window_start=at(14), window_end=at(15))
    set_time(hub, at(12))
    searched = meanwhile(monkeypatch, "solve", lambda: set_time(hub, at(12, 1)))
    assert town.plan().state == "done"
    assert (searched, town.read(stop).state) == ([1], "planned")
