"""A depot's day in the numbers of a problem: everything that fleet and orders say is in it."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hub.errors import Refused
from hub.fleet.abilities import Rest
from hub.fleet.breaks import set_breaks
from hub.fleet.measures import Measure, Measures, set_measures
from hub.hub import Hub
from hub.nouns import Break, Costs, Plan, Problem, Reloads, Shipment, Unserved
from hub.planning import day as days
from hub.planning.day import Day, midnight, seconds_since, survey
from hub.planning.drafts import discard
from hub.planning.plans import Wish, plan_now, request
from hub.store import DepotRow, DriverRow, System, VehicleRow
from hub.testing.fixtures import MORNING, set_time
from hub.testing.town import DAY, Town, at


def surveyed(town: Town, improve: bool = False) -> Day:
    with town.hub.store.read(System()) as session:
        return survey(session, session.get_one(DepotRow, town.world.depot), DAY, improve)


def set_row(town: Town, table: Any, id: str, **values: Any) -> None:
    with town.hub.store.write(System()) as session:
        row = session.get_one(table, id)
        for name, value in values.items():
            setattr(row, name, value)


def clock(hour: int, minute: int = 0) -> int:
    return hour * 3600 + minute * 60


def test_a_plain_day_asks_nothing_that_a_small_shop_does_not_know(town: Town) -> None:
    town.stops(3)
    day = surveyed(town)
    (vehicle,) = day.vehicles
    assert (vehicle.capacity, vehicle.costs, vehicle.breaks) == ((100,), Costs(), ())
    assert (vehicle.reloads, vehicle.overtime, vehicle.end) == (None, 0, vehicle.start)
    assert {(stop.deliver, stop.collect, stop.skills) for stop in day.stops} == {
        ((1,), (), frozenset())
    }
    assert (day.profiles, day.departs, day.left) == (("van",), at(8), ())


def test_a_vehicle_has_all_that_it_can_may_and_costs(town: Town) -> None:
    with town.hub.store.write(System()) as session:
        set_measures(
            session, Measures(loads=(Measure(name="units"), Measure(name="kg"), Measure(name="m3")))
        )
    set_row(
        town, VehicleRow, town.world.vehicle, capacities={"m3": 9}, profile="truck",
        skills=["fridge"], cost_fixed=Decimal(20), cost_hour=Decimal(36), cost_km=Decimal("0.35"),
        most_metres=90_000, most_stops=40, reload_depots=[town.world.depot, "dep_gone"],
        reload_seconds=900, most_reloads=2, stacked=True,
    )  # fmt: skip
    set_row(
        town, DriverRow, town.world.driver, skills=["adr"], end_place="home", home_lat=47.2,
        home_lon=9.5, overtime_minutes=30, overtime_hour=Decimal(18),
    )  # fmt: skip
    day = surveyed(town)
    (vehicle,) = day.vehicles
    assert (vehicle.capacity[0], vehicle.capacity[2]) == (100, 9)
    assert vehicle.capacity[1] > 10**9
    assert vehicle.skills == {"fridge", "adr"}
    assert vehicle.costs == Costs(
        fixed=20_000_000, per_second=10_000, per_metre=350, per_overtime_second=5_000
    )
    assert vehicle.reloads == Reloads(points=(0,), seconds=900, most=2)
    assert (vehicle.most_metres, vehicle.most_stops, vehicle.stacked) == (90_000, 40, True)
    assert (vehicle.profile, vehicle.overtime) == ("truck", 1800)
    assert day.points[vehicle.start] == (47.1410, 9.5209)
    assert day.points[vehicle.end] == (47.2, 9.5)
    assert day.depots == {0: town.world.depot}
    assert day.terms.money(12_345_678) == Decimal("12.35")


def test_one_scale_of_costs_holds_for_all_vehicles(town: Town) -> None:
    town.driver()
    set_row(town, VehicleRow, town.world.vehicle, cost_km=Decimal(1))
    priced, other = sorted(surveyed(town).vehicles, key=lambda one: -one.costs.per_metre)
    assert (priced.costs.per_metre, other.costs.per_metre) == (1000, 100)
    assert priced.costs.per_second == other.costs.per_second == 10_000


def test_a_break_may_begin_until_it_just_fits(town: Town) -> None:
    with town.hub.store.write(System()) as session:
        rest = Rest(start="12:00", end="13:30", minutes=30)
        set_breaks(session, town.world.driver, DAY.weekday(), [rest])
    (vehicle,) = surveyed(town).vehicles
    assert vehicle.breaks == (Break(window=(clock(12), clock(13)), seconds=1800),)


def test_a_vehicle_that_is_switched_off_drives_nowhere(town: Town) -> None:
    set_row(town, VehicleRow, town.world.vehicle, active=False)
    assert surveyed(town).vehicles == ()


def test_a_stop_asks_for_what_its_order_asks(town: Town) -> None:
    with town.hub.store.write(System()) as session:
        set_measures(session, Measures(loads=(Measure(name="units"), Measure(name="kg"))))
    windows = [[at(9).isoformat(), at(10).isoformat()], [at(14).isoformat(), at(15).isoformat()]]
    town.stop(
        windows=windows, window_start=at(9), window_end=at(15), load=2, loads={"kg": 12, "old": 3},
        skills=["fridge"], priority=100, driver=town.world.driver, turn="first", on_board=3600,
    )  # fmt: skip
    (stop,) = surveyed(town).stops
    assert stop.windows == ((clock(9), clock(10)), (clock(14), clock(15)))
    assert (stop.deliver, stop.collect) == ((2, 12), ())
    assert (stop.skills, stop.priority, stop.vehicles) == ({"fridge"}, 100, {town.world.driver})
    assert (stop.position, stop.on_board) == ("first", 3600)


def test_a_promised_window_goes_before_those_that_were_ordered(town: Town) -> None:
    windows = [[at(9).isoformat(), at(10).isoformat()], [at(14).isoformat(), at(15).isoformat()]]
    town.stop(windows=windows, promised_start=at(14), promised_end=at(15))
    assert surveyed(town).stops[0].windows == ((clock(14), clock(15)),)


@pytest.mark.parametrize(
    ("kind", "loads"), [("delivery", ((3,), ())), ("collection", ((), (3,))), ("service", ((), ()))]
)
def test_what_is_collected_is_room_that_is_needed_later(
    town: Town, kind: str, loads: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    town.stop(kind=kind, load=3)
    (stop,) = surveyed(town).stops
    assert (stop.deliver, stop.collect) == loads


def test_a_collection_and_a_delivery_of_one_pair_are_a_shipment(town: Town) -> None:
    fetched = town.stop(kind="collection", pair="api:P1", load=9)
    brought = town.stop(kind="delivery", pair="api:P1", load=4)
    town.stop(pair="", load=1)
    day = surveyed(town)
    assert day.shipments == (Shipment(pickup=fetched, delivery=brought, load=(4,)),)
    assert [stop.deliver for stop in day.stops] == [(), (), (1,)]
    assert day.stops[0].collect == ()


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (["delivery"], "the collection of its pair P1 is not open at this depot on this day"),
        (["delivery", "delivery"], "both stops of the pair P1 are deliveries"),
        (["delivery", "collection", "collection"], "3 stops have the pair P1"),
    ],
)
def test_half_a_pair_is_left_out_with_the_reason(town: Town, kinds: list[str], said: str) -> None:
    halves = [town.stop(kind=kind, pair="api:P1") for kind in kinds]
    other = town.stop()
    plan = town.plan()
    assert plan.state == "done"
    reasons = {left["stop"]: left["reason"] for left in plan.unserved}
    assert set(reasons) == set(halves)
    assert all(reason.startswith(said) for reason in reasons.values())
    assert town.read(other).state == "planned"


def test_pairs_of_two_merchants_are_no_pair(town: Town) -> None:
    from hub.store import MerchantRow

    with town.hub.store.write(System()) as session:
        second = MerchantRow(name="Other", slug="other")
        session.add(second)
        session.flush()
        other = second.id
    town.stop(kind="collection", pair="api:P1")
    town.stop(kind="delivery", pair="api:P1", merchant=other)
    day = surveyed(town)
    assert (day.shipments, len(day.left)) == ((), 2)


def test_a_stop_that_lies_nowhere_is_left_out_and_the_others_are_planned(town: Town) -> None:
    lost, found = town.stop(north=float("inf")), town.stop()
    plan = town.plan()
    assert (plan.state, [left["stop"] for left in plan.unserved]) == ("done", [lost])
    assert "set the pin" in plan.unserved[0]["reason"]
    assert town.read(found).state == "planned"


def test_priorities_that_are_all_the_same_are_none(town: Town) -> None:
    from hub.nouns import Grid, Matrix

    town.stops(2)
    matrix = Matrix(seconds=Grid([[0]]), metres=Grid([[0]]))
    assert {stop.priority for stop in surveyed(town).problem(matrix, 1).stops} == {0}
    town.stop(priority=20)
    assert {stop.priority for stop in surveyed(town).problem(matrix, 1).stops} == {1, 20}


def test_the_balance_is_the_operators(town: Town) -> None:
    from hub.nouns import Grid, Matrix

    matrix = Matrix(seconds=Grid([[0]]), metres=Grid([[0]]))
    assert surveyed(town).problem(matrix, 1).balance == 1.25
    with town.hub.store.write(System()) as session:
        set_measures(session, Measures(balance=0))
    assert surveyed(town).problem(matrix, 1).balance == 0


def test_improving_begins_with_the_drafts_in_their_order(hub: Hub, town: Town) -> None:
    town.stops(4)
    town.plan()
    (route,) = town.routes()
    order = tuple(stop.id for stop in town.on(route.id))
    fresh = town.stop(0.02)
    assert surveyed(town).warm == {}
    assert surveyed(town, improve=True).warm == {town.world.driver: order}
    row = plan_now(hub, "Vaduz", DAY, 0.1, wish=Wish(improve=True))
    assert (row.state, row.improve, row.unserved) == ("done", True, [])
    assert town.read(fresh).state == "planned"


def test_an_improved_plan_is_never_worse_than_its_drafts(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.stops(6)
    town.plan()
    (before,) = town.routes()

    def idle(self: object, problem: Problem, *_: object) -> Plan:
        left = tuple(Unserved(stop=stop.id, reason="no wish to") for stop in problem.stops)
        return Plan(engine="idle", routes=(), unserved=left)

    for one in hub.plugins.of_kind("routing_engines").values():
        for name in {"plan", "search"} & set(dir(one)):
            monkeypatch.setattr(one, name, idle)
    for wish in (Wish(improve=True), Wish(harder=True)):
        row = plan_now(hub, "Vaduz", DAY, 0.3, wish=wish)
        assert (row.state, row.unserved) == ("done", [])
        (after,) = town.routes()
        assert (after.metres, len(town.on(after.id))) == (before.metres, 6)


def test_drafts_that_were_being_replaced_are_remembered(hub: Hub, town: Town) -> None:
    town.stops(3)
    town.plan()
    (route,) = town.routes()
    order = tuple(stop.id for stop in town.on(route.id))
    with hub.store.write(System()) as session:
        discard(session, route.id)
    assert surveyed(town, improve=True).warm == {town.world.driver: order}


def test_asked_to_improve_a_plan_that_is_waiting_it_is_improved(hub: Hub, town: Town) -> None:
    with hub.store.write(System()) as session:
        request(session, "Vaduz", DAY)
        assert request(session, "Vaduz", DAY, improve=True).improve


def test_drafts_of_a_driver_without_time_are_nothing_to_begin_with(hub: Hub, town: Town) -> None:
    town.stop()
    town.plan()
    set_time(hub, MORNING.replace(hour=20))
    assert surveyed(town, improve=True).warm == {}


def test_more_stops_than_a_plan_takes_are_refused_with_their_number(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.stops(3)
    monkeypatch.setattr(days, "LARGEST", 2)
    with pytest.raises(Refused, match="Vaduz has 3 open stops on 2026-11-23; one plan takes at mo"):
        surveyed(town)


@pytest.mark.parametrize("day", [date(2026, 10, 25), date(2027, 3, 28), date(2026, 11, 23)])
def test_seconds_of_a_day_read_as_the_clock_when_clocks_change(day: date) -> None:
    ten = datetime.combine(day, time(10), ZoneInfo("Europe/Zurich"))
    assert seconds_since(midnight(day, "Europe/Zurich"), ten) == 36_000
